# The plaintexts of sql/everything.sql, as byte strings to look for: as text and as PostgreSQL or a
# ciphertext's inside would store them in binary.
package Plaintexts;

use strict;
use warnings;

# Eight characters at least: shorter ones occur in a megabyte of armour by chance.
my %texts = (
	text        => [qw(zebrafish QuaggaFoal)],
	bytea       => ['okapicalf', unpack('H*', 'okapicalf')],
	jsonb       => ['note-tapir'],
	numeric     => ['771234567712'],
	int8        => ['65036409467131'],
	date        => ['1837-02-'],
	timestamptz => ['1848-03-'],
	uuid        => ['deadbeef-feed', 'deadbeeffeed4bee']);

# numeric is digits of base 10000; the low two bytes of the int8 differ from row to row.
my %binaries = (
	numeric => [pack('s<3', 7712, 3456, 7712), pack('s>3', 7712, 3456, 7712)],
	int8    => [substr(pack('q<', 6503640946713100288), 2), substr(pack('q>', 6503640946713100288), 0, 6)],
	uuid    => [pack('H*', 'deadbeeffeed4bee8dad')]);

# Adds a string under a name of its own: a key, a literal of one test.
sub new
{
	my ($class, %more) = @_;
	my %wanted;
	for my $list (\%texts, \%binaries)
	{
		push @{ $wanted{$_} }, @{ $list->{$_} } for keys %$list;
	}
	push @{ $wanted{$_} }, $more{$_} for keys %more;
	return bless \%wanted, $class;
}

# Names of what occurs in the bytes, each with the place where it was found.
sub found_in_bytes
{
	my ($self, $bytes) = @_;
	my @found;
	for my $name (sort keys %$self)
	{
		for my $string (@{ $self->{$name} })
		{
			my $at = index($bytes, $string);
			next if $at < 0;
			my $around = substr($bytes, $at > 60 ? $at - 60 : 0, 160);
			push @found, "$name at $at: " . $around =~ s/[^ -~]/./gr;
		}
	}
	return @found;
}

# The same for files and everything below directories; each find begins with the file's name.
sub found_in
{
	my ($self, @paths) = @_;
	my @found;
	for my $path (@paths)
	{
		if (-d $path)
		{
			push @found, $self->found_in(glob("$path/*"));
			next;
		}
		next unless -f $path;
		open my $file, '<:raw', $path or next;    # removed meanwhile
		local $/ = undef;
		push @found, map { "$path: $_" } $self->found_in_bytes(<$file> // '');
	}
	return @found;
}

1;
