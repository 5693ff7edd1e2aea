# After a workload with every kind of failure, at the most talkative log level: no plaintext and no key in
# data files, WAL, server log, pg_stat_statements.
use strict;
use warnings;
use Everything;
use IPC::Run;
use Plaintexts;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Everything->make('main', libraries => 'pg_stat_statements,rampart', conf => q{
	log_min_messages = debug5
	pg_stat_statements.track_utility = off
	work_mem = 64kB
	log_temp_files = 0
	log_lock_waits = on
	deadlock_timeout = 100ms
	restart_after_crash = on
});
$node->rows('CREATE EXTENSION pg_stat_statements; ALTER TABLE people OWNER TO app');
# What definitions say is code.
$node->rows('SELECT pg_stat_statements_reset()');

# --- The workload ---

my $workload = slurp_file('sql/workload.sql');
my @expected = $workload =~ /--\s+(\w{5})$/mg;
my (undef, $stdout, $stderr) =
  $node->psql('postgres', $workload, on_error_stop => 0, extra_params => [ '-U', 'app' ]);
is(join(' ', $stderr =~ /ERROR:  (\w{5}):/g), "@expected",
	'the workload fails as it should, and the client learns why');

# Parameters, in the extended protocol.
my $script = $node->basedir . '/parameters.sql';
append_to_file($script, q{
	SELECT id FROM people WHERE email = :mail;
	UPDATE people SET name = :name, born = :born WHERE email = :mail;
});
my $failing = $node->basedir . '/failing.sql';
append_to_file($failing, 'UPDATE people SET born = :name WHERE email = :mail;
');
my @pgbench = ('pgbench', '-n', '-U', 'app', '-D', 'mail=mail-zebrafish9@example.com', '-D', 'name=QuaggaFoal-parameter',
	'-D', 'born=1837-02-06', 'postgres');
for my $protocol (qw(extended prepared))
{
	$node->command_ok([ @pgbench, '-M', $protocol, '-t', 50, '-f', $script ], "$protocol protocol");
	$node->command_checks_all([ @pgbench, '-M', $protocol, '-t', 1, '-f', $failing ], 2, [],
		[qr/invalid input/], "$protocol protocol: bad parameter");
}

# A deadlock: the log of one session would show the other's statement.
my ($first, $second) = map { $node->session(user => 'app') } 1 .. 2;
Rampart::ask($_, 'BEGIN') for $first, $second;
Rampart::ask($first,  q{UPDATE people SET name = 'QuaggaFoal deadlock' WHERE email = 'mail-zebrafish11@example.com'});
Rampart::ask($second, q{UPDATE people SET name = 'QuaggaFoal deadlock' WHERE email = 'mail-zebrafish12@example.com'});
$first->query_until(qr/sent/, q{
	\echo sent
	UPDATE people SET name = 'QuaggaFoal deadlock' WHERE email = 'mail-zebrafish12@example.com';
});
my @ends = Rampart::ask($second, q{UPDATE people SET name = 'QuaggaFoal deadlock'
	WHERE email = 'mail-zebrafish11@example.com'});
push @ends, Rampart::ask($first, 'SELECT 1');
ok((grep { $_ eq '40P01' } @ends), 'a deadlock') or diag(explain \@ends);
$_->quit for $first, $second;

# --- Where to look ---

my %keys;
my $rows = $node->rows(q{SELECT id, scope, purpose, version, encode(wrapped, 'hex') FROM rampart.key});
IPC::Run::run [ '/usr/bin/python3', 'unwrap_keys.py', $node->root_key_file ], '<', \$rows, '>', \my $unwrapped;
$keys{$1} = $2 while $unwrapped =~ /^(\S+) ([0-9a-f]{64})$/mg;
cmp_ok(scalar keys %keys, '==', 1 + 2 * 4 + 2, 'all keys are known: root key, two data keys with subkeys, index key');
my $secrets = Plaintexts->new(
	map {
		("key $_" => pack('H*', $keys{$_}), "key $_ in digits" => $keys{$_}, "key $_ in capitals" => uc $keys{$_})
	} keys %keys);

sub holds_no_secret
{
	my ($what, @found) = @_;
	is(join("\n", @found), '', "$what: no plaintext, no key");
}

my $statements = join "\n", $node->rows('SELECT query FROM pg_stat_statements');
like($statements, qr/SELECT id FROM people WHERE email = \$1/, 'pg_stat_statements has the statements');
holds_no_secret('pg_stat_statements', map { $secrets->found_in_bytes($_) } split /\n/, $statements);

$node->rows('CHECKPOINT');
$node->stop;
my $data = $node->data_dir;
holds_no_secret('data files',  $secrets->found_in("$data/base", "$data/global"));
holds_no_secret('WAL',         $secrets->found_in("$data/pg_wal"));
holds_no_secret('other files', $secrets->found_in(grep { !m{/(base|global|pg_wal)$} } glob("$data/*")));
$node->start;
# A backend that is killed: the postmaster logs what it was running.
my $victim = $node->session(user => 'app');
my $pid    = Rampart::ask($victim, 'SELECT pg_backend_pid()');
$victim->query_until(qr/sent/, qq{
	\\echo sent
	SELECT pg_sleep(60) FROM people WHERE email = 'mail-zebrafish13\@example.com';
});
$node->poll_query_until('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid")
  or die 'not asleep';
kill 'KILL', $pid;
$node->wait_for_log(qr/terminated by signal 9/);
$node->poll_query_until('postgres', 'SELECT true') or die 'not up again';
$victim->{run}->finish;
$node->stop;

my $log = slurp_file($node->logfile);
like($log, qr/ERROR:  duplicate key value/, 'the log has the errors');
like($log, qr/$_/, "and '$_'") for 'DEBUG:', 'temporary file: path', 'deadlock detected', 'terminated by signal 9';
holds_no_secret('server log', map { $secrets->found_in_bytes($_) } split /\n/, $log);

# The search would find what is there.
append_to_file("$data/planted", join 'x' x 100_000,
	pack('H*', $keys{pii_data_2_deterministic}), 'QuaggaFoal', $keys{root_key});
is(scalar $secrets->found_in("$data/planted"), 3, 'planted secrets are found');

done_testing();
