-- name: append
-- One statement for a batch, ids in the order given: repeats of a dedupe key (within the batch or before) are dropped.
WITH incoming AS (
    SELECT * FROM unnest(
        %(contact_ids)s::bigint[], %(names)s::text[], %(occurred)s::timestamptz[], %(received)s::timestamptz[],
        %(sources)s::text[], %(properties)s::jsonb[], %(keys)s::bytea[]
    ) WITH ORDINALITY AS t(contact_id, name, occurred_at, received_at, source, properties, key, place)
), claimed AS (
    INSERT INTO events_dedupe (key)
    SELECT DISTINCT key FROM incoming WHERE key IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING key
), fresh AS (
    SELECT * FROM incoming WHERE key IS NULL
    UNION ALL
    (SELECT DISTINCT ON (i.key) i.* FROM incoming i JOIN claimed c ON c.key = i.key ORDER BY i.key, i.place)
)
INSERT INTO events_event (contact_id, name, occurred_at, received_at, source, properties)
SELECT contact_id, name, occurred_at, received_at, source, properties FROM fresh ORDER BY place

-- name: after_cursor
-- Only transactions older than every running one: a reader can never overtake a slow writer and miss its events.
SELECT tx::text::bigint AS tx, id, contact_id, name, occurred_at, received_at, source, properties
FROM events_event
WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint)
  AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id
LIMIT %(limit)s

-- name: of_contact
SELECT id, contact_id, name, occurred_at, received_at, source, properties
FROM events_event
WHERE contact_id = %(contact_id)s
  AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s::text[]))
  AND (%(before_at)s::timestamptz IS NULL OR (occurred_at, id) < (%(before_at)s, %(before_id)s))
ORDER BY occurred_at DESC, id DESC
LIMIT %(limit)s

-- name: forget_contact
-- Erasure: the fact stays counted, the person goes; free properties may hold anything and go with them.
UPDATE events_event
SET contact_id = NULL, properties = jsonb_strip_nulls(jsonb_build_object(
    'origin_kind', properties -> 'origin_kind', 'origin_id', properties -> 'origin_id',
    'link', properties -> 'link', 'machine', properties -> 'machine'))
WHERE contact_id = %(contact_id)s

-- name: hand_over
UPDATE events_event e SET contact_id = given."to"
FROM unnest(%(from)s::bigint[], %(to)s::bigint[]) AS given ("from", "to")
WHERE e.contact_id = given."from"
RETURNING given."from", e.id

-- name: hand_back
-- By way of the contact, whose events are indexed in every month; ids alone would look into all partitions for each.
UPDATE events_event e SET contact_id = %(to)s
FROM unnest(%(ids)s::bigint[]) AS given (id)
WHERE e.contact_id = %(contact_id)s AND e.id = given.id

-- name: unseen
-- Message ids that neither this period nor the one before has; they are written down.
INSERT INTO events_message (key, period)
SELECT k.key, %(now)s FROM unnest(%(keys)s::bytea[]) AS k(key)
WHERE NOT EXISTS (SELECT 1 FROM events_message m WHERE m.key = k.key AND m.period = %(before)s)
ON CONFLICT DO NOTHING
RETURNING key

-- name: message_partitions
SELECT substring(c.relname FROM '^events_message_(\d+)$')
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events_message'::regclass AND c.relname ~ '^events_message_\d+$'

-- name: next_numbers
SELECT nextval(pg_get_serial_sequence('events_event', 'id')) FROM generate_series(1, %(count)s)

-- name: remember_anonymous
INSERT INTO events_anonymous (visitor, event_id, occurred_at)
SELECT * FROM unnest(%(visitors)s::bytea[], %(ids)s::bigint[], %(occurred)s::timestamptz[])

-- name: old_keys
-- A bounded bite of dedupe keys of facts that are too old to be kept anyway.
DELETE FROM events_dedupe WHERE key IN (SELECT key FROM events_dedupe WHERE seen_at < %(before)s LIMIT %(limit)s)

-- name: tie
-- What these visitors did before anybody knew them becomes part of their history. A new transaction id: readers that
-- passed these facts while they were nobody's must meet them again, now as somebody's.
WITH pairs AS (
    SELECT * FROM unnest(%(visitors)s::bytea[], %(contact_ids)s::bigint[]) AS t(visitor, contact_id)
), freed AS (
    DELETE FROM events_anonymous a USING pairs p WHERE a.visitor = p.visitor
    RETURNING a.event_id, a.occurred_at, p.contact_id
)
UPDATE events_event e SET contact_id = f.contact_id, tied = true, tx = pg_current_xact_id()
FROM freed f
WHERE e.id = f.event_id AND e.occurred_at = f.occurred_at AND e.contact_id IS NULL
