# A physical standby decrypts, sees changes of keys and rights in sessions that are open, and goes on
# after its promotion.
use strict;
use warnings;
use Everything;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = Everything->make('primary', streaming => 1);
$primary->rows('CREATE ROLE later LOGIN; GRANT SELECT ON people TO later, outsider');
$primary->backup('base');

# The standby has a file of its own with the same root key.
my $standby = Rampart->new('standby');
$standby->{rampart_root_key} = $primary->root_key;
$standby->write_root_key($primary->root_key);
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "rampart.root_key_file = '" . $standby->root_key_file . "'");
$standby->start;

my $name = 'SELECT name FROM people WHERE id = 7';
my %open = map { ($_ => $standby->session(user => $_)) } qw(app outsider later);

sub on_primary
{
	my ($sql, %options) = @_;
	$primary->rows($sql, %options);
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
}
sub standby_says
{
	my ($user, $sql, $expected, $what) = @_;
	my $got = Rampart::ask($open{$user}, $sql);
	return ref $expected ? like($got, $expected, $what) : is($got, $expected, $what);
}

standby_says(app => $name, 'Name QuaggaFoal7', 'decrypts');
standby_says(app => q{SELECT id FROM people WHERE email = 'mail-zebrafish205@example.com'}, '205', 'looks up by index');
standby_says(app => q{INSERT INTO people (id, email) VALUES (3000, 'x')}, '25006', 'is read-only');
standby_says(outsider => $name, qr/^rmp1:/, 'shows armour to an outsider');

# Rights: granted, by role, revoked.
standby_says(later => $name, qr/^rmp1:/, 'before a grant');
on_primary(q{SELECT rampart.grant_scope('pii', 'later', 'decrypt')});
standby_says(later => $name, 'Name QuaggaFoal7', 'sees a grant in a running session');
on_primary(q{SELECT rampart.revoke_scope('pii', 'later')});
standby_says(later => $name, qr/^rmp1:/, 'sees a revocation in a running session');
standby_says(later => 'SELECT lower(name) FROM people WHERE id = 7', '42501', 'and refuses the cast');
on_primary('GRANT app TO later');
standby_says(later => $name, 'Name QuaggaFoal7', 'sees a membership');
on_primary('REVOKE app FROM later');
standby_says(later => $name, qr/^rmp1:/, 'and its end');

# Keys: a new version, a new scope, disabling.
on_primary(q{SELECT rampart.rotate_key('pii')});
on_primary(q{INSERT INTO people (id, email, name) VALUES (3001, 'mail-third', 'Third Version')}, user => 'app');
standby_says(app => 'SELECT name FROM people WHERE id = 3001', 'Third Version',
	'reads a new key version in a running session');
standby_says(app => q{SELECT id FROM people WHERE email = 'mail-third'}, '3001', 'and finds by it');
on_primary(q{SELECT rampart.create_scope('young'); SELECT rampart.grant_scope('young', 'app');
	CREATE TABLE children (v enc_text(young, deterministic) PRIMARY KEY); GRANT ALL ON children TO app});
on_primary(q{INSERT INTO children VALUES ('child')}, user => 'app');
standby_says(app => q{SELECT v FROM children WHERE v = 'child'}, 'child', 'sees a new scope in a running session');
my $version = q{(SELECT id FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data' AND version = 1)};
on_primary("SELECT rampart.disable_key($version)");
standby_says(app => $name, 'RMK03', 'sees a disabled key in a running session');
on_primary("SELECT rampart.enable_key($version)");
standby_says(app => $name, 'Name QuaggaFoal7', 'and its return');

# Another root key: on the primary first, the standby is given it too late.
sub give_new_root_key
{
	my ($node) = @_;
	my $file = $node->basedir . '/new.key';
	append_to_file($file, 'ab' x 32);
	chmod 0600, $file;
	$node->append_conf('postgresql.conf', "rampart.new_root_key_file = '$file'");
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT current_setting('rampart.new_root_key_file') <> ''});
}
give_new_root_key($primary);
on_primary('SELECT rampart.rewrap_root_key()');
standby_says(app => $name, 'RMK06', 'root key changed: the standby says that it needs the new one');
standby_says(later => $name, qr/^rmp1:/, 'and goes on showing armour');
give_new_root_key($standby);
standby_says(app => $name, 'Name QuaggaFoal7', 'given it: goes on in a running session');
is($standby->rows(q{SELECT state FROM rampart.status() WHERE item = 'new root key'}), 'in use', 'status() on the standby');

# What is not committed, or not any more, is not seen.
my $writer = $primary->session;
Rampart::ask($writer, q{BEGIN; SELECT rampart.grant_scope('pii', 'later')});
on_primary('CREATE TABLE tick (); DROP TABLE tick');
standby_says(later => $name, qr/^rmp1:/, 'does not see an uncommitted grant');
Rampart::ask($writer, 'ROLLBACK');
on_primary('CREATE TABLE tick (); DROP TABLE tick');
standby_says(later => $name, qr/^rmp1:/, 'nor one rolled back');
$writer->quit;

my $expected = Everything::examine($primary);
$primary->stop;
$standby->promote;
is(Everything::examine($standby), $expected, 'promoted: all as on the primary');
standby_says(app => q{INSERT INTO people (id, email, name) VALUES (3002, 'mail-promoted', 'Promoted') RETURNING name},
	'Promoted', 'promoted: writes in a session that was open before');
$standby->rows(q{SELECT rampart.rotate_key('pii')});
standby_says(app => q{INSERT INTO people (id, email, name) VALUES (3003, 'mail-after', 'After') RETURNING email},
	'mail-after',
	'promoted: writes under a new key version');
is($standby->rows(q{SELECT (rampart.inspect(rampart.ciphertext(name))).version FROM people WHERE id = 3003}), '4',
	'which is the fourth');
$_->quit for values %open;

done_testing();
