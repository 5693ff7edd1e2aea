# A hundred sessions encrypt, decrypt, look up and join while keys turn and rights come and go: no error, and
# every value reads back as what was written.
use strict;
use warnings;
use IPC::Run;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Rampart->make('main')->set_up;
$node->rows(q{
	CREATE TABLE t (
		id serial PRIMARY KEY, plain text,
		email enc_text(pii, deterministic) UNIQUE, name enc_text(pii), n enc_int8(pii));
	CREATE TABLE raw (plain text, secret bytea);
	CREATE ROLE coming LOGIN;
	GRANT ALL ON t, raw, t_id_seq TO app, coming;
	CREATE FUNCTION wrong(told text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'wrong: %', told; END $$;
});

sub script
{
	my ($name, $sql) = @_;
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, $sql);
	return $file;
}
my $write = script('write', q{
	INSERT INTO t (plain, email, name, n)
		SELECT v, v, v, :client_id FROM concat('mail-', :client_id, '-', gen_random_uuid()) v;
	INSERT INTO raw SELECT v, rampart.encrypt('pii', v) FROM concat('raw', :client_id) v;
});
my $read = script('read', q{
	\set id random(1, 200)
	SELECT wrong(plain) FROM t WHERE id = :id AND (email::text <> plain OR name::text <> plain);
	SELECT wrong('lookup') FROM t a WHERE id = :id
		AND NOT EXISTS (SELECT FROM t b WHERE b.email = a.email AND b.name::text = a.plain);
	SELECT wrong('function') FROM (SELECT * FROM raw LIMIT 20) r WHERE rampart.decrypt(secret) <> plain;
	SELECT wrong('function') WHERE rampart.decrypt(rampart.encrypt('pii', 'v' || :id)) <> 'v' || :id;
});
my $rotate = script('rotate', q{
	SELECT rampart.rotate_key('pii');
	\sleep 100 ms
});
my $grants = script('grants', q{
	SELECT rampart.grant_scope('pii', 'coming');
	\sleep 100 ms
	SELECT rampart.revoke_scope('pii', 'coming');
	\sleep 100 ms
});
$node->rows(q{INSERT INTO t (plain, email, name) SELECT v, v, v
	FROM generate_series(1, 200), concat('old-', generate_series) v}, user => 'app');

# All at once; keys and rights change for as long as the others need to connect and to work.
my @pgbench = ('pgbench', '-n', '-d', $node->connstr('postgres'));
my %clients = (
	sessions => [ @pgbench, '-U', 'app', '-c', 100, '-j', 2, '-t', 60, '-f', "$write\@1", '-f', "$read\@3" ],
	prepared => [ @pgbench, '-U', 'app', '-M', 'prepared', '-c', 10, '-t', 50, '-f', $read ],
	rotate   => [ @pgbench, '-c', 2, '-T', 4, '-f', $rotate ],
	grants   => [ @pgbench, '-c', 1, '-T', 4, '-f', $grants ]);
my %output = map { ($_ => '') } keys %clients;
my %runs = map { ($_ => IPC::Run::start($clients{$_}, '>&', \$output{$_})) } keys %clients;
my %done;
for my $name (sort keys %runs)
{
	$runs{$name}->finish;
	is($runs{$name}->result(0), 0, "$name: no error") or diag($output{$name});
	like($output{$name}, qr/number of failed transactions: 0/, "$name: nothing failed");
	($done{$name}) = $output{$name} =~ /number of transactions actually processed: (\d+)/;
}
is($done{sessions}, 6000, 'a hundred sessions did their work');

is($node->rows(q{SELECT count(*) FROM t WHERE email::text <> plain OR name::text <> plain}, user => 'app'), '0',
	'every value is what was written');
is($node->rows(q{SELECT count(*) FROM raw WHERE rampart.decrypt(secret) <> plain}, user => 'app'), '0',
	'also by function');
my $keys = $done{rotate} + 1;
is($node->rows(q{SELECT count(*), count(*) FILTER (WHERE state = 'active'), max(version), count(DISTINCT id)
	FROM rampart.key WHERE purpose = 'data'}), "$keys|1|$keys|$keys",
	'as many keys as rotations, one of them active, all ids different');
cmp_ok($node->rows(q{SELECT count(DISTINCT (rampart.inspect(rampart.ciphertext(name))).version) FROM t}), '>=', 3,
	'values were written under many versions');
is($node->rows(q{SELECT count(*) - count(DISTINCT substr(rampart.ciphertext(name), 11, 12)) FROM t}), '0',
	'no IV twice in a column');
is($node->rows(q{SELECT count(*) - count(DISTINCT substr(secret, 3, 20)) FROM raw}), '0',
	'no IV twice under a key, whatever the session');
# Processes that are forked from one another draw IVs of their own.
my $workers = $node->rows(q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	CREATE TABLE many AS SELECT i FROM generate_series(1, 200000) i;
	EXPLAIN (COSTS off) SELECT rampart.encrypt('pii', i::text) FROM many;
	CREATE TABLE by_workers AS SELECT rampart.encrypt('pii', i::text) AS secret FROM many;
	SELECT count(*) - count(DISTINCT substr(secret, 3, 20)) FROM by_workers;
}, user => 'app');
like($workers, qr/Gather.*Parallel Seq Scan on many.*^0\z/ms, 'no IV twice in parallel workers');
is($node->rows(q{SELECT count(*) FROM t WHERE email = ANY (SELECT email FROM t)}, user => 'app'),
	$node->rows('SELECT count(*) FROM t'), 'all versions meet in a join');

done_testing();
