# rampart.exposure_report() on what needs another server configuration: settings of the server, of roles and of
# databases, the place of the root key, the network, replication slots. Each finding with its cause, and not without.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main', conf => 'max_wal_size = 32MB')->set_up;
my $key  = $node->root_key_file;
my $dir  = $node->basedir;
my $data = $node->data_dir;

sub report
{
	my ($name, $expected, $where) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$where //= 'true';
	$node->rows_are("SELECT severity, object FROM rampart.exposure_report() WHERE $where", $expected, $name);
}

sub configure
{
	my ($lines) = @_;
	$node->append_conf('postgresql.conf', $lines);
	$node->restart;
}

my $checksums = 'info|setting data_checksums';
report('nothing configured: checksums alone', $checksums);

# --- Settings ---

my @settings = (
	# name, value that exposes, value that does not, severity
	[ 'log_statement',                   'mod',   'ddl', 'high' ],
	[ 'log_min_duration_statement',      '1h',    '-1',  'high' ],
	[ 'log_min_duration_sample',         '0',     '-1',  'high' ],
	[ 'log_transaction_sample_rate',     '0.5',   '0',   'high' ],
	[ 'auto_explain.log_min_duration',   '1s',    '-1',  'high' ],
	[ 'rampart.core_dumps',              'on',    'off', 'high' ],
	[ 'rampart.quiet_errors',            'off',   'on',  'high' ],
	[ 'log_parameter_max_length',        '-1',    '0',   'medium' ],
	[ 'log_parameter_max_length_on_error', '10',  '0',   'medium' ],
	[ 'debug_print_parse',               'on',    'off', 'medium' ],
	[ 'debug_print_rewritten',           'on',    'off', 'medium' ],
	[ 'debug_print_plan',                'on',    'off', 'medium' ],
	[ 'pg_stat_statements.track_utility', 'on',   'off', 'medium' ]);

sub assignments { my ($column) = @_; return join "\n", map { "$_->[0] = $_->[$column]" } @settings; }

configure("shared_preload_libraries = 'rampart,auto_explain,pg_stat_statements'\n" . assignments(1));
my %rank = (high => 0, medium => 1);
report('every setting is found',
	join("\n", map { "$_->[3]|setting $_->[0]" } sort { $rank{ $a->[3] } <=> $rank{ $b->[3] } || $a->[0] cmp $b->[0] } @settings),
	q{finding = 'setting' AND severity <> 'info'});
$node->rows_are(q{SELECT advice FROM rampart.exposure_report() WHERE object = 'setting log_statement'},
	q{ALTER SYSTEM SET log_statement = 'ddl'; SELECT pg_reload_conf()}, 'and what to do');
# Following the advice is enough.
my $advice = $node->rows(q{SELECT split_part(advice, ';', 1) FROM rampart.exposure_report()
	WHERE finding = 'setting' AND severity <> 'info'});
$node->rows($_) for split /\n/, $advice;
$node->restart;
report('advice that was taken', $checksums);
$node->rows('ALTER SYSTEM RESET ALL');
configure(assignments(2));
report('harmless values', $checksums);
configure('log_parameter_max_length = -1');
report('parameters, where no statement is logged', $checksums);
configure("log_min_duration_sample = 0\nlog_statement_sample_rate = 0\npg_stat_statements.track_utility = on\n"
	  . "pg_stat_statements.track = none");
report('a sample of nothing', $checksums);

# --- Settings of roles and databases ---

$node->rows(q{
	CREATE ROLE "odd role";
	CREATE DATABASE other;
	ALTER ROLE "odd role" SET log_statement = 'ALL';
	ALTER ROLE outsider IN DATABASE postgres SET rampart.quiet_errors = 'no';
	ALTER ROLE outsider SET pgaudit.log = 'read, write';
	ALTER ROLE app SET log_statement = 'ddl';
	ALTER DATABASE postgres SET log_min_duration_statement = '5s';
	ALTER DATABASE other SET log_statement = 'all';
	ALTER ROLE ALL SET debug_print_plan = 'true';
});
$node->rows_are(q{SELECT object, advice FROM rampart.exposure_report() WHERE severity <> 'info' AND object !~ 'log_parameter'}, join("\n",
	'setting log_min_duration_statement of database postgres|ALTER DATABASE postgres RESET log_min_duration_statement',
	'setting log_statement of role "odd role"|ALTER ROLE "odd role" RESET log_statement',
	'setting pgaudit.log of role outsider|ALTER ROLE outsider RESET pgaudit.log',
	'setting rampart.quiet_errors of role outsider in database postgres|ALTER ROLE outsider IN DATABASE postgres RESET rampart.quiet_errors',
	'setting debug_print_plan of all roles|ALTER ROLE ALL RESET debug_print_plan'),
	'overrides, and how to undo them');
