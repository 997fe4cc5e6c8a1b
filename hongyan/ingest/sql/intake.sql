-- name: claim
-- The oldest requests, as many as hold about this many calls (at least one), taken out. One lane works at a time (it
-- holds an advisory lock), so that what a person did stays in order.
WITH oldest AS (
    SELECT id, sum(calls) OVER (ORDER BY id) - calls AS before
    FROM (SELECT id, calls FROM ingest_intakerequest ORDER BY id LIMIT %(requests)s) q
)
DELETE FROM ingest_intakerequest r USING oldest o
WHERE r.id = o.id AND o.before < %(calls)s
RETURNING r.id, r.write_key_id, r.received_at, r.kind, r.calls, r.packed, r.checked, r.body

-- name: owners
SELECT i.kind, i.blind, i.contact_id
FROM unnest(%(kinds)s::text[], %(blinds)s::bytea[]) AS k(kind, blind)
JOIN contacts_identifier i ON i.kind = k.kind AND i.blind = k.blind

-- name: remember_visitors
INSERT INTO contacts_identifier (contact_id, kind, blind)
SELECT contact_id, 'anonymous_id', visitor
FROM unnest(%(visitors)s::bytea[], %(contacts)s::bigint[]) AS t(visitor, contact_id)
ON CONFLICT (kind, blind) DO NOTHING

-- name: count_calls
UPDATE ingest_writekey k SET
    first_seen_at = coalesce(k.first_seen_at, t.at), last_seen_at = t.at,
    calls = k.calls + t.calls, repeats = k.repeats + t.repeats, quarantined = k.quarantined + t.quarantined
FROM unnest(%(ids)s::int[], %(at)s::timestamptz[], %(calls)s::bigint[], %(repeats)s::bigint[], %(quarantined)s::bigint[])
    AS t(id, at, calls, repeats, quarantined)
WHERE k.id = t.id
