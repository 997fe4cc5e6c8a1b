-- name: known_keys
-- Every write key that works now; a replaced one a little longer.
SELECT hash, id, kind, origins, rate_limit FROM ingest_writekey WHERE archived_at IS NULL
UNION ALL
SELECT old_hash, id, kind, origins, rate_limit FROM ingest_writekey
WHERE archived_at IS NULL AND old_hash IS NOT NULL AND old_until > now()

-- name: count_refused
-- Calls over a key's limit, as a web process counted them since its last look.
UPDATE ingest_writekey k SET refused = k.refused + t.calls, refused_at = now()
FROM unnest(%(ids)s::int[], %(calls)s::bigint[]) AS t(id, calls)
WHERE k.id = t.id
