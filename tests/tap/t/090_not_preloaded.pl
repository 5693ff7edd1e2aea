# Without shared_preload_libraries the library is loaded in the middle of a session's first statement, which
# was planned without it. That statement gives the right answer or RMT07, never a wrong one; the same
# statement again gives the right answer.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main', preload => 0, streaming => 'logical');
$node->rows('CREATE DATABASE helped');
$node->rows('CREATE EXTENSION rampart', database => 'helped');
is($node->rows('SHOW session_preload_libraries', database => 'helped'), 'rampart', 'CREATE EXTENSION sees to it that sessions preload');

# This database does without.
$node->set_up;
$node->rows('ALTER DATABASE postgres RESET session_preload_libraries');
$node->rows(q{
	CREATE TABLE t (id int, email enc_text(pii, deterministic), name enc_text(pii), born enc_date(pii, deterministic));
	CREATE TABLE indexed (id int, email enc_text(pii, deterministic) PRIMARY KEY);
	CREATE TABLE parted (email enc_text(pii, deterministic)) PARTITION BY HASH (email);
	CREATE TABLE parted_0 PARTITION OF parted (PRIMARY KEY (email)) FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE parted_1 PARTITION OF parted (PRIMARY KEY (email)) FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE TABLE copied (position serial, email enc_text(pii, deterministic));
	CREATE TABLE changed (id int, email enc_text(pii, deterministic) UNIQUE);
	ALTER TABLE changed OWNER TO app;
	CREATE VIEW ordered AS SELECT email FROM t ORDER BY email;
	CREATE FUNCTION in_plpgsql() RETURNS text LANGUAGE plpgsql AS $$
		DECLARE r record; result text := '';
		BEGIN FOR r IN SELECT email FROM t ORDER BY email LOOP result := result || r.email || ' '; END LOOP; RETURN result; END $$;
	CREATE FUNCTION in_sql() RETURNS SETOF enc_text LANGUAGE sql STABLE AS 'SELECT email FROM t ORDER BY email';
	CREATE FUNCTION in_sql_once() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT string_agg(email, '' '' ORDER BY email) FROM t';
	GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
	GRANT ALL ON copied_position_seq TO app;
});
# In an order that is neither that of the plaintexts nor, but by a rare chance, that of their hashes.
my @values = map { "value$_" } 10 .. 40;
$node->rows(q{
	INSERT INTO t SELECT i, 'value' || i, 'name' || i, date '2000-01-01' + i FROM generate_series(10, 40) i ORDER BY i % 7, i;
	INSERT INTO indexed SELECT id, email FROM t;
	INSERT INTO parted SELECT email FROM t;
}, user => 'app');
$node->rows(q{LOAD 'rampart'; ANALYZE t, indexed, parted});
my $ordered  = join "\n", @values;
my $spaced   = join ' ', @values;
my $reversed = join "\n", reverse @values;
my $grouped  = join "\n", map { "$_|1" } @values;

