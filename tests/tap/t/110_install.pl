# What is installed, and the extension's life: create, update, drop, create again.
use strict;
use warnings;
use File::Find;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $repository = '../..';

# --- Files ---

# As `cmake --install` does it, but for the manifest, which goes into the build directory.
my $build = "$ENV{RAMPART_BUILD}/dev";
my $where = PostgreSQL::Test::Utils::tempdir;
my $script = slurp_file("$build/cmake_install.cmake");
$script =~ s/"\Q$build\E\/\$\{CMAKE_INSTALL_MANIFEST\}"/"$where\/manifest"/;
append_to_file("$where/install.cmake", $script);
{
	local $ENV{DESTDIR} = "$where/root";
	command_ok([ 'cmake', '-P', "$where/install.cmake" ], 'cmake --install');
}
my %installed;
find({ no_chdir => 1, wanted => sub { $installed{ substr($_, length "$where/root") } = (stat)[2] & 07777 if -f } },
	"$where/root");

my ($version) = slurp_file("$repository/CMakeLists.txt") =~ /project\(rampart VERSION (\S+)/;
chomp(my ($library, $share) = map { `pg_config --$_` } qw(pkglibdir sharedir));
# The staged server's own directories end like those of the system.
s{^.*?(/usr/(?:lib|share)/postgresql)}{$1} for $library, $share;
my @upgrades = map { m{([^/]+)$} } glob("$repository/sql/rampart/upgrade/rampart--*--*.sql");
is_deeply([ sort keys %installed ],
	[ sort '/usr/local/bin/rampart-verify', '/usr/local/bin/rampartd', "$library/rampart.so", map { "$share/extension/$_" } 'rampart.control', "rampart--$version.sql", @upgrades ],
	'the library, the control file, the install script, upgrades, the verifier and the server are installed, and nothing else');
is_deeply([ grep { ($installed{$_} & 0444) != 0444 || $installed{$_} & 022 } sort keys %installed ], [],
	'readable by all, writable by the owner');
like(slurp_file("$where/root$share/extension/rampart.control"), qr/^default_version = '\Q$version\E'$/m,
	'the control file names the version');

# --- Create, update, drop ---

my $node = Rampart->make('main');
$node->set_up_roles;
my $objects = 'SELECT ' . join ', ', map { "(SELECT count(*) FROM $_)" }
  qw(pg_proc pg_type pg_operator pg_opclass pg_opfamily pg_cast pg_class pg_namespace pg_event_trigger pg_amop pg_amproc
	pg_depend pg_description pg_init_privs);
my $before = $node->rows($objects);

$node->fails_with('CREATE EXTENSION rampart', '42501', 'only a superuser creates the extension', user => 'app');
$node->fails_with('CREATE EXTENSION rampart SCHEMA public', '0A000', 'its schema is rampart');
$node->rows('BEGIN; CREATE EXTENSION rampart; ROLLBACK');
is($node->rows($objects), $before, 'a rolled back CREATE EXTENSION leaves nothing');
my $open = $node->session(user => 'app');
is(Rampart::ask($open, q{SELECT 'x'::enc_text}), '42704', 'no types before it');

my @life = (
	q{CREATE EXTENSION rampart},
	q{SELECT rampart.create_scope('pii')},
	q{SELECT rampart.grant_scope('pii', current_user::regrole); SELECT rampart.grant_scope('pii', 'app')},
	q{CREATE TABLE t (id int, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii))},
	q{GRANT ALL ON t TO app},
	q{INSERT INTO t SELECT i, 'mail' || i, 'name' || i FROM generate_series(10, 30) i});
my $works = q{SELECT string_agg(email, ' ' ORDER BY email) || (SELECT name FROM t WHERE email = 'mail12') FROM t};
my $right = join(' ', map { "mail$_" } 10 .. 30) . 'name12';
my $session = $node->session;

