-- What the stories share. Runs first; every other story stands alone after it.
CREATE EXTENSION rampart;

-- The plan of a query with its ciphertexts hidden: they depend on random keys.
CREATE FUNCTION plan(query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        RETURN NEXT regexp_replace(line, 'rmp1:[\w-]+', 'rmp1:...', 'g');
    END LOOP;
END
$$;

-- What a reader is shown, in short: armour is random too.
CREATE FUNCTION seen(shown text) RETURNS text
LANGUAGE sql AS $$ SELECT regexp_replace(shown, 'rmp1:[\w-]+', 'rmp1:...', 'g') $$;
