# COPY in text, CSV and binary: out and in again is the same, for a role that sees plaintext and for one
# that sees armour.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main')->set_up;
my $dir  = $node->basedir;
$node->rows(q{
	CREATE TABLE original (
		id int, t enc_text(pii), b enc_bytea(pii), j enc_jsonb(pii), n enc_numeric(pii), i enc_int8(pii),
		d enc_date(pii), ts enc_timestamptz(pii), u enc_uuid(pii), f enc_bool(pii), det enc_text(pii, deterministic));
	GRANT SELECT ON original TO outsider;
	GRANT ALL ON original TO app;
});
$node->rows(slurp_file('sql/awkward_values.sql'), user => 'app');

my $contents = "SELECT md5(string_agg(x::text, chr(10) ORDER BY id)) FROM %s x";
my $bytes    = "SELECT md5(string_agg(concat_ws(',', " .
  join(', ', map { "rampart.ciphertext($_)" } qw(t b j n i d ts u f det)) . '), chr(10) ORDER BY id)) FROM %s x';
my $expected  = $node->rows(sprintf($contents, 'original'), user => 'app');
my $encrypted = $node->rows(sprintf($bytes, 'original'));
$node->rows(q{
	CREATE TABLE plain AS
		SELECT id, t::text, b::bytea, j::jsonb, n::numeric, i::int8, d::date, ts::timestamptz, u::uuid, f::bool, det::text
		FROM original;
	GRANT ALL ON plain TO app;
}, user => 'app');
is($node->rows(sprintf($contents, 'plain')), $expected, 'the plain types print the same');

my @formats = (
	[ 'text',        '' ],
	[ 'text_odd',    q{WITH (DELIMITER '|', NULL '(null)')} ],
	[ 'csv',         'WITH (FORMAT csv)' ],
	[ 'csv_odd',     q{WITH (FORMAT csv, HEADER, FORCE_QUOTE *, NULL '~', DELIMITER ';')} ],
	[ 'csv_escaped', q{WITH (FORMAT csv, QUOTE '''', ESCAPE '\\')} ],
	[ 'binary',      'WITH (FORMAT binary)' ]);

sub copy
{
	my ($user, $what, $direction, $file, $options) = @_;
	$options =~ s/FORCE_QUOTE \*, // if $direction eq 'FROM';
	$node->rows("\\copy $what $direction '$file' $options", user => $user);
	return $file;
}

for my $format (@formats)
{
	my ($name, $options) = @$format;
	$node->rows("CREATE TABLE copied (LIKE original); GRANT ALL ON copied TO app, outsider");

	my $plain = copy('app', 'original', 'TO', "$dir/$name.plain", $options);
	unlike(slurp_file($plain), qr/rmp1:[\w-]{40}/, "$name: a granted role copies plaintext out");
	ok(slurp_file($plain) eq slurp_file(copy('app', 'plain', 'TO', "$dir/$name.reference", $options)),
		"$name: byte for byte what plain types give");
	copy('app', 'copied', 'FROM', $plain, $options);
	is($node->rows(sprintf($contents, 'copied'), user => 'app'), $expected, "$name: plaintext comes back");
	isnt($node->rows(sprintf($bytes, 'copied')), $encrypted, "$name: encrypted anew");
	is($node->rows("SELECT id FROM copied WHERE det = 'comma, \"quote\"'", user => 'app'), '5', "$name: and is found");

	$node->rows('TRUNCATE copied');
	my $armour = copy('outsider', 'original', 'TO', "$dir/$name.armour", $options);
	like(slurp_file($armour), qr/rmp1:[\w-]{40}/, "$name: an ungranted role copies armour out");
	unlike(slurp_file($armour), qr/0123456789abcdef|1815-12-10|comma, |rmp2:not/, "$name: and no plaintext");
	copy('outsider', 'copied', 'FROM', $armour, $options);
	is($node->rows(sprintf($bytes, 'copied')), $encrypted, "$name: the same ciphertext comes back");
	is($node->rows(sprintf($contents, 'copied'), user => 'app'), $expected, "$name: and decrypts to the same");
	$node->rows('DROP TABLE copied');
}

# What does not go in.
$node->rows("CREATE TABLE target (LIKE original); GRANT ALL ON target TO app, outsider");
sub refused_in
{
	my ($name, $user, $line, $state) = @_;
	append_to_file("$dir/one", "$line\n");
	$node->fails_with("\\copy target (id, t) FROM '$dir/one'", $state, $name, user => $user);
	unlink "$dir/one";
}
my $armoured = $node->rows('SELECT t FROM original WHERE id = 1');
refused_in('plaintext by a role that may not encrypt', 'outsider', "1\tplain", '42501');
refused_in('armour by a role that may decrypt',        'app',      "1\t$armoured", 'RMC04');
refused_in('armour of another kind', 'outsider', "1\t" . $node->rows('SELECT n FROM original WHERE id = 1'), 'RMC03');
my $altered = $armoured =~ s/(.)(.)$/($1 eq 'A' ? 'Q' : 'A') . $2/er;
refused_in('altered armour', 'outsider', "1\t$altered", 'RMC02');
refused_in('cut armour',     'outsider', "1\t" . substr($armoured, 0, 30), 'RMC01');
is($node->rows('SELECT count(*) FROM target'), '0', 'nothing of these is stored');

# A condition that the role may not evaluate is an error, unlike a constraint.
copy('outsider', 'original', 'TO', "$dir/conditional", '');
for my $condition ("t::text = 'plain'", "det = 'found'", "lower(t) <> 'x'")
{
	$node->fails_with("\\copy target FROM '$dir/conditional' WHERE $condition", '42501', "COPY FROM WHERE $condition",
		user => 'outsider');
}

# A role with one right of the two.
$node->rows(q{CREATE ROLE writer LOGIN; CREATE ROLE reader LOGIN;
	SELECT rampart.grant_scope('pii', 'writer', 'encrypt');
	SELECT rampart.grant_scope('pii', 'reader', 'decrypt'); GRANT ALL ON target, original TO writer, reader});
append_to_file("$dir/one", "1\tby writer\n");
$node->rows("\\copy target (id, t) FROM '$dir/one'", user => 'writer');
is($node->rows('SELECT t FROM target', user => 'reader'), 'by writer', 'encrypt suffices for COPY FROM');
like($node->rows('COPY target TO STDOUT', user => 'writer'), qr/^1\trmp1:/, 'but shows armour');
$node->fails_with("\\copy target (id, t) FROM '$dir/one'", '42501', 'decrypt does not suffice for COPY FROM',
	user => 'reader');

done_testing();
