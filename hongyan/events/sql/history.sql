-- name: state
SELECT tx, caught_up_at, generation, cluster, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, now()
FROM (SELECT 1) one LEFT JOIN events_historystate ON id = 1

-- name: files
SELECT id, path, name, month, rows, events, bytes, first, last, low, high, properties, odd
FROM events_historyfile
WHERE retired_at IS NULL AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s::text[]))
ORDER BY name, month, id

-- name: stale
SELECT id, contact_ids, name, month FROM events_historystale ORDER BY id

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

-- name: decided
SELECT n.name, p.key, p.handling <> 'open'
FROM events_eventproperty p JOIN events_eventname n ON n.id = p.event_id
WHERE p.handling <> ''
