# A backend's memory stays what it is over millions of values, errors and changes of the keyring.
use strict;
use warnings;
use Rampart;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = Rampart->make('main', conf => "autovacuum = off\nmax_wal_size = 4GB\njit = off")->set_up;
$node->rows(q{
	CREATE UNLOGGED TABLE t (id int, email enc_text(pii, deterministic), name enc_text(pii), n enc_int8(pii));
	CREATE INDEX t_email ON t (email);
	GRANT ALL ON t TO app;
	-- Takes and gives back a right, so that the keyring is built anew each time.
	CREATE PROCEDURE rebuild(times int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. times LOOP
			PERFORM rampart.grant_scope('pii', 'outsider');
			PERFORM rampart.decrypt(rampart.encrypt('pii', 'x'));
			COMMIT;
			PERFORM rampart.revoke_scope('pii', 'outsider');
			PERFORM rampart.decrypt(rampart.encrypt('pii', 'x'));
			COMMIT;
		END LOOP;
	END $$;
	SELECT rampart.grant_scope('pii', current_user::regrole);
	-- Errors come as C++ exceptions, and leave as PostgreSQL's.
	CREATE FUNCTION fail(times int) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE failures int := 0;
	BEGIN
		FOR i IN 1 .. times LOOP
			BEGIN
				PERFORM rampart.decrypt('\x1101deadbeefdeadbeef' || decode(repeat('00', 28), 'hex'));
			EXCEPTION WHEN OTHERS THEN
				failures := failures + 1;
			END;
		END LOOP;
		RETURN failures;
	END $$;
});

sub anonymous_kilobytes
{
	my ($pid) = @_;
	return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : die 'no RssAnon';
}

# Highest memory while a statement runs, in kB, and what it returned.
sub watch
{
	my ($session, $pid, $sql) = @_;
	$session->{stdin} .= "$sql;\n\\echo finished\n";
	my $peak = 0;
	until ($session->{stdout} =~ /finished\n/)
	{
		$session->{run}->pump_nb;
		my $now = anonymous_kilobytes($pid);
		$peak = $now if $now > $peak;
		usleep(20_000);
	}
	my $result = $session->{stdout} =~ s/\n?finished\n//r;
	$session->{stdout} = '';
	is($session->{stderr}, '', "no error: $sql");
	return $peak, $result;
}

# Memory after `many` is within a little of that after `few` of the same.
sub constant_memory
{
	my ($name, $sql, $few, $many, %options) = @_;
	my $session = $node->session(user => $options{user} // 'app');
	my $pid = Rampart::ask($session, 'SELECT pg_backend_pid()');
	my ($warm) = watch($session, $pid, sprintf($sql, $few));
	my ($peak, $result) = watch($session, $pid, sprintf($sql, $many));
	is($result, $options{result} // $many, "$name: did it all");
	cmp_ok($peak - $warm, '<', 1024, "$name: $many cost no more than 1 MB over $few (from $warm kB to $peak kB)");
	$session->quit;
}

constant_memory('encrypt', q{SELECT count(rampart.encrypt('pii', g::text)) FROM (SELECT generate_series(1, %d) g) s},
	1_000_000, 10_000_000);
constant_memory('encrypt deterministically', q{SELECT count(rampart.encrypt_deterministic('pii', g::text))
	FROM (SELECT generate_series(1, %d) g) s},
	100_000, 1_000_000);
constant_memory('insert', q{WITH i AS (INSERT INTO t SELECT g, 'mail' || g, 'name' || g, g
	FROM (SELECT generate_series(1, %d) g) s) SELECT %1$d},
	50_000, 1_000_000);
constant_memory('read', q{SELECT count(length(email)) + count(n + 1) - count(name) FROM (SELECT * FROM t LIMIT %d) s},
	50_000, 1_000_000);
constant_memory('look up', q{SELECT count((SELECT id FROM t WHERE email = 'mail' || g LIMIT 1))
	FROM (SELECT generate_series(1, %d) g) s}, 2000, 50_000);
constant_memory('errors', 'SELECT fail(%d)', 2000, 50_000);
constant_memory('keyring', 'CALL rebuild(%d)', 100, 2000, user => (getpwuid $<)[0], result => '');

done_testing();
