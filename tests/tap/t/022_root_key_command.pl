# A root key command, played by a program that keeps the key and does what a file tells it: answers, fails,
# hangs, talks rubbish. Whatever it does, the server answers in time and leaves no process behind.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

# Not preloaded, so that each new session asks the provider.
my $node = Rampart->make('main', preload => 0)->set_up;
my $key  = $node->root_key;
my $dir  = $node->basedir;
my $kms  = "$dir/kms";

append_to_file($kms, <<"PROGRAM");
#!/bin/bash
cd '$dir'
echo \$\$ >> pids
key=\$(cat root.key)
eval "\$(cat mode)"
PROGRAM
chmod 0700, $kms;
$node->append_conf('postgresql.conf',
	"rampart.root_key_file = ''\nrampart.root_key_command = 'exec $kms'\nrampart.root_key_timeout = '10s'");
$node->reload;

# What the program does from now on.
sub does
{
	my ($script) = @_;
	unlink "$dir/pids", "$dir/mode";
	append_to_file("$dir/mode", $script);
}

sub calls
{
	my @pids = -e "$dir/pids" ? split(/\n/, slurp_file("$dir/pids")) : ();
	return @pids;
}

# The processes that the program noted are gone, soon.
sub nothing_left
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @pids = calls();
	for (1 .. 100) { last unless kill 0, @pids; usleep(20_000); }
	return ok(@pids && !kill(0, @pids), "$name: no process is left");
}

sub limit
{
	my ($value) = @_;
	$node->append_conf('postgresql.conf', "rampart.root_key_timeout = '$value'");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('rampart.root_key_timeout') = '$value'")
	  or die 'the time limit was not reloaded';
}

my $encrypt = q{SELECT rampart.decrypt(rampart.encrypt('pii', 'works'))};
sub works
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->rows_are($encrypt, 'works', "$name: works", user => 'app');
	nothing_left($name);
}
sub refused
{
	my ($name, $detail) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $started = time;
	my ($state, $message) = $node->complaint($encrypt, user => 'app');
	is($state, 'RMK05', "$name: refused");
	cmp_ok(time - $started, '<', 5, "$name: in time");
	like($message, qr/^DETAIL:  rampart\.root_key_command $detail/m, "$name: says why");
	like($message, qr/^HINT:  .*rampart\.root_key_command/m, "$name: says what to do");
	unlike($message, qr{\Q$key\E|[0-9a-f]{17}|secretsecret}i, "$name: shows nothing of the key");
	nothing_left($name);
}

# --- Answers ---

does('echo $key');
works('prints the key');
does('tr a-f A-F < root.key | head -c 64');
works('a pipeline');
does('for part in ${key:0:20} ${key:20:30} ${key:50}; do printf %s $part; sleep 0.1; done');
works('prints the key in parts');
does('yes "a line for the log" | head -n 20000 >&2; echo $key');
works('writes a lot to standard error');
does('trap "" TERM HUP INT; echo $key; exec >&-; sleep 0.2');
works('closes its output before it ends');
does('read -r line && exit 5; echo $key');
works('reads nothing from the server');
# What it begins with. Signals 32 and 33 are the C library's own.
my $none_ignored = qr/^SigIgn:\s+0+(180000000)?$/m;
does('cat /proc/self/status > status; ls -l /proc/$$/fd > files; echo $key');
works('looks around');
like(slurp_file("$dir/status"), qr/^SigBlk:\s+0+$/m, 'no signal is blocked');
like(slurp_file("$dir/status"), $none_ignored, 'none is ignored');
unlike(slurp_file("$dir/files"), qr/socket:|base\/|pg_wal/, 'no file or connection of the server is open');

# --- Failures ---

limit('500ms');
my $size = 'gave neither 64 hexadecimal digits nor 32 bytes';
my @failures = (
	[ 'fails',                   'exit 7',                                     'failed with status 7' ],
	[ 'prints, then fails',      'echo $key; exit 3',                          'failed with status 3' ],
	[ 'is killed',               'kill -9 $$',                                 'ended by signal 9' ],
	[ 'prints, then is killed',  'echo $key; kill -TERM $$',                   'ended by signal 15' ],
	[ 'does not exist',          'exec ./nothing',                             'failed with status 127' ],
	[ 'prints nothing',          'true',                                       $size ],
	[ 'prints rubbish',          'echo secret secret secret',                  $size ],
	[ 'prints bytes',            'head -c 33 /dev/urandom',                    $size ],
	[ 'prints a passphrase',     'printf secretsecretsecretsecretsecretab',    $size ],
	[ 'prints two keys',         'echo $key; echo $key',                       $size ],
	[ 'prints a web page',       'echo "<html>"; seq 1000; echo "</html>"',    'gave more than a key' ],
	[ 'never stops printing',    'yes secret',                                 'gave more than a key' ],
	[ 'hangs',                   'sleep 60',                                   'did not answer within 0.5 s' ],
	[ 'hangs, deaf to signals',  'trap "" TERM HUP INT PIPE; while :; do sleep 1; done', 'did not answer within 0.5 s' ],
	[ 'prints and hangs',        'echo $key; sleep 60',                        'did not answer within 0.5 s' ],
	[ 'closes its output and hangs', 'exec >&-; sleep 60',                     'did not answer within 0.5 s' ],
	[ 'prints, closes and hangs', 'echo $key; exec >&-; sleep 60',             'did not answer within 0.5 s' ],
	[ 'drips',                   'while :; do printf a; sleep 0.1; done',      'did not answer within 0.5 s' ],
	[ 'hangs in children', 'for i in 1 2 3; do (echo $BASHPID >> pids; sleep 60) & done; wait', 'did not answer within 0.5 s' ],
	[ 'leaves a child that holds its output', '(echo $BASHPID >> pids; sleep 60) & echo $key', 'did not answer within 0.5 s' ],
	[ 'shouts and hangs',        'while :; do echo secretsecret; done >&2 2>/dev/null', 'did not answer within 0.5 s' ]);
