# A dump made without a grant restores into another cluster with the same root key, in every order that
# pg_restore uses: all data, indexes, constraints, keys, rights and events are as before.
use strict;
use warnings;
use Everything;
use PostgreSQL::Test::Utils;
use Test::More;

my $source   = Everything->make('source');
my $expected = Everything::examine($source);
my $dir      = $source->basedir;
my @dump     = ('pg_dump', '-d', 'postgres');

my %archives = (custom => '-Fc', directory => '-Fd', tar => '-Ft');
$source->command_ok([ @dump, $archives{$_}, '-f', "$dir/$_" ], "dump: $_") for sort keys %archives;
$source->command_ok([ @dump, '-f', "$dir/plain.sql" ], 'dump: plain');
# INSERT evaluates CHECKs, as COPY does not, and cannot while there are no keys.
my @unchecked = ('-T', 'checked', '-T', 'checked_domain');
$source->command_ok([ @dump, @unchecked, '--inserts', '-f', "$dir/inserts.sql" ], 'dump: inserts');
$source->command_ok([ @dump, @unchecked, '--column-inserts', '-f', "$dir/column_inserts.sql" ], 'dump: column inserts');
$source->command_ok([ 'pg_dumpall', '-f', "$dir/all.sql" ], 'dump: all');
$source->stop;

my $target = Rampart->make('target', root_key => $source->root_key);
$target->set_up_roles;

sub psql_file { return [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', @_ ]; }

sub pg_restore { return [ 'pg_restore', '--exit-on-error', @_ ]; }

# The tables that an INSERT dump is made without.
my ($checked) = slurp_file('sql/everything.sql') =~ /^(CREATE TABLE checked.*?'somebody-zebrafish'\);)$/ms;

# Each in a database of its own.
my @orders = (
	[ 'plain'              => psql_file("$dir/plain.sql") ],
	[ 'inserts'            => psql_file("$dir/inserts.sql") ],
	[ 'column_inserts'     => psql_file("$dir/column_inserts.sql") ],
	[ 'custom'             => pg_restore("$dir/custom") ],
	[ 'single_transaction' => pg_restore('--single-transaction', "$dir/custom") ],
	[ 'directory'          => pg_restore("$dir/directory") ],
	[ 'tar'                => pg_restore("$dir/tar") ],
	[ 'parallel_custom'    => pg_restore('-j4', "$dir/custom") ],
	[ 'parallel_directory' => pg_restore('-j4', "$dir/directory") ],
	[ 'sections'           => map { pg_restore("--section=$_", "$dir/custom") } qw(pre-data data post-data) ],
	[ 'parallel_sections'  => map { pg_restore('-j4', "--section=$_", "$dir/custom") } qw(pre-data data post-data) ],
	[ 'schema_then_data'   => pg_restore('--schema-only', "$dir/custom"),
		pg_restore('--data-only', '--disable-triggers', "$dir/custom") ],
	[ 'parallel_schema_then_data' => pg_restore('--schema-only', "$dir/custom"),
		pg_restore('-j4', '--data-only', '--disable-triggers', "$dir/custom") ]);

for my $order (@orders)
{
	my ($name, @commands) = @$order;
	$target->rows("CREATE DATABASE $name TEMPLATE template0");
	for my $command (@commands)
	{
		$target->command_checks_all([ @$command, '-d', $name ], 0, [], [qr/^$/], "$name: restores");
	}
	# A materialised view has no data after --data-only, encrypted or not.
	$target->rows('REFRESH MATERIALIZED VIEW mat', database => $name) if $name =~ /schema_then_data/;
	$target->rows("DROP DOMAIN somebody; $checked", database => $name, user => 'app') if $name =~ /inserts/;
	is(Everything::examine($target, database => $name), $expected, "$name: all as before");
	$target->rows("DROP DATABASE $name");
}

# Into a bare cluster; the superuser's role is there already.
my $bare = Rampart->make('bare', root_key => $source->root_key);
$bare->command_checks_all([ 'psql', '-Xq', '-d', 'postgres', '-f', "$dir/all.sql" ], 0, [],
	[qr/\A(psql:\S+ ERROR:  role "[^"]+" already exists\n)\z/], 'pg_dumpall: restores');
is(Everything::examine($bare), $expected, 'pg_dumpall: all as before');

# Rights are as before too: for those that have none.
$bare->fails_with('SELECT lower(name) FROM people', '42501', 'an outsider may not decrypt', user => 'outsider');
$bare->rows('GRANT SELECT ON people TO outsider');
like($bare->rows('SELECT name FROM people WHERE id = 7', user => 'outsider'), qr/^rmp1:/, 'an outsider sees armour');
like($bare->rows('SELECT name FROM people WHERE id = 7'), qr/^rmp1:/, 'so does the superuser');

done_testing();
