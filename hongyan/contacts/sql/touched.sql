-- Reading and pruning the change log ``contacts_touched``.

-- name: after_cursor
-- Only transactions older than every running one: a reader can never overtake a slow writer and miss what it touched.
SELECT tx::text::bigint, id, kind, contact_ids, company_ids, event_names, events_until
FROM contacts_touched
WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint)
  AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, id
LIMIT %(limit)s

-- name: horizon
-- Everything of transactions before this is finished, and seen by the snapshot that asks.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint

-- name: touched_since
-- Who was touched by transactions from ``tx`` on, as far as the asking snapshot sees them. People of a company are looked
-- up now and not when the company was written: whoever joined it meanwhile belongs to them as well.
SELECT DISTINCT contact_id FROM (
    SELECT unnest(contact_ids) AS contact_id FROM contacts_touched
     WHERE tx >= %(tx)s::text::xid8 AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s::text[]))
    UNION ALL
    SELECT c.id FROM contacts_touched t CROSS JOIN LATERAL unnest(t.company_ids) AS company (id)
      JOIN contacts_contact c ON c.company_id = company.id
     WHERE t.tx >= %(tx)s::text::xid8 AND (%(kinds)s::text[] IS NULL OR t.kind = ANY(%(kinds)s::text[]))
) AS found

-- name: people_of
SELECT id FROM contacts_contact WHERE company_id = ANY(%(company_ids)s::bigint[])

-- name: waiting
-- How many changes a reader has not taken in, and since when the oldest waits.
SELECT coalesce(sum(cardinality(contact_ids)), 0)::bigint, min(at)
FROM contacts_touched WHERE tx >= %(tx)s::text::xid8 AND kind <> 'forgotten'

-- name: enter
-- A reader that begins: what is committed before this it must read from the tables themselves.
INSERT INTO contacts_touchedreader (name, tx, touched_id)
VALUES (%(name)s, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0)
ON CONFLICT (name) DO UPDATE SET tx = excluded.tx, touched_id = 0, moved_at = now()
-- A place beyond what ever happened here is another cluster's: the database was restored into this one.
WHERE contacts_touchedreader.tx > pg_snapshot_xmax(pg_current_snapshot())::text::bigint

-- name: move
UPDATE contacts_touchedreader SET tx = %(tx)s, touched_id = %(id)s, moved_at = now() WHERE name = %(name)s

-- name: forget_absent
DELETE FROM contacts_touchedreader WHERE moved_at < now() - make_interval(days => %(days)s) RETURNING name

-- name: prune
-- What every reader has passed and no running question can still need; and what came with a restored database, whose
-- transactions were counted by another cluster.
DELETE FROM contacts_touched t
 WHERE t.tx > pg_snapshot_xmax(pg_current_snapshot())
    OR t.at < now() - make_interval(secs => %(kept_s)s)
   AND t.tx < pg_snapshot_xmin(pg_current_snapshot())
   AND NOT EXISTS (
       SELECT 1 FROM contacts_touchedreader r WHERE (t.tx, t.id) > (r.tx::text::xid8, r.touched_id)
   )
