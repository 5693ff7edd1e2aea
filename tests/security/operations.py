"""What a role may try with a table of the shared ones, and what its rights make of it.

Each operation is (name, how, SQL, outcomes). {t} stands for the table, which is named as its scope is.

    how        query    SQL as it is
               extended the same in the extended protocol, with PARAMETERS
               binary   the extended protocol with binary results
               out, in  COPY TO and FROM the client; in is given INPUT lines
    outcomes   by rights, in the order both, encrypt, decrypt, none: `plain` (the value), `armour`,
               `done` (no row), an SQLSTATE, or the answer as text
"""
from world import EMAIL

DENIED = "42501"
RIGHTS = ("both", "encrypt", "decrypt", "none")

SHOW = ("plain", "armour", "plain", "armour")       # output: never an error, never more than the right
OPEN = ("plain", DENIED, "plain", DENIED)           # needs plaintext
STORE = ("done", "done", DENIED, DENIED)            # makes ciphertext


def opens(answer):
    return (answer, DENIED, answer, DENIED)


def compares(answer):
    return (answer, answer, answer, DENIED)


def anyone(answer):
    return (answer,) * 4


OPERATIONS = [
    ("output", "query", "SELECT email FROM {t} WHERE id = 1", SHOW),
    ("output of a randomised column", "query", "SELECT name FROM {t} WHERE id = 1", ("name", "armour", "name", "armour")),
    ("output, extended protocol", "extended", "SELECT email FROM {t} WHERE id = $1::int", SHOW),
    ("binary output", "binary", "SELECT email FROM {t} WHERE id = $1::int", SHOW),
    ("binary output of a date", "binary", "SELECT born FROM {t} WHERE id = $1::int", ("date", "armour", "date", "armour")),
    ("output in a row", "query", "SELECT format('%s', r) FROM (SELECT email FROM {t} WHERE id = 1) r", ("row", "row armour", "row", "row armour")),
    ("output through format", "query", "SELECT format('%s', email) FROM {t} WHERE id = 1", SHOW),
    ("output through to_json", "query", "SELECT to_json(email) #>> '{{}}' FROM {t} WHERE id = 1", SHOW),
    ("cast", "query", "SELECT email::text FROM {t} WHERE id = 1", OPEN),
    ("cast to varchar", "query", "SELECT email::varchar FROM {t} WHERE id = 1", OPEN),
    ("length", "query", "SELECT length(email) FROM {t} WHERE id = 1", opens(str(len(EMAIL)))),
    ("LIKE", "query", "SELECT count(*) FROM {t} WHERE email LIKE 'ada%'", opens("1")),
    ("concatenation", "query", "SELECT email || '' FROM {t} WHERE id = 1", OPEN),
    ("date arithmetic", "query", "SELECT born - 1 FROM {t} WHERE id = 1", opens("1815-12-09")),
    ("rampart.decrypt", "query", "SELECT rampart.decrypt(stored) FROM {t} WHERE id = 1", OPEN),
    ("rampart.decrypt of a column", "query", "SELECT rampart.decrypt(rampart.ciphertext(email)) FROM {t} WHERE id = 1", OPEN),
    ("rampart.try_decrypt", "query", "SELECT rampart.try_decrypt(stored) FROM {t} WHERE id = 1", OPEN),
    ("rampart.try_decrypt of a column", "query", "SELECT rampart.try_decrypt(email) FROM {t} WHERE id = 1", OPEN),
    ("rampart.inspect", "query", "SELECT (rampart.inspect(rampart.ciphertext(email))).scope FROM {t} WHERE id = 1", anyone("{t}")),
    ("rampart.problem", "query", "SELECT rampart.problem(stored) IS NULL FROM {t} WHERE id = 1", anyone("True")),
    ("COPY TO", "out", "COPY (SELECT email FROM {t} WHERE id = 1) TO STDOUT", SHOW),
    ("COPY table TO", "out", "COPY {t} (email) TO STDOUT", ("all plain", "all armour", "all plain", "all armour")),
    ("COPY TO, binary", "out", "COPY (SELECT email FROM {t} WHERE id = 1) TO STDOUT (FORMAT binary)", ("in binary", "armour in binary", "in binary", "armour in binary")),
    ("COPY FROM", "in", "COPY {t} (id, email) FROM STDIN", STORE),
    ("INSERT of a literal", "query", "INSERT INTO {t} VALUES (3, 'alan@example.com')", STORE),
    ("INSERT of a parameter", "extended", "INSERT INTO {t} (id, plain, email) VALUES (3, $1, 'a@example.com')", STORE),
    ("UPDATE of the column", "query", "UPDATE {t} SET email = 'alan@example.com' WHERE id = 1", STORE),
    ("UPDATE of another column", "query", "UPDATE {t} SET plain = 1", anyone("done")),
    ("DELETE by key", "query", "DELETE FROM {t} WHERE id = 1", anyone("done")),
    ("RETURNING", "query", "UPDATE {t} SET plain = 1 WHERE id = 1 RETURNING email", SHOW),
    ("ON CONFLICT by key", "query", "INSERT INTO {t} (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET plain = 2 RETURNING email", SHOW),
    ("ON CONFLICT on the column", "query", "INSERT INTO {t} (id, email) VALUES (9, '" + EMAIL + "') ON CONFLICT (email) DO NOTHING", STORE),
    ("copy of a column", "query", "UPDATE {t} SET email = email WHERE id = 1", anyone("done")),
    ("INSERT SELECT", "query", "INSERT INTO {t} (id, name) SELECT 7, name FROM {t} WHERE id = 1", anyone("done")),
    ("INSERT SELECT in another mode", "query", "INSERT INTO {t} (id, name) SELECT 7, email FROM {t} WHERE id = 1", ("done", DENIED, DENIED, DENIED)),
    ("= literal", "query", "SELECT count(*) FROM {t} WHERE email = '" + EMAIL + "'", compares("1")),
    ("= missing literal", "query", "SELECT count(*) FROM {t} WHERE email = 'nobody@example.com'", compares("0")),
    ("= parameter", "extended", "SELECT id FROM {t} WHERE email = $2 AND id = $1", compares("1")),
    ("IN list", "query", "SELECT count(*) FROM {t} WHERE email IN ('" + EMAIL + "', 'x')", compares("1")),
    ("= ANY", "query", "SELECT count(*) FROM {t} WHERE email = ANY (ARRAY['" + EMAIL + "', 'x'])", compares("1")),
    ("= text", "query", "SELECT count(*) FROM {t} WHERE email = lower('ADA@EXAMPLE.COM')", compares("1")),
    ("<", "query", "SELECT count(*) FROM {t} WHERE email < 'b'", opens("1")),
    ("join of two columns", "query", "SELECT count(*) FROM {t} a JOIN {t} b ON a.email = b.email", anyone("2")),
    ("GROUP BY", "query", "SELECT count(*) FROM (SELECT email FROM {t} GROUP BY email) g", anyone("2")),
    ("DISTINCT", "query", "SELECT count(DISTINCT email) FROM {t}", anyone("2")),
    ("ORDER BY", "query", "SELECT email FROM {t} ORDER BY email LIMIT 1", OPEN),
    ("min", "query", "SELECT min(email) FROM {t}", OPEN),
    ("max of a date", "query", "SELECT max(born) FROM {t}", opens("1906-12-09")),
    ("rampart.blind_index", "query", "SELECT length(rampart.blind_index('{t}', 'x', 'y'))", compares("32")),
    ("rampart.encrypt", "query", "SELECT length(rampart.encrypt('{t}', 'x'))", ("39", "39", DENIED, DENIED)),
    ("rampart.encrypt_deterministic", "query", "SELECT length(rampart.encrypt_deterministic('{t}', 'x'))", ("39", "39", DENIED, DENIED)),
    ("literal of the column's type", "query", "SELECT 'x'::enc_text({t}) IS NOT NULL", ("True", "True", DENIED, DENIED)),
    ("EXPLAIN of a comparison", "query", "EXPLAIN (COSTS off) SELECT FROM {t} WHERE email = '" + EMAIL + "'", compares("plan")),
    ("EXPLAIN of output", "query", "EXPLAIN (COSTS off) SELECT email FROM {t}", anyone("plan")),
]

# The values of the first row. Parameters: $1 is its id, $2 its address.
PARAMETERS = ("1", EMAIL)
INPUT = "3\talan@example.com\n"
