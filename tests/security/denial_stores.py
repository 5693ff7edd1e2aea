"""A role without the right copies a column whose scope answers it with NULL, a mask or an error.

What is stored is the ciphertext as it was, or the statement fails: never a mask, and no NULL in place of a value.
"""
import psycopg2

from denial import MODES, TABLE
from world import attempt

# Steps of a role without the right, then what a role with it reads there.
STORES = """
CREATE TABLE copy AS SELECT * FROM {0} ;; SELECT email FROM copy
CREATE TABLE copy AS SELECT DISTINCT email FROM {0} ;; SELECT email FROM copy
SELECT * INTO copy FROM {0} ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy SELECT * FROM {0} ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; WITH c AS (SELECT * FROM {0}) INSERT INTO copy SELECT * FROM c ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy SELECT * FROM {0}_view ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy SELECT * FROM {0}_set() ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy SELECT * FROM {0}_query() ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy (id, email) SELECT 1, {0}_plpgsql() ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy (id, email) VALUES (1, {0}_sql()) ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; INSERT INTO copy (id, email) VALUES (1, (SELECT email FROM {0})) ;; SELECT email FROM copy
CREATE MATERIALIZED VIEW copy AS SELECT * FROM {0} ;; SELECT email FROM copy
CREATE MATERIALIZED VIEW copy AS SELECT * FROM {0} WITH NO DATA ;; REFRESH MATERIALIZED VIEW copy ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; DO $$ DECLARE e {0}.email%TYPE; BEGIN SELECT email INTO e FROM {0}; INSERT INTO copy (id, email) VALUES (1, e); END $$ ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM {0} LOOP INSERT INTO copy VALUES (r.id, r.email); END LOOP; END $$ ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; MERGE INTO copy USING {0} s ON copy.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.email) ;; SELECT email FROM copy
UPDATE {0} a SET name = (SELECT name FROM {0} b) ;; SELECT email FROM {0}
CREATE TABLE copy (LIKE {0}) ;; ALTER TABLE copy ADD e enc_text({0}, deterministic) ;; INSERT INTO copy SELECT *, email FROM {0} ;; SELECT e FROM copy
CREATE TABLE copy (LIKE {0}) ;; PREPARE p AS INSERT INTO copy SELECT * FROM {0}_query() ;; EXECUTE p ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; PREPARE p AS INSERT INTO copy SELECT * FROM {0}_set() ;; EXECUTE p ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; PREPARE p AS SELECT {0}_transfer() ;; EXECUTE p ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; PREPARE p AS SELECT {0}_transfer_rows() ;; EXECUTE p ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; SELECT {0}_transfer() ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; SELECT {0}_transfer_rows() ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; DECLARE c CURSOR WITH HOLD FOR SELECT {0}_transfer_rows() ;; FETCH c ;; SELECT email FROM copy
CREATE TABLE copy (LIKE {0}) ;; CREATE TABLE cause (i int) ;; CREATE CONSTRAINT TRIGGER t AFTER INSERT ON cause DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {0}_trigger() ;; INSERT INTO cause VALUES (1) ;; SET CONSTRAINTS ALL IMMEDIATE ;; SELECT email FROM copy
"""
# Functions that move rows by queries of their own.
MOVERS = """
CREATE FUNCTION {0}_transfer() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN FOR r IN EXECUTE 'SELECT * FROM {0}' LOOP INSERT INTO copy VALUES (r.id, r.email); END LOOP; END $$;
CREATE FUNCTION {0}_transfer_rows() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r {0};
BEGIN FOR r IN SELECT * FROM {0} LOOP INSERT INTO copy VALUES (r.*); END LOOP; END $$;
CREATE FUNCTION {0}_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM {0}_transfer(); RETURN NULL; END $$;
"""
EMAIL = "ada@example.com"


def read_back(connection, steps):
    """What a role with the right finds, or the SQLSTATE with which a step failed."""
    *stores, read = steps
    with connection.cursor() as cursor:
        try:
            cursor.execute("SET LOCAL ROLE visitor")
            for step in stores:
                cursor.execute(step)
            cursor.execute("RESET ROLE; GRANT ALL ON ALL TABLES IN SCHEMA public TO app; SET LOCAL ROLE app")
            cursor.execute(read)
            return cursor.fetchone()[0]
        except psycopg2.Error as error:
            return error.pgcode


def check(world, report):
    database = world.database("denial_stores")
    for mode in MODES:
        database.query(TABLE.format(f"as_{mode}", mode) + MOVERS.format(f"as_{mode}"))
        database.query(f"INSERT INTO as_{mode} VALUES (1, '{EMAIL}', '{EMAIL}', '1815-12-10')", user="app")
    for line in filter(None, STORES.splitlines()):
        wrong = []
        for mode in MODES:
            connection = database.connect(autocommit=False)
            got = read_back(connection, line.format(f"as_{mode}").split(" ;; "))
            if got != EMAIL and (mode == "armour" or got != "42501"):
                wrong.append(f"{mode}: {got}")
            connection.rollback()
            connection.close()
        report.ok(not wrong, f"denial, storing: {line.format('t')}", "\n".join(wrong))
    check_at_commit(database, report)


def check_at_commit(database, report):
    """A deferred trigger runs when no statement does any more."""
    wrong = []
    for mode in MODES:
        connection = database.connect("visitor")
        outcome = [attempt(connection, sql.format(mode)) for sql in (
            "CREATE TABLE copy (LIKE as_{0})", "CREATE TABLE cause (i int)", "GRANT ALL ON copy TO app",
            "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON cause DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
            "EXECUTE FUNCTION as_{0}_trigger()", "INSERT INTO cause VALUES (1)")]
        got = database.query("SELECT email FROM copy", user="app")
        if got != [(EMAIL,)] and (mode == "armour" or outcome[-1] != "42501"):
            wrong.append(f"{mode}: {outcome[-1]}, {got}")
        attempt(connection, "DROP TABLE copy, cause")
        connection.close()
    report.ok(not wrong, "denial, storing: a deferred trigger at commit", "\n".join(wrong))