my $parallel = q{SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0};
my $by_index = 'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off';
my @cases = (
	# name, what goes before it in the session, statement, right answer
	[ 'ORDER BY',            '', 'SELECT email FROM t ORDER BY email', $ordered ],
	[ 'ORDER BY DESC',       '', 'SELECT email FROM t ORDER BY email DESC', $reversed ],
	[ 'ORDER BY a date',     '', 'SELECT id FROM t ORDER BY born', join("\n", 10 .. 40) ],
	[ 'ORDER BY randomised', '', 'SELECT id FROM t ORDER BY name', join("\n", 10 .. 40) ],
	[ 'ORDER BY, hidden',    '', 'SELECT id FROM t ORDER BY email', join("\n", 10 .. 40) ],
	[ 'LIMIT',               '', 'SELECT id FROM t ORDER BY email LIMIT 3', "10\n11\n12" ],
	[ 'LIMIT, index',        '', 'SELECT id FROM indexed ORDER BY email LIMIT 3', "10\n11\n12" ],
	[ 'ORDER BY, index',     $by_index, 'SELECT email FROM indexed ORDER BY email', $ordered ],
	[ 'hidden, index',       $by_index, 'SELECT id FROM indexed ORDER BY email', join("\n", 10 .. 40) ],
	[ 'DESC, index',         $by_index, 'SELECT email FROM indexed ORDER BY email DESC', $reversed ],
	[ 'MergeAppend',         $by_index, 'SELECT email FROM parted ORDER BY email', $ordered ],
	[ 'row_number',          '', 'SELECT id - row_number() OVER (ORDER BY email) FROM t ORDER BY id', join("\n", (9) x 31) ],
	[ 'row_number, index',   $by_index, 'SELECT id - row_number() OVER (ORDER BY email) FROM indexed ORDER BY id', join("\n", (9) x 31) ],
	[ 'min and max',         '', 'SELECT min(email), max(email) FROM t', 'value10|value40' ],
	[ 'string_agg',          '', q{SELECT string_agg(id::text, ' ' ORDER BY email) FROM t}, join(' ', 10 .. 40) ],
	[ 'array_agg',           '', 'SELECT (array_agg(id ORDER BY email))[1:3] FROM t', '{10,11,12}' ],
	[ 'DISTINCT',            '', 'SELECT count(*) FROM (SELECT DISTINCT email FROM t) s', '31' ],
	[ 'DISTINCT ON',         '', 'SELECT DISTINCT ON (email) email FROM t ORDER BY email', $ordered ],
	[ 'GROUP BY',            '', 'SELECT count(*) FROM (SELECT email, count(*) FROM t GROUP BY email) s', '31' ],
	[ 'GROUP BY, ordered',   '', 'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'GROUP BY, sorted',    'SET enable_hashagg = off', 'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'GROUP BY, index',     "$by_index; SET enable_hashagg = off", 'SELECT email, count(*) FROM indexed GROUP BY email ORDER BY email', $grouped ],
	[ 'GROUP BY randomised', '', 'SELECT count(*) FROM (SELECT name FROM t GROUP BY name) s', 'RMT02' ],
	[ 'hash join',           '', 'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'merge join',          'SET enable_hashjoin = off; SET enable_nestloop = off', 'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'nested loop',         'SET enable_hashjoin = off; SET enable_mergejoin = off', 'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'join and order',      '', 'SELECT a.email FROM t a JOIN indexed b ON a.email = b.email ORDER BY a.email', $ordered ],
	[ 'join and order, merge', "$by_index; SET enable_hashjoin = off; SET enable_nestloop = off; SET enable_material = off",
		'SELECT a.email FROM indexed a JOIN indexed b ON a.email = b.email ORDER BY a.email', $ordered ],
	[ 'randomised join',     '', 'SELECT count(*) FROM t a JOIN t b ON a.name = b.name', 'RMT02' ],
	[ 'EXCEPT',              '', 'SELECT count(*) FROM (SELECT email FROM t EXCEPT SELECT email FROM indexed) s', '0' ],
	[ 'comparison',          '', 'SELECT count(*) FROM t a, t b WHERE a.email < b.email', '465' ],
	[ 'cast',                '', 'SELECT email::text FROM t ORDER BY 1', $ordered ],
	[ 'a literal',           '', q{SELECT id FROM t WHERE email = 'value17'}, '17' ],
	[ 'a literal, index',    $by_index, q{SELECT id FROM indexed WHERE email = 'value17'}, '17' ],
	[ 'prepared',            'PREPARE p AS SELECT email FROM t ORDER BY email', 'EXECUTE p', $ordered ],
	[ 'prepared, generic',   'SET plan_cache_mode = force_generic_plan; PREPARE p (text) AS SELECT id FROM t WHERE email = $1', q{EXECUTE p ('value17')}, '17' ],
	[ 'prepared, index',     "$by_index; PREPARE p AS SELECT id FROM indexed ORDER BY email", 'EXECUTE p', join("\n", 10 .. 40) ],
	[ 'parallel',            $parallel, 'SELECT email FROM t ORDER BY email', $ordered ],
	[ 'parallel GROUP BY',   $parallel, 'SELECT email, count(*) FROM t GROUP BY email ORDER BY email', $grouped ],
	[ 'parallel join',       $parallel, 'SELECT count(*) FROM t a JOIN indexed b ON a.email = b.email', '31' ],
	[ 'PL/pgSQL',            '', 'SELECT in_plpgsql()', "$spaced " ],
	[ 'SQL function',        '', 'SELECT in_sql_once()', $spaced ],
	[ 'DO',                  '', q{DO $$ BEGIN IF in_plpgsql() <> '} . $spaced . q{ ' THEN RAISE 'wrong'; END IF; END $$}, '' ],
	[ 'view',                '', 'SELECT * FROM ordered', $ordered ],
	[ 'subquery',            '', 'SELECT id FROM (SELECT * FROM t ORDER BY email OFFSET 0) s', join("\n", 10 .. 40) ],
	[ 'CTE',                 '', 'WITH c AS MATERIALIZED (SELECT * FROM t ORDER BY email) SELECT id FROM c', join("\n", 10 .. 40) ],
	[ 'COPY',                '', 'COPY (SELECT email FROM t ORDER BY email) TO STDOUT', $ordered ],
	[ 'INSERT',              '', q{INSERT INTO changed VALUES (1, 'value1') ON CONFLICT (email) DO UPDATE SET id = 1 RETURNING id}, '1' ],
	[ 'UPDATE',              '', q{UPDATE changed SET email = 'value1' WHERE email = 'value1' RETURNING id}, '1' ],
	[ 'DELETE',              '', q{WITH d AS (DELETE FROM changed WHERE email = 'value2' RETURNING id) SELECT count(*) FROM d}, '0' ],
	[ 'VACUUM',              '', 'VACUUM ANALYZE changed', '' ],
	[ 'CREATE INDEX',        '', 'CREATE INDEX ON changed (email)', '' ],
	[ 'REINDEX',             '', 'REINDEX TABLE changed', '' ],
	[ 'CLUSTER',             '', 'CLUSTER changed USING changed_email_key', '' ],
	[ 'cursor',              'BEGIN; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY email', 'FETCH 3 FROM c; MOVE ABSOLUTE 0 FROM c', "10\n11\n12" ],
	[ 'INSERT SELECT',       '', 'TRUNCATE copied; INSERT INTO copied (email) SELECT email FROM t ORDER BY email; SELECT email::text FROM copied ORDER BY position', $ordered ]);

sub run_cases
{
	my ($preloaded, @some) = @_;
	for my $case (@some)
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
run_cases(0, @cases);
like($node->rows(q{SELECT state || detail FROM rampart.status() WHERE item = 'library'}), qr/^not preloaded.*shared_preload_libraries/,
	'status() says what to do');

# A scope that hides values does so from the first statement on.
$node->rows(q{
	SELECT rampart.create_scope('hidden', 'null'); SELECT rampart.create_scope('forbidden', 'error');
	SELECT rampart.grant_scope('hidden', 'app'); SELECT rampart.grant_scope('forbidden', 'app');
	CREATE TABLE h (h enc_text(hidden)); CREATE TABLE f (f enc_text(forbidden));
	GRANT ALL ON h, f TO app, outsider;
});
$node->rows(q{INSERT INTO h VALUES ('x'); INSERT INTO f VALUES ('x')}, user => 'app');
for my $case ([ 'h', '1|t' ], [ 'f', '42501' ])
{
	my ($table, $expected) = @$case;
	my $session = $node->session(user => 'outsider');
	my $got = Rampart::ask($session, "SELECT * FROM $table");
	ok($got eq 'RMT07' || $got eq '' || $got eq '42501', "denied values of $table: hidden or refused at first") or diag($got);
	unlike(Rampart::ask($session, "SELECT * FROM $table"), qr/rmp1/, "denied values of $table: hidden again");
	$session->quit;
}

# Autovacuum's workers load it as they need it.
$node->rows(q{
	LOAD 'rampart';
	CREATE TABLE watched (id int PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii));
	GRANT ALL ON watched TO app;
});
$node->append_conf('postgresql.conf', "autovacuum_naptime = 1\nautovacuum_analyze_threshold = 10\nautovacuum_vacuum_threshold = 10");
$node->reload;
$node->rows(q{SELECT rampart.scope_tag('pii'); INSERT INTO watched SELECT i, 'mail' || i, 'name' || i FROM generate_series(1, 5000) i;
	DELETE FROM watched WHERE id % 2 = 0}, user => 'app');
ok($node->poll_query_until('postgres', q{SELECT last_autoanalyze IS NOT NULL AND last_autovacuum IS NOT NULL
	FROM pg_stat_user_tables WHERE relname = 'watched'}), 'autovacuum vacuums and analyzes encrypted columns');
unlike(slurp_file($node->logfile), qr/automatic (vacuum|analyze) of table/, 'without an error');

# So do apply workers.
$node->rows($_) for 'CREATE DATABASE subscriber TEMPLATE postgres', q{SELECT pg_create_logical_replication_slot('apply', 'pgoutput')},
	'CREATE PUBLICATION everything FOR TABLE watched';
$node->rows('CREATE SUBSCRIPTION everything CONNECTION \'' . $node->connstr . q{ dbname=postgres'
	PUBLICATION everything WITH (create_slot = false, slot_name = apply, copy_data = false)}, database => 'subscriber');
$node->rows(q{SELECT rampart.scope_tag('pii'); INSERT INTO watched VALUES (0, 'applied', 'Applied');
	UPDATE watched SET email = 'applied too' WHERE id = 0}, user => 'app');
$node->wait_for_catchup('everything');
$node->rows_are(q{SELECT rampart.scope_tag('pii') > 0; SELECT name FROM watched WHERE email = 'applied too'}, "t\nApplied",
	'an apply worker writes encrypted columns', user => 'app', database => 'subscriber');
$node->rows($_, database => 'subscriber') for 'ALTER SUBSCRIPTION everything DISABLE', 'ALTER SUBSCRIPTION everything SET (slot_name = NONE)',
	'DROP SUBSCRIPTION everything';

# session_preload_libraries, set for a database, will do as well.
$node->rows(q{ALTER DATABASE postgres SET session_preload_libraries = 'rampart'});
run_cases(1, @cases);
is($node->rows(q{SELECT state FROM rampart.status() WHERE item = 'library'}), 'preloaded', 'status() is content');

done_testing();
