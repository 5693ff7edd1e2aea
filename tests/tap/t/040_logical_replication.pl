# Logical replication carries ciphertext, and a subscriber with the same keyring decrypts: initial copy,
# stream, text and binary, inserts, updates, deletes, TRUNCATE, big values, key changes.
use strict;
use warnings;
use Everything;
use Plaintexts;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher  = Rampart->make('publisher', streaming => 'logical')->set_up;
my $subscriber = Rampart->make('subscriber', streaming => 'logical', root_key => $publisher->root_key);
$subscriber->set_up_roles;
my $from       = $publisher->connstr . ' dbname=postgres';
my $plaintexts = Plaintexts->new;

# --- The keyring moves by a dump of its own, and further changes of it are replicated like any rows ---

my $schema = q{
	CREATE TABLE people (
		id int PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii), photo enc_bytea(pii),
		notes enc_jsonb(pii), salary enc_numeric(pii), number enc_int8(pii, deterministic), born enc_date(pii),
		seen enc_timestamptz(pii), token enc_uuid(pii), member enc_bool(pii), plain text);
	CREATE TABLE in_binary (LIKE people INCLUDING ALL);
	CREATE TABLE full_identity (id int, email enc_text(pii, deterministic), name enc_text(pii), plain text);
	ALTER TABLE full_identity REPLICA IDENTITY FULL;
	CREATE TABLE by_email (email enc_text(pii, deterministic) PRIMARY KEY, plain text);
	GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
};
$publisher->rows($schema);
$publisher->command_ok([ 'pg_dump', '-d', 'postgres', '-f', $publisher->basedir . '/dump.sql' ],
	'dump of schema and keyring');
$subscriber->command_ok([ 'psql', '-Xq', '-d', 'postgres', '-v', 'ON_ERROR_STOP=1', '-f',
	$publisher->basedir . '/dump.sql' ],
	'restored at the subscriber');
$subscriber->rows('TRUNCATE rampart.key_event');
# The role that replicates may decrypt, and yet it is ciphertext that travels.
$publisher->rows(q{SELECT rampart.grant_scope('pii', current_user::regrole)});

sub fill
{
	my ($table, $first, $last) = @_;
	$publisher->rows(qq{
		INSERT INTO $table SELECT i, 'mail-zebrafish' || i, 'QuaggaFoal' || i, 'photo-okapicalf', '{"note-tapir": 1}',
			7712345677120000.25 + i, 6503640946713100288 + i, '1837-02-03', '1848-03-04',
			'deadbeef-feed-4bee-8dad-000000000007', true, 'plain'
		FROM generate_series($first, $last) i}, user => 'app');
}
sub on_both
{
	my ($what, $sql, %options) = @_;
	my $expected = $publisher->rows($sql, %options);
	is($subscriber->rows($sql, %options), $expected, $what);
	return $expected;
}
sub caught_up
{
	$publisher->wait_for_catchup($_) for qw(in_text in_binary of_keys);
}

# A slot that sees all that follows, as a consumer of another kind would.
$publisher->rows(q{SELECT pg_create_logical_replication_slot('spy', 'test_decoding')});

fill('people', 1, 50);
fill('in_binary', 1, 50);
$publisher->rows(q{
	CREATE PUBLICATION in_text FOR TABLE people, full_identity, by_email;
	CREATE PUBLICATION in_binary FOR TABLE in_binary;
	CREATE PUBLICATION of_keys FOR TABLE rampart.scope, rampart.key, rampart.scope_grant;
});
$subscriber->rows(qq{
	CREATE SUBSCRIPTION in_text CONNECTION '$from' PUBLICATION in_text;
	CREATE SUBSCRIPTION in_binary CONNECTION '$from' PUBLICATION in_binary WITH (binary = true);
	CREATE SUBSCRIPTION of_keys CONNECTION '$from' PUBLICATION of_keys WITH (copy_data = false);
});
$subscriber->wait_for_subscription_sync($publisher, $_) for qw(in_text in_binary of_keys);

my $everything = 'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY id)) FROM %s t';
like(on_both('initial copy', sprintf($everything, 'people'), user => 'app'), qr/^50\|/, 'of all rows');
on_both('initial copy for a binary subscription', sprintf($everything, 'in_binary'), user => 'app');

for my $table (qw(people in_binary))
{
	fill($table, 51, 100);
	$publisher->rows(qq{
		UPDATE $table SET name = 'QuaggaFoal-renamed' WHERE id % 3 = 0;
		UPDATE $table SET email = 'zebrafish-moved' WHERE id = 7;
		UPDATE $table SET id = 500 WHERE id = 8;
		DELETE FROM $table WHERE id % 10 = 0;
		UPDATE $table SET name = 'zebrafish' || repeat('QuaggaFoal', 100000) WHERE id = 1;
		UPDATE $table SET plain = 'the big value stays' WHERE id = 1;
		INSERT INTO $table (id, email, name) VALUES (600, '', NULL);
	}, user => 'app');
}
caught_up();
on_both("stream into $_", sprintf($everything, $_), user => 'app') for qw(people in_binary);
is($subscriber->rows(q{SELECT length(name) FROM people WHERE id = 1}, user => 'app'), '1000009',
	'a big value, not sent again');
