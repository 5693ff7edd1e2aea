# pg_upgrade carries encrypted data, keyring and rights over.
use strict;
use warnings;
use Cwd qw(getcwd);
use Everything;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = Everything->make('old');
my $log = q{SELECT count(*), max(id), count(DISTINCT tableoid) FROM rampart.audit_log WHERE class = 'normal'};
$old->rows(q{CREATE TABLE watched (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE watched_rest PARTITION OF watched DEFAULT});
$old->rows(q{SELECT rampart.audit_table('watched')});
$old->rows(q{INSERT INTO watched VALUES (1)});
my $entries = $old->rows($log);
# The domain's and the partitions' names are the same, and so is all that app sees.
my $expected = Everything::examine($old);
$old->stop;

my $new = Rampart->make('new', root_key => $old->root_key, start => 0);
my $bin = $ENV{RAMPART_BIN};
my $sql = getcwd;
chdir PostgreSQL::Test::Utils::tempdir or die 'no directory for its logs';
command_ok([ 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
	'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
chdir $sql;
$new->start;
is(Everything::examine($new), $expected, 'all as before');
$new->fails_with('SELECT lower(name) FROM people', '42501', 'rights too', user => 'outsider');
is($new->rows($log), $entries, 'the audit log too');
$new->rows(q{INSERT INTO watched VALUES (2)});
is($new->rows(q{SELECT key FROM rampart.audit_log WHERE class = 'normal' ORDER BY id DESC LIMIT 1}), '{"id": 2}', 'and it goes on');
$new->rows(q{SELECT rampart.rotate_key('pii'); SELECT rampart.create_scope('another')});
is($new->rows(q{SELECT version FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data' AND state = 'active'}), '3',
	'keys go on from where they were');
cmp_ok($new->rows(q{SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rampart')}), '>', 100, 'the objects belong to the extension');

done_testing();
