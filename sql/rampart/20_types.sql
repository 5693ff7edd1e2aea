-- The encrypted types: one definition, run for each row of a small table.
--
-- Types and their operators are in pg_catalog, so that they are found whatever the search_path is: a
-- comparison never falls back to another operator because of a setting. Functions are in rampart.

CREATE FUNCTION rampart.modifier_in(cstring[]) RETURNS int4
    AS 'MODULE_PATHNAME', 'rampart_modifier_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION rampart.modifier_in_randomised_only(cstring[]) RETURNS int4
    AS 'MODULE_PATHNAME', 'rampart_modifier_in_randomised_only' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION rampart.modifier_out(int4) RETURNS cstring
    AS 'MODULE_PATHNAME', 'rampart_modifier_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION rampart.analyze_column(internal) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_typanalyze' LANGUAGE C STABLE STRICT;
CREATE FUNCTION rampart.operator_class_options(internal) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_opclass_options' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION rampart.sort_support(internal) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_sort_support' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- Private to this script. `others` are types that assign to the plain type, `beside` those that compare
-- with it by an operator of their own, which would otherwise tie with ours.
CREATE TABLE rampart.kind_definition (
    kind          text,
    plain         regtype,
    category      "char",
    deterministic bool,
    others        regtype[],
    beside        regtype[]
);
INSERT INTO rampart.kind_definition VALUES
    ('text',        'text',        'S', true,  '{varchar,bpchar}',                  '{name}'),
    ('bytea',       'bytea',       'U', true,  '{}',                                '{}'),
    ('jsonb',       'jsonb',       'U', false, '{json}',                            '{}'),
    ('numeric',     'numeric',     'N', false, '{int2,int4,int8,float4,float8}',    '{}'),
    ('int8',        'int8',        'N', true,  '{int2,int4,numeric,float4,float8}', '{int2,int4}'),
    ('date',        'date',        'D', true,  '{timestamp,timestamptz}',           '{}'),
    ('timestamptz', 'timestamptz', 'D', true,  '{timestamp,date}',                  '{timestamp,date}'),
    ('uuid',        'uuid',        'U', true,  '{}',                                '{}'),
    ('bool',        'bool',        'B', false, '{}',                                '{}');

-- Type, input and output, casts.
DO $$
DECLARE
    definition rampart.kind_definition;
    type text;
    other regtype;