is($subscriber->rows(q{SELECT id FROM people WHERE email = 'zebrafish-moved'}, user => 'app'), '7',
	'found by index at the subscriber');
on_both('the very same ciphertext',
	'SELECT md5(string_agg(rampart.ciphertext(name)::text, chr(10) ORDER BY id)) FROM people');

# --- Rows found by their encrypted values ---

$publisher->rows(q{
	INSERT INTO by_email VALUES ('key-zebrafish1', 'a'), ('key-zebrafish2', 'b'), ('key-zebrafish3', 'c');
	UPDATE by_email SET plain = 'changed' WHERE email = 'key-zebrafish2';
	UPDATE by_email SET email = 'key-zebrafish4' WHERE email = 'key-zebrafish3';
	DELETE FROM by_email WHERE email = 'key-zebrafish1';
	INSERT INTO full_identity VALUES (1, 'full-zebrafish1', 'QuaggaFoal1', 'a'), (2, 'full-zebrafish2', 'QuaggaFoal2', 'b');
	INSERT INTO full_identity VALUES (3, NULL, NULL, 'c');
	UPDATE full_identity SET plain = 'changed' WHERE id = 1;
	DELETE FROM full_identity WHERE email = 'full-zebrafish2';
	UPDATE full_identity SET email = 'full-zebrafish3' WHERE id = 3;
}, user => 'app');
caught_up();
on_both('an encrypted primary key identifies rows', 'SELECT * FROM by_email ORDER BY plain', user => 'app');
on_both('REPLICA IDENTITY FULL with encrypted columns', 'SELECT * FROM full_identity ORDER BY id', user => 'app');

# --- Changes of the keyring ---

my $reader = $subscriber->session(user => 'app');
Rampart::ask($reader, 'SELECT count(name) FROM people');
$publisher->rows(q{SELECT rampart.rotate_key('pii')});
fill('people', 1001, 1010);
caught_up();
on_both('rows under a new key version', sprintf($everything, 'people'), user => 'app');
is(Rampart::ask($reader, q{SELECT id FROM people WHERE email = 'mail-zebrafish1005'}), '1005', 'in a running session too');
$publisher->rows(q{SELECT rampart.revoke_scope('pii', 'app')});
caught_up();
is(Rampart::ask($reader, 'SELECT lower(name) FROM people'), '42501',
	'a replicated revocation reaches a running session');
$publisher->rows(q{SELECT rampart.grant_scope('pii', 'app')});
caught_up();
is(Rampart::ask($reader, 'SELECT lower(name) FROM people WHERE id = 1005'), 'quaggafoal1005', 'and so does a grant');
$reader->quit;

# --- What a consumer of the stream saw ---

$publisher->rows('TRUNCATE full_identity');
caught_up();
is($subscriber->rows('SELECT count(*) FROM full_identity'), '0', 'TRUNCATE');
my $peeked = $publisher->rows(q{SELECT data FROM pg_logical_slot_peek_changes('spy', NULL, NULL)});
is_deeply([ $plaintexts->found_in_bytes($peeked) ], [], 'pg_logical_slot_peek_changes() shows no plaintext');
my $stream = $publisher->basedir . '/stream';
$publisher->command_ok([ 'pg_recvlogical', '-d', $from, '--slot', 'spy', '--start', '--no-loop', '--endpos',
	$publisher->rows('SELECT pg_current_wal_lsn()'), '-f', $stream ], 'pg_recvlogical');
my $text = slurp_file($stream);
cmp_ok(() = $text =~ /rmp1:/g, '>', 2000, 'the decoded stream holds armour');
is_deeply([ $plaintexts->found_in_bytes($text) ], [], 'and no plaintext');

# --- A subscription whose owner may decrypt, which in other roles guards against planted armour ---

$subscriber->rows(q{INSERT INTO rampart.scope_grant
	SELECT 'pii', current_user::regrole, true, true ON CONFLICT DO NOTHING});
for my $table (qw(people in_binary))
{
	fill($table, 2001, 2010);
	$publisher->rows("UPDATE $table SET name = 'QuaggaFoal-again' WHERE id = 2001", user => 'app');
}
caught_up();
on_both("an owner that may decrypt: $_", sprintf($everything, $_), user => 'app') for qw(people in_binary);

$subscriber->rows("DROP SUBSCRIPTION $_") for qw(in_text in_binary of_keys);
done_testing();
