# export_keyring() and import_keyring(): ciphertext and keyring moved to another cluster, keyrings merged, and
# every export that no server wrote.
use strict;
use warnings;
use Everything;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = Everything->make('source');
my $target = Rampart->make('target', root_key => $source->root_key);
$target->set_up_roles;
$target->rows('CREATE EXTENSION rampart');

# As a user moves it: a file of one line.
my $file = $source->basedir . '/keyring.json';
sub export
{
	my ($node) = @_;
	unlink $file;
	append_to_file($file, $node->rows('SELECT rampart.export_keyring()'));
	return slurp_file($file);
}
my @columns = 'id, scope, purpose, version, state, created_at, changed_at';
my $keys = "SELECT @columns FROM rampart.keys ORDER BY 1";
sub import_sql
{
	my ($json) = @_;
	return "SELECT * FROM rampart.import_keyring(\$json\$$json\$json\$)";
}
sub import_into { my ($node, $json, %options) = @_; return $node->rows(import_sql($json), %options); }

# --- To a cluster without scopes: keyring first, then tables ---

$source->rows(q{
	CREATE TABLE documents (id int, email enc_text(pii, deterministic), name enc_text(pii));
	SELECT rampart.create_scope('hidden', 'null');
	SELECT rampart.disable_key(id) FROM rampart.keys WHERE scope = 'hidden' AND purpose = 'data';
	SELECT rampart.create_scope('partly'), rampart.rotate_key('partly');
	SELECT rampart.destroy_key(id, 'partly') FROM rampart.keys WHERE scope = 'partly' AND state = 'retired';
	GRANT ALL ON documents TO app});
$source->rows(q{INSERT INTO documents SELECT i, 'mail' || i, 'name' || i FROM generate_series(1, 50) i}, user => 'app');
$source->rows(q{SELECT rampart.rotate_key('pii')});
$source->rows(q{INSERT INTO documents SELECT i, 'mail' || i, 'name' || i FROM generate_series(51, 100) i}, user => 'app');
my $json  = export($source);
my $count = $source->rows('SELECT count(*) FROM rampart.key');
my $other_key = Rampart->random_root_key;
unlike($json, qr/${\$source->root_key}|"grants?"|app\b/, 'no root key and no grant in an export');
is($source->rows(q{SELECT scope IS NULL, details FROM rampart.key_event WHERE event = 'keyring_exported'}),
	qq(t|{"keys": $count, "scopes": 3}), 'an export is an event');

$target->safe_psql('postgres', "CREATE TEMP TABLE keyring (doc jsonb);\n\\copy keyring FROM '$file'\n"
	  . 'CREATE TABLE added AS SELECT k.* FROM keyring, rampart.import_keyring(doc) k;');
is($target->rows('SELECT count(*) FROM added'), $count, 'all keys are imported');
is($target->rows($keys), $source->rows($keys), 'as they were');
is($target->rows('SELECT * FROM rampart.scope ORDER BY 1'), $source->rows('SELECT * FROM rampart.scope ORDER BY 1'),
	'and the scopes');
is($target->rows(q{SELECT count(*) FILTER (WHERE event = 'scope_imported'), count(*) FILTER (WHERE event = 'key_imported')
	FROM rampart.key_event}), "3|$count", 'each an event');
is($target->rows('SELECT count(*) FROM rampart.scope_grant'), '0', 'no grants');
is(import_into($target, $json), '', 'a second import adds nothing');
is($target->rows($keys), $source->rows($keys), 'and changes nothing');

# Ciphertext by COPY of a role that sees armour.
my $copy = $source->rows('COPY documents TO STDOUT');
like($copy, qr/^1\trmp1:/, 'a dump of armour');
my ($theirs) = $copy =~ /^1\t\S+\t(\S+)/;
$target->rows(q{CREATE TABLE documents (id int, email enc_text(pii, deterministic), name enc_text(pii));
	GRANT ALL ON documents TO app; GRANT ALL ON SCHEMA public TO app});
append_to_file($source->basedir . '/documents', "$copy\n");
$target->rows("\\copy documents FROM '" . $source->basedir . "/documents'");
$target->rows(q{SELECT rampart.grant_scope('pii', 'app')});
is($target->rows(q{SELECT count(*), bool_and(name::text = 'name' || id) FROM documents}, user => 'app'), '100|t',
	'decrypts in the other cluster');
