# A database restored where another root key is in place: clear errors, and all right again once the right
# key is given, in running sessions too.
use strict;
use warnings;
use Everything;
use PostgreSQL::Test::Utils;
use Test::More;

my $source   = Everything->make('source');
my $expected = Everything::examine($source);
my $dump     = $source->basedir . '/dump.sql';
$source->command_ok([ 'pg_dump', '-d', 'postgres', '-f', $dump ], 'dump');
$source->stop;

my $target = Rampart->make('target');
my $wrong  = $target->root_key;
$target->set_up_roles;
$target->command_checks_all([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', 'postgres' ],
	0, [], [qr/^$/], 'restores under another root key');

sub refused_everywhere
{
	my ($when) = @_;
	my %statements = (
		'reading'            => 'SELECT name FROM people WHERE id = 7',
		'casting'            => 'SELECT lower(name) FROM people WHERE id = 7',
		'looking up'         => "SELECT id FROM people WHERE email = 'mail-zebrafish7\@example.com'",
		'inserting'          => "INSERT INTO people (id, email) VALUES (3000, 'x')",
		'encrypt()'          => "SELECT rampart.encrypt('pii', 'text')",
		'decrypt()'          => 'SELECT rampart.decrypt(secret) FROM by_function',
		'COPY'               => 'COPY people TO STDOUT');
	for my $name (sort keys %statements)
	{
		my $message = $target->fails_with($statements{$name}, 'RMK06', "$when: $name", user => 'app');
		my $helpful = $message =~ /DETAIL:  Fingerprint of the root key: [0-9a-f]{16}; of the one needed: [0-9a-f]{16}/
		  && $message =~ /HINT:  Give the server the root key/;
		ok($helpful, "$when: $name: says which key is needed") or diag($message);
		unlike($message, qr/\Q$wrong\E|${\$source->root_key}/i, "$when: $name: shows no key");
	}
}
refused_everywhere('another root key');
like($target->rows('SELECT name FROM people WHERE id = 7'), qr/^rmp1:/, 'armour needs no key');
is($target->rows('SELECT count(*) FROM people p JOIN orders o ON o.customer = p.email'), '110', 'nor does a join');
like($target->rows(q{SELECT state, detail FROM rampart.status() WHERE item = 'root key'}), qr/^wrong\|/,
	'status() says so');
is($target->rows("SELECT rampart.try_decrypt(name) IS NULL FROM people WHERE id = 7", user => 'app'), 't',
	'try_decrypt gives NULL');

# Ciphertext can be loaded meanwhile, with a warning.
my $row = $target->rows('SELECT name FROM people WHERE id = 7');
my ($state, $stderr) = $target->complaint("BEGIN; UPDATE people SET name = '$row' WHERE id = 8; ROLLBACK");
is($state, 'RMK05', 'armour is stored unverified, with a warning');
like($stderr, qr{WARNING:  .*without verification}, 'the warning says so');

my $open = $target->session(user => 'app');
is(Rampart::ask($open, 'SELECT name FROM people WHERE id = 7'), 'RMK06', 'a session has seen the wrong key');
$target->write_root_key($source->root_key);
is(Rampart::ask($open, 'SELECT name FROM people WHERE id = 7'), 'Name QuaggaFoal7',
	'right key: at once in a running session');
$open->quit;
is(Everything::examine($target), $expected, 'right key: all as before in new sessions');
like($target->rows(q{SELECT state FROM rampart.status() WHERE item = 'root key'}), qr/^ok$/,
	'right key: status() says so');
$target->restart;
is(Everything::examine($target), $expected, 'right key: all as before after a restart');

# What was loaded stays loaded: a running server goes on when the file is spoilt.
$target->write_root_key($wrong);
is($target->rows('SELECT name FROM people WHERE id = 7', user => 'app'), 'Name QuaggaFoal7',
	'a preloaded key outlives its file');
$target->restart;
$target->fails_with('SELECT name FROM people WHERE id = 7', 'RMK06', 'until the restart', user => 'app');

# Keys under two root keys: each is usable while its own root key is there.
$target->rows(q{SELECT rampart.create_scope('second'); SELECT rampart.grant_scope('second', 'app')});
$target->rows(q{CREATE TABLE seconds (v enc_text(second)); GRANT ALL ON seconds TO app});
$target->rows(q{INSERT INTO seconds VALUES ('two')}, user => 'app');
is($target->rows('SELECT v FROM seconds', user => 'app'), 'two', 'a scope made under the other root key works');
$target->rows_are(q{SELECT state FROM rampart.status() WHERE item = 'root key' ORDER BY 1}, "ok\nwrong",
	'status() lists both root keys');
$target->write_root_key($source->root_key);
$target->restart;
$target->fails_with('SELECT v FROM seconds', 'RMK06', 'and not under the first', user => 'app');
is($target->rows('SELECT name FROM people WHERE id = 7', user => 'app'), 'Name QuaggaFoal7',
	'while the first scope is readable');

unlike(slurp_file($target->logfile), qr/PANIC|terminated by signal|\Q$wrong\E|${\$source->root_key}/,
	'no crash, and no key in the log');
done_testing();
