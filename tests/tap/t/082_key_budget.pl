# Values are counted per key whatever becomes of their transaction; before the budget ends the key is replaced,
# and where that cannot be, it ends with the budget.
#
# Of how many values one is counted, its IV decides, so the count can be known exactly: draw(n) encrypts n values
# and returns what they count.
use strict;
use warnings;
use Rampart;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main', streaming => 1, conf => join "\n",
	'max_prepared_transactions = 5', 'restart_after_crash = on', 'autovacuum = off',
	# No worker comes by and does what is to be looked at.
	'rampart.worker_naptime = 86400')->set_up;
my $set_up = q{
	CREATE FUNCTION counts(ciphertext bytea) RETURNS bool LANGUAGE sql IMMUTABLE PARALLEL SAFE
		RETURN get_byte(ciphertext, 20) & 15 = 0 AND get_byte(ciphertext, 21) = 0;
	CREATE FUNCTION draw(n int, scope text DEFAULT 'pii') RETURNS bigint LANGUAGE sql VOLATILE AS
		'SELECT 4096 * count(*) FILTER (WHERE counts(c))
		 FROM (SELECT rampart.encrypt(scope, i::text) AS c FROM generate_series(1, n) i OFFSET 0) s';
	CREATE TABLE t (id int, v enc_text(pii));
	GRANT ALL ON t TO app;
};
$node->rows($set_up);
# Nor an auditor, which would write what is counted with the logins that it records.
$node->rows(q{SELECT rampart.alter_event(name, enabled => false) FROM rampart.audit_event_type WHERE name !~ '^(alert|audit|data|schema)[.]' OR name = 'data.program_run'});
$node->rows('SELECT rampart.flush_events(60000); GRANT pg_execute_server_program TO app');
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'rampart auditor')})
  or die 'the auditor stays';

my $app = $node->session(user => 'app');
my ($truth, $values) = (0, 0);

# draw() in a session; adds to what is true.
sub draw
{
	my ($session, $n) = @_;
	my $drawn = Rampart::ask($session, "SELECT draw($n)");
	die "draw: $drawn" unless $drawn =~ /^\d+$/;
	$truth  += $drawn;
	$values += $n;
}
# What a query finds counted among ciphertexts that are stored.
sub stored
{
	my ($column, $table) = @_;
	my ($counted, $n) = split /\|/, $node->rows("SELECT 4096 * count(*) FILTER (WHERE counts($column)), count(*) FROM $table");
	$truth  += $counted;
	$values += $n;
}
sub written { return $node->rows('SELECT coalesce(sum(amount), 0) FROM rampart.key_usage'); }
# Everything is counted, and by now also written.
sub all_written
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(written(), $truth, $name);
}
sub all_counted
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->rows('SELECT sum(values_encrypted) FROM rampart.key_status'), $truth, $name);
}
sub ask_all { my $session = shift; return join ',', map { Rampart::ask($session, $_) } @_; }

# --- Every way to a value ---

draw($app, 50_000);
all_written('a SELECT: by a role without any right on the tables of the extension');
$node->rows(q{COPY t (v) FROM PROGRAM 'seq 1 50000'; INSERT INTO t VALUES (0, 'x')}, user => 'app');
stored('rampart.ciphertext(v)', 't');
all_written('COPY into an encrypted column');

ask_all($app, 'BEGIN');
draw($app, 50_000);
ask_all($app, 'ROLLBACK');
cmp_ok(written(), '<', $truth, 'a transaction that rolls back has written nothing');
all_counted('its values are counted all the same');
ask_all($app, 'UPDATE t SET id = 1 WHERE id = 0');
all_written('and written by the next transaction that writes');

