-- name: known_keys
-- Every write key that works now; a replaced one a little longer.
SELECT hash, id, kind, origins FROM ingest_writekey WHERE archived_at IS NULL
UNION ALL
SELECT old_hash, id, kind, origins FROM ingest_writekey
WHERE archived_at IS NULL AND old_hash IS NOT NULL AND old_until > now()
