\echo Use "CREATE EXTENSION rampart" to load this file. \quit

-- Everything below is qualified; the path is locked so that nothing planted elsewhere can be meant.
SET LOCAL search_path TO pg_catalog, pg_temp;

COMMENT ON SCHEMA rampart IS 'Rampart: field encryption, audit and policy inside PostgreSQL';