# Logins are queued before it is known that nobody wants them, and the auditor that comes for them writes.
my $keeper = $node->session;
ask_all($keeper, 'BEGIN', 'LOCK TABLE rampart.audit_drained IN ACCESS EXCLUSIVE MODE');
ask_all($app, 'BEGIN READ ONLY');
draw($app, 50_000);
is(ask_all($app, 'COMMIT'), '', 'a read-only transaction commits');
cmp_ok(written(), '<', $truth, 'and writes nothing');
$node->rows('SELECT count(*) FROM t; SELECT 1', user => 'app');
cmp_ok(written(), '<', $truth, 'nor does another session that reads');
ask_all($keeper, 'ROLLBACK');
$keeper->quit;
ask_all($app, 'SELECT 1');
all_written('the session itself does');

ask_all($app, 'SET default_transaction_read_only = on');
draw($app, 50_000);
$node->rows('INSERT INTO t VALUES (1)', user => 'app');
all_written('another session that writes does');
ask_all($app, 'RESET default_transaction_read_only');

my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2;};
my $in_parallel = q{SELECT rampart.encrypt('pii', i::text) AS c FROM source};
$node->rows('CREATE TABLE source AS SELECT generate_series(1, 150000) i; GRANT ALL ON source TO app; ANALYZE source');
like($node->rows("$parallel EXPLAIN $in_parallel", user => 'app'), qr/Gather/, 'there are parallel workers');
$node->rows("$parallel CREATE TABLE made AS $in_parallel", user => 'app');
stored('c', 'made');
all_written('CREATE TABLE AS in parallel');

# --- Subtransactions, levels, procedures ---

ask_all($app, 'BEGIN', 'SAVEPOINT s');
draw($app, 50_000);
ask_all($app, 'ROLLBACK TO s', 'COMMIT');
all_written('a savepoint that is rolled back');
$truth += $node->rows(q{
	CREATE TEMP TABLE drawn (n bigint);
	DO $$
	DECLARE
		n bigint;
	BEGIN
		FOR i IN 1 .. 10 LOOP
			BEGIN
				n := draw(5000);
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN
				INSERT INTO drawn VALUES (n);
			END;
		END LOOP;
	END
	$$;
	SELECT sum(n) FROM drawn}, user => 'app');
$values += 50_000;
all_written('exception blocks of PL/pgSQL');
$truth += $node->rows(q{
	CREATE TEMP TABLE drawn (n bigint);
	DO $$ BEGIN FOR i IN 1 .. 10 LOOP INSERT INTO drawn SELECT draw(5000); COMMIT; END LOOP; END $$;
	SELECT sum(n) FROM drawn}, user => 'app');
$values += 50_000;
all_written('commits within a procedure');

my $other = $node->session(user => 'app');
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	ask_all($_, "BEGIN ISOLATION LEVEL $level", 'SELECT count(*) FROM source') for $app, $other;
	draw($app,   30_000);
	draw($other, 30_000);
	ask_all($app, 'INSERT INTO t VALUES (2)');
	is(ask_all($app,   'COMMIT'), '', "$level: the first of two commits");
	is(ask_all($other, 'COMMIT'), '', "$level: the second of two commits");
	all_written("$level: all is counted");
}

