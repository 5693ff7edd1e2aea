"""The server's log holds no plaintext of failed statements on encrypted values; the client is told all the same.

Logging is set to show as much as it can. Each statement has a secret of its own, for which the log is searched.
"""
import io

import psycopg2

import libpq

SETUP = """
ALTER DATABASE log_privacy SET log_error_verbosity = verbose;
ALTER DATABASE log_privacy SET log_parameter_max_length_on_error = -1;
ALTER DATABASE log_privacy SET log_min_error_statement = error;
CREATE TABLE ruled (id int PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE NOT NULL CHECK (length(email) < 60),
                    born enc_date(pii), amount enc_numeric(pii), data enc_jsonb(pii));
CREATE TABLE child (email enc_text(pii, deterministic) REFERENCES ruled (email));
CREATE TABLE later (email enc_text(pii, deterministic) UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE twice (email enc_text(pii, deterministic));
CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = NEW.email::text; END $$;
CREATE TABLE triggered (email enc_text(pii));
CREATE TRIGGER t BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION failing();
CREATE FUNCTION nested(v text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('INSERT INTO ruled (id, email) VALUES (1 / 0, %L)', v); END $$;
CREATE FUNCTION passed(v enc_text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / (length(v) - length(v)); END $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
ALTER TABLE twice OWNER TO app;
"""

# (name, statements before, the failing one, whether the client's detail or message shows the secret to who may see it).
# {s} is the secret.
FAILING = [
    ("a unique violation", ["INSERT INTO ruled (id, email) VALUES (10, '{s}')"], "INSERT INTO ruled (id, email) VALUES (11, '{s}')", True),
    ("a unique violation on another column", ["INSERT INTO ruled (id, email) VALUES (12, 'x')"], "INSERT INTO ruled (id, email) VALUES (12, '{s}')", False),
    ("a NULL", [], "INSERT INTO ruled (id, email) VALUES (NULL, '{s}')", True),
    ("a CHECK", [], "INSERT INTO ruled (id, email) VALUES (13, repeat('{s}', 5))", True),
    ("a foreign key", [], "INSERT INTO child VALUES ('{s}')", True),
    ("a deferred constraint", ["INSERT INTO later VALUES ('{s}')", "BEGIN", "INSERT INTO later VALUES ('{s}')"], "COMMIT", True),
    ("a unique index over duplicates", ["INSERT INTO twice VALUES ('{s}'), ('{s}')"], "CREATE UNIQUE INDEX ON twice (email)", True),
    ("a failure beside a literal", [], "SELECT 1 / 0 FROM pii WHERE email = '{s}'", False),
    ("a failure beside a stored literal", [], "INSERT INTO ruled (id, email) VALUES (1 / 0, '{s}')", False),
    ("an invalid date", [], "INSERT INTO ruled (id, email, born) VALUES (14, 'x', '{s}')", False),
    ("an invalid numeric", [], "INSERT INTO ruled (id, email, amount) VALUES (14, 'x', '{s}')", False),
    ("an invalid jsonb", [], "INSERT INTO ruled (id, email, data) VALUES (14, 'x', '{{{s}')", False),
    ("an invalid typed literal", [], "SELECT '{s}'::enc_date(pii)", False),
    ("an invalid literal in a comparison", [], "SELECT FROM pii WHERE born = '{s}'", False),
    ("a trigger's error", [], "INSERT INTO triggered VALUES ('{s}')", True),
    ("a statement in a function", [], "SELECT nested('{s}')", False),
    ("a literal as an argument", [], "SELECT passed('{s}')", False),
    ("a DO block", [], "DO $$ BEGIN PERFORM 1 / 0 FROM pii WHERE email = '{s}'; END $$", False),
    ("rampart.encrypt", [], "SELECT rampart.encrypt('pii', '{s}'), 1 / (SELECT count(*) FROM pii WHERE false)", False),
    ("rampart.encrypt in an unknown scope", [], "SELECT rampart.encrypt('nowhere', '{s}')", False),
    ("rampart.blind_index in an unknown scope", [], "SELECT rampart.blind_index('nowhere', '{s}', 'x')", False),
    ("another aad", [], "SELECT rampart.decrypt(rampart.encrypt('pii', '{s}', '{s}a'), '{s}b')", False),
    ("a prepared parameter", ["PREPARE p AS INSERT INTO ruled (id, email) VALUES (1 / $1, $2)"], "EXECUTE p (0, '{s}')", False),
    ("a prepared literal", ["PREPARE p AS SELECT 1 / 0 FROM pii WHERE email = '{s}'"], "EXECUTE p", False),
    ("a randomised comparison", [], "SELECT FROM pii WHERE name = '{s}'", False),
    ("a cancelled statement", ["SET statement_timeout = 50"], "SELECT pg_sleep(1) FROM pii WHERE email <> '{s}'", False),
    ("an update", [], "UPDATE pii SET email = '{s}', plain = 1 / plain", False),
    ("a MERGE", [], "MERGE INTO pii USING (VALUES ('{s}'::enc_text)) v (e) ON email = e WHEN NOT MATCHED THEN INSERT (id) VALUES (1 / 0)", False),
    ("a scope that differs", [], "SELECT FROM pii JOIN other USING (email) WHERE pii.email = '{s}'", False),
    ("an array", [], "SELECT 1 / 0 FROM pii WHERE email = ANY ('{{{s},y}}')", False),
    ("a literal without a scope", [], "CREATE TABLE x AS SELECT '{s}'::enc_text", False),
    ("a cast to a number", ["TRUNCATE twice", "INSERT INTO twice VALUES ('{s}')"], "SELECT email::int FROM twice", True),
    ("a cast of the plain text", ["TRUNCATE twice", "INSERT INTO twice VALUES ('{s}')"], "SELECT email::text::int FROM twice", True),
]

