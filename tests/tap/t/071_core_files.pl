# Processes that hold keys write no core files, and nobody but root looks into them.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Rampart->make('main', conf => 'restart_after_crash = on')->set_up;
$node->rows(q{CREATE TABLE t (v enc_text(pii)); GRANT ALL ON t TO app});

# A backend with keys in memory.
sub backend
{
	my $session = $node->session(user => 'app');
	Rampart::ask($session, q{INSERT INTO t VALUES ('value')});
	return $session, Rampart::ask($session, 'SELECT pg_backend_pid()');
}

sub core_files { return grep { -f } glob($node->data_dir . '/core*'); }

# Ends a backend as a bug would, and waits until the server is up again.
sub abort_backend
{
	my ($session, $pid) = backend();
	kill 'ABRT', $pid;
	$session->{run}->finish;
	usleep(20_000) while kill 0, $pid;
	$node->poll_query_until('postgres', 'SELECT true') or die 'not up again';
	return core_files();
}

my $pattern  = slurp_file('/proc/sys/kernel/core_pattern');
my ($limit)  = `bash -c 'ulimit -c'`;
my $can_dump = $pattern =~ m{^core[^/|]*$} && $limit =~ /unlimited/;

SKIP:
{
	skip 'core files are not written into the server\'s directory here', 2 unless $can_dump;
	is_deeply([ abort_backend() ], [], 'a backend with keys leaves no core file');
	$node->append_conf('postgresql.conf', 'rampart.core_dumps = on');
	$node->restart;
	is(scalar abort_backend(), 1, 'with rampart.core_dumps it does');
	unlink core_files();
	$node->append_conf('postgresql.conf', 'rampart.core_dumps = off');
	$node->restart;
}

# What a debugger would need: the kernel gives the memory of such a process to root only.
my ($session, $pid) = backend();
my $postmaster = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ ? $1 : die;
my %processes = (backend => $pid, postmaster => $postmaster);
for my $name (sort keys %processes)
{
	for my $file (qw(mem environ maps))
	{
		my $opened = open my $handle, '<', "/proc/$processes{$name}/$file";
		my $error = $!;
		ok(!$opened || !defined(readline $handle), "$name: /proc/PID/$file cannot be read") or diag('opened');
		is($error, 'Permission denied', "$name: for lack of rights") unless $opened;
	}
}
ok(open(my $own, '<', "/proc/$$/mem"), 'while a process of the same user can be read otherwise');

# Without the library the same server is open to its own user: the check can fail.
my $plain = Rampart->make('plain', preload => 0);
my $bare  = $plain->session;
my $other = Rampart::ask($bare, 'SELECT pg_backend_pid()');
ok(open(my $readable, '<', "/proc/$other/environ"), 'a backend without keys can be read');

# Without preloading, from the first key on.
$plain->set_up;
my $late = $plain->session(user => 'app');
$other = Rampart::ask($late, 'SELECT pg_backend_pid()');
is(Rampart::ask($late, q{SELECT rampart.decrypt(rampart.encrypt('pii', 'x'))}), 'x', 'a backend loads the key itself');
ok(!open(my $closed, '<', "/proc/$other/mem"), 'and closes itself');
$_->quit for $session, $bare, $late;

done_testing();