ask_all($app, 'BEGIN', 'INSERT INTO t VALUES (3)');
draw($app, 50_000);
is(ask_all($app, q{PREPARE TRANSACTION 'two-phase'}), '', 'a transaction is prepared');
is(ask_all($app, q{ROLLBACK PREPARED 'two-phase'}), '', 'and rolled back');
all_counted('its values are counted');
$node->rows(q{SET ROLE app; SET session_replication_role = replica; INSERT INTO t VALUES (4)} =~ s/SET ROLE app; //r);
all_written('and written, by a session with session_replication_role = replica');

$node->rows(q{
	CREATE FUNCTION as_owner(n int) RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER AS 'SELECT draw(n)';
	SELECT rampart.grant_scope('pii', current_user::regrole)});
$truth += ask_all($other, 'SELECT as_owner(50000)');
$values += 50_000;
my $super = $node->session;
ask_all($super, 'SET ROLE app');
draw($super, 50_000);
ask_all($super, 'RESET ROLE');
all_written('SECURITY DEFINER and SET ROLE');
ask_all($super, 'BEGIN');
draw($super, 50_000);
ask_all($super, 'SAVEPOINT s');
is(ask_all($super, 'SELECT rampart.flush_usage() > 0'), 't', 'flush_usage() writes');
ask_all($super, 'ROLLBACK TO s', 'SAVEPOINT s', 'SELECT rampart.flush_usage()', 'RELEASE s', 'COMMIT');
all_written('what a savepoint took back is written again, once');
ask_all($super, 'BEGIN', 'INSERT INTO t VALUES (5)');
draw($super, 30_000);
ask_all($super, 'SELECT rampart.flush_usage()', 'ROLLBACK');
all_counted('what a transaction took back is pending again');
$node->fails_with('BEGIN READ ONLY; SELECT rampart.flush_usage()', '25006', 'flush_usage() in a read-only transaction');

ask_all($super, 'BEGIN ISOLATION LEVEL SERIALIZABLE');
draw($super, 50_000);
ask_all($super, 'SELECT rampart.flush_usage()');
ask_all($other, 'BEGIN ISOLATION LEVEL SERIALIZABLE');
draw($other, 50_000);
is(ask_all($_, 'COMMIT'), '', 'counting makes no conflict of serializable transactions') for $other, $super;
all_written('and counts');
ask_all($super, 'BEGIN READ ONLY');
draw($super, 30_000);
ask_all($super, 'COMMIT');
is(ask_all($super, 'VACUUM t', 'CREATE INDEX CONCURRENTLY ON t (id)'), ',', 'VACUUM and CREATE INDEX CONCURRENTLY with values pending');

# --- Many at once ---

# psql's, all at once; returns what they print to stderr.
sub run_clients
{
	my @scripts = @_;
	my @stderr  = ('') x @scripts;
	my @clients = map {
		IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-U', 'app' ],
			'<', \$scripts[$_], '2>', \$stderr[$_])
	} 0 .. $#scripts;
	is(scalar(grep { !$_->finish } @clients), 0, @scripts . ' sessions come to their end');
	return join '', @stderr;
}
$node->rows(q{INSERT INTO rampart.key_usage SELECT id, 4096 FROM rampart.key, generate_series(1, 100) WHERE purpose = 'data'});
$truth += 4096 * 100;
$values += 4096 * 100;
my $script = join '', map { "INSERT INTO busy SELECT rampart.encrypt('pii', i::text) FROM generate_series(1, 2000) i;\n" } 1 .. 15;
$node->rows('CREATE TABLE busy (c bytea); GRANT ALL ON busy TO app');
# Deletes from a published table need a replica identity.
$node->rows('CREATE PUBLICATION everything FOR ALL TABLES');
run_clients(($script) x 8);
stored('c', 'busy');
all_written('8 sessions at once');
cmp_ok($node->rows('SELECT count(*) FROM rampart.key_usage'), '<', 80, 'rows are made one from time to time');
is($node->rows(q{SELECT count(*) FROM rampart.key_event WHERE event LIKE 'key_r%' OR event LIKE 'key_budget%'}), '0',
	'nothing came of it, far from the budget');
my $deviation = sqrt($values * 4096);
ok(abs($truth - $values) < 5 * $deviation, "the estimate of $values values, $truth, is within five standard deviations");

unlike(slurp_file($node->logfile), qr/could not be (counted|reviewed|replaced)/, 'and not a single warning');

# --- Elsewhere ---

$node->backup('base');
my $standby = Rampart->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $on_standby = $standby->rows('SELECT draw(50000)', user => 'app');
$standby->promote;
$standby->rows('INSERT INTO t VALUES (7)', user => 'app');
is($standby->rows('SELECT sum(amount) FROM rampart.key_usage'), $truth + $on_standby,
	'what a standby encrypts is counted when it is promoted');
$standby->stop('immediate');

$node->rows('CREATE DATABASE restored');
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'a dump');
command_ok([ 'psql', '-Xq', '-d', $node->connstr('restored'), '-f', $dump ], 'is restored');
is($node->rows('SELECT sum(values_encrypted) FROM rampart.key_status', database => 'restored'), $truth,
	'and the keys\' use with it');

