# Without preloading, the library is loaded in the middle of a session's first statement, which was planned
# without it. That statement gives the right answer or RMT07, never a wrong one; the same statement again
# gives the right answer.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main', preload => 0);
$node->rows('CREATE DATABASE helped');
$node->rows('CREATE EXTENSION rampart', database => 'helped');
is($node->rows('SHOW session_preload_libraries', database => 'helped'), 'rampart',
	'CREATE EXTENSION sees to it that sessions preload');

# This database does without, once it is set up.
$node->set_up;
$node->rows(slurp_file('sql/first_statements.sql'), user => 'app');
$node->rows('ALTER DATABASE postgres RESET session_preload_libraries');

my @values   = map { "value$_" } 10 .. 40;
my $ordered  = join "\n", @values;
my $reversed = join "\n", reverse @values;
my $spaced   = join ' ', @values;
my $grouped  = join "\n", map { "$_|1" } @values;
my $ids      = join "\n", 10 .. 40;
my $nines    = join "\n", (9) x @values;

my $index    = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off';
my $no_hash  = 'SET enable_hashagg = off';
my $merge    = 'SET enable_hashjoin = off; SET enable_nestloop = off';
my $loop     = 'SET enable_hashjoin = off; SET enable_mergejoin = off';
my $parallel = 'SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;'
  . 'SET min_parallel_table_scan_size = 0';
my $generic  = 'SET plan_cache_mode = force_generic_plan';

