# What pg_dump and pg_dumpall write as a superuser without a grant holds no plaintext.
use strict;
use warnings;
use Everything;
use Plaintexts;
use PostgreSQL::Test::Utils;
use Test::More;

my $node       = Everything->make('main');
my $plaintexts = Plaintexts->new(root_key => $node->root_key, root_key_bytes => pack('H*', $node->root_key));
my $dir        = $node->basedir;

sub dump_holds_nothing
{
	my ($name, @command) = @_;
	my $target = "$dir/$name";
	$node->command_ok([ @command, '-f', $target ], "$name is written");
	is_deeply([ $plaintexts->found_in($target) ], [], "$name holds no plaintext");
}

# -Z0, because what is compressed cannot be looked through.
my @dump = ('pg_dump', '-d', 'postgres');
dump_holds_nothing('plain',           @dump);
dump_holds_nothing('inserts',         @dump, '--inserts');
dump_holds_nothing('column_inserts',  @dump, '--column-inserts');
dump_holds_nothing('custom',          @dump, '-Fc', '-Z0');
dump_holds_nothing('directory',       @dump, '-Fd', '-Z0', '-j2');
dump_holds_nothing('tar',             @dump, '-Ft');
dump_holds_nothing('dumpall',         'pg_dumpall');
dump_holds_nothing('schema_only',     @dump, '-s');

# The check can fail: app may decrypt, and so may its dumps.
$node->rows('GRANT USAGE ON SCHEMA rampart TO app; GRANT SELECT ON ALL TABLES IN SCHEMA rampart TO app');
$node->command_ok([ @dump, '-U', 'app', '-t', 'people', '-f', "$dir/by_app" ], 'app may dump its table');
my %found = map { /by_app: (\w+) / ? ($1 => 1) : () } $plaintexts->found_in("$dir/by_app");
is_deeply([ sort keys %found ], [qw(bytea date int8 jsonb numeric text timestamptz uuid)],
	'the dump of a role that may decrypt holds plaintext of every type');
$node->command_ok([ 'env', 'PGOPTIONS=-c rampart.reveal=off', @dump, '-U', 'app', '-t', 'people', '-f',
	"$dir/unrevealed" ],
	'app may dump without revealing');
is_deeply([ $plaintexts->found_in("$dir/unrevealed") ], [], 'rampart.reveal = off keeps plaintext out of its dump');

done_testing();
