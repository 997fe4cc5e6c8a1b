-- name: state
-- Transaction numbers mean nothing in another cluster than the one that gave them (a dump was loaded there): then no
-- file counts.
SELECT CASE WHEN cluster IS NULL OR cluster <> (SELECT system_identifier::text FROM pg_control_system()) THEN 0 ELSE tx END,
    caught_up_at, coalesce(generation, 0), coalesce(left_out, false),
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint, now(), built_at
FROM (SELECT 1) one LEFT JOIN events_historystate ON id = 1

-- name: asked
-- What a question must know besides files, in one: the state, what is stale, and what the plan decided about properties.
SELECT state.*,
    (SELECT coalesce(json_agg(json_build_array(contact_ids, name, month)), '[]') FROM events_historystale)::text,
    (SELECT coalesce(json_agg(json_build_array(n.name, p.key, p.handling <> 'open')), '[]')
       FROM events_eventproperty p JOIN events_eventname n ON n.id = p.event_id WHERE p.handling <> '')::text
FROM ({state}) state

-- name: state_locked
-- The first writer makes the row; then whoever publishes holds it, and whoever throws everything away waits.
WITH made AS (
    INSERT INTO events_historystate (id) VALUES (1)
    ON CONFLICT (id) DO UPDATE SET generation = events_historystate.generation
    RETURNING generation
)
SELECT generation FROM made

-- name: move_state
UPDATE events_historystate SET
    tx = %(tx)s, caught_up_at = %(at)s, cluster = (SELECT system_identifier::text FROM pg_control_system()),
    built_at = CASE WHEN %(whole)s THEN now() ELSE built_at END,
    left_out = %(left_out)s OR (left_out AND NOT %(whole)s)
WHERE id = 1

-- name: forget
WITH retired AS (
    UPDATE events_historyfile SET retired_at = now() WHERE retired_at IS NULL
), nobody AS (
    DELETE FROM events_historystale
), nothing AS (
    DELETE FROM events_historyname
)
UPDATE events_historystate SET tx = 0, generation = generation + 1, left_out = false, built_at = NULL, caught_up_at = NULL

-- name: add_file
INSERT INTO events_historyfile
    (path, name, month, rows, events, bytes, sha256, first, last, low, high, properties, odd)
VALUES (%(path)s, %(name)s, %(month)s, %(rows)s, %(events)s, %(bytes)s, %(sha256)s, %(first)s, %(last)s, %(low)s,
    %(high)s, %(properties)s::jsonb, %(odd)s::bigint[])

-- name: retire
UPDATE events_historyfile SET retired_at = now() WHERE id = ANY(%(ids)s::bigint[]) AND retired_at IS NULL

-- name: add_names
WITH others AS (
    DELETE FROM events_historyname WHERE %(whole)s AND NOT (name = ANY(%(names)s::text[]))
)
INSERT INTO events_historyname (name) SELECT unnest(%(names)s::text[]) ON CONFLICT DO NOTHING

-- name: stale_done
DELETE FROM events_historystale WHERE id = ANY(%(ids)s::bigint[])

-- name: to_delete
SELECT id, path FROM events_historyfile WHERE retired_at < now() - %(keep_s)s * interval '1 second' ORDER BY id LIMIT 500

-- name: deleted
DELETE FROM events_historyfile WHERE id = ANY(%(ids)s::bigint[])

-- name: partitions
-- Where the facts lie, oldest month first, with an estimate of how many; a partition is read as a whole, in its order on
-- the disk.
SELECT c.relname, greatest(c.reltuples, 0)::bigint
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events_event'::regclass
ORDER BY c.relname

-- name: has_older
SELECT EXISTS (
    SELECT 1 FROM events_event WHERE name = %(name)s AND tx < %(tx)s::text::xid8 AND contact_id IS NOT NULL)

-- name: how_many_waiting
SELECT count(*) FROM (
    SELECT 1 FROM events_event WHERE tx >= %(tx)s::text::xid8 AND contact_id IS NOT NULL LIMIT %(most)s) bounded

-- name: how_many_ready
-- What the writer could take now: facts of transactions that are over.
SELECT count(*) FROM (
    SELECT 1 FROM events_event
    WHERE tx >= %(tx)s::text::xid8 AND tx < pg_snapshot_xmin(pg_current_snapshot()) AND contact_id IS NOT NULL
    LIMIT %(most)s) bounded

-- name: sums
SELECT count(*) FILTER (WHERE retired_at IS NULL), coalesce(sum(events) FILTER (WHERE retired_at IS NULL), 0),
    coalesce(sum(bytes) FILTER (WHERE retired_at IS NULL), 0), count(retired_at)
FROM events_historyfile

-- name: files
SELECT id, path, name, month, rows, events, bytes, first, last, low, high, properties, odd, sha256
FROM events_historyfile
WHERE retired_at IS NULL AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s::text[]))
ORDER BY name, month, id

-- name: stale
SELECT id, contact_ids, name, month, at FROM events_historystale ORDER BY id

-- name: names_left_out
-- Of the names asked for, those that no file holds by decision.
SELECT name FROM unnest(%(names)s::text[]) AS asked (name)
WHERE NOT EXISTS (SELECT 1 FROM events_historyname h WHERE h.name = asked.name)

-- name: rows_of_names
SELECT {columns}
FROM events_event e
WHERE e.name = ANY(%(names)s::text[]) AND e.tx < %(tx)s::text::xid8 AND e.contact_id IS NOT NULL
  AND NOT (e.contact_id = ANY(%(contact_ids)s::bigint[]))

-- name: names_in_use
-- By leaps through the index: as many steps as there are names.
WITH RECURSIVE names AS (
    (SELECT name FROM events_event ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT e.name FROM events_event e WHERE e.name > names.name ORDER BY e.name LIMIT 1)
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL

-- name: oldest_waiting
SELECT min(received_at) FROM events_event WHERE tx >= %(tx)s::text::xid8 AND contact_id IS NOT NULL

-- name: rows_waiting
-- What no file holds yet. Columns: see reading.copy_events; {values} are the properties asked for.
SELECT {columns}
FROM events_event e
WHERE e.tx >= %(tx)s::text::xid8 AND e.contact_id IS NOT NULL
  AND (%(names)s::text[] IS NULL OR e.name = ANY(%(names)s::text[]))

-- name: rows_of_stale
-- All older facts of people whose rows in files are out of date.
SELECT {columns}
FROM events_event e
WHERE e.contact_id = ANY(%(contact_ids)s::bigint[]) AND e.tx < %(tx)s::text::xid8
  AND (%(names)s::text[] IS NULL OR e.name = ANY(%(names)s::text[]))

-- name: rows_of_cell
-- All older facts of one name in one month, but for people whose facts are read anyway.
SELECT {columns}
FROM events_event e
WHERE e.name = %(name)s AND e.occurred_at >= %(first)s AND e.occurred_at < %(end)s
  AND e.tx < %(tx)s::text::xid8 AND e.contact_id IS NOT NULL
  AND NOT (e.contact_id = ANY(%(contact_ids)s::bigint[]))