BEGIN
    FOR definition IN SELECT * FROM rampart.kind_definition LOOP
        type := 'enc_' || definition.kind;
        EXECUTE format('CREATE TYPE pg_catalog.%I', type);
        EXECUTE format($sql$
            CREATE FUNCTION rampart.%1$s_in(cstring, oid, int4) RETURNS %1$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.%1$s_out(%1$s) RETURNS cstring
                AS 'MODULE_PATHNAME', 'rampart_%2$s_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.%1$s_recv(internal, oid, int4) RETURNS %1$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.%1$s_send(%1$s) RETURNS bytea
                AS 'MODULE_PATHNAME', 'rampart_%2$s_send' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE TYPE pg_catalog.%1$s (
                INPUT = rampart.%1$s_in, OUTPUT = rampart.%1$s_out,
                RECEIVE = rampart.%1$s_recv, SEND = rampart.%1$s_send,
                TYPMOD_IN = rampart.%3$s, TYPMOD_OUT = rampart.modifier_out,
                ANALYZE = rampart.analyze_column,
                INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external,
                CATEGORY = %4$L, COLLATABLE = %5$s);
            COMMENT ON TYPE pg_catalog.%1$s IS %6$L;

            CREATE FUNCTION rampart.to_plain(%1$s) RETURNS %7$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_to_plain'
                LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
            -- The same, volatile: the planner evaluates such result columns after a sort and not before, so that
            -- what is sorted, and may go to a temporary file, is ciphertext.
            CREATE FUNCTION rampart.reveal(%1$s) RETURNS %7$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_to_plain'
                LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 10;
            CREATE FUNCTION rampart.to_%1$s(%7$s, int4, bool) RETURNS %1$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_from_plain'
                LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 10;
            CREATE FUNCTION rampart.coerce(%1$s, int4, bool) RETURNS %1$s
                AS 'MODULE_PATHNAME', 'rampart_coerce' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 10;
            CREATE CAST (%1$s AS %7$s) WITH FUNCTION rampart.to_plain(%1$s) AS IMPLICIT;
            CREATE CAST (%7$s AS %1$s) WITH FUNCTION rampart.to_%1$s(%7$s, int4, bool) AS ASSIGNMENT;
            CREATE CAST (%1$s AS %1$s) WITH FUNCTION rampart.coerce(%1$s, int4, bool) AS IMPLICIT;

            CREATE FUNCTION rampart.veil(%1$s) RETURNS %1$s
                AS 'MODULE_PATHNAME', 'rampart_veil' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.ciphertext(%1$s) RETURNS bytea
                AS 'MODULE_PATHNAME', 'rampart_ciphertext' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.try_decrypt(%1$s) RETURNS %7$s
                AS 'MODULE_PATHNAME', 'rampart_%2$s_try_plain'
                LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
            CREATE FUNCTION rampart.problem(%1$s) RETURNS text
                AS 'MODULE_PATHNAME', 'rampart_problem' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
            COMMENT ON FUNCTION rampart.problem(%1$s) IS
                'NULL if the value would decrypt, else what is wrong with it. Shows no plaintext, needs no right.';
            COMMENT ON FUNCTION rampart.ciphertext(%1$s) IS
                'The ciphertext of a column''s value, as bytea. Needs no right.';
            COMMENT ON FUNCTION rampart.try_decrypt(%1$s) IS
                'The value, or NULL if it does not decrypt. Right: decrypt.';
            $sql$,
            type, definition.kind,
            CASE WHEN definition.deterministic THEN 'modifier_in' ELSE 'modifier_in_randomised_only' END,
            definition.category, (definition.kind = 'text')::text,
            definition.kind || ', encrypted with the keys of a scope: ' || type || '(scope' ||
                CASE WHEN definition.deterministic THEN ' [, random | deterministic])' ELSE ')' END,
            definition.plain);
        FOREACH other IN ARRAY definition.others LOOP
            EXECUTE format($sql$
                CREATE FUNCTION rampart.to_%1$s(%2$s, int4, bool) RETURNS %1$s
                    LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
                    RETURN rampart.to_%1$s($1::%3$s, $2, $3);
                CREATE CAST (%2$s AS %1$s) WITH FUNCTION rampart.to_%1$s(%2$s, int4, bool) AS ASSIGNMENT;
                $sql$, type, other, definition.plain);
        END LOOP;
    END LOOP;
END
$$;

-- Casts to whatever the plain type casts to, through the plain type. Without them PostgreSQL would find no
-- cast (it does not chain them), or convert by output and input, which feeds armour to the target type
-- where the right to decrypt is missing. An implicit one becomes one by assignment: two ways to a common
-- type would make operators ambiguous. Bodies call to_plain instead of casting: pg_upgrade makes functions
-- before casts.
DO $$
DECLARE
    conversion record;
