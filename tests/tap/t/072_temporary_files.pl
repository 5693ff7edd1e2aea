# What a query spills to disk: ciphertext where it groups, joins or sorts by ciphertext. Only an order that
# users ask for is made on plaintext; the documentation says so, and enough work_mem avoids the files.
use strict;
use warnings;
use Plaintexts;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main')->set_up;
$node->rows(q{
	CREATE TABLE t (id int, email enc_text(pii, deterministic), name enc_text(pii));
	GRANT ALL ON t TO app;
});
$node->rows(q{INSERT INTO t SELECT i, 'zebrafish' || i, 'QuaggaFoal' || i FROM generate_series(1, 20000) i}, user => 'app');
$node->rows('ANALYZE t');
my $plaintexts = Plaintexts->new;
my $directory  = $node->data_dir . '/base/pgsql_tmp';

# Files and plaintexts that a query has on disk once its first row is there.
sub spilt
{
	my ($settings, $query) = @_;
	my $session = $node->session(user => 'app');
	Rampart::ask($session, "SET work_mem = '64kB'; SET cursor_tuple_fraction = 1; $settings; BEGIN");
	my $error = Rampart::ask($session, "DECLARE c CURSOR FOR $query");
	unlike(Rampart::ask($session, 'FETCH c'), qr/^\w{5}$/, "runs: $query");
	my @files = glob("$directory/*");
	my @found = $plaintexts->found_in($directory);
	Rampart::ask($session, 'COMMIT');
	$session->quit;
	is_deeply([ glob("$directory/*") ], [], "nothing is left of it: $query");
	return scalar(@files), scalar(@found);
}

my @cases = (
	# settings, query
	[ 'SET enable_hashagg = off', 'SELECT email, count(*) FROM t GROUP BY email' ],
	[ 'SET enable_sort = off',    'SELECT email, count(*) FROM t GROUP BY email' ],
	[ 'SET enable_mergejoin = off; SET enable_nestloop = off',
		'SELECT a.name, b.name FROM t a JOIN t b USING (email)' ],
	[ 'SET enable_hashjoin = off; SET enable_nestloop = off', 'SELECT a.name, b.name FROM t a JOIN t b USING (email)' ],
	[ '', 'WITH c AS MATERIALIZED (SELECT * FROM t) SELECT a.id FROM c a JOIN c b ON a.id = b.id + 1' ],
	[ '', 'SELECT name, email FROM t ORDER BY id' ],
	[ '', 'SELECT email FROM t EXCEPT SELECT email FROM t WHERE id < 10' ]);
for my $case (@cases)
{
	my ($files, $found) = spilt(@$case);
	cmp_ok($files, '>', 0, "spills: $case->[1]");
	is($found, 0, "spills no plaintext: $case->[1]");
}

my ($files, $found) = spilt('', 'SELECT id FROM t ORDER BY name');
ok($files && $found, 'ORDER BY an encrypted column spills plaintext, as documented');
($files) = spilt(q{SET work_mem = '64MB'}, 'SELECT id FROM t ORDER BY name');
is($files, 0, 'not with enough work_mem');

done_testing();
