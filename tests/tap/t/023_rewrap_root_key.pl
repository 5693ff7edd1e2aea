# Changing the root key: rewrap_root_key() before and after the configuration is switched, in sessions that are
# open all the while, under load, rolled back, and with the server killed in the middle of it.
use strict;
use warnings;
use Everything;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Everything->make('main');
my $dir  = $node->basedir;
my @keys = ($node->root_key, map { Rampart->random_root_key } 1 .. 2);
my @files = map { "$dir/root$_.key" } 0 .. 2;
for my $number (0 .. 2)
{
	append_to_file($files[$number], $keys[$number]);
	chmod 0600, $files[$number];
}

# Sets providers, by number of root key, in running sessions too.
sub providers
{
	my ($current, $new) = @_;
	my ($old_file, $new_file) = map { defined $_ ? $files[$_] : '' } $current, $new;
	$node->append_conf('postgresql.conf', "rampart.root_key_file = '$old_file'\nrampart.new_root_key_file = '$new_file'");
	$node->reload;
	$node->poll_query_until('postgres',
		q{SELECT current_setting('rampart.root_key_file') || current_setting('rampart.new_root_key_file')},
		"$old_file$new_file")
	  or die 'settings were not reloaded';
}

my $rewrap = 'SELECT rampart.rewrap_root_key()';
my $under  = q{SELECT count(DISTINCT root_key), count(*) FROM rampart.keys WHERE state <> 'destroyed'};
sub fingerprints { return $node->rows(q{SELECT DISTINCT root_key FROM rampart.keys WHERE state <> 'destroyed' ORDER BY 1}); }
sub status
{
	my ($item) = @_;
	return $node->rows("SELECT state, detail FROM rampart.status() WHERE item = '$item' ORDER BY 1");
}

# What must be the same before and after: everything but the fingerprints and the events.
my $unchanged = q{SELECT id, scope, purpose, version, state, created_at, changed_at FROM rampart.keys ORDER BY 1};
my $values    = q{SELECT count(*), md5(string_agg(id || email || name, ',' ORDER BY id)) FROM people};
my $keyring   = $node->rows($unchanged);
my $plain     = $node->rows($values, user => 'app');
sub all_well
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->rows($values, user => 'app'), $plain, "$name: a new session reads everything");
	is($node->rows($unchanged), $keyring, "$name: the keyring is otherwise as it was");
}

# --- Refused ---

$node->fails_with($rewrap, '42501', 'not for everybody', user => 'app');
$node->fails_with($_, '42501', "$_: not for everybody", user => 'app')
  for q{SELECT rampart.ask_root_key('new')}, 'SELECT rampart.lock_keyring()', 'SELECT rampart.root_key_status()',
  'SELECT rampart.root_key_for_new_keys()', q{SELECT rampart.rewrap_key(1, 'pii', 'data', 1, '', 1, 1, 1)};
