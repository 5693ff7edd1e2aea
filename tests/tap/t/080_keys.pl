# Keys and sessions: two rotations at once, what a session sees before and after commit and after rollback,
# key states, and what stays true of old rows.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main')->set_up;
$node->rows(q{
	CREATE TABLE t (id int, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii));
	CREATE TABLE u (id int, email enc_text(pii, deterministic) REFERENCES t (email));
	GRANT ALL ON t, u TO app;
});
my $keys_in = q{SELECT string_agg(version || ' ' || state, ', ' ORDER BY version) FROM rampart.keys
	WHERE purpose = 'data' AND scope = };

# The version that a session encrypts with.
my $next_id = 0;
sub version_of
{
	my ($session) = @_;
	my $id = ++$next_id;
	my $state = Rampart::ask($session, "INSERT INTO t VALUES ($id, 'mail$id', 'name$id')");
	return $state || Rampart::ask($session,
		"SELECT (rampart.inspect(rampart.ciphertext(name))).version FROM t WHERE id = $id");
}
sub key_id
{
	my ($version) = @_;
	return $node->rows("SELECT id FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data' AND version = $version");
}
# Waits until a session waits for a lock.
sub blocked
{
	my ($pid) = @_;
	return $node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
}

my ($one, $two) = map { $node->session } 1 .. 2;
my ($writer, $other) = map { $node->session(user => 'app') } 1 .. 2;
my %pid = map { ($_ => Rampart::ask($_, 'SELECT pg_backend_pid()')) } $one, $two, $writer;
is(version_of($writer), '1', 'the first version');

# --- Two at once ---

Rampart::ask($one, 'BEGIN');
is(Rampart::ask($one, q{SELECT rampart.rotate_key('pii')}), '2', 'first session: version 2');
$two->query_until(qr/sent/, qq{\\echo sent\nSELECT rampart.rotate_key('pii');\n});
ok(blocked($pid{$two}), 'a second rotation waits for the first');
is(version_of($writer), '1', 'before commit others encrypt with version 1');
Rampart::ask($one, 'COMMIT');
is(Rampart::ask($two, 'SELECT 1'), "3\n1", 'second session: version 3');
is($node->rows("$keys_in 'pii'"), '1 retired, 2 retired, 3 active', 'one is active');
is(version_of($writer), '3', 'a running session goes over to version 3 at commit');
my $fresh = $node->session(user => 'app');
is(version_of($fresh), '3', 'and so does a new one');
$fresh->quit;

# With the first rolled back, the second takes its number.
Rampart::ask($one, 'BEGIN');
is(Rampart::ask($one, q{SELECT rampart.rotate_key('pii')}), '4', 'first session: version 4');
$two->query_until(qr/sent/, qq{\\echo sent\nSELECT rampart.rotate_key('pii');\n});
ok(blocked($pid{$two}), 'the second waits again');
Rampart::ask($one, 'ROLLBACK');
is(Rampart::ask($two, 'SELECT 1'), "4\n1", 'the first is rolled back: version 4 is the second one\'s');
is($node->rows("$keys_in 'pii'"), '1 retired, 2 retired, 3 retired, 4 active', 'one is active');

# Two scopes of one name.
Rampart::ask($one, q{BEGIN; SELECT rampart.create_scope('twice')});
$two->query_until(qr/sent/, qq{\\echo sent\nSELECT rampart.create_scope('twice');\n});
ok(blocked($pid{$two}), 'a second scope of the same name waits for the first');
Rampart::ask($one, 'COMMIT');
is(Rampart::ask($two, 'SELECT 1'), 'RMK08', 'and is refused then');
is($node->rows("$keys_in 'twice'"), '1 active', 'it has one key');

# --- Rollback and savepoints in one session ---

$node->rows(q{SELECT rampart.grant_scope('pii', current_user::regrole)});
Rampart::ask($one, 'BEGIN');
Rampart::ask($one, q{SELECT rampart.rotate_key('pii')});
is(version_of($one), '5', 'the rotating session uses the new version at once');
Rampart::ask($one, 'ROLLBACK');
is(version_of($one), '4', 'and forgets it at rollback');
Rampart::ask($one, 'BEGIN; SAVEPOINT s');
Rampart::ask($one, q{SELECT rampart.rotate_key('pii')});
is(version_of($one), '5', 'in a subtransaction too');
Rampart::ask($one, 'ROLLBACK TO s');
is(version_of($one), '4', 'and forgets it when that is rolled back');
Rampart::ask($one, 'COMMIT');
Rampart::ask($one, q{BEGIN; SELECT rampart.create_scope('gone');
	SELECT rampart.grant_scope('gone', current_user::regrole)});
is(Rampart::ask($one, q{SELECT rampart.decrypt(rampart.encrypt('gone', 'x'))}), 'x',
	'a scope made in this transaction works');
