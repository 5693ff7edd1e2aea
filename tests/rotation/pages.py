"""Damage below the values: TOAST chunks that are missing, pages that are zeroed or garbled, with checksums and without."""
import os

from world import SETTINGS, Database
from cluster import Cluster, run

TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text(pii, deterministic), large enc_text(pii));
ALTER TABLE {0} ALTER large SET STORAGE external;
INSERT INTO {0} SELECT i, 'zebrafish' || i, CASE WHEN i % 50 = 0 THEN repeat('zebrafish', 2000) ELSE 'small' END FROM generate_series(1, 1500) i;
"""
READS = "SELECT count(*) FROM {} WHERE mail::text = 'zebrafish' || id"
BLOCK = 8192


def write_block(cluster, database, table, block, change):
    """Changes a block of a table's file while the server is down."""
    path = os.path.join(cluster.data, database.value(f"SELECT pg_relation_filepath('{table}')"))
    cluster.stop()
    with open(path, "r+b") as f:
        f.seek(block * BLOCK)
        page = f.read(BLOCK)
        f.seek(block * BLOCK)
        f.write(change(page))
    cluster.start()


def garble(page):
    return bytes((byte + 77) % 256 for byte in page)


def flip_bits(page):
    """In the middle of a row: only a checksum, or the row's tag, tells."""
    return page[:6000] + bytes(byte ^ 0xFF for byte in page[6000:6004]) + page[6004:]


def rows_in(database, table, block):
    return database.value(f"SELECT count(*) FROM {table} WHERE (ctid::text::point)[0] = {block}")


def check_toast(database, report):
    database.query(TABLE.format("toasted"))
    place = database.value("SELECT ctid::text FROM toasted WHERE id = 100")
    toast = database.value("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'toasted'")
    chunks = f"SELECT chunk_id FROM {toast} GROUP BY 1 ORDER BY 1 LIMIT 2"
    second = database.query(chunks)[1][0]
    database.query(f"UPDATE pg_class SET relkind = 'r' WHERE oid = '{toast}'::regclass; DELETE FROM {toast} WHERE chunk_id = {second} AND chunk_seq > 0; "
                   f"UPDATE pg_class SET relkind = 't' WHERE oid = '{toast}'::regclass")
    database.query("VACUUM toasted")
    rotation = database.start()
    report.equal(database.wait(rotation), "complete with errors", "pages: a TOAST chunk is missing")
    noted = database.query("SELECT row_id::text, left(problem, 2) FROM rampart.rotation_error WHERE rotation = %s", (rotation,))
    report.equal(noted, [(place, "XX")], "pages: its row is reported, and no other")
    report.equal(database.value(READS.format("toasted")), 1500, "pages: all others still read")
    report.equal(database.destroy_retired_keys(), ["RMR04"], "pages: the old key is kept")
    database.query("DELETE FROM toasted WHERE id = 100")
    report.equal((database.rotate(new_key="false"), database.destroy_retired_keys()), ("complete", []), "pages: until the row is deleted")


def check_block(cluster, database, what, change, expected, report):
    """A damaged block in the middle of a table. expected: the state, how the problem begins, and whether old values keep a key."""
    name = what.replace(" ", "_")
    database.query(TABLE.format(name))
    database.query(TABLE.format(f"{name}_beside"))
    lost = rows_in(database, name, 5)
    write_block(cluster, database, name, 5, change)
    rotation = database.start()
    state, problem, kept = expected
    report.equal(database.wait(rotation, 20), state, f"pages, {what}: the rotation ends")
    noted = {(row, text[:len(problem or "")]) for row, text in
             database.query("SELECT row_id::text, problem FROM rampart.rotation_error WHERE rotation = %s AND table_name = %s", (rotation, f"public.{name}"))}
    report.equal(noted, {("(5,0)", problem)} if problem else set(), f"pages, {what}: the block is reported")
    report.equal(database.value(READS.format(f"{name}_beside")), 1500, f"pages, {what}: other tables are rotated")
    left = database.value(f"SELECT count(*) FROM {name}_beside WHERE (rampart.inspect(rampart.ciphertext(mail))).key_id = ANY (%s)",
                          (database.retired_keys(),))
    report.equal(left, 0, f"pages, {what}: under the new key")
    codes = set(database.destroy_retired_keys())
    report.ok(bool(codes) == kept, f"pages, {what}: the old key {'is kept' if kept else 'can be destroyed'}", codes)
    rest = sum(database.value(f"SELECT count(mail::text) FROM {name} WHERE ctid {range}") for range in ("< '(5,0)'", ">= '(6,0)'"))
    report.equal(rest, 1500 - lost, f"pages, {what}: the rest of the table reads")
    database.query(f"DROP TABLE {name}, {name}_beside")


def check_with(checksums, report):
    cluster = Cluster("pages", settings={**SETTINGS, "full_page_writes": "off"})
    if checksums:
        run("pg_checksums", "--enable", "-D", cluster.data)
    cluster.start()
    database = Database(cluster).set_up("pii")
    word = "with checksums" if checksums else "without checksums"
    damaged = ("complete with errors", "XX001: invalid page in block 5", True)
    check_block(cluster, database, f"a zeroed block {word}", lambda page: bytes(BLOCK), ("complete", None, False), report)
    check_block(cluster, database, f"a garbled block {word}", garble, damaged, report)
    if checksums:
        check_block(cluster, database, f"four wrong bytes {word}", flip_bits, damaged, report)
    else:
        check_toast(database, report)
    report.ok("zebrafish" not in cluster.log(), f"pages, {word}: no plaintext in the log")
    cluster.remove()


def check(world, report):
    check_with(False, report)
    check_with(True, report)
