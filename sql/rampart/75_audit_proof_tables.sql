-- The tables of the proof, and what reads and writes them in C.
--
-- Each class has a Merkle tree (RFC 6962) whose leaves are the hashes of its entries, and one signed checkpoint
-- states the size and root of all of them. docs/formats.md has the bytes.

CREATE TABLE rampart.audit_tree (
    class  text PRIMARY KEY,
    origin text NOT NULL,
    size   int8 NOT NULL CHECK (size >= 0),
    front  bytea NOT NULL
);
COMMENT ON TABLE rampart.audit_tree IS 'The Merkle tree of each class. Without a row, sealing has not begun.';
COMMENT ON COLUMN rampart.audit_tree.origin IS 'The name of the log in its checkpoints, and of the key that signs them.';
COMMENT ON COLUMN rampart.audit_tree.size IS 'Leaves.';
COMMENT ON COLUMN rampart.audit_tree.front IS 'The frontier of the leaves that retention removed from the front.';

CREATE TABLE rampart.audit_lineage (
    lineage  int8 PRIMARY KEY,
    next     xid8 NOT NULL,
    open     xid8[] NOT NULL,
    system   int8,
    timeline int4,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_lineage IS
'How far the log is sealed: entries of all transactions below next but those that were open. A row for each database that wrote in it, transaction ids being its own; system and timeline are those of its cluster when it was last sealed.';

CREATE TABLE rampart.audit_run (
    class       text NOT NULL,
    first       int8 NOT NULL,
    entries     int8 NOT NULL CHECK (entries > 0),
    month       date NOT NULL,
    lineage      int8 NOT NULL,
    from_xid    xid8 NOT NULL,
    from_id     int8 NOT NULL,
    to_xid      xid8 NOT NULL,
    to_id       int8 NOT NULL,
    open        xid8[] NOT NULL,
    least_id    int8 NOT NULL,
    greatest_id int8 NOT NULL,
    sealed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed     bool NOT NULL DEFAULT false,
    PRIMARY KEY (class, first)
);
COMMENT ON TABLE rampart.audit_run IS
'Which entries are at which leaves: those of a class, month and lineage from (from_xid, from_id) up to and without (to_xid, to_id), in the order of (xid, id) and without transactions in open, from leaf first on.';
COMMENT ON COLUMN rampart.audit_run.removed IS 'Retention removed the entries; their leaves stay.';

CREATE TABLE rampart.audit_tile (
    class  text NOT NULL,
    level  int2 NOT NULL,
    index  int8 NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (class, level, index)
);
ALTER TABLE rampart.audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE rampart.audit_tile IS 'Hashes of the trees, in tiles of 256 (C2SP tlog-tiles).';

CREATE TABLE rampart.audit_signer (
    key      int8 PRIMARY KEY,
    verifier text NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_signer IS 'Public keys of the log. The private ones are in rampart.key, wrapped by the root key.';

CREATE TABLE rampart.audit_checkpoint (
    number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    sizes  jsonb NOT NULL,
    note   text NOT NULL
);
COMMENT ON TABLE rampart.audit_checkpoint IS
'Signed heads (C2SP tlog-checkpoint). Keep copies where the database''s superuser cannot reach them: LISTEN rampart_checkpoint.';
COMMENT ON COLUMN rampart.audit_checkpoint.sizes IS 'Leaves by class, as the note has them.';

SELECT pg_extension_config_dump('rampart.audit_tree', '');
SELECT pg_extension_config_dump('rampart.audit_lineage', '');
SELECT pg_extension_config_dump('rampart.audit_run', '');
SELECT pg_extension_config_dump('rampart.audit_tile', '');
SELECT pg_extension_config_dump('rampart.audit_signer', '');
SELECT pg_extension_config_dump('rampart.audit_checkpoint', '');
SELECT pg_extension_config_dump('rampart.audit_checkpoint_number_seq', '');

-- What C makes of them, for the functions of the next files only -----------------------------------------

CREATE FUNCTION rampart.ended_transactions(OUT next xid8, OUT open xid8[], OUT system int8, OUT timeline int4)
    AS 'MODULE_PATHNAME', 'rampart_ended_transactions' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.ended_transactions() IS
'All transactions below next but those in open have ended, and what they wrote can be read from now on. This transaction counts as open. Errors: 25006 on a standby.';

CREATE FUNCTION rampart.append_run(class text, size int8, partition regclass, month date, lineage int8, from_xid xid8,
                                   from_id int8, to_xid xid8, to_id int8, open xid8[],
                                   OUT entries int8, OUT least_id int8, OUT greatest_id int8,
                                   OUT next_xid xid8, OUT next_id int8)
    AS 'MODULE_PATHNAME', 'rampart_append_run' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.append_run(text, int8, regclass, date, int8, xid8, int8, xid8, int8, xid8[]) IS
'Appends a run to a tree of so many leaves; stores tiles only. At most 65,536 entries: next_xid and next_id are where the next run begins, NULL where that was all. Errors: RMA05.';

CREATE FUNCTION rampart.tree_root(class text, front bytea, size int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_tree_root' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.tree_root(text, bytea, int8) IS 'The root of the first leaves; NULL where tiles are missing.';
CREATE FUNCTION rampart.tree_frontier(class text, front bytea, size int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_tree_frontier' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.tree_frontier(text, bytea, int8) IS 'The frontier of the first leaves; NULL where tiles are missing.';
CREATE FUNCTION rampart.frontier_size(frontier bytea) RETURNS int8
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN ('x' || encode(substring(frontier FROM 1 FOR 8), 'hex'))::bit(64)::int8;
COMMENT ON FUNCTION rampart.frontier_size(bytea) IS 'How many leaves a frontier stands for.';
CREATE FUNCTION rampart.inclusion_path(class text, front bytea, index int8, size int8) RETURNS bytea[]
    AS 'MODULE_PATHNAME', 'rampart_inclusion_path' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.inclusion_path(text, bytea, int8, int8) IS 'An inclusion proof; NULL where tiles are missing.';
CREATE FUNCTION rampart.consistency_path(class text, front bytea, old_size int8, new_size int8) RETURNS bytea[]
    AS 'MODULE_PATHNAME', 'rampart_consistency_path' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.consistency_path(text, bytea, int8, int8) IS 'A consistency proof; NULL where tiles are missing.';

CREATE FUNCTION rampart.sign_checkpoint(origin text, classes text[], sizes int8[], roots bytea[],
                                        key_id int8, version int4, wrapped bytea, root_key int8) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_sign_checkpoint' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.sign_checkpoint(text, text[], int8[], bytea[], int8, int4, bytea, int8) IS
'A checkpoint as a signed note. Errors: RMK02, RMK05, RMK06, 22023.';
CREATE FUNCTION rampart.log_verifier(origin text, key_id int8, version int4, wrapped bytea, root_key int8) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_log_verifier' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.log_verifier(text, int8, int4, bytea, int8) IS
'The public key of a signing key, as verifiers take it. Errors: RMK02, RMK05, RMK06, 22023.';
CREATE FUNCTION rampart.open_checkpoint(note text, origin text, verifiers text[])
RETURNS TABLE (class text, size int8, root bytea)
    AS 'MODULE_PATHNAME', 'rampart_open_checkpoint' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION rampart.open_checkpoint(text, text, text[]) IS
'The heads of a checkpoint that one of these keys signed under this origin; no row for any other text.';