Rampart::ask($one, 'ROLLBACK');
is(Rampart::ask($one, q{SELECT rampart.encrypt('gone', 'x')}), 'RMK01', 'and does not exist after rollback');
Rampart::ask($one, q{BEGIN; SELECT rampart.revoke_scope('pii', 'app')});
is(version_of($writer), '4', 'an uncommitted revocation is not seen');
Rampart::ask($one, 'ROLLBACK');
is(version_of($writer), '4', 'nor one rolled back');
# In one transaction block of the reader: rights are those of now, not of its snapshot.
Rampart::ask($writer, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t');
$node->rows(q{SELECT rampart.revoke_scope('pii', 'app')});
is(version_of($writer), '42501', 'a committed revocation is seen within a transaction, whatever its snapshot');
Rampart::ask($writer, 'ROLLBACK');
$node->rows(q{SELECT rampart.grant_scope('pii', 'app')});

# --- Old rows after rotation ---

is(Rampart::ask($writer, q{SELECT (rampart.inspect(rampart.ciphertext(email))).version, name FROM t
	WHERE email = 'mail1'}),
	'1|name1', 'a row of version 1 is found by its value');
like(Rampart::ask($writer, q{SET enable_seqscan = off; EXPLAIN (COSTS off) SELECT FROM t WHERE email = 'mail1'}),
	qr/Index (Only )?Scan using t_email_key/, 'by index');
is(Rampart::ask($writer, q{INSERT INTO t VALUES (0, 'mail1')}), '23505', 'and still unique');
is(Rampart::ask($writer, q{INSERT INTO u VALUES (0, 'mail1')}), '', 'a new version\'s foreign key meets it');
is(Rampart::ask($writer, q{SELECT count(*) FROM t JOIN u USING (email)}), '1', 'and joins');
is(Rampart::ask($writer, q{SELECT count(DISTINCT email), count(*)
	FROM (SELECT email FROM t WHERE id = 1 UNION ALL SELECT email FROM u) s}),
	'1|2', 'they are one value');

# --- States ---

my $first = key_id(1);
$node->rows("SELECT rampart.disable_key('$first')");
is(Rampart::ask($writer, 'SELECT name FROM t WHERE id = 1'), 'RMK03', 'disabled: not decrypted, in a running session');
is(Rampart::ask($writer, q{SELECT id FROM t WHERE email = 'mail1'}), '1', 'disabled: still found by value');
is(Rampart::ask($writer, q{SELECT name FROM t WHERE id = 3}), 'name3', 'disabled: other versions are readable');
$node->rows("SELECT rampart.enable_key('$first')");
is(Rampart::ask($writer, 'SELECT name FROM t WHERE id = 1'), 'name1', 'enabled again');
my $active = key_id(4);
$node->rows("SELECT rampart.disable_key('$active')");
is(version_of($writer), 'RMK07', 'the active key disabled: nothing is encrypted');
$node->rows("SELECT rampart.enable_key('$active')");
is(version_of($writer), '4', 'and it is active when enabled again');
$node->fails_with("SELECT rampart.destroy_key('$active', 'pii')", '55000', 'the active key is not destroyed');
$node->fails_with("SELECT rampart.destroy_key('$first', 'pi')", 'RMK09', 'destroying asks for the name of the scope');
Rampart::ask($one, "BEGIN; SELECT rampart.destroy_key('$first', 'pii', force => true)");
is(Rampart::ask($writer, 'SELECT name FROM t WHERE id = 1'), 'name1', 'an uncommitted destruction destroys nothing');
Rampart::ask($one, 'ROLLBACK');
is(Rampart::ask($one, 'SELECT name FROM t WHERE id = 1'), 'name1', 'nor one rolled back');
$node->rows("SELECT rampart.destroy_key('$first', 'pii', force => true)");
is(Rampart::ask($writer, 'SELECT name FROM t WHERE id = 1'), 'RMK04', 'destroyed: gone in a running session');
is($node->rows("SELECT wrapped IS NULL FROM rampart.key WHERE rampart.key_id_text(id) = '$first'"), 't',
	'destroyed: its bytes are gone');
is(Rampart::ask($writer, 'SELECT name FROM t WHERE id = 3'), 'name3', 'destroyed: other versions are readable');
is(Rampart::ask($writer, 'SELECT count(*) FROM (SELECT rampart.try_decrypt(name) n FROM t) s WHERE n IS NULL'),
	$node->rows(q{SELECT count(*) FROM t WHERE (rampart.inspect(rampart.ciphertext(name))).version = 1}),
		'try_decrypt passes over it');
$node->fails_with("SELECT rampart.enable_key('$first')", '55000', 'destroyed: does not come back');
$node->restart;
is($node->rows('SELECT name FROM t WHERE id = 3', user => 'app'), 'name3', 'all the same after a restart');
$node->fails_with('SELECT name FROM t WHERE id = 1', 'RMK04', 'and destroyed is destroyed', user => 'app');

is($node->rows(q{SELECT count(*) = count(DISTINCT id) AND count(*) = count(DISTINCT wrapped) + 1 FROM rampart.key}),
	't', 'ids and keys are unique');
done_testing();