# Name; what goes before it in the session; statement; right answer.
my @cases = (
	[ 'ORDER BY',            '',        'SELECT email FROM t ORDER BY email', $ordered ],
	[ 'ORDER BY DESC',       '',        'SELECT email FROM t ORDER BY email DESC', $reversed ],
	[ 'ORDER BY a date',     '',        'SELECT id FROM t ORDER BY born', $ids ],
	[ 'ORDER BY randomised', '',        'SELECT id FROM t ORDER BY name', $ids ],
	[ 'ORDER BY, hidden',    '',        'SELECT id FROM t ORDER BY email', $ids ],
	[ 'ORDER BY, index',     $index,    'SELECT email FROM indexed ORDER BY email', $ordered ],
	[ 'DESC, index',         $index,    'SELECT email FROM indexed ORDER BY email DESC', $reversed ],
	[ 'hidden, index',       $index,    'SELECT id FROM indexed ORDER BY email', $ids ],
	[ 'MergeAppend',         $index,    'SELECT email FROM parted ORDER BY email', $ordered ],
	[ 'LIMIT',               '',        'SELECT id FROM t ORDER BY email LIMIT 3', "10\n11\n12" ],
	[ 'LIMIT, index',        '',        'SELECT id FROM indexed ORDER BY email LIMIT 3', "10\n11\n12" ],
	[ 'row_number',          '',        'SELECT id - row_number() OVER (ORDER BY email) FROM t', $nines ],
	[ 'row_number, index',   $index,    'SELECT id - row_number() OVER (ORDER BY email) FROM indexed', $nines ],
	[ 'min and max',         '',        'SELECT min(email), max(email) FROM t', 'value10|value40' ],
	[ 'string_agg',          '',        q{SELECT string_agg(id::text, E'\n' ORDER BY email) FROM t}, $ids ],
	[ 'array_agg',           '',        'SELECT (array_agg(id ORDER BY email))[1:3] FROM t', '{10,11,12}' ],
	[ 'DISTINCT',            '',        'SELECT count(*) FROM (SELECT DISTINCT email FROM t) s', '31' ],
	[ 'DISTINCT ON',         '',        'SELECT DISTINCT ON (email) email FROM t ORDER BY email', $ordered ],
	[ 'GROUP BY',            '',        'SELECT count(*) FROM (SELECT FROM t GROUP BY email) s', '31' ],
	[ 'GROUP BY, ordered',   '',        'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'GROUP BY, sorted',    $no_hash,  'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'GROUP BY, index',     "$index; $no_hash", 'SELECT email, count(*) FROM indexed GROUP BY email ORDER BY 1', $grouped ],
	[ 'GROUP BY randomised', '',        'SELECT count(*) FROM (SELECT name FROM t GROUP BY name) s', 'RMT02' ],
	[ 'hash join',           '',        'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'merge join',          $merge,    'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'nested loop',         $loop,     'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'join, ordered',       '',        'SELECT email FROM t a JOIN indexed b USING (email) ORDER BY email', $ordered ],
	[ 'merge join, ordered', "$index; $merge",
		'SELECT email FROM indexed a JOIN indexed b USING (email) ORDER BY email', $ordered ],
	[ 'randomised join',     '',        'SELECT count(*) FROM t a JOIN t b ON a.name = b.name', 'RMT02' ],
	[ 'EXCEPT',              '',        'SELECT count(*) FROM (SELECT email FROM t EXCEPT SELECT email FROM indexed) s', '0' ],
	[ 'comparison',          '',        'SELECT count(*) FROM t a, t b WHERE a.email < b.email', '465' ],
	[ 'cast',                '',        'SELECT email::text FROM t ORDER BY 1', $ordered ],
	[ 'literal',             '',        q{SELECT id FROM t WHERE email = 'value17'}, '17' ],
	[ 'literal, index',      $index,    q{SELECT id FROM indexed WHERE email = 'value17'}, '17' ],
	[ 'prepared',            'PREPARE p AS SELECT email FROM t ORDER BY email', 'EXECUTE p', $ordered ],
	[ 'prepared, index',     "$index; PREPARE p AS SELECT id FROM indexed ORDER BY email", 'EXECUTE p', $ids ],
	[ 'prepared, generic',   "$generic; PREPARE p (text) AS SELECT id FROM t WHERE email = \$1", q{EXECUTE p ('value17')}, '17' ],
	[ 'parallel',            $parallel, 'SELECT email FROM t ORDER BY email', $ordered ],
	[ 'parallel GROUP BY',   $parallel, 'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'parallel join',       $parallel, 'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'PL/pgSQL',            '',        'SELECT in_plpgsql()', "$spaced " ],
	[ 'SQL function',        '',        'SELECT in_sql()', $spaced ],
	[ 'DO',                  '',        qq{DO \$\$ BEGIN ASSERT in_plpgsql() = '$spaced '; END \$\$}, '' ],
	[ 'view',                '',        'SELECT * FROM ordered', $ordered ],
	[ 'subquery',            '',        'SELECT id FROM (SELECT * FROM t ORDER BY email OFFSET 0) s', $ids ],
	[ 'CTE',                 '',        'WITH c AS MATERIALIZED (SELECT * FROM t ORDER BY email) SELECT id FROM c', $ids ],
	[ 'cursor',              'BEGIN; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY email', 'FETCH ABSOLUTE 3 FROM c', '12' ],
	[ 'COPY',                '',        'COPY (SELECT email FROM t ORDER BY email) TO STDOUT', $ordered ],
	[ 'INSERT SELECT',       '',        'TRUNCATE copied; INSERT INTO copied (email) SELECT email FROM t ORDER BY email;'
		. 'SELECT email::text FROM copied ORDER BY position', $ordered ],
	[ 'INSERT',              '',
		q{INSERT INTO changed VALUES (1, 'a') ON CONFLICT (email) DO UPDATE SET id = 1 RETURNING id}, '1' ],
	[ 'UPDATE',              '',        q{UPDATE changed SET email = 'a' WHERE email = 'a' RETURNING id}, '1' ],
	[ 'DELETE',              '',        q{DELETE FROM changed WHERE email = 'b' RETURNING id}, '' ],
	[ 'VACUUM',              '',        'VACUUM ANALYZE changed', '' ],
	[ 'CREATE INDEX',        '',        'CREATE INDEX ON changed (email)', '' ],
	[ 'REINDEX',             '',        'REINDEX TABLE changed', '' ],
	[ 'CLUSTER',             '',        'CLUSTER changed USING changed_email_key', '' ]);

sub run_cases
{
	my ($preloaded) = @_;
	for my $case (@cases)
	{
		my ($name, $before, $statement, $expected) = @$case;
		my $session = $node->session(user => 'app');
		Rampart::ask($session, $before) if $before ne '';
		my $got = Rampart::ask($session, $statement);
		if ($preloaded || $got ne 'RMT07')
		{
			is($got, $expected, "$name: first in its session");
		}
		else
		{
			pass("$name: refused");
			# The cursor went with its transaction; a prepared statement's result may have another type now.
			Rampart::ask($session, 'ROLLBACK; DEALLOCATE ALL');
			Rampart::ask($session, $before) if $before =~ /BEGIN|PREPARE/;
		}
		is(Rampart::ask($session, $statement), $expected, "$name: again");
		$session->quit;
	}
}
run_cases(0);
like($node->rows(q{SELECT state || detail FROM rampart.status() WHERE item = 'library'}),
	qr/^not preloaded.*shared_preload_libraries/, 'status() says what to do');

# A scope that hides values does so from the first statement on.
$node->rows(q{
	SELECT rampart.create_scope('hidden', 'null'); SELECT rampart.create_scope('forbidden', 'error');
	SELECT rampart.grant_scope('hidden', 'app'); SELECT rampart.grant_scope('forbidden', 'app');
	CREATE TABLE hidden (v enc_text(hidden)); CREATE TABLE forbidden (v enc_text(forbidden));
	GRANT ALL ON hidden, forbidden TO app, outsider;
});
$node->rows(q{INSERT INTO hidden VALUES ('x'); INSERT INTO forbidden VALUES ('x')}, user => 'app');
for my $case ([ hidden => '' ], [ forbidden => '42501' ])
{
	my ($table, $expected) = @$case;
	my $session = $node->session(user => 'outsider');
	like(Rampart::ask($session, "SELECT * FROM $table"), qr/^(RMT07|$expected)$/, "a $table value: at first");
	is(Rampart::ask($session, "SELECT * FROM $table"), $expected, "a $table value: again");
	$session->quit;
}

# session_preload_libraries will do as well.
$node->rows(q{ALTER DATABASE postgres SET session_preload_libraries = 'rampart'});
run_cases(1);
is($node->rows(q{SELECT state FROM rampart.status() WHERE item = 'library'}), 'preloaded', 'status() is content');

done_testing();
