# A PostgreSQL::Test::Cluster with Rampart, a root key of its own, and the roles that the tests use:
# app may encrypt and decrypt, outsider may not, and the superuser has no grant.
package Rampart;

use strict;
use warnings;
use parent 'PostgreSQL::Test::Cluster';

use PostgreSQL::Test::Utils ();
use Test::More ();

# Rampart->make('main', preload => 1, root_key => $hex, streaming => 'logical', conf => "...", start => 1)
sub make
{
	my ($class, $name, %options) = @_;
	my $self = $class->new($name);
	$self->{rampart_root_key} = $options{root_key} // $class->random_root_key;
	$self->write_root_key($self->{rampart_root_key});
	$self->init(
		extra            => ['--no-locale', '--encoding=UTF8'],
		allows_streaming => $options{streaming} // 0);
	$self->configure(%options);
	$self->start if $options{start} // 1;
	return $self;
}

sub configure
{
	my ($self, %options) = @_;
	my $libraries = $options{libraries} // (($options{preload} // 1) ? 'rampart' : '');
	$self->append_conf('postgresql.conf', join "\n",
		"shared_preload_libraries = '$libraries'",
		"rampart.root_key_file = '" . $self->root_key_file . "'",
		# The framework's own configuration logs every statement.
		"log_statement = none",
		"max_connections = 150",
		"shared_buffers = 16MB",
		$options{conf} // '');
}

sub random_root_key
{
	open my $random, '<:raw', '/dev/urandom' or die "cannot open /dev/urandom: $!";
	read($random, my $bytes, 32) == 32 or die 'cannot read /dev/urandom';
	return unpack('H*', $bytes);
}

sub root_key      { return $_[0]->{rampart_root_key}; }
sub root_key_file { return $_[0]->basedir . '/root.key'; }

# As an administrator would replace it: a new file takes the place of the old one.
sub write_root_key
{
	my ($self, $content, $mode) = @_;
	my $file = $self->root_key_file;
	unlink $file;
	PostgreSQL::Test::Utils::append_to_file($file, $content);
	chmod $mode // 0600, $file or die "cannot chmod $file: $!";
}

# Extension, roles and the scope pii.
sub set_up
{
	my ($self, $database) = @_;
	$database //= 'postgres';
	$self->set_up_roles;
	$self->safe_psql($database, q{
		CREATE EXTENSION rampart;
		SELECT rampart.create_scope('pii');
		SELECT rampart.grant_scope('pii', 'app');
		GRANT ALL ON SCHEMA public TO PUBLIC;
	});
	return $self;
}

sub set_up_roles
{
	my ($self) = @_;
	$self->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE outsider LOGIN;');
}

sub _connection
{
	my (%options) = @_;
	my @parameters = ('-v', 'VERBOSITY=verbose');
	push @parameters, '-U', $options{user} if defined $options{user};
	return $options{database} // 'postgres', extra_params => \@parameters;
}

# What a script prints; it must not fail. Options: user, database.
sub rows
{
	my ($self, $sql, %options) = @_;
	my ($database, @parameters) = _connection(%options);
	return $self->safe_psql($database, $sql, @parameters);
}

# SQLSTATE of a script's first error or warning, '' if there is none; in list context also all that was
# written to stderr. Goes on after errors.
sub complaint
{
	my ($self, $sql, %options) = @_;
	my ($database, @parameters) = _connection(%options);
	my ($status, undef, $stderr) = $self->psql($database, $sql, on_error_stop => 0, @parameters);
	my ($state) = $stderr =~ /(?:ERROR|WARNING|FATAL):  (\w{5}):/;
	return wantarray ? ($state // '', $stderr) : $state // '';
}

sub rows_are
{
	my ($self, $sql, $expected, $name, %options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($database, @parameters) = _connection(%options);
	my ($status, $stdout, $stderr) = $self->psql($database, $sql, @parameters);
	return Test::More::is($stderr eq '' ? $stdout : "$stdout$stderr", $expected, $name);
}

sub fails_with
{
	my ($self, $sql, $state, $name, %options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($got, $stderr) = $self->complaint($sql, %options);
	my $as_expected = Test::More::is($got, $state, $name);
	Test::More::diag($stderr) unless $as_expected;
	return $stderr;
}

# A session that stays open. ask() returns a statement's rows, or its error's SQLSTATE.
sub session
{
	my ($self, %options) = @_;
	my ($database, @parameters) = _connection(%options);
	return $self->background_psql($database, on_error_stop => 0, @parameters);
}

sub ask
{
	my ($session, $sql) = @_;
	my ($rows, $failed) = $session->query($sql);
	my ($state) = $session->{stderr} =~ /(?:ERROR|FATAL):  (\w{5}):/;
	$session->{stderr} = '';
	return $state // $rows;
}

1;