my $message = $node->fails_with($rewrap, 'RMK05', 'no new root key is set');
like($message, qr/DETAIL:  Neither rampart\.new_root_key_file nor rampart\.new_root_key_command is set/, 'it says so');
is(status('new root key'), '', 'status() has no new root key');
providers(0, 1);
chmod 0644, $files[1];
$message = $node->fails_with($rewrap, 'RMK05', 'a new root key that others can read');
like($message, qr/DETAIL:  rampart\.new_root_key_file must be a regular file/, 'it says why');
like(status('new root key'), qr/^missing\|rampart\.new_root_key_file must be/, 'status() too');
chmod 0600, $files[1];
$node->fails_with("BEGIN ISOLATION LEVEL REPEATABLE READ; $rewrap", '25001', 'an old snapshot would miss keys');
$node->fails_with("BEGIN; UPDATE rampart.key SET wrapped = set_byte(wrapped, 3, get_byte(wrapped, 3) # 1)
	WHERE purpose = 'index'; $rewrap", 'RMK02', 'a damaged key');
$node->fails_with("BEGIN; UPDATE rampart.key SET version = version + 10 WHERE purpose = 'data'; $rewrap", 'RMK02',
	'a key under another version');
all_well('refused');
my $first = fingerprints();

# --- Rewrap, open sessions, switch ---

my %session = map { ($_ => $node->session(user => 'app')) } qw(used unused);
my $read = 'SELECT name FROM people WHERE id = 7';
my $write = q{INSERT INTO people (id, email, name) VALUES (%d, 'mail-%1$d', 'name-%1$d') RETURNING name};
is(Rampart::ask($session{used}, $read), 'Name QuaggaFoal7', 'a session has read');
my ($total) = $node->rows($under) =~ /\|(\d+)/;
like(status('root key'), qr/^ok\|fingerprint $first from rampart\.root_key_file, $total keys\. Keep a copy/, 'status(): the old one');
like(status('new root key'), qr/^unused\|fingerprint \w{16} from rampart\.new_root_key_file\. 0 of $total keys/,
	'status(): the new one is unused');

my $admin = $node->session;
Rampart::ask($admin, 'BEGIN');
is(Rampart::ask($admin, $rewrap), $total, 'all keys are rewrapped');
is(Rampart::ask($admin, $rewrap), '0', 'nothing is left to do');
is(Rampart::ask($session{used}, $read), 'Name QuaggaFoal7', 'before commit others read');
is($node->rows($values, user => 'app'), $plain, 'and so do new sessions');
Rampart::ask($admin, 'ROLLBACK');
is(fingerprints(), $first, 'rolled back: all under the old one');
is($node->rows(q{SELECT count(*) FROM rampart.key_event WHERE event = 'root_key_changed'}), '0', 'rolled back: no event');
all_well('rolled back');
is(Rampart::ask($session{used}, $read), 'Name QuaggaFoal7', 'rolled back: the open session reads');

is($node->rows($rewrap), $total, 'and now for good');
my $second = fingerprints();
like($second, qr/^(?!$first)[0-9a-f]{16}$/, 'all under the new one');
is($node->rows(q{SELECT scope IS NULL, by_role, details FROM rampart.key_event WHERE event = 'root_key_changed'}),
	qq(t|postgres|{"to": "$second", "from": "$first", "keys": $total}), 'an event says what happened');
for my $name (sort keys %session)
{
	is(Rampart::ask($session{$name}, $read), 'Name QuaggaFoal7', "$name session: reads on");
	is(Rampart::ask($session{$name}, sprintf $write, 5000 + length $name), 'name-' . (5000 + length $name), "$name session: writes on");
}
$node->rows('DELETE FROM people WHERE id >= 5000', user => 'app');
all_well('rewrapped');
like(status('root key'), qr/^ok\|fingerprint $second from rampart\.new_root_key_file, $total keys/, 'status(): the new one is used');
like(status('new root key'), qr/^in use\|.*All $total keys .*switch rampart\.root_key_file to it.*may be retired/,
	'status(): what to do next');

# Between rewrap and switch new keys are wrapped by the new one.
$node->rows(q{SELECT rampart.rotate_key('pii'); SELECT rampart.create_scope('between')});
is(fingerprints(), $second, 'new keys are under the new one already');
$node->restart;
is($node->rows($values, user => 'app'), $plain, 'a restart between rewrap and switch');
%session = map { ($_ => $node->session(user => 'app')) } qw(used unused);
is(Rampart::ask($session{used}, $read), 'Name QuaggaFoal7', 'a session has read');

providers(1);
rename $files[0], "$files[0].away";
is(Rampart::ask($session{$_}, $read), 'Name QuaggaFoal7', "switched: $_ session: reads on") for sort keys %session;
is($node->rows($values, user => 'app'), $plain, 'switched: a new session reads, without a restart');
$node->rows(q{SELECT rampart.rotate_key('pii')});
is(fingerprints(), $second, 'switched: new keys are under it, in a server that preloaded the old one too');
like(status('root key'), qr/^ok\|fingerprint $second from rampart\.root_key_file, /, 'status(): from the current provider');
is(status('new root key'), '', 'status(): no new one');
$node->restart;
is($node->rows($values, user => 'app'), $plain, 'switched: after a restart');
$keyring = $node->rows($unchanged);

# The old provider by mistake: refused, and told which is needed.
rename "$files[0].away", $files[0];
providers(0);
$node->restart;
$message = $node->fails_with($read, 'RMK06', 'the old root key opens nothing any more', user => 'app');
like($message, qr/DETAIL:  Fingerprint of the root key: $first; of the one needed: $second\./, 'it says which');
providers(0, 2);
$message = $node->fails_with($read, 'RMK06', 'nor do two others', user => 'app');
like($message, qr/needed: $second\. There is a new one\. Its fingerprint: [0-9a-f]{16}\./, 'it names both');
$node->fails_with($rewrap, 'RMK06', 'and nothing can be rewrapped');
providers(1, 1);
like(status('new root key'), qr/^same\|/, 'status(): both the same');
is($node->rows($rewrap), '0', 'the same: nothing to do');
all_well('right again');

# A database with keys under two root keys.
providers(0);
$node->rows(q{SELECT rampart.create_scope('other')});
my ($ok, $wrong) = split /\n/, status('root key');
like($ok, qr/^ok\|fingerprint $first from rampart\.root_key_file, 2 keys\./, 'status(): two root keys, one of them there');
like($wrong, qr/^wrong\|fingerprint $second, \d+ keys\. rampart\.root_key_file gives another: $first\.$/, 'and one missing');
providers(0, 1);
like(status('new root key'), qr/^partly in use\|/, 'status(): partly');
is($node->rows($rewrap), '2', 'only what is not under it yet');
is(fingerprints(), $second, 'all under one');

# --- Rotations meanwhile wait, and their keys are under the new root key ---

providers(1, 2);
Rampart::ask($admin = $node->session, 'BEGIN');
Rampart::ask($admin, $rewrap);
my @rotations = map { $node->session } 1 .. 2;
my @pids = map { Rampart::ask($_, 'SELECT pg_backend_pid()') } @rotations;
$rotations[0]->query_until(qr/sent/, "\\echo sent\nSELECT rampart.rotate_key('pii');\n");
$rotations[1]->query_until(qr/sent/, "\\echo sent\nSELECT rampart.create_scope('meanwhile');\n");
ok($node->poll_query_until('postgres',
	"SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid IN ($pids[0], $pids[1])"),
	'rotate_key and create_scope wait for the rewrap');
Rampart::ask($admin, 'COMMIT');
unlike(Rampart::ask($_, 'SELECT 1'), qr/^\w{5}$/, 'and then go on') for @rotations;
$_->quit for @rotations;
my $third = fingerprints();
like($third, qr/^(?!$first|$second)[0-9a-f]{16}$/, 'and their keys are under the new root key');
# The other way round: a rotation that is not committed.
providers(2, 0);
Rampart::ask($admin, q{BEGIN; SELECT rampart.rotate_key('pii')});
my $rewrapper = $node->session;
my $pid = Rampart::ask($rewrapper, 'SELECT pg_backend_pid()');
$rewrapper->query_until(qr/sent/, "\\echo sent\n$rewrap;\n");
ok($node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid"),
	'a rewrap waits for a rotation');
Rampart::ask($admin, 'COMMIT');
like(Rampart::ask($rewrapper, 'SELECT 1'), qr/^\d+\n1$/, 'and then goes on');
is(fingerprints(), $first, 'no key was left behind');
$_->quit for $rewrapper, $admin;
providers(0);

# --- Under load: sessions insert and read while root keys change ---

$node->rows(q{SELECT rampart.disable_key(id) FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data' AND version = 3;
	CREATE TABLE load (id text, email enc_text(pii, deterministic), name enc_text(pii)); GRANT ALL ON load TO app});
my @clients = map {
	my $name = "$dir/client$_";
	append_to_file("$name.sql", join "\n", map {
		"INSERT INTO load VALUES ('$_', 'mail$_', 'name$_');\nSELECT id || name FROM load WHERE email = 'mail$_';" } map { "$_-" } 1 .. 4000);
	{ name => $name, run => IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-U', 'app', '-v',
		'ON_ERROR_STOP=1', '-f', "$name.sql" ], '>', "$name.out", '2>', "$name.err") };
} 1 .. 4;
sub answered { return map { -e "$_->{name}.out" ? scalar(split /\n/, slurp_file("$_->{name}.out")) : 0 } @clients }
my $current = 0;
for my $round (1 .. 6)
{
	my $next = ($current + 1) % 3;
	my @before = answered();
	providers($current, $next);
	$node->rows($rewrap);
	$node->rows(q{SELECT rampart.rotate_key('pii')}) if $round % 2;
	providers($next);
	$current = $next;
	for (1 .. 200) { my @now = answered(); last unless grep { $now[$_] < $before[$_] + 20 } 0 .. 3; usleep(20_000); }
}
my @answers = answered();
$_->{run}->kill_kill for @clients;
ok(!(grep { $_ < 100 } @answers), 'sessions under load went on through six changes') or diag("@answers");
is(join('', map { slurp_file("$_->{name}.err") =~ s/.*terminating connection.*\n|.*connection to server.*\n|.*closed.*\n//gr } @clients), '', 'without an error');
is($node->rows(q{SELECT count(*) FROM load WHERE name::text <> 'name' || id OR email::text <> 'mail' || id OR id IS NULL}, user => 'app'), '0',
	'and every value is right');
is($node->rows(q{SELECT count(*) FROM rampart.verify_column('load', 'name')}), '0', 'and verifies');

# --- kill -9 in the middle ---

$node->rows(q{SELECT rampart.destroy_key(id, 'pii') FROM rampart.keys WHERE state = 'disabled';
	SELECT rampart.create_scope('more' || i) FROM generate_series(1, 40) i});
$keyring = $node->rows($unchanged);
# How long the rewrap goes on before the server is killed: while it is open, after some milliseconds, or once it
# is committed.
my @rounds = (
	[ 'before commit', 'SELECT pg_sleep(60); COMMIT;', qr/^\d+$/m, 0 ],
	[ 'after commit',  q{COMMIT; SELECT 'committed'; SELECT pg_sleep(60);}, qr/committed/, 0 ],
	map { [ "after $_ ms", q{COMMIT; SELECT 'committed';}, undef, $_ ] } 20, 27, 34);
for my $round (@rounds)
{
	my ($name, $rest, $seen, $wait) = @$round;
	my $before = fingerprints();
	my $next = ($current + 1) % 3;
	providers($current, $next);
	my $output = '';
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \"BEGIN;\n$rewrap;\n$rest\n", '>', \$output, '2>', \my $errors);
	if ($seen) { $run->pump until $output =~ $seen; }
	usleep($wait * 1000);
	my @backends = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	my @children = split ' ', slurp_file("/proc/$backends[0]/task/$backends[0]/children");
	$node->kill9;
	$run->finish;
	for (1 .. 300) { last unless kill 0, @children; usleep(100_000); }
	$node->start;
	my $after = fingerprints();
	unlike($after, qr/\n/, "killed $name: all keys under one root key");
	is($after, $before, "killed $name: the old one") if $name eq 'before commit';
	isnt($after, $before, "killed $name: the new one") if $output =~ /committed/;
	all_well("killed $name");
	is($node->rows(q{SELECT count(*) FROM rampart.verify_column('load', 'name')}), '0', "killed $name: every value decrypts");
	$node->rows($rewrap);
	isnt(fingerprints(), $before, "killed $name: the rewrap can be done, or is");
	providers($next);
	$current = $next;
}
is($node->rows($values, user => 'app'), $plain, 'all values are what they were');

my $log = slurp_file($node->logfile);
unlike($log, qr/$_/, 'no root key in the log') for @keys;
unlike($log, qr/terminated by signal 11|PANIC/, 'no crash of its own');
done_testing();
