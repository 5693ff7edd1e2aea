# Processes that no setting of a database reaches work on encrypted columns without preloading:
# autovacuum and the apply workers of logical replication.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main', preload => 0, streaming => 'logical', conf => q{
	autovacuum_naptime = 1
	autovacuum_analyze_threshold = 10
	autovacuum_vacuum_threshold = 10
})->set_up;
$node->rows(q{
	CREATE TABLE watched (id int PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii));
	GRANT ALL ON watched TO app;
});

$node->rows(q{
	INSERT INTO watched SELECT i, 'mail' || i, 'name' || i FROM generate_series(1, 5000) i;
	DELETE FROM watched WHERE id % 2 = 0;
}, user => 'app');
ok($node->poll_query_until('postgres', q{SELECT last_autoanalyze IS NOT NULL AND last_autovacuum IS NOT NULL
	FROM pg_stat_user_tables WHERE relname = 'watched'}), 'autovacuum vacuums and analyzes encrypted columns');

# A subscription to the same cluster; its slot has to be there before.
$node->rows($_) for
  'CREATE DATABASE subscriber TEMPLATE postgres',
  'CREATE PUBLICATION watching FOR TABLE watched',
  q{SELECT pg_create_logical_replication_slot('watching', 'pgoutput')};
my $from = $node->connstr . ' dbname=postgres';
$node->rows(qq{CREATE SUBSCRIPTION watching CONNECTION '$from' PUBLICATION watching
	WITH (create_slot = false, copy_data = false)}, database => 'subscriber');
$node->rows(q{
	INSERT INTO watched VALUES (0, 'applied', 'Applied');
	UPDATE watched SET email = 'applied too' WHERE id = 0;
	DELETE FROM watched WHERE email = 'mail1';
}, user => 'app');
$node->wait_for_catchup('watching');
$node->rows_are(q{SELECT name FROM watched WHERE email IN ('applied too', 'mail1')}, 'Applied',
	'an apply worker writes encrypted columns', user => 'app', database => 'subscriber');
$node->rows($_, database => 'subscriber') for
  'ALTER SUBSCRIPTION watching DISABLE',
  'ALTER SUBSCRIPTION watching SET (slot_name = NONE)',
  'DROP SUBSCRIPTION watching';

unlike(slurp_file($node->logfile), qr/ERROR/, 'without an error');
done_testing();
