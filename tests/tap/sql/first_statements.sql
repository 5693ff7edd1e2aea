-- Tables of t/090_not_preloaded.pl: value10 to value40, stored in an order that is not theirs.
CREATE TABLE t (id int, email enc_text(pii, deterministic), name enc_text(pii), born enc_date(pii, deterministic));
CREATE TABLE indexed (id int, email enc_text(pii, deterministic) PRIMARY KEY);
CREATE TABLE parted (email enc_text(pii, deterministic)) PARTITION BY HASH (email);
CREATE TABLE parted_0 PARTITION OF parted (PRIMARY KEY (email)) FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted (PRIMARY KEY (email)) FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE copied (position serial, email enc_text(pii, deterministic));
CREATE TABLE changed (id int, email enc_text(pii, deterministic) UNIQUE);
CREATE VIEW ordered AS SELECT email FROM t ORDER BY email;

CREATE FUNCTION in_plpgsql() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    result text := '';
BEGIN
    FOR r IN SELECT email FROM t ORDER BY email LOOP
        result := result || r.email || ' ';
    END LOOP;
    RETURN result;
END
$$;
CREATE FUNCTION in_sql() RETURNS text LANGUAGE sql VOLATILE
    AS 'SELECT string_agg(email, '' '' ORDER BY email) FROM t';

INSERT INTO t SELECT i, 'value' || i, 'name' || i, date '2000-01-01' + i FROM generate_series(10, 40) i ORDER BY i % 7, i;
INSERT INTO indexed SELECT id, email FROM t;
INSERT INTO parted SELECT email FROM t;
ANALYZE t, indexed, parted;
