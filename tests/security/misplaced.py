"""Genuine ciphertexts where they do not belong, and ciphertexts of keys that are gone."""
from forgery import armour
from world import attempt

# A role that may decrypt gives armour in on purpose.
ON_PURPOSE = "-c rampart.armour_input=verify"


class Place:
    def __init__(self, database, report):
        self.database, self.report = database, report

    def made(self, scope, value="'x'", user="app"):
        """Armour of a new ciphertext."""
        return self.database.value(f"SELECT rampart.armour(rampart.encrypt('{scope}', {value}))", user)

    def refused(self, name, sqlstate, sql, user="app", options=ON_PURPOSE):
        connection = self.database.connect(user, options=options)
        self.report.equal(attempt(connection, sql), sqlstate, f"misplaced: {name}")
        connection.close()


def check_columns(place):
    insert = "INSERT INTO pii (id, {}) VALUES (50, '{}')"
    mine = place.made("pii")
    place.refused("another scope's ciphertext", "42501", insert.format("name", place.made("other", user="keeper")))
    place.refused("a jsonb's ciphertext in a text column", "RMC03", insert.format("name", place.made("pii", "'{}'::jsonb")))
    place.refused("a text's ciphertext in a date column", "RMC03", insert.format("born", mine))
    place.refused("a ciphertext with associated data", "RMC02", insert.format("name", place.made("pii", "'x', 'aad'")))
    place.refused("armour from a role that may decrypt", "RMC04", insert.format("name", mine), options=None)
    place.refused("armour in a comparison, from a role that may decrypt", "RMC04", f"SELECT FROM pii WHERE email = '{mine}'",
                  options=None)
    place.refused("armour in COPY, from a role that may decrypt", "RMC04",
                  f"COPY pii (id, name) FROM PROGRAM 'echo 50,{mine}' (FORMAT csv)", options=None)
    for function, value in [("decrypt", "'\\x00'::bytea"), ("decrypt_jsonb", "'x'::text"), ("decrypt_bytea", "'x'::text")]:
        place.refused(f"{function} of {value}", "RMC03", f"SELECT rampart.{function}(rampart.encrypt('pii', {value}))")


def check_keys(place):
    index_key = bytes.fromhex(place.database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND purpose = 'index'"))
    for name, sqlstate, raw in [("an unknown key", "RMK02", bytes([0x11, 1]) + bytes(range(8)) + bytes(30)),
                                ("an index key in a data key's place", "RMC01", bytes([0x11, 1]) + index_key + bytes(30)),
                                ("a comparand's bytes", "RMC01", bytes([0xe3, 1]) + index_key + bytes(12)),
                                ("a held value's bytes", "RMC01", bytes([0xec, 1]) + b"plain"),
                                ("an unknown mode", "RMC01", bytes([0x13, 1]) + index_key + bytes(30))]:
        place.refused(name, sqlstate, f"SELECT '{armour(raw)}'::enc_text")


def check_key_states(place):
    old = place.made("pii")
    place.database.query("SELECT rampart.rotate_key('pii')")
    key = place.database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND state = 'retired'")
    place.report.equal(place.database.value(f"SELECT rampart.decrypt(rampart.dearmour('{old}'))", "app"), "x",
                       "misplaced: a retired key decrypts")
    for state, change, sqlstate in [("disabled", f"SELECT rampart.disable_key('{key}')", "RMK03"),
                                    ("destroyed", f"SELECT rampart.destroy_key('{key}', 'pii', force => true)", "RMK04")]:
        place.database.query(change)
        for what, sql in [("decrypt", f"SELECT rampart.decrypt(rampart.dearmour('{old}'))"),
                          ("output of a column", "SELECT name FROM pii WHERE id = 1"),
                          ("a cast of a column", "SELECT name::text FROM pii WHERE id = 1"),
                          ("input of armour", f"INSERT INTO pii (id, name) VALUES (50, '{old}')")]:
            place.refused(f"{what} with a {state} key", sqlstate, sql)
        place.report.equal(place.database.query("SELECT rampart.try_decrypt(name) FROM pii WHERE id = 1", user="app"), [(None,)],
                           f"misplaced: try_decrypt with a {state} key")


def check(world, report):
    database = world.database("misplaced")
    database.query("GRANT pg_execute_server_program TO app")
    place = Place(database, report)
    check_columns(place)
    check_keys(place)
    check_key_states(place)
    database.query("REVOKE pg_execute_server_program FROM app")