BEGIN
    FOR conversion IN
        SELECT 'enc_' || d.kind AS source, d.plain, n.typname, min(t.context) AS context
        FROM rampart.kind_definition d
        JOIN LATERAL (
            SELECT casttarget::regtype AS target, CASE castcontext WHEN 'e' THEN 'e' ELSE 'a' END AS context
            FROM pg_cast
            WHERE castsource = d.plain AND casttarget <> d.plain AND oid < 16384
              AND casttarget::regtype::text NOT LIKE 'reg%' AND casttarget <> 'json'::regtype
            UNION ALL
            SELECT unnest('{text,varchar,bpchar,name}'::regtype[]), 'a'
            UNION ALL
            SELECT unnest('{bool,bytea,int2,int4,int8,numeric,float4,float8,date,time,timestamp,timestamptz,
                            interval,uuid,jsonb,inet,cidr,xml,tsvector}'::regtype[]), 'e'
            WHERE d.kind = 'text'
        ) t ON t.target <> d.plain
        JOIN pg_type n ON n.oid = t.target
        GROUP BY d.kind, d.plain, n.typname
    LOOP
        EXECUTE format($sql$
            -- By its catalog name: SQL's char and bit mean one character and one bit.
            CREATE FUNCTION rampart.%2$I(%1$s) RETURNS pg_catalog.%4$I
                LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.to_plain($1)::pg_catalog.%4$I;
            CREATE CAST (%1$s AS pg_catalog.%4$I) WITH FUNCTION rampart.%2$I(%1$s) %5$s;
            $sql$, conversion.source, 'as_' || conversion.typname, conversion.plain, conversion.typname,
            CASE conversion.context WHEN 'a' THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;
    -- to_json, jsonb_agg and the like ask for a cast to json to know what a foreign type is in JSON.
    FOR conversion IN SELECT 'enc_' || kind AS source, plain FROM rampart.kind_definition WHERE kind <> 'text' LOOP
        EXECUTE format($sql$
            CREATE FUNCTION rampart.as_json(%1$s) RETURNS json
                LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN to_json(rampart.to_plain($1));
            CREATE CAST (%1$s AS json) WITH FUNCTION rampart.as_json(%1$s);
            $sql$, conversion.source, conversion.plain);
    END LOOP;
END
$$;

-- Operator classes. Their ordering is that of keyed hashes and means nothing; its operators are private
-- (#<#). The planner hook replaces them by the plain type's where a user asks for an order.
DO $$
DECLARE
    definition rampart.kind_definition;
    operator record;
BEGIN
    FOR definition IN SELECT * FROM rampart.kind_definition LOOP
        EXECUTE format($sql$
            CREATE FUNCTION rampart.equal(enc_%1$s, enc_%1$s) RETURNS bool
                AS 'MODULE_PATHNAME', 'rampart_eq' LANGUAGE C STABLE STRICT PARALLEL SAFE LEAKPROOF;
            CREATE FUNCTION rampart.not_equal(enc_%1$s, enc_%1$s) RETURNS bool
                AS 'MODULE_PATHNAME', 'rampart_ne' LANGUAGE C STABLE STRICT PARALLEL SAFE LEAKPROOF;
            CREATE FUNCTION rampart.sort_compare(enc_%1$s, enc_%1$s) RETURNS int4
                AS 'MODULE_PATHNAME', 'rampart_sort_cmp' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.hash(enc_%1$s) RETURNS int4
                AS 'MODULE_PATHNAME', 'rampart_hash' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.hash_extended(enc_%1$s, int8) RETURNS int8
                AS 'MODULE_PATHNAME', 'rampart_hash_extended' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE OPERATOR %2$s.%3$s (
                LEFTARG = enc_%1$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.equal,
                COMMUTATOR = OPERATOR(%2$s.%3$s), NEGATOR = OPERATOR(%2$s.%4$s),
                RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
            CREATE OPERATOR %2$s.%4$s (
                LEFTARG = enc_%1$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.not_equal,
                COMMUTATOR = OPERATOR(%2$s.%4$s), NEGATOR = OPERATOR(%2$s.%3$s),
                RESTRICT = neqsel, JOIN = neqjoinsel);
            $sql$,
            definition.kind,
            CASE WHEN definition.deterministic THEN 'pg_catalog' ELSE 'rampart' END,
            CASE WHEN definition.deterministic THEN '=' ELSE '#=#' END,
            CASE WHEN definition.deterministic THEN '<>' ELSE '#<>#' END);
        FOR operator IN
            SELECT * FROM (VALUES ('#<#', 'lt', '#>#', '#>=#', 'scalarlt'), ('#<=#', 'le', '#>=#', '#>#', 'scalarle'),
                                  ('#>#', 'gt', '#<#', '#<=#', 'scalargt'), ('#>=#', 'ge', '#<=#', '#<#', 'scalarge'))
                AS t (name, function, commutator, negator, selectivity)
        LOOP
            EXECUTE format($sql$
                CREATE FUNCTION rampart.sort_%2$s(enc_%1$s, enc_%1$s) RETURNS bool
                    AS 'MODULE_PATHNAME', 'rampart_sort_%2$s' LANGUAGE C STABLE STRICT PARALLEL SAFE;
                CREATE OPERATOR rampart.%3$s (
                    LEFTARG = enc_%1$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.sort_%2$s,
                    COMMUTATOR = OPERATOR(rampart.%4$s), NEGATOR = OPERATOR(rampart.%5$s),
                    RESTRICT = %6$ssel, JOIN = %6$sjoinsel);
                $sql$, definition.kind, operator.function, operator.name, operator.commutator,
                operator.negator, operator.selectivity);
        END LOOP;
        EXECUTE format($sql$
            CREATE OPERATOR CLASS rampart.enc_%1$s_btree_ops DEFAULT FOR TYPE enc_%1$s USING btree AS
                OPERATOR 1 rampart.#<#, OPERATOR 2 rampart.#<=#, OPERATOR 3 %2$s.%3$s,
                OPERATOR 4 rampart.#>=#, OPERATOR 5 rampart.#>#,
                FUNCTION 1 rampart.sort_compare(enc_%1$s, enc_%1$s),
                FUNCTION 2 (enc_%1$s, enc_%1$s) rampart.sort_support(internal),
                FUNCTION 5 (enc_%1$s, enc_%1$s) rampart.operator_class_options(internal);
            CREATE OPERATOR CLASS rampart.enc_%1$s_hash_ops DEFAULT FOR TYPE enc_%1$s USING hash AS
                OPERATOR 1 %2$s.%3$s,
                FUNCTION 1 rampart.hash(enc_%1$s),
                FUNCTION 2 rampart.hash_extended(enc_%1$s, int8);
            $sql$,
            definition.kind,
            CASE WHEN definition.deterministic THEN 'pg_catalog' ELSE 'rampart' END,
            CASE WHEN definition.deterministic THEN '=' ELSE '#=#' END);
    END LOOP;
END
$$;

-- Public operators of the kinds that can be deterministic: equality, also with the plain type, and
-- order, by decrypting. The others compare by their implicit cast to the plain type.
DO $$
DECLARE
    definition rampart.kind_definition;
    operator record;
    other regtype;
BEGIN
    FOR definition IN SELECT * FROM rampart.kind_definition WHERE deterministic LOOP
        EXECUTE format($sql$
            CREATE FUNCTION rampart.comparand(enc_%1$s, int4) RETURNS enc_%1$s
                AS 'MODULE_PATHNAME', 'rampart_comparand' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            CREATE FUNCTION rampart.comparand(%2$s, int4) RETURNS enc_%1$s
                AS 'MODULE_PATHNAME', 'rampart_%1$s_comparand' LANGUAGE C STABLE STRICT PARALLEL SAFE;
            -- Equality that is never hashed or merged, for two sides whose scopes only values tell: two
            -- scopes meet in an error then, and not in hash buckets of their own.
            CREATE OPERATOR rampart.#==# (
                LEFTARG = enc_%1$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.equal,
                COMMUTATOR = OPERATOR(rampart.#==#), RESTRICT = eqsel, JOIN = eqjoinsel);
            $sql$, definition.kind, definition.plain);
        FOR operator IN
            SELECT * FROM (VALUES ('=', 'equal', 'eq', '<>', 'eq'), ('<>', 'not_equal', 'ne', '=', 'neq'))
                AS t (name, function, symbol, negator, selectivity)
        LOOP
            EXECUTE format($sql$
                CREATE FUNCTION rampart.%3$s(enc_%1$s, %2$s) RETURNS bool
                    AS 'MODULE_PATHNAME', 'rampart_%4$s_%1$s' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5;
                CREATE FUNCTION rampart.%3$s(%2$s, enc_%1$s) RETURNS bool
                    AS 'MODULE_PATHNAME', 'rampart_%1$s_%4$s' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5;
                $sql$, definition.kind, definition.plain, operator.function, operator.symbol);
            FOREACH other IN ARRAY definition.beside LOOP
                EXECUTE format($sql$
                    CREATE FUNCTION rampart.%3$s(enc_%1$s, %4$s) RETURNS bool
                        LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.%3$s($1, $2::%2$s);
                    CREATE FUNCTION rampart.%3$s(%4$s, enc_%1$s) RETURNS bool
                        LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.%3$s($1::%2$s, $2);
                    $sql$, definition.kind, definition.plain, operator.function, other);
            END LOOP;
            FOREACH other IN ARRAY definition.plain || definition.beside LOOP
                EXECUTE format($sql$
                    CREATE OPERATOR pg_catalog.%2$s (
                        LEFTARG = enc_%1$s, RIGHTARG = %3$s, FUNCTION = rampart.%4$s,
                        COMMUTATOR = OPERATOR(pg_catalog.%2$s), NEGATOR = OPERATOR(pg_catalog.%5$s),
                        RESTRICT = %6$ssel, JOIN = %6$sjoinsel);
                    CREATE OPERATOR pg_catalog.%2$s (
                        LEFTARG = %3$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.%4$s,
                        COMMUTATOR = OPERATOR(pg_catalog.%2$s), NEGATOR = OPERATOR(pg_catalog.%5$s),
                        RESTRICT = %6$ssel, JOIN = %6$sjoinsel);
                    $sql$, definition.kind, operator.name, other, operator.function, operator.negator,
                    operator.selectivity);
            END LOOP;
        END LOOP;
        EXECUTE format($sql$
            CREATE FUNCTION rampart.plain_compare(enc_%1$s, enc_%1$s) RETURNS int4
                AS 'MODULE_PATHNAME', 'rampart_plain_compare' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20;
            $sql$, definition.kind);
        FOR operator IN
            SELECT * FROM (VALUES ('<', 'less', 'lt', '>', '>=', 'scalarlt'), ('<=', 'less_equal', 'le', '>=', '>', 'scalarle'),
                                  ('>', 'greater', 'gt', '<', '<=', 'scalargt'), ('>=', 'greater_equal', 'ge', '<=', '<', 'scalarge'))
                AS t (name, function, symbol, commutator, negator, selectivity)
        LOOP
            EXECUTE format($sql$
                CREATE FUNCTION rampart.%2$s(enc_%1$s, enc_%1$s) RETURNS bool
                    AS 'MODULE_PATHNAME', 'rampart_%3$s' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20;
                CREATE OPERATOR pg_catalog.%4$s (
                    LEFTARG = enc_%1$s, RIGHTARG = enc_%1$s, FUNCTION = rampart.%2$s,
                    COMMUTATOR = OPERATOR(pg_catalog.%5$s), NEGATOR = OPERATOR(pg_catalog.%6$s),
                    RESTRICT = %7$ssel, JOIN = %7$sjoinsel);
                $sql$, definition.kind, operator.function, operator.symbol, operator.name,
                operator.commutator, operator.negator, operator.selectivity);
        END LOOP;
        -- A family without an operator class: no index and no ORDER BY finds it. Row comparisons look up
        -- here what their operators mean: (born, id) < ('1960-01-01', 100).
        EXECUTE format($sql$
            CREATE OPERATOR FAMILY rampart.enc_%1$s_plain_ops USING btree;
            ALTER OPERATOR FAMILY rampart.enc_%1$s_plain_ops USING btree ADD
                OPERATOR 1 pg_catalog.< (enc_%1$s, enc_%1$s), OPERATOR 2 pg_catalog.<= (enc_%1$s, enc_%1$s),
                OPERATOR 4 pg_catalog.>= (enc_%1$s, enc_%1$s), OPERATOR 5 pg_catalog.> (enc_%1$s, enc_%1$s),
                FUNCTION 1 (enc_%1$s, enc_%1$s) rampart.plain_compare(enc_%1$s, enc_%1$s);
            $sql$, definition.kind);
        FOREACH other IN ARRAY definition.plain || definition.beside LOOP
            EXECUTE format($sql$
                ALTER OPERATOR FAMILY rampart.enc_%1$s_plain_ops USING btree ADD
                    OPERATOR 3 pg_catalog.= (enc_%1$s, %2$s), OPERATOR 3 pg_catalog.= (%2$s, enc_%1$s);
                $sql$, definition.kind, other);
        END LOOP;
    END LOOP;
END
$$;

-- `dob - '2000-01-01'` would otherwise read the literal as an interval.
CREATE FUNCTION rampart.difference(enc_date, enc_date) RETURNS int4
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.to_plain($1) - rampart.to_plain($2);
CREATE OPERATOR pg_catalog.- (LEFTARG = enc_date, RIGHTARG = enc_date, FUNCTION = rampart.difference);

-- `notes || '{"b": 1}'` as a text.
CREATE FUNCTION rampart.concatenation(enc_jsonb, enc_jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.to_plain($1) || rampart.to_plain($2);
CREATE OPERATOR pg_catalog.|| (LEFTARG = enc_jsonb, RIGHTARG = enc_jsonb, FUNCTION = rampart.concatenation);
CREATE FUNCTION rampart.concatenation(enc_bytea, enc_bytea) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN rampart.to_plain($1) || rampart.to_plain($2);
CREATE OPERATOR pg_catalog.|| (LEFTARG = enc_bytea, RIGHTARG = enc_bytea, FUNCTION = rampart.concatenation);

DROP TABLE rampart.kind_definition;