# --- What could go wrong with counting does not reach the transaction ---

$node->rows(q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
	CREATE TRIGGER refuse BEFORE INSERT ON rampart.key_usage EXECUTE FUNCTION refuse()});
ask_all($app, 'BEGIN');
draw($app, 50_000);
ask_all($app, 'INSERT INTO t VALUES (77)');
like(ask_all($app, 'COMMIT'), qr/^$/, 'a transaction whose values cannot be counted commits');
is($node->rows('SELECT count(*) FROM t WHERE id = 77'), '1', 'it is there');
all_counted('its values stay pending');
$node->rows('DROP TRIGGER refuse ON rampart.key_usage');
$node->rows('SELECT rampart.flush_usage()');
all_written('until it works again');

$node->rows('CREATE DATABASE gone');
$node->rows(q{CREATE EXTENSION rampart; SELECT rampart.create_scope('pii');
	SELECT rampart.grant_scope('pii', current_user::regrole)}, database => 'gone');
$node->rows($set_up, database => 'gone');
$node->rows('BEGIN READ ONLY; SELECT draw(100000); COMMIT', database => 'gone');
is($node->complaint('BEGIN; SELECT draw(50000); DROP EXTENSION rampart CASCADE; COMMIT', database => 'gone'), '',
	'DROP EXTENSION in the same transaction');
is($node->complaint('CREATE TABLE after (); DROP TABLE after', database => 'gone'), '', 'and after it');
# What is pending belongs to nobody's function.
$node->rows(q{CREATE EXTENSION rampart; SELECT rampart.create_scope('pii');
	SELECT rampart.grant_scope('pii', current_user::regrole)}, database => 'gone');
$node->rows('BEGIN READ ONLY; SELECT draw(100000); COMMIT', database => 'gone');
$node->rows(q{
	BEGIN READ WRITE;
	DROP EXTENSION rampart;
	CREATE FUNCTION rampart.count_usage(int8, int8, bool) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
	COMMIT}, database => 'gone');
is($node->rows('SELECT count(*) FROM pg_proc WHERE pronamespace = $$rampart$$::regnamespace', database => 'gone'), '1',
	'a function of the same name is not called');

# --- Restarts ---

ask_all($app, 'BEGIN READ ONLY');
draw($app, 50_000);
ask_all($app, 'COMMIT');
cmp_ok(written(), '<', $truth, 'something is pending');
$_->quit for $app, $other, $super;
$node->restart;
all_counted('a restart keeps what is pending');
$node->rows('INSERT INTO t VALUES (6)', user => 'app');
all_written('and it is written');
$app = $node->session(user => 'app');
my $before_crash = $truth;
ask_all($app, 'BEGIN READ ONLY');
draw($app, 50_000);
kill 'KILL', Rampart::ask($app, 'SELECT pg_backend_pid()');
$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
$truth = $before_crash;
all_written('a crash loses what is pending, and nothing else');

# --- The budget ---

sub set_budget { $node->rows("ALTER SYSTEM SET rampart.key_budget = $_[0]"); $node->reload; }
sub versions
{
	my ($scope) = @_;
	return $node->rows(qq{SELECT string_agg(version || ' ' || state, ', ' ORDER BY version) FROM rampart.keys
		WHERE purpose = 'data' AND scope = '$scope'});
}
sub events
{
	my ($scope, $event) = @_;
	return $node->rows("SELECT count(*) FROM rampart.key_event WHERE scope = '$scope' AND event = '$event'");
}
set_budget(200_000);
$node->rows(q{SELECT rampart.create_scope('small'); SELECT rampart.grant_scope('small', 'app');
	CREATE TABLE s (c bytea); GRANT ALL ON s TO app});
