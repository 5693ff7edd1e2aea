-- Encryption by function, for bytea columns and places that the user manages.

CREATE FUNCTION rampart.encrypt(scope text, value text, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_encrypt_text' LANGUAGE C VOLATILE PARALLEL SAFE COST 10;
CREATE FUNCTION rampart.encrypt(scope text, value bytea, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_encrypt_bytea' LANGUAGE C VOLATILE PARALLEL SAFE COST 10;
CREATE FUNCTION rampart.encrypt(scope text, value jsonb, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_encrypt_jsonb' LANGUAGE C VOLATILE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.encrypt(text, text, text) IS
'Encrypts a text. aad: associated data that decrypt must be given as well, for instance the row''s key, so that a ciphertext moved elsewhere does not decrypt. Right: encrypt. Errors: RMK01, RMK05, RMK07, RMK10, 42501.';
COMMENT ON FUNCTION rampart.encrypt(text, bytea, text) IS 'Encrypts bytes; see encrypt(text, text, text).';
COMMENT ON FUNCTION rampart.encrypt(text, jsonb, text) IS 'Encrypts a jsonb value; see encrypt(text, text, text).';

CREATE FUNCTION rampart.encrypt_deterministic(scope text, value text, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_encrypt_deterministic_text' LANGUAGE C VOLATILE PARALLEL SAFE COST 10;
CREATE FUNCTION rampart.encrypt_deterministic(scope text, value bytea, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_encrypt_deterministic_bytea' LANGUAGE C VOLATILE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.encrypt_deterministic(text, text, text) IS
'Encrypts so that equal values under one key version and aad give equal ciphertexts. Shows equality to whoever sees the ciphertexts. Right: encrypt. Errors: as encrypt, and RMT06.';
COMMENT ON FUNCTION rampart.encrypt_deterministic(text, bytea, text) IS
'Encrypts bytes deterministically; see encrypt_deterministic(text, text, text).';

CREATE FUNCTION rampart.decrypt(ciphertext bytea, aad text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_decrypt_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
CREATE FUNCTION rampart.decrypt_bytea(ciphertext bytea, aad text DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_decrypt_bytea' LANGUAGE C STABLE PARALLEL SAFE COST 10;
CREATE FUNCTION rampart.decrypt_jsonb(ciphertext bytea, aad text DEFAULT NULL) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_decrypt_jsonb' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.decrypt(bytea, text) IS
'Decrypts a text. Right: decrypt. Errors: RMC01 (malformed), RMC02 (altered, or another aad), RMC03 (not a text), RMK02 to RMK06, 42501.';
COMMENT ON FUNCTION rampart.decrypt_bytea(bytea, text) IS 'Decrypts bytes; see decrypt.';
COMMENT ON FUNCTION rampart.decrypt_jsonb(bytea, text) IS 'Decrypts a jsonb value; see decrypt.';

CREATE FUNCTION rampart.try_decrypt(ciphertext bytea, aad text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_try_decrypt' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.try_decrypt(bytea, text) IS
'As decrypt, but NULL for what cannot be decrypted. Also for encrypted columns, of every type. Errors: 42501.';

CREATE FUNCTION rampart.blind_index(scope text, value text, context text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_blind_index' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION rampart.blind_index(text, text, text) IS
'A keyed 32-byte token of a value, for an index of the user''s own (of lower(email), of the last four digits). The context, for instance ''users.email'', separates uses. Does not change with key rotation. Right: encrypt or decrypt.';

CREATE FUNCTION rampart.inspect(ciphertext bytea, OUT scope text, OUT key_id text, OUT version int4,
                                OUT mode text, OUT kind text, OUT length int4)
    AS 'MODULE_PATHNAME', 'rampart_inspect' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.inspect(bytea) IS
'What a ciphertext says about itself; the length is the plaintext''s, in bytes. For a column: rampart.inspect(rampart.ciphertext(col)). Needs no right. Errors: RMC01.';

CREATE FUNCTION rampart.armour(ciphertext bytea) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_armour' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION rampart.dearmour(armour text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_dearmour' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.armour(bytea) IS 'The text form of a ciphertext: rmp1: and base64url. Errors: RMC01.';
COMMENT ON FUNCTION rampart.dearmour(text) IS 'The ciphertext of a text form. Verifies nothing. Errors: RMC01.';

CREATE FUNCTION rampart.problem(ciphertext bytea) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_problem' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.problem(bytea) IS
'NULL if a ciphertext without aad would decrypt, else what is wrong with it. Shows no plaintext, needs no right.';

CREATE FUNCTION rampart.verify_column(relation regclass, column_name name)
RETURNS TABLE (row_id tid, problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT ctid, problem FROM (SELECT ctid, rampart.problem(%I) AS problem FROM %s) v
         WHERE problem IS NOT NULL', column_name, relation);
END
$$;
COMMENT ON FUNCTION rampart.verify_column(regclass, name) IS
'Lists the rows of an encrypted column whose values do not decrypt. Reads the whole table. Needs SELECT on it.';

-- Masks, for views over decrypted values.
CREATE FUNCTION rampart.mask(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN regexp_replace(value, '[^[:space:][:punct:]]', '*', 'g');
COMMENT ON FUNCTION rampart.mask(text) IS 'Every character but spaces and punctuation as an asterisk.';

CREATE FUNCTION rampart.mask_last(value text, shown int4 DEFAULT 4) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN length(value) <= 2 * greatest(shown, 0) THEN rampart.mask(value)
                ELSE rampart.mask(left(value, -greatest(shown, 0))) || right(value, greatest(shown, 0)) END;
COMMENT ON FUNCTION rampart.mask_last(text, int4) IS
'Shows the last characters only (4), and none of a value at most twice as long: ***-**-1120.';

CREATE FUNCTION rampart.mask_email(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN value ~ '^.+@.+$' THEN left(value, 1) || '***@' || regexp_replace(value, '^.*@', '')
                ELSE rampart.mask(value) END;
COMMENT ON FUNCTION rampart.mask_email(text) IS 'First letter and domain: a***@example.com.';