# Roles that lack the right.
REFUSED = [
    ("an INSERT", "visitor", "INSERT INTO ruled (id, email) VALUES (20, '{s}')"),
    ("a comparison", "visitor", "SELECT FROM pii WHERE email = '{s}'"),
    ("rampart.encrypt", "visitor", "SELECT rampart.encrypt('pii', '{s}')"),
    ("a unique violation of a role that may encrypt only", "writer", "INSERT INTO ruled (id, email) VALUES (21, '{s}'), (22, '{s}')"),
    ("a NULL of a role that may encrypt only", "writer", "INSERT INTO ruled (id, email) VALUES (NULL, '{s}')"),
]

# The extended protocol: parse, bind and execute are messages of their own. (name, SQL, parameters)
EXTENDED = [
    ("a parameter", "INSERT INTO ruled (id, email) VALUES (1 / $1::int, $2)", ["0", "{s}"]),
    ("a parameter and a duplicate key", "INSERT INTO pii (id, email) VALUES ($1, $2)", ["1", "{s}"]),
    ("a literal that fails when executed", "INSERT INTO ruled (id, email) VALUES (1 / $1::int, '{s}')", ["0"]),
    ("a literal and a duplicate key", "INSERT INTO pii (id, email) VALUES ($1, '{s}')", ["1"]),
    ("a compared literal", "SELECT 1 / $1::int FROM pii WHERE email <> '{s}'", ["0"]),
    ("a compared parameter", "SELECT 1 / $1::int FROM pii WHERE email <> $2", ["0", "{s}"]),
    ("an invalid parameter", "SELECT FROM pii WHERE born = $1", ["{s}"]),
    ("a parameter of rampart.encrypt", "SELECT 1 / $1::int, rampart.encrypt('pii', $2)", ["0", "{s}"]),
    ("a missing right", "SELECT FROM other WHERE email = $1", ["{s}"]),
]

# COPY shows the line in its context. (name, lines)
COPIES = [
    ("an invalid date", "30\tx\t{s}\n"),
    ("too few columns after a good line", "31\ty\t2000-01-01\n32\t{s}\n"),
    ("too few columns", "33\t{s}\n"),
    ("too many columns", "34\t{s}\t2000-01-01\tx\n"),
    ("a duplicate", "35\t{s}\t2000-01-01\n36\t{s}\t2000-01-01\n"),
    ("a NULL", "\\N\t{s}\t2000-01-01\n"),
    ("an invalid number beside it", "abc\t{s}\t2000-01-01\n"),
]


