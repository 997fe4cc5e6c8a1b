-- The columnar copy of people: what it copies, and which files count.

-- name: people
-- {values} and {joins} are those of population.columns, {here} and {there} which contacts: by c.id and by contact_id.
COPY (
SELECT c.id{values}, nullif(array_to_string(c.filled, E'\x1f'), ''), tags.ids, lists.ids, consents.codes
  FROM contacts_contact c{joins}
  LEFT JOIN (SELECT contact_id, string_agg(tag_id::text, E'\x1f') AS ids
               FROM audience_contacttag WHERE {there} GROUP BY contact_id) tags ON tags.contact_id = c.id
  LEFT JOIN (SELECT contact_id, string_agg(list_id::text, E'\x1f') AS ids
               FROM audience_listmember WHERE {there} GROUP BY contact_id) lists ON lists.contact_id = c.id
  LEFT JOIN (SELECT contact_id, string_agg(concat(channel, '|', topic_id, '|', state), E'\x1f') AS codes
               FROM contacts_consentstate WHERE {there} AND state <> 'none' GROUP BY contact_id) consents
         ON consents.contact_id = c.id
 WHERE {here}
 ORDER BY c.id
) TO STDOUT (FORMAT csv)

-- name: objects
COPY (
SELECT o.contact_id{values}, nullif(array_to_string(o.filled, E'\x1f'), '')
  FROM contacts_objectrecord o{joins}
 WHERE o.type_id = {type_id} AND {there}
 ORDER BY o.contact_id, o.id
) TO STDOUT (FORMAT csv)

-- name: state
SELECT s.tx, s.built_at IS NOT NULL, s.cluster = (SELECT system_identifier::text FROM pg_control_system()),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_snapshot()::text,
       pg_current_xact_id_if_assigned() IS NOT NULL
  FROM audience_populationstate s WHERE s.id = 1

-- name: files
SELECT id, path, chunk, type_id, tx, rows, bytes, columns
  FROM audience_populationfile WHERE retired_at IS NULL ORDER BY chunk

-- name: touched
-- Whom transactions from ``tx`` on touched, and the newest of them, but for what an earlier snapshot had seen. People of
-- a company are those it has now.
SELECT contact_id, max(tx)::text::bigint FROM (
    SELECT unnest(contact_ids) AS contact_id, tx FROM contacts_touched
     WHERE tx >= %(tx)s::text::xid8 AND (kind = 'activity') = %(activity)s AND kind <> 'forgotten'
       AND (%(seen)s::text IS NULL OR NOT pg_visible_in_snapshot(tx, %(seen)s::text::pg_snapshot))
    UNION ALL
    SELECT c.id, t.tx FROM contacts_touched t CROSS JOIN LATERAL unnest(t.company_ids) AS company (id)
      JOIN contacts_contact c ON c.company_id = company.id
     WHERE t.tx >= %(tx)s::text::xid8 AND NOT %(activity)s
       AND (%(seen)s::text IS NULL OR NOT pg_visible_in_snapshot(t.tx, %(seen)s::text::pg_snapshot))
) AS found GROUP BY contact_id

-- name: oldest_touch
SELECT min(at) FROM contacts_touched WHERE tx >= %(tx)s::text::xid8 AND kind <> 'forgotten'

-- name: move_clean
-- Nobody in these chunks was touched: their files are as good as new.
UPDATE audience_populationfile SET tx = %(tx)s
 WHERE retired_at IS NULL AND NOT (chunk = ANY(%(dirty)s::bigint[])) AND tx < %(tx)s

-- name: highest
SELECT coalesce(max(id), 0) FROM contacts_contact

-- name: lock
SELECT pg_try_advisory_xact_lock(%(key)s)

-- name: after_pass
-- Chunks without a file were empty when the pass began, and those it found nobody in are so since.
UPDATE audience_populationstate
   SET tx = greatest(tx, %(tx)s), passed_at = %(now)s, built_at = coalesce(built_at, %(now)s) WHERE id = 1

-- name: needed_from
SELECT least(s.tx, (SELECT min(tx) FROM audience_populationfile WHERE retired_at IS NULL))
  FROM audience_populationstate s WHERE s.id = 1
