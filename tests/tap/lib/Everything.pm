# A cluster with sql/everything.sql in it, under two versions of the key.
package Everything;

use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;

sub make
{
	my ($class, $name, %options) = @_;
	my $node = Rampart->make($name, %options)->set_up;
	fill($node);
	return $node;
}

sub fill
{
	my ($node, %options) = @_;
	$node->rows(slurp_file('sql/everything.sql'), user => 'app', %options);
	$node->rows(q{SELECT rampart.rotate_key('pii')}, %options);
	$node->rows(q{
		INSERT INTO people (id, email, name)
		SELECT i, 'mail-zebrafish' || i || '@example.com', 'Name QuaggaFoal' || i FROM generate_series(201, 210) i;
		INSERT INTO orders SELECT i, 'mail-zebrafish' || i || '@example.com' FROM generate_series(196, 205) i;
		INSERT INTO by_hash SELECT i, 'hash-zebrafish' || i FROM generate_series(51, 60) i;
	}, user => 'app', %options);
}

# What app sees and may do, and the keyring: equal before and after anything that must not change it.
sub examine
{
	my ($node, %options) = @_;
	my (undef, $stdout, $stderr) =
	  $node->psql($options{database} // 'postgres', slurp_file('sql/examine.sql'), extra_params => ['-U', 'app']);
	return join "\n", $stdout, $stderr, $node->rows(q{
		SELECT scope, purpose, version, state, id, root_key FROM rampart.keys ORDER BY 1, 2, 3;
		SELECT name, tag, denied FROM rampart.scope;
		SELECT * FROM rampart.scope_grant ORDER BY 1, 2;
		SELECT id, event, scope, key_id, role FROM rampart.key_event ORDER BY id;
	}, %options);
}

1;
