-- Rule tags. In an exclusive group a tag given by hand stays: a person decided that.

-- name: held
SELECT tag_id, array_agg(contact_id) FROM audience_contacttag WHERE tag_id = ANY(%(tags)s::bigint[]) GROUP BY tag_id

-- name: held_by_hand
SELECT array_agg(contact_id) FROM audience_contacttag
 WHERE group_id = %(group)s AND exclusive AND tag_id <> ALL(%(tags)s::bigint[])

-- name: apply_exclusive
-- wanted: the tag each contact should hold, 0 for none. Rows change their tag instead of being deleted and inserted, so
-- the unique index of the group never sees two.
WITH wanted AS (
    SELECT w.contact_id, w.tag_id
      FROM unnest(%(ids)s::bigint[], %(wanted)s::bigint[]) AS w (contact_id, tag_id)
      JOIN contacts_contact c ON c.id = w.contact_id
), held AS (
    SELECT t.contact_id, t.tag_id, w.tag_id AS wanted_id, t.tag_id = ANY(%(tags)s::bigint[]) AS by_rule
      FROM audience_contacttag t JOIN wanted w ON w.contact_id = t.contact_id
     WHERE t.group_id = %(group)s AND t.exclusive
     ORDER BY t.contact_id
       FOR UPDATE OF t
), changed AS (
    UPDATE audience_contacttag t SET tag_id = h.wanted_id, source = 'rule', at = %(at)s
      FROM held h
     WHERE t.contact_id = h.contact_id AND t.tag_id = h.tag_id AND h.by_rule AND h.wanted_id NOT IN (0, h.tag_id)
    RETURNING t.contact_id, h.tag_id AS before, t.tag_id AS after
), gone AS (
    DELETE FROM audience_contacttag t USING held h
     WHERE t.contact_id = h.contact_id AND t.tag_id = h.tag_id AND h.by_rule AND h.wanted_id = 0
    RETURNING t.contact_id, t.tag_id AS before, 0::bigint AS after
), added AS (
    INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
    SELECT w.contact_id, w.tag_id, %(group)s, true, 'rule', %(at)s
      FROM wanted w
     WHERE w.tag_id <> 0 AND NOT EXISTS (SELECT 1 FROM held h WHERE h.contact_id = w.contact_id)
     ORDER BY w.contact_id
        ON CONFLICT DO NOTHING
    RETURNING contact_id, 0::bigint AS before, tag_id AS after
)
SELECT * FROM changed UNION ALL SELECT * FROM gone UNION ALL SELECT * FROM added

-- name: give
INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
SELECT c.id, %(tag)s, %(group)s, false, 'rule', %(at)s FROM contacts_contact c WHERE c.id = ANY(%(ids)s::bigint[])
 ORDER BY c.id
    ON CONFLICT DO NOTHING
RETURNING contact_id, 0::bigint AS before, tag_id AS after

-- name: take
DELETE FROM audience_contacttag WHERE tag_id = %(tag)s AND contact_id = ANY(%(ids)s::bigint[])
RETURNING contact_id, tag_id AS before, 0::bigint AS after

-- name: fold_flows
-- What statements did to holders of tags, added up by day of the organisation's zone.
WITH taken AS (
    DELETE FROM audience_tagflow RETURNING tag_id, (at AT TIME ZONE %(zone)s)::date AS day, added, removed
)
INSERT INTO audience_tagday AS d (tag_id, day, added, removed)
SELECT t.tag_id, t.day, sum(t.added), sum(t.removed)
  FROM taken t JOIN audience_tag a ON a.id = t.tag_id
 GROUP BY t.tag_id, t.day
    ON CONFLICT (tag_id, day) DO UPDATE SET added = d.added + excluded.added, removed = d.removed + excluded.removed

-- name: flows
-- By tag and day since, those not added up yet included.
SELECT tag_id, day, sum(added)::bigint, sum(removed)::bigint FROM (
    SELECT tag_id, day, added, removed FROM audience_tagday WHERE day >= %(since)s
    UNION ALL
    SELECT tag_id, (at AT TIME ZONE %(zone)s)::date, added, removed FROM audience_tagflow
     WHERE (at AT TIME ZONE %(zone)s)::date >= %(since)s
) AS both_of_them
 GROUP BY tag_id, day
