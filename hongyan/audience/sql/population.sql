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

-- name: manifest
-- The state, once for each file that counts; with nothing beside it where there is none.
SELECT s.tx, s.built_at IS NOT NULL, s.cluster = (SELECT system_identifier::text FROM pg_control_system()),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_snapshot()::text,
       pg_current_xact_id_if_assigned() IS NOT NULL,
       f.id, f.path, f.chunk, f.type_id, f.tx, f.rows, f.bytes, f.columns
  FROM audience_populationstate s LEFT JOIN audience_populationfile f ON f.retired_at IS NULL
 WHERE s.id = 1 ORDER BY f.chunk

-- name: touched
-- Whom transactions from ``tx`` on touched, and the newest of them, but for what an earlier snapshot had seen: apart
-- those who were only active, and these only where they are asked for. People of a company are those it has now.
SELECT contact_id, active, max(tx)::text::bigint FROM (
    SELECT unnest(t.contact_ids) AS contact_id, s.active, t.tx
      FROM contacts_touched t
     CROSS JOIN LATERAL (SELECT t.kind = 'activity' AS active,
           CASE WHEN t.kind = 'activity' THEN %(seen_active)s::text ELSE %(seen)s::text END AS seen) s
     WHERE t.tx >= %(tx)s::text::xid8 AND t.kind <> 'forgotten' AND (%(activity)s OR NOT s.active)
       AND (s.seen IS NULL OR NOT pg_visible_in_snapshot(t.tx, s.seen::pg_snapshot))
    UNION ALL
    SELECT c.id, false, t.tx FROM contacts_touched t CROSS JOIN LATERAL unnest(t.company_ids) AS company (id)
      JOIN contacts_contact c ON c.company_id = company.id
     WHERE t.tx >= %(tx)s::text::xid8
       AND (%(seen)s::text IS NULL OR NOT pg_visible_in_snapshot(t.tx, %(seen)s::text::pg_snapshot))
) AS found GROUP BY contact_id, active

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
