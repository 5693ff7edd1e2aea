-- A library that is loaded by the first function called has not seen that statement being planned, and may
-- have to refuse it (RMT07). Where nobody has preloaded it, sessions of this database do so from now on.
DO $$
DECLARE
    session_libraries text := current_setting('session_preload_libraries');
BEGIN
    IF current_setting('shared_preload_libraries') !~ '\mrampart\M' AND session_libraries !~ '\mrampart\M' THEN
        EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = %s', current_database(),
                       (SELECT string_agg(quote_literal(btrim(library)), ', ')
                        FROM unnest(string_to_array(session_libraries, ',') || '{rampart}'::text[]) library
                        WHERE btrim(library) <> ''));
        RAISE NOTICE 'new sessions of database "%" will preload the library rampart', current_database()
            USING HINT = 'Better: shared_preload_libraries = ''rampart'', which reads the root key once.';
    END IF;
END
$$;