my $insert = q{INSERT INTO s SELECT rampart.encrypt('small', i::text) FROM generate_series(1, 5000) i;};
my $rounds = 0;
$app = $node->session(user => 'app');
ask_all($app, $insert) while versions('small') eq '1 active' && ++$rounds < 60;
# Half of 200,000, in rounds of 5,000, plus or minus five standard deviations.
ok($rounds > 5 && $rounds < 45, "after $rounds rounds the key is replaced by itself");
is(versions('small'), '1 retired, 2 active', 'there is a new version');
is($node->rows(q{SELECT details->>'reason' FROM rampart.key_event WHERE event = 'key_rotated_by_policy' AND scope = 'small'}),
	'values', 'an event says why');
is(ask_all($app, q{SELECT count(*) FROM s WHERE rampart.decrypt(c) = '17'}), $rounds + 0, 'old values stay readable');

$node->rows(q{SELECT rampart.create_scope('crowd'); SELECT rampart.grant_scope('crowd', 'app')});
my $crowd = $script =~ s/pii/crowd/gr;
is(run_clients(map { "SET default_transaction_isolation = '$_';\n$crowd" } ('read committed', 'repeatable read') x 4), '',
	'no warning where many notice at once that a key is due');
is($node->rows(q{SELECT count(*) > 0, bool_and(values_encrypted >= 100000) FROM rampart.key_status
	WHERE scope = 'crowd' AND state = 'retired'}), 't|t', 'each key is replaced once, when it is due');

# Where there can be no new key: warnings, then the end.
$node->rows('CREATE TRIGGER refuse BEFORE INSERT ON rampart.key EXECUTE FUNCTION refuse()');
my ($warned, $result, $stderr) = (0, '', '');
for ($rounds = 0; $rounds < 120; ++$rounds)
{
	($result, $stderr) = $node->complaint($insert, user => 'app');
	$warned ||= $stderr =~ /WARNING:.*could not be replaced: refused/;
	last if $result eq 'RMK10';
}
is($result, 'RMK10', 'with the budget the key ends');
ok($rounds > 15 && $rounds < 75, "after $rounds rounds");
ok($warned, 'it was said that the key could not be replaced');
is(events('small', 'key_budget_warning'), '1', 'one event of warning');
unlike($stderr, qr/[0-9a-f]{32}/, 'no key in the message');
# The value that was one too many: its transaction was rolled back. The next that writes ends the key for all.
$node->rows('INSERT INTO t VALUES (7)', user => 'app');
is(versions('small'), '1 retired, 2 exhausted', 'the key is exhausted');
is(events('small', 'key_exhausted'), '1', 'an event says so');
is(ask_all($app, q{SELECT rampart.encrypt('small', 'x')}), 'RMK10', 'nothing is encrypted, in a running session');
like(ask_all($app, q{SELECT count(*) FROM s WHERE rampart.decrypt(c) = '17'}), qr/^\d+$/, 'old values stay readable');
like($node->rows('SELECT item, state, detail FROM rampart.status()'), qr/^key\|exhausted\|scope "small", version 2: .*rotate_key/m,
	'status() says so');
my $key = $node->rows(q{SELECT key_id FROM rampart.key_status WHERE state = 'exhausted'});
$node->rows("SELECT rampart.disable_key('$key'); SELECT rampart.enable_key('$key')");
is(versions('small'), '1 retired, 2 exhausted', 'disabled and enabled, it stays what it is');
is($node->complaint('SELECT rampart.apply_rotation_policies()'), 'P0001', 'a policy cannot help either');
$node->rows('DROP TRIGGER refuse ON rampart.key');
is($node->rows(q{SELECT rampart.rotate_key('small')}), '3', 'it can be rotated again');
is(ask_all($app, $insert), '', 'and the scope works');
is(versions('small'), '1 retired, 2 exhausted, 3 active', 'with the new key');
$node->rows("SELECT rampart.destroy_key('$key', 'small')");
is(versions('small'), '1 retired, 2 destroyed, 3 active', 'an exhausted key can be destroyed');

# One transaction that would use up all of it.
$node->rows(q{SELECT rampart.create_scope('big'); SELECT rampart.grant_scope('big', 'app')});
is(ask_all($app, q{SELECT draw(2000000, 'big')}), 'RMK10', 'a single transaction is stopped in its midst');
cmp_ok($node->rows(q{SELECT max(values_encrypted) FROM rampart.key_status WHERE scope = 'big'}), '<=', 200_704,
	'at the budget');