class Log:
    def __init__(self, database, report):
        self.database, self.report, self.count = database, report, 0

    def secret(self):
        self.count += 1
        return f"logsecret{self.count:03d}z"

    def written_since(self, position):
        with open(self.database.cluster.log_file, "rb") as log:
            log.seek(position)
            return log.read().decode(errors="replace")

    def expect(self, name, secret, shown, failed):
        """The secret is shown to the client if it should be; `failed` gives what the client saw."""
        with open(self.database.cluster.log_file, "rb") as log:
            position = log.seek(0, 2)
        seen = failed()
        log = self.written_since(position)
        problems = []
        if seen is None:
            problems.append("no error")
        elif shown and secret not in seen:
            problems.append(f"the client is not shown: {seen}")
        if "ERROR" not in log and "failed: " not in log:
            problems.append("the log has no entry")
        if secret in log:
            problems.append(log)
        self.report.ok(not problems, f"log: {name}", "\n".join(problems))


def everything(error):
    return "\n".join(filter(None, (error.diag.message_primary, error.diag.message_detail, error.diag.context)))


def failure(cursor, sql):
    try:
        cursor.execute(sql)
    except psycopg2.Error as error:
        return everything(error)
    return None


def check_simple(log, name, user, before, sql, shown):
    secret = log.secret()
    connection = log.database.connect(user)
    cursor = connection.cursor()
    for statement in before:
        cursor.execute(statement.format(s=secret))
    log.expect(name, secret, shown, lambda: failure(cursor, sql.format(s=secret)))
    connection.close()


def check_extended(log, name, sql, parameters):
    secret = log.secret()
    session = libpq.Session(log.database.dsn("app"))

    def failed():
        try:
            session.execute(sql.format(s=secret), [parameter.format(s=secret) for parameter in parameters])
        except libpq.Failed as error:
            return f"{error} {error.detail}"
        return None
    log.expect(f"extended protocol: {name}", secret, False, failed)
    session.close()


def check_copy(log, name, lines):
    secret = log.secret()
    connection = log.database.connect("app")

    def failed():
        try:
            with connection.cursor() as cursor:
                cursor.copy_expert("COPY ruled (id, email, born) FROM STDIN", io.StringIO(lines.format(s=secret)))
        except psycopg2.Error as error:
            return everything(error)
        return None
    log.expect(f"COPY: {name}", secret, False, failed)
    connection.close()


def check_off(log):
    """rampart.quiet_errors = off logs as PostgreSQL does."""
    secret = log.secret()
    log.database.query("ALTER DATABASE log_privacy SET rampart.quiet_errors = off")
    connection = log.database.connect("app")
    cursor = connection.cursor()
    failure(cursor, f"INSERT INTO ruled (id, email) VALUES (NULL, '{secret}')")
    connection.close()
    text = log.database.cluster.log()
    log.report.ok(f"VALUES (NULL, '{secret}')" in text and f"null, {secret}" in text,
                  "log: quiet_errors = off brings back statement and detail", text[-1500:])


def check(world, report):
    database = world.database("log_privacy")
    database.query(SETUP)
    log = Log(database, report)
    for name, before, sql, shown in FAILING:
        check_simple(log, name, "app", before, sql, shown)
    for name, user, sql in REFUSED:
        check_simple(log, f"without the right: {name}", user, [], sql, False)
    for name, sql, parameters in EXTENDED:
        check_extended(log, name, sql, parameters)
    for name, lines in COPIES:
        check_copy(log, name, lines)
    connection = database.connect("app")
    plain = failure(connection.cursor(), "SELECT 1 / 0")
    connection.close()
    report.ok(plain and "SELECT 1 / 0" in database.cluster.log()[-600:], "log: other statements are logged as ever")
    check_off(log)
    report.ok(world.cluster.root_key not in database.cluster.log(), "log: no root key")
