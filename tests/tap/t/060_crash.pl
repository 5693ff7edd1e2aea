# Nothing that was acknowledged is lost, and all is readable, after a backend or the postmaster is killed in
# the middle of inserts and key rotations.
use strict;
use warnings;
use Rampart;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Rampart->make('main', conf => 'restart_after_crash = on')->set_up;
$node->rows(q{
	CREATE EXTENSION amcheck;
	CREATE TABLE stream (
		id text PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii), big enc_text(pii));
	GRANT ALL ON stream TO app;
});
$node->rows(q{INSERT INTO stream SELECT 'before-' || i, 'mail-before-' || i, 'name-before-' || i
	FROM generate_series(1, 500) i},
	user => 'app');
my @acknowledged = map { "before-$_" } 1 .. 500;

# Clients that insert row after row, and print each id once its insert has returned; one turns keys as well.
sub start_clients
{
	my ($round) = @_;
	my @clients;
	for my $number (1 .. 4)
	{
		my $name = "$round-$number";
		my @statements = map {
			"INSERT INTO stream VALUES ('$name-$_', 'mail-$name-$_', 'name-$name-$_', repeat('big', 1000))"
			  . ' RETURNING id;'
		} 1 .. 20000;
		@statements = map { "SELECT 'rotated-' || rampart.rotate_key('pii');" } 1 .. 2000 if $number == 4;
		my $client = { map { ($_ => $node->basedir . "/$name.$_") } qw(script output errors) };
		append_to_file($client->{script}, join "\n", @statements);
		my @user = $number == 4 ? () : ('-U', 'app');
		$client->{run} = IPC::Run::start(
			[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-v', 'ON_ERROR_STOP=1', @user, '-f',
				$client->{script} ],
			'>', $client->{output}, '2>', $client->{errors});
		push @clients, $client;
	}
	# Until all of them are well under way.
	for (1 .. 1000)
	{
		last unless grep { (slurp_file($_->{output}) =~ tr/\n//) < 25 } @clients;
		usleep(20_000);
	}
	return @clients;
}

# The rows that clients know of; returns the highest key version that they know of.
sub collect
{
	my ($round, @clients) = @_;
	$_->{run}->finish for @clients;
	my @lines = map { split /\n/, slurp_file($_->{output}) } @clients;
	my @rows = grep { /^$round-/ } @lines;
	my ($version) = sort { $b <=> $a } map { /^rotated-(\d+)$/ ? $1 : () } @lines;
	cmp_ok(@rows, '>', 50, "$round: rows were acknowledged");
	ok($version, "$round: and key rotations");
	like(slurp_file($_->{errors}), qr/terminat|crash|closed/, "$round: the crash was in a client's midst") for @clients;
	push @acknowledged, @rows;
	return $version;
}

sub nothing_is_lost
{
	my ($round, $version) = @_;
	# psql may be gone before its question is written, which is an exception.
	my $up;
	for (1 .. 100)
	{
		last if $up = eval { $node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') };
		usleep(100_000);
	}
	$up or die 'no recovery';
	my @rows = split /\n/, $node->rows('SELECT id, email || name FROM stream', user => 'app');
	my %stored = map { split /\|/, $_, 2 } @rows;
	my @lost = grep { ($stored{$_} // '') ne "mail-${_}name-$_" } @acknowledged;
	is_deeply(\@lost, [], "$round: all " . @acknowledged . ' acknowledged rows are there and readable');
	my @wrong = grep { $stored{$_} ne "mail-${_}name-$_" } keys %stored;
	is_deeply(\@wrong, [], "$round: and so is every other row");
	is($node->rows(q{SELECT count(*) FROM rampart.verify_column('stream', 'big')}), '0', "$round: big values decrypt");
	is($node->rows(q{SET enable_seqscan = off; SELECT count(*) FROM stream a WHERE EXISTS (
		SELECT FROM stream b WHERE b.email = 'mail-' || a.id AND b.id = a.id)}, user => 'app'),
		scalar(keys %stored), "$round: every row is found by index");
	is($node->rows(q{SELECT bt_index_check('stream_email_key', true)}), '', "$round: the index agrees with the table");
	is($node->rows(qq{SELECT count(*) FILTER (WHERE state = 'active'), max(version) >= $version, count(*) = max(version)
		FROM rampart.key WHERE purpose = 'data'}), '1|t|t', "$round: one active key, no acknowledged version lost");
	$node->rows(q{INSERT INTO stream VALUES ('after-} . $round . q{')}, user => 'app');
	$node->rows_are(q{INSERT INTO stream VALUES ('x', 'mail-before-1')} . ' ON CONFLICT DO NOTHING RETURNING id', '',
		"$round: uniqueness still holds", user => 'app');
	$node->rows(q{DELETE FROM stream WHERE email IS NULL}, user => 'app');
}

my @clients = start_clients('backend');
my $victim  = $node->rows(q{SELECT pid FROM pg_stat_activity WHERE usename = 'app' AND query LIKE 'INSERT%' LIMIT 1});
kill 'KILL', $victim;
nothing_is_lost('backend', collect('backend', @clients));

@clients = start_clients('immediate');
$node->stop('immediate');
my $version = collect('immediate', @clients);
$node->start;
nothing_is_lost('immediate', $version);

@clients = start_clients('postmaster');
my @backends = split /\n/, $node->rows('SELECT pid FROM pg_stat_activity');
$node->kill9;
$version = collect('postmaster', @clients);
# Its children notice by themselves; a new postmaster refuses to start before they are gone.
for (1 .. 300) { last unless kill 0, @backends; usleep(100_000); }
$node->start;
nothing_is_lost('postmaster', $version);

done_testing();