ask_all($app, 'INSERT INTO t VALUES (8)');
is(versions('big'), '1 retired, 2 active', 'and its key replaced afterwards');

# A session that has the scope does not hold up a commit.
my $holder = $node->session;
my $logged = -s $node->logfile;
ask_all($holder, 'BEGIN', q{SELECT rampart.lock_scope('big')});
$node->rows(q{INSERT INTO rampart.key_usage SELECT id, 102400 FROM rampart.key
	WHERE scope = 'big' AND state = 'active' AND purpose = 'data'});
my $late = $node->session;
ask_all($late, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM rampart.key');
1 while Rampart::ask($app, q{SELECT draw(1000, 'big')}) eq '0';
is(versions('big'), '1 retired, 2 active', 'a commit does not wait for a scope that is locked');
ask_all($holder, 'COMMIT');
is($node->rows(q{SELECT scope, version, reason FROM rampart.apply_rotation_policies() WHERE scope = 'big'}), 'big|3|values',
	'apply_rotation_policies() does what is due');
is(ask_all($late, q{SELECT rampart.count_usage(id, 4096, true) FROM rampart.key
	WHERE scope = 'big' AND version = 2 AND purpose = 'data'}, 'COMMIT'), 't,', 'who has an older snapshot');
is(versions('big'), '1 retired, 2 retired, 3 active', 'replaces nothing');
unlike(substr(slurp_file($node->logfile), $logged), qr/WARNING/, 'and complains of nothing');
is($node->rows(q{SELECT count(*) FROM rampart.apply_rotation_policies()}), '0', 'once');

# --- Policies ---

set_budget(4294967296);
$node->rows(q{SELECT rampart.set_rotation_policy('big', every => '90 days');
	UPDATE rampart.key SET created_at = now() - interval '91 days' WHERE scope = 'big' AND state = 'active' AND purpose = 'data'});
is($node->rows(q{SELECT note, rolls_at < now() FROM rampart.key_status WHERE version = 3 AND scope = 'big'}),
	'due for rotation|t', 'a key that is too old');
like($node->rows('SELECT item, state FROM rampart.status()'), qr/^key\|due$/m, 'status() says so');
ask_all($holder, 'BEGIN', q{SELECT rampart.lock_scope('big')});
my @pids = map { my $session = $node->session;
	[ $session, Rampart::ask($session, 'SELECT pg_backend_pid()') ] } 1 .. 2;
for (@pids)
{
	my ($session, $pid) = @$_;
	$session->query_until(qr/sent/, "\\echo sent\nSELECT scope, version, reason FROM rampart.apply_rotation_policies();\n");
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid") or die;
}
ask_all($holder, 'COMMIT');
is(join(' ', sort map { Rampart::ask($_->[0], q{SELECT 'done'}) =~ s/\s+/ /gr } @pids), 'big|4|age done done', 'two at once replace it once');
is(versions('big'), '1 retired, 2 retired, 3 retired, 4 active', 'there is one new version');
$_->[0]->quit for @pids;
$_->quit for $app, $late, $holder;

# --- Not preloaded: each session counts its own ---

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
($app, $other) = map { $node->session(user => 'app') } 1 .. 2;
$truth = written();
draw($app, 50_000);
all_written('not preloaded: a session writes what it has counted');
ask_all($app, 'BEGIN');
draw($app, 50_000);
ask_all($app, 'ROLLBACK');
ask_all($other, 'INSERT INTO t VALUES (9)');
cmp_ok(written(), '<', $truth, 'another session knows nothing of it');
ask_all($app, 'INSERT INTO t VALUES (9)');
all_written('it is written by the session itself');
set_budget(4096);
like($node->complaint("$insert $insert $insert $insert $insert $insert", user => 'app'), qr/^(RMK10)?$/, 'a tiny budget does no harm');
$_->quit for $app, $other;

done_testing();
