-- name: after_cursor
-- As the reader of everybody's facts (events.sql), and whether a fact was tied to a person after it had been read.
SELECT tx::text::bigint AS tx, tied, id, name, occurred_at, received_at, source, properties
FROM events_event
WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint)
  AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id
LIMIT %(limit)s

-- name: names
INSERT INTO events_eventname AS n (name, total, first_seen_at, last_seen_at)
SELECT * FROM unnest(%(names)s::text[], %(counts)s::bigint[], %(first)s::timestamptz[], %(last)s::timestamptz[])
ON CONFLICT (name) DO UPDATE SET
    total = n.total + excluded.total,
    first_seen_at = least(n.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(n.last_seen_at, excluded.last_seen_at)
RETURNING id, name

-- name: volumes
INSERT INTO events_eventvolume AS v (event_id, day, count)
SELECT * FROM unnest(%(ids)s::bigint[], %(days)s::date[], %(counts)s::bigint[])
ON CONFLICT (event_id, day) DO UPDATE SET count = v.count + excluded.count

-- name: properties
-- New keys only while the name has room for them; counts of types are added up.
WITH incoming AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(keys)s::text[], %(types)s::jsonb[], %(at)s::timestamptz[])
        AS t(event_id, key, types, at)
), room AS (
    SELECT event_id, count(*) AS there FROM events_eventproperty
    WHERE event_id IN (SELECT event_id FROM incoming) GROUP BY event_id
)
INSERT INTO events_eventproperty AS p (event_id, key, types, last_seen_at)
SELECT i.event_id, i.key, i.types, i.at FROM incoming i LEFT JOIN room r USING (event_id)
WHERE coalesce(r.there, 0) < %(cap)s
   OR EXISTS (SELECT 1 FROM events_eventproperty e WHERE e.event_id = i.event_id AND e.key = i.key)
ON CONFLICT (event_id, key) DO UPDATE SET
    last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),
    types = (
        SELECT jsonb_object_agg(type, number) FROM (
            SELECT type, sum(number::bigint) AS number
            FROM (SELECT * FROM jsonb_each_text(p.types) UNION ALL SELECT * FROM jsonb_each_text(excluded.types))
                AS both_sides(type, number)
            GROUP BY type
        ) summed
    )

-- name: violations
INSERT INTO events_eventviolation AS v (event_id, key, code, count, sample, source, event_id_seen, last_at)
SELECT * FROM unnest(
    %(ids)s::bigint[], %(keys)s::text[], %(codes)s::text[], %(counts)s::bigint[], %(samples)s::text[],
    %(sources)s::text[], %(events)s::bigint[], %(at)s::timestamptz[]
)
ON CONFLICT (event_id, key, code) DO UPDATE SET
    count = v.count + excluded.count, sample = excluded.sample, source = excluded.source,
    event_id_seen = excluded.event_id_seen, last_at = excluded.last_at

-- name: newest
-- The live tail: by number, newest first, over the months in use.
SELECT id, contact_id, name, occurred_at, received_at, source, properties
FROM events_event
WHERE (%(source)s::text = '' OR source = %(source)s::text) AND (%(name)s::text = '' OR name = %(name)s::text)
  AND received_at >= %(since)s::timestamptz
ORDER BY id DESC
LIMIT %(limit)s

-- name: expired
-- A bounded bite, so that no transaction is long; again until nothing is left.
DELETE FROM events_event e USING (
    SELECT id, occurred_at FROM events_event
    WHERE name = %(name)s AND occurred_at < %(before)s ORDER BY occurred_at LIMIT %(limit)s
) old
WHERE e.id = old.id AND e.occurred_at = old.occurred_at

-- name: expired_others
DELETE FROM events_event e USING (
    SELECT id, occurred_at FROM events_event
    WHERE occurred_at < %(before)s AND NOT (name = ANY(%(except)s::text[])) ORDER BY occurred_at LIMIT %(limit)s
) old
WHERE e.id = old.id AND e.occurred_at = old.occurred_at