for my $round ('first', 'again, in the same session')
{
	for my $statement (@life)
	{
		unlike(Rampart::ask($session, $statement), qr/^\w{5}$/, "$round: $statement");
	}
	is(Rampart::ask($session, $works), $right, "$round: works");
	is(Rampart::ask($open, $works), $right, "$round: works in a session that was open before");
	is(Rampart::ask($session, q{SELECT extversion FROM pg_extension WHERE extname = 'rampart'}), $version,
		"$round: this version");
	is(Rampart::ask($session, 'DROP EXTENSION rampart'), '2BP01', "$round: not dropped while columns use it");
	Rampart::ask($session, 'DROP EXTENSION rampart CASCADE');
	is(Rampart::ask($session, 'SELECT count(*) FROM t'), '21', "$round: CASCADE leaves the table");
	is(Rampart::ask($session, 'SELECT email FROM t'), '42703', "$round: without the columns");
	Rampart::ask($session, 'DROP TABLE t; DROP SCHEMA IF EXISTS rampart');
	is(Rampart::ask($session, $objects), $before, "$round: nothing is left");
}
$_->quit for $session, $open;

# Upgrade paths: every version that can be updated to this one, and this one to itself.
$node->rows('CREATE EXTENSION rampart');
my (undef, $stderr) = $node->complaint('ALTER EXTENSION rampart UPDATE');
like($stderr, qr/version "\Q$version\E" of extension "rampart" is already installed/,
	'ALTER EXTENSION UPDATE: nothing to do');
$node->fails_with(q{ALTER EXTENSION rampart UPDATE TO '99.9'}, '22023', 'ALTER EXTENSION UPDATE: no such version');
my $fresh = $node->rows($objects);
for my $old (split /\n/, $node->rows(qq{SELECT source FROM pg_extension_update_paths('rampart')
	WHERE target = '$version' AND path IS NOT NULL}))
{
	$node->rows('DROP EXTENSION rampart');
	$node->rows("CREATE EXTENSION rampart VERSION '$old'; ALTER EXTENSION rampart UPDATE TO '$version'");
	is($node->rows($objects), $fresh, "ALTER EXTENSION UPDATE from $old: the same objects");
}

# --- Databases ---

$node->rows($_) for @life[1 .. 5];
$node->rows('CREATE DATABASE copy TEMPLATE postgres; CREATE DATABASE other');
is($node->rows($works, user => 'app', database => 'copy'), $right, 'a copy of the database has its keyring');
$node->rows(q{SELECT rampart.rotate_key('pii')}, database => 'copy');
is($node->rows(q{SELECT max(version) FROM rampart.key}), '1', 'which then goes its own way');
$node->rows("CREATE SCHEMA rampart; $_", database => 'other') for 'CREATE EXTENSION rampart';
my $armour = $node->rows('SET rampart.reveal = off; SELECT name FROM t WHERE id = 12', user => 'app');
$node->rows(join('; ', @life[1 .. 4]), database => 'other');
$node->fails_with("SET rampart.armour_input = verify; INSERT INTO t (name) VALUES ('$armour')", 'RMK02',
	'another database with a scope of the same name has other keys', user => 'app', database => 'other');

# --- Without a root key ---

my $bare = Rampart->make('bare', start => 0);
unlink $bare->root_key_file;
$bare->start;
$bare->rows('CREATE EXTENSION rampart');
pass('without a root key: the extension is created');
$bare->fails_with(q{SELECT rampart.create_scope('pii')}, 'RMK05', 'without a root key: no scope');
is($bare->rows('SELECT count(*) FROM rampart.scope'), '0', 'not half of one either');
is($bare->rows('SELECT count(*) FROM rampart.key_event'), '0', 'and no event');
$bare->fails_with(q{CREATE TABLE t (e enc_text(pii)); INSERT INTO t VALUES ('x')}, 'RMK01',
	'nothing is stored in the clear');
is($bare->rows(q{SELECT state FROM rampart.status() WHERE item = 'root key'}), 'missing',
	'status() says what is missing');
$bare->write_root_key($bare->root_key);
is($bare->rows(q{SELECT rampart.create_scope('pii')}), '', 'with the root key it goes on, without a restart');

done_testing();