for my $case (@failures)
{
	my ($name, $script, $detail) = @$case;
	does($script);
	refused($name, $detail);
}
does('(exec >&-; echo $BASHPID >> pids; sleep 60) & echo $key; sleep 0.2');
works('leaves a child without its output: the answer counts, the child ends');
limit('1200ms');
does('sleep 60');
refused('another limit', 'did not answer within 1.2 s');

# --- A statement asks once, not once a row ---

$node->rows(q{CREATE TABLE t (id int, v enc_text(pii)); GRANT ALL ON t TO app});
does('echo $key');
$node->rows(q{INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 2000) i}, user => 'app');
does('exit 1');
is($node->rows('SELECT count(*) FROM t WHERE rampart.try_decrypt(v) IS NULL', user => 'app'), '2000',
	'2000 rows that nothing decrypts');
cmp_ok(scalar(calls()), '<', 10, 'and a handful of calls');
my $session = $node->session(user => 'app');
is(Rampart::ask($session, 'SELECT v FROM t WHERE id = 7'), 'RMK05', 'a session was refused');
does('echo $key');
is(Rampart::ask($session, 'SELECT v FROM t WHERE id = 7'), 'v7', 'its next statement asks again');
does('exit 1');
is(Rampart::ask($session, 'SELECT v FROM t WHERE id = 8'), 'v8', 'and it holds the key from then on');
$session->quit;

# --- Whoever waits can be interrupted ---

limit('1min');
sub waiting_session
{
	does('(echo $BASHPID >> pids; sleep 60) & sleep 60');
	my $waiting = $node->session(user => 'app');
	my $pid = Rampart::ask($waiting, 'SELECT pg_backend_pid()');
	$waiting->query_until(qr/sent/, "\\echo sent\n$encrypt;\n");
	for (1 .. 200) { last if calls() >= 2; usleep(20_000); }
	return ($waiting, $pid);
}
my ($waiting, $pid) = waiting_session();
my $started = time;
$node->rows("SELECT pg_cancel_backend($pid)");
is(Rampart::ask($waiting, 'SELECT 1'), '57014', 'a cancelled query gives up');
nothing_left('cancelled');
is(Rampart::ask($waiting, 'SELECT 2'), '2', 'and the session goes on');
$waiting->quit;
($waiting, $pid) = waiting_session();
$node->rows("SELECT pg_terminate_backend($pid)");
nothing_left('session terminated');
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
eval { $waiting->quit };
does('sleep 60');
is($node->complaint("SET statement_timeout = '300ms'; $encrypt", user => 'app'), '57014', 'statement_timeout holds');
nothing_left('statement_timeout');
($waiting, $pid) = waiting_session();
$node->stop('fast');
nothing_left('server stopped');
eval { $waiting->quit };
cmp_ok(time - $started, '<', 20, 'none of these waited for the limit');

# --- The postmaster asks at its start ---

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'rampart'\nrampart.root_key_timeout = '500ms'");
does('echo $$ >> pids; sleep 60');
$started = time;
$node->start;
cmp_ok(time - $started, '<', 5, 'preloaded, the command hangs: the server starts');
nothing_left('preloaded');
like(slurp_file($node->logfile), qr/WARNING:  .*no root key: rampart\.root_key_command did not answer within 0\.5 s/,
	'with a warning');
does('cat /proc/self/status > status; ls -l /proc/$$/fd > files; echo $key');
$node->restart;
like(slurp_file("$dir/status"), qr/^SigBlk:\s+0+$/m, 'preloaded: no signal is blocked');
like(slurp_file("$dir/status"), $none_ignored, 'preloaded: none is ignored');
does('exit 1');
is($node->rows($encrypt, user => 'app'), 'works', 'preloaded: sessions do not ask');
is(scalar(calls()), 0, 'not once');
is($node->rows('SELECT pg_postmaster_start_time() < now()'), 't', 'the server is well');

# --- Who sees it ---

$node->fails_with("SHOW $_", '42501', "$_ is not shown to everybody", user => 'app')
  for qw(rampart.root_key_command rampart.new_root_key_command rampart.new_root_key_file rampart.root_key_timeout);
$node->fails_with("SET $_ = '1'", '55P02', "$_ is the server's", user => 'app')
  for qw(rampart.root_key_command rampart.new_root_key_command rampart.root_key_timeout);

unlike(slurp_file($node->logfile), qr/\Q$key\E|PANIC|terminated by signal 11/i, 'no key in the log, no crash');
done_testing();
