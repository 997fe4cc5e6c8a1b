-- name: waiting
-- What each lane has before it: how much (counted up to 100,001) and since when the first of it waits.
WITH place AS (SELECT name, tx::text::xid8 AS tx, event_id FROM events_readercursor)
SELECT 'intake', count(*), min(received_at) FROM (SELECT received_at FROM ingest_intakerequest LIMIT 100001) AS waiting
UNION ALL
SELECT 'digest', count(*), min(at) FROM (
    SELECT at FROM edge_hit WHERE NOT digested AND at < now() - interval '10 seconds' LIMIT 100001
) AS waiting
UNION ALL
SELECT 'shops', count(*), min(received_at) FROM (
    SELECT received_at FROM commerce_shopmessage WHERE state = 'waiting' LIMIT 100001
) AS waiting
UNION ALL
SELECT lane.name, coalesce(waiting.n, 0), waiting.since FROM unnest(ARRAY['membership', 'standing']) AS lane (name)
LEFT JOIN place USING (name)
LEFT JOIN LATERAL (
    SELECT count(*) AS n, min(received_at) AS since FROM (
        SELECT received_at FROM events_event e
        WHERE e.tx >= place.tx AND (e.tx, e.id) > (place.tx, place.event_id) AND e.contact_id IS NOT NULL LIMIT 100001
    ) AS rows
) AS waiting ON place.name IS NOT NULL
UNION ALL
SELECT 'outbox', count(*), min(wake_at) FROM (
    SELECT wake_at FROM delivery_message WHERE wake_at <= now() LIMIT 100001
) AS waiting
UNION ALL
SELECT 'jobs', count(*), min(created_at) FROM jobs_job WHERE state = 'queued'
UNION ALL
SELECT 'imports', count(*), min(coalesce(advanced_at, started_at)) FROM jobs_job
WHERE state = 'running' AND kind LIKE 'import%%'
UNION ALL
SELECT 'sources', count(*), min(next_run_at) FROM ingest_source
WHERE state = 'active' AND archived_at IS NULL AND next_run_at <= now()
UNION ALL
SELECT 'failing', count(*), min(coalesce(late_since, last_success_at)) FROM ingest_source
WHERE state = 'active' AND archived_at IS NULL AND (failures > 0 OR late_since IS NOT NULL)
UNION ALL
SELECT 'seal', count(*), min(at) FROM (SELECT at FROM audit_auditentry WHERE seq IS NULL LIMIT 100001) AS waiting
