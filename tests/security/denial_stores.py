"""A role without the right copies a column whose scope answers it with NULL, a mask or an error.

What is stored is the ciphertext as it was, or the statement fails: never a mask, and no NULL in place of a value.
"""
import psycopg2

from denial import MODES, TABLE

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
        database.query(TABLE.format(f"as_{mode}", mode))
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