is($target->rows(q{SELECT id FROM documents WHERE email = 'mail77'}, user => 'app'), '77', 'and is found');
$target->rows('GRANT SELECT ON documents TO outsider');
like($target->rows(q{SELECT name FROM documents LIMIT 1}, user => 'outsider'), qr/^rmp1:/, 'by those who may');

# --- Merging: both went on ---

$source->rows(q{SELECT rampart.rotate_key('pii')});
$source->rows(q{INSERT INTO documents VALUES (101, 'mail101', 'name101')}, user => 'app');
$target->rows(q{SELECT rampart.rotate_key('pii')}) for 1 .. 2;
$target->rows(q{INSERT INTO documents VALUES (201, 'mail201', 'name201')}, user => 'app');
my $pii = q{SELECT version, state FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data' ORDER BY 1};
is($target->rows($pii), "1|retired\n2|retired\n3|retired\n4|retired\n5|active", 'two versions of its own');
like(import_into($target, export($source)), qr/^pii\|[0-9a-f]{16}\|data\|6\|4\|retired$/,
	'one key is missing, its number taken: it gets the next, retired');
is($target->rows($pii), "1|retired\n2|retired\n3|retired\n4|retired\n5|active\n6|retired", 'the active one stays active');
is(import_into($target, export($source)), '', 'merging again adds nothing');
my $row = $source->rows(q{SELECT name FROM documents WHERE id = 101});
is($target->rows(qq{SELECT rampart.decrypt(rampart.dearmour('$row'))}, user => 'app'), 'name101', 'it decrypts under its new number');
$target->rows(q{SELECT rampart.rotate_key('pii')});
is($target->rows(q{SELECT max(version) FROM rampart.keys WHERE scope = 'pii'}), '7', 'rotation goes on behind it');

# Destroyed stays destroyed, here and there.
my $before = export($source);
my $shredded = $source->rows(q{SELECT id FROM rampart.keys WHERE scope = 'partly' AND purpose = 'data' AND state = 'active'});
$target->rows(q{SELECT rampart.rotate_key('partly')});
$target->rows("SELECT rampart.destroy_key('$shredded', 'partly')");
is(import_into($target, $before), '', 'a key that is destroyed here does not come back');
is($target->rows("SELECT state FROM rampart.keys WHERE id = '$shredded'"), 'destroyed', 'it is destroyed');
is($target->rows("SELECT count(*) FROM rampart.key WHERE scope = 'partly' AND state = 'destroyed' AND wrapped IS NULL"), '2',
	'and so is the one that was destroyed there');
is($target->rows(q{SELECT state FROM rampart.keys WHERE scope = 'hidden' AND purpose = 'data'}), 'disabled', 'disabled is disabled');

# --- Refused as a whole ---

my $stranger = Rampart->make('stranger', root_key => $other_key)->set_up;
my $before_any = $stranger->rows('TABLE rampart.key');
my $message = $stranger->fails_with(import_sql($json), 'RMK06', 'under another root key');
like($message, qr/DETAIL:  Fingerprint of the root key: [0-9a-f]{16}; of the one needed: [0-9a-f]{16}/, 'which is needed');
append_to_file($stranger->basedir . '/theirs.key', $source->root_key);
chmod 0600, $stranger->basedir . '/theirs.key';
$stranger->append_conf('postgresql.conf', "rampart.new_root_key_file = '" . $stranger->basedir . "/theirs.key'");
$stranger->reload;
$message = $stranger->fails_with(import_sql($json), 'RMK08', 'a scope of the same name with another index key');
like($message, qr/scope "pii" has another index key here.*DETAIL:  Equal values .*HINT:  Import before/s, 'why and what to do');
is($stranger->rows('TABLE rampart.key'), $before_any, 'nothing was imported of it');
$stranger->rows(q{DELETE FROM rampart.key; DELETE FROM rampart.scope});
is(split(/\n/, import_into($stranger, $json)), $count, 'with the root key of theirs as a second one it is imported');
is($stranger->rows(q{SELECT count(DISTINCT root_key) FROM rampart.key WHERE wrapped IS NOT NULL}), '1', 'and wrapped by its own');
$stranger->append_conf('postgresql.conf', "rampart.new_root_key_file = ''");
$stranger->restart;
$stranger->rows(q{SELECT rampart.grant_scope('pii', 'app')});
is($stranger->rows(qq{SELECT rampart.decrypt(rampart.dearmour('$theirs'))}, user => 'app'), 'name1', 'their values decrypt');
is($stranger->rows(q{SELECT count(*) FROM rampart.status() WHERE item = 'root key' AND state = 'ok'}), '1',
	'so that theirs is not needed any more');
$stranger->fails_with("BEGIN ISOLATION LEVEL SERIALIZABLE; " . import_sql($json), '25001', 'an old snapshot');

$target->fails_with(import_sql($json), '42501', 'import is not for everybody', user => 'app');
$target->fails_with('SELECT rampart.export_keyring()', '42501', 'nor is export', user => 'app');
$target->fails_with($_, '42501', "$_: nor is it", user => 'app')
  for q{SELECT rampart.keyring_rows('{}')}, q{SELECT rampart.check_keyring('{}')}, q{SELECT rampart.import_scope('x', 'null', now())};

# --- Hostile documents ---

$target->rows(q{CREATE TABLE export AS SELECT rampart.export_keyring() AS doc});
my $unchanged = $target->rows('SELECT * FROM rampart.key ORDER BY id; SELECT * FROM rampart.scope ORDER BY name;
	SELECT count(*) FROM rampart.key_event');
# In a document with scopes hidden, partly and pii: what a path becomes, and where the complaint says it is.
my $wrapped = '{scopes,2,keys,1,wrapped}';
my @altered = (
	[ 'null document',          q{'null'},      'the document: is no object' ],
	[ 'a number',               q{'7'},         'the document: is no object' ],
	[ 'an array',               q{'[]'},        'the document: is no object' ],
	[ 'a string',               q{'"format"'},  'the document: is no object' ],
	[ 'empty',                  q{'{}'},        'the document: has no member "format"' ],
	[ 'no scopes',              q{doc - 'scopes'}, 'the document: has no member "scopes"' ],
	[ 'more',                   q{doc || '{"grants": []}'}, 'the document: has an unknown member "grants"' ],
	[ 'a long member',          q{doc || jsonb_build_object(repeat('x', 1000000), 1)}, 'the document: has an unknown member "x{63}"' ],
	[ 'format 2',               [ '{format}', '2' ],    'format: is not 1' ],
	[ 'format as text',         [ '{format}', '"1"' ],  'format: is not 1' ],
	[ 'format null',            [ '{format}', 'null' ], 'format: is not 1' ],
	[ 'scopes an object',       [ '{scopes}', '{}' ],   'scopes: is no array' ],
	[ 'scopes null',            [ '{scopes}', 'null' ], 'scopes: is no array' ],
	[ 'a scope a number',       [ '{scopes,1}', '1' ],  'scopes\[1\]: is no object' ],
	[ 'deep nesting',           [ '{scopes,1}', '[' x 3000 . ']' x 3000 ], 'scopes\[1\]: is no object' ],
	[ 'a scope without keys',   q{doc #- '{scopes,1,keys}'}, 'scopes\[1\]: has no member "keys"' ],
	[ 'a scope with a tag',     [ '{scopes,1,tag}', '1' ], 'scopes\[1\]: has an unknown member "tag"' ],
	[ 'a name of nothing',      [ '{scopes,1,name}', '""' ], 'scopes\[1\]\.name: is not a name' ],
	[ 'a name null',            [ '{scopes,1,name}', 'null' ], 'scopes\[1\]\.name: is not a name' ],
	[ 'a name with a quote',    [ '{scopes,1,name}', q{"a'; DROP TABLE x; --"} ], 'scopes\[1\]\.name: is not a name' ],
	[ 'a long name',            [ '{scopes,1,name}', '"' . 'n' x 64 . '"' ], 'scopes\[1\]\.name: is not a name' ],
	[ 'a name with a line',     [ '{scopes,1,name}', '"n\n"' ], 'scopes\[1\]\.name: is not a name' ],
	[ 'denied: shown',          [ '{scopes,1,denied}', '"shown"' ], 'scopes\[1\]\.denied: is not armour, null, mask or error' ],
	[ 'keys an object',         [ '{scopes,1,keys}', '{}' ], 'scopes\[1\]\.keys: is no array' ],
	[ 'no index key',           [ '{scopes,1,keys}', '[]' ], 'scopes: scope "partly" has 0 index keys' ],
	[ 'a key null',             [ '{scopes,1,keys,0}', 'null' ], 'scopes\[1\]\.keys\[0\]: is no object' ],
	[ 'a key without state',    q{doc #- '{scopes,1,keys,0,state}'}, 'scopes\[1\]\.keys\[0\]: has no member "state"' ],
	[ 'an id a number',         [ '{scopes,1,keys,0,id}', '5' ], 'keys\[0\]\.id: is not 16 hexadecimal digits' ],
	[ 'an id in capitals',      [ '{scopes,1,keys,0,id}', '"ABCDEF0123456789"' ], 'keys\[0\]\.id: is not 16' ],
	[ 'a long id',              [ '{scopes,1,keys,0,id}', '"00000000000000001"' ], 'keys\[0\]\.id: is not 16' ],
	[ 'purpose root',           [ '{scopes,1,keys,0,purpose}', '"root"' ], 'keys\[0\]\.purpose: is not data or index' ],
	[ 'version 0',              [ '{scopes,1,keys,0,version}', '0' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'version -1',             [ '{scopes,1,keys,0,version}', '-1' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'version 1.5',            [ '{scopes,1,keys,0,version}', '1.5' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'a version as text',      [ '{scopes,1,keys,0,version}', '"1"' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'version 2147483647',     [ '{scopes,1,keys,0,version}', '2147483647' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'version 1e131000',       [ '{scopes,1,keys,0,version}', '1e131000' ], 'keys\[0\]\.version: is not a whole number' ],
	[ 'state unknown',          [ '{scopes,1,keys,0,state}', '"activ"' ], 'keys\[0\]\.state: is not active, retired' ],
	[ 'state null',             [ '{scopes,1,keys,0,state}', 'null' ], 'keys\[0\]\.state: is not active, retired' ],
	[ 'root key null',          [ '{scopes,1,keys,0,root_key}', 'null' ], 'keys\[0\]\.root_key: is not 16' ],
	[ 'wrapped null',           [ $wrapped, 'null' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped true',           [ $wrapped, 'true' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped empty',          [ $wrapped, '""' ],   'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped no base64',      [ $wrapped, '"' . '!' x 56 . '"' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped cut',            [ $wrapped, '"' . 'A' x 52 . '"' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped longer',         [ $wrapped, '"' . 'A' x 60 . '"' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped huge',           q{jsonb_set(doc, '} . $wrapped . q{', to_jsonb(repeat('A', 10000000)))}, 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped in two ways',    [ $wrapped, '"' . 'A' x 53 . 'B=="' ], 'keys\[1\]\.wrapped: is not 40 bytes in base64' ],
	[ 'wrapped zeros',          [ $wrapped, '"' . 'A' x 54 . '=="' ], 'key [0-9a-f]{16}: its wrapped bytes are not those of' ],
	[ 'wrapped, yet destroyed', [ '{scopes,2,keys,1,state}', '"destroyed"' ], 'keys\[1\]\.wrapped: is not null, though' ],
	[ 'no date',                [ '{scopes,1,keys,0,created_at}', '"now"' ], 'keys\[0\]\.created_at: is not a date' ],
	[ 'infinity',               [ '{scopes,1,keys,0,changed_at}', '"infinity"' ], 'keys\[0\]\.changed_at: is not a date' ],
	[ 'the 31st of February',   [ '{scopes,1,created_at}', '"2026-02-31T00:00:00+00:00"' ], 'scopes\[1\]: has a date that does not exist' ],
	[ 'a time zone of 99 hours', [ '{scopes,1,keys,0,created_at}', '"2026-02-01T00:00:00+99:00"' ], 'keys\[0\]: has a date that does not exist' ],
	[ 'a scope twice',          q{jsonb_insert(doc, '{scopes,0}', doc #> '{scopes,1}')}, 'scope "partly" is there twice|key [0-9a-f]{16} is there twice' ],
	[ 'a key twice',            q{jsonb_insert(doc, '{scopes,1,keys,0}', doc #> '{scopes,1,keys,1}')}, 'key [0-9a-f]{16} is there twice' ],
	[ 'one id twice',           q{jsonb_set(doc, '{scopes,1,keys,0,id}', doc #> '{scopes,2,keys,0,id}')}, 'key [0-9a-f]{16} is there twice' ],
	[ 'two index keys',         [ '{scopes,2,keys,1,purpose}', '"index"' ], 'scope "pii" has 2 index keys|has two (active )?index keys' ],
	[ 'two of a version',       [ '{scopes,2,keys,2,version}', '1' ], 'scope "pii" has two data keys of version 1' ],
	[ 'two active keys',        [ '{scopes,2,keys,1,state}', '"active"' ], 'scope "pii" has two active data keys' ],
	[ 'two names of one tag',   q{jsonb_set(jsonb_set(doc, '{scopes,0,name}', '"TAG1"'), '{scopes,1,name}', '"TAG2"')},
		'the names "\w+" and "\w+" have the same tag' ],
	# Well formed, but not what was wrapped.
	[ 'another version',        [ '{scopes,2,keys,1,version}', '99' ], 'key [0-9a-f]{16}: its wrapped bytes are not those of' ],
	[ 'another scope',          [ '{scopes,2,name}', '"other"' ], 'key [0-9a-f]{16}: its wrapped bytes are not those of' ],
	[ 'another id',             [ '{scopes,2,keys,1,id}', '"0123456789abcdef"' ], 'key 0123456789abcdef: its wrapped bytes are not those of' ],
	[ 'keys exchanged',         q{jsonb_set(doc, '} . $wrapped . q{', doc #> '{scopes,2,keys,2,wrapped}')}, 'its wrapped bytes are not those of' ]);

# Two names whose tags are the same, by the birthday paradox over 24 bits.
my ($tag1, $tag2) = split /\|/, $target->rows(q{SELECT min(n), max(n) FROM (SELECT 't' || i AS n FROM generate_series(1, 20000) i) s
	GROUP BY rampart.scope_tag(n) HAVING count(*) > 1 LIMIT 1});
ok($tag2, 'two names have the same tag');
for my $case (@altered)
{
	my ($name, $how, $where) = @$case;
	my $doc = ref $how ? "jsonb_set(doc, '$how->[0]', \$j\$$how->[1]\$j\$)" : $how;
	$doc =~ s/TAG1/$tag1/; $doc =~ s/TAG2/$tag2/;
	my ($state, $complaint) = $target->complaint("SELECT k.* FROM export, rampart.import_keyring($doc) k");
	is($state, 'RMK11', "hostile: $name");
	like($complaint, qr/ERROR:  RMK11: malformed keyring export\nDETAIL:  .*?(?:$where)/, "hostile: $name: says where");
}
is($target->complaint(q{SELECT k.* FROM export,
	rampart.import_keyring(jsonb_set(doc, '{scopes,0,keys,0,root_key}', '"0123456789abcdef"')) k}),
	'RMK06', 'hostile: another root key');
is($target->rows('SELECT * FROM rampart.key ORDER BY id; SELECT * FROM rampart.scope ORDER BY name;
	SELECT count(*) FROM rampart.key_event'), $unchanged, 'hostile documents changed nothing');
is($target->complaint(q{SELECT rampart.import_keyring(NULL)}), '', 'NULL is nothing');
is($target->rows(q{SELECT count(*) FROM rampart.import_keyring('{"format": 1, "scopes": []}')}), '0', 'an empty keyring too');

# A real tag conflict: the source has a scope whose name has the tag of one here.
$source->rows("SELECT rampart.create_scope('$tag1')");
$target->rows("SELECT rampart.create_scope('$tag2')");
$message = $target->fails_with(import_sql(export($source)), 'RMK08', 'a scope whose tag is taken');
like($message, qr/the name "$tag1" has the same tag as scope "$tag2"/, 'says so');

# Many keys: in reasonable time, and rotated on.
$source->rows(q{SELECT rampart.create_scope('many'); SELECT rampart.rotate_key('many') FROM generate_series(1, 500)});
$target->rows("DELETE FROM rampart.key WHERE scope = '$tag2';
	DELETE FROM rampart.scope WHERE name = '$tag2'");
is(split(/\n/, import_into($target, export($source))), 502 + 2, 'hundreds of keys are imported');

# Wrapped keys of a failed statement do not reach the log.
my ($some) = $json =~ /"wrapped": "([^"]+)"/;
$target->fails_with(import_sql($json =~ s/"format": 1/"format": 3/r), 'RMK11', 'a failed import');
unlike(slurp_file($target->logfile), qr/\Q$some\E/, 'leaves no wrapped key in the log');
unlike(slurp_file($_->logfile), qr/PANIC|terminated by signal/, 'no crash') for $source, $target, $stranger;
done_testing();