$node->rows($_) for split /\n/, $node->rows(q{SELECT advice FROM rampart.exposure_report() WHERE object ~ ' of '});
report('undone', $checksums);

# --- The root key ---

link $key, "$data/root.key" or die $!;
for my $case ([ 'file', 'root.key' ], [ 'file', "$data/root.key" ], [ 'command', "cat $data/root.key" ],
	[ 'command', 'echo ' . 'ab' x 32 ])
{
	my ($provider, $value) = @$case;
	configure("rampart.root_key_file = ''\nrampart.root_key_command = ''\nrampart.root_key_$provider = '$value'");
	report("root key: $provider " . $value =~ s/\Q$data/DATA/r, "high|setting rampart.root_key_$provider", q{finding = 'root key'});
}
unlink "$data/root.key";
configure("rampart.root_key_command = 'cat $key'");
report('root key: a command, from elsewhere', $checksums);
configure("rampart.root_key_file = '$key'");

# --- The network ---

configure("listen_addresses = '127.0.0.1'");
report('local connections', $checksums);
configure("listen_addresses = '127.0.0.1, 0.0.0.0'");
report('without TLS', "high|setting ssl\n$checksums");
system_or_bail('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
	'-subj', '/CN=test', '-keyout', "$dir/server.key", '-out', "$dir/server.crt");
chmod 0600, "$dir/server.key";
configure("ssl = on\nssl_cert_file = '$dir/server.crt'\nssl_key_file = '$dir/server.key'");
report('with TLS', $checksums);
my $hba   = "$data/pg_hba.conf";
my $lines = () = slurp_file($hba) =~ /\n/g;
append_to_file($hba, "hostssl all all 192.0.2.0/24 scram-sha-256\nhost all all 192.0.2.0/24 scram-sha-256\n"
	  . "host replication all 192.0.2.0/24 scram-sha-256\n");
report('a line that admits others', 'medium|pg_hba.conf line ' . ($lines + 2) . "\n$checksums");
append_to_file("$hba.strict", "local all all trust\nhostnossl all all all reject\n" . slurp_file($hba));
rename "$hba.strict", $hba or die $!;
report('after a line that refuses them', $checksums);

# --- WAL ---

configure("wal_level = replica\nmax_replication_slots = 5\nmax_wal_senders = 5\nlisten_addresses = ''\nssl = off");
my $sealed = q{finding IN ('replication slot', 'WAL')};
$node->rows(q{SELECT pg_create_physical_replication_slot('old_one', true)});
$node->rows('SELECT pg_switch_wal(); CHECKPOINT');
report('a slot, and nothing encrypted', '', $sealed);
$node->rows('CREATE TABLE t (a enc_text(pii)); CHECKPOINT');
report('a slot that holds old WAL', 'medium|replication slot old_one', $sealed);
$node->rows_are(qq{SELECT advice FROM rampart.exposure_report() WHERE $sealed},
	q{Start its reader, or SELECT pg_drop_replication_slot('old_one')}, 'and what to do');
$node->rows(q{SELECT pg_drop_replication_slot('old_one'); CHECKPOINT; SELECT pg_create_physical_replication_slot('fresh', true)});
report('a slot at the end of WAL', '', $sealed);
$node->rows(q{SELECT pg_drop_replication_slot('fresh')});
configure("archive_mode = on\narchive_command = 'true'\nwal_keep_size = '16MB'");
report('WAL that is kept', "info|setting archive_mode\ninfo|setting wal_keep_size", $sealed);

done_testing();
