-- name: holding
SELECT count(*) FROM audience_contacttag WHERE tag_id = %(tag_id)s AND contact_id = ANY(%(ids)s::bigint[])

-- name: holding_other
SELECT count(*) FROM audience_contacttag
WHERE group_id = %(group_id)s AND tag_id <> %(tag_id)s AND contact_id = ANY(%(ids)s::bigint[])

-- name: move
-- In an exclusive group the row changes its tag instead of being deleted and inserted: the unique index never sees two.
WITH old AS (
    SELECT contact_id, tag_id FROM audience_contacttag
    WHERE exclusive AND group_id = %(group_id)s AND tag_id <> %(tag_id)s AND contact_id = ANY(%(ids)s::bigint[])
    ORDER BY contact_id
    FOR UPDATE
), moved AS (
    UPDATE audience_contacttag t
    SET tag_id = %(tag_id)s, source = %(source)s, at = %(at)s
    FROM old
    WHERE t.contact_id = old.contact_id AND t.tag_id = old.tag_id
    RETURNING t.contact_id, old.tag_id AS previous_id
)
INSERT INTO audience_tagchangeitem (change_id, contact_id, previous_id)
SELECT %(change_id)s, contact_id, previous_id FROM moved
ON CONFLICT DO NOTHING

-- name: add
-- Conflicts with either unique index mean: has it already, or keeps another tag of the exclusive group.
WITH added AS (
    INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
    SELECT c.id, %(tag_id)s, %(group_id)s, %(exclusive)s, %(source)s, %(at)s
    FROM contacts_contact c
    WHERE c.id = ANY(%(ids)s::bigint[])
    ORDER BY c.id
    ON CONFLICT DO NOTHING
    RETURNING contact_id
)
INSERT INTO audience_tagchangeitem (change_id, contact_id) SELECT %(change_id)s, contact_id FROM added
ON CONFLICT DO NOTHING

-- name: remove
WITH removed AS (
    DELETE FROM audience_contacttag
    WHERE tag_id = %(tag_id)s AND contact_id = ANY(%(ids)s::bigint[])
    RETURNING contact_id
)
INSERT INTO audience_tagchangeitem (change_id, contact_id) SELECT %(change_id)s, contact_id FROM removed
ON CONFLICT DO NOTHING

-- name: undo_add
-- A batch of items is taken and gone; who gave up another tag for this one gets it back, if they still hold this one.
WITH batch AS (
    SELECT contact_id FROM audience_tagchangeitem WHERE change_id = %(change_id)s ORDER BY contact_id LIMIT %(batch)s
), taken AS (
    DELETE FROM audience_tagchangeitem i USING batch b
    WHERE i.change_id = %(change_id)s AND i.contact_id = b.contact_id
    RETURNING i.contact_id, i.previous_id
), restored AS (
    UPDATE audience_contacttag t SET tag_id = taken.previous_id, source = %(source)s, at = %(at)s
    FROM taken JOIN audience_tag p ON p.id = taken.previous_id
    WHERE t.contact_id = taken.contact_id AND t.tag_id = %(tag_id)s AND p.group_id = t.group_id
      AND NOT EXISTS (
          SELECT 1 FROM audience_contacttag x WHERE x.contact_id = taken.contact_id AND x.tag_id = taken.previous_id)
), dropped AS (
    DELETE FROM audience_contacttag t USING taken
    WHERE t.contact_id = taken.contact_id AND t.tag_id = %(tag_id)s AND taken.previous_id IS NULL
)
SELECT count(*) FROM taken

-- name: undo_remove
WITH batch AS (
    SELECT contact_id FROM audience_tagchangeitem WHERE change_id = %(change_id)s ORDER BY contact_id LIMIT %(batch)s
), taken AS (
    DELETE FROM audience_tagchangeitem i USING batch b
    WHERE i.change_id = %(change_id)s AND i.contact_id = b.contact_id
    RETURNING i.contact_id
), added AS (
    INSERT INTO audience_contacttag (contact_id, tag_id, group_id, exclusive, source, at)
    SELECT contact_id, %(tag_id)s, %(group_id)s, %(exclusive)s, %(source)s, %(at)s FROM taken
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM taken

-- name: holding_several
SELECT count(*) FROM (
    SELECT contact_id FROM audience_contacttag WHERE group_id = %(group_id)s GROUP BY contact_id HAVING count(*) > 1
) several

-- name: list_add
INSERT INTO audience_listmember (list_id, contact_id, source, at)
SELECT %(list_id)s, c.id, %(source)s, %(at)s FROM contacts_contact c WHERE c.id = ANY(%(ids)s::bigint[])
  AND NOT EXISTS (SELECT 1 FROM audience_audiencesnapshot s WHERE s.list_id = %(list_id)s AND s.state = 'ready')
ON CONFLICT DO NOTHING

-- name: list_remove
DELETE FROM audience_listmember WHERE list_id = %(list_id)s AND contact_id = ANY(%(ids)s::bigint[])

-- name: overlap
-- Holders of the tag who hold a tag of the group it should move to.
SELECT count(DISTINCT t.contact_id) FROM audience_contacttag t
JOIN audience_contacttag o ON o.contact_id = t.contact_id AND o.group_id = %(group_id)s AND o.tag_id <> t.tag_id
WHERE t.tag_id = %(tag_id)s

-- name: move_tag
WITH moved AS (UPDATE audience_tag SET group_id = %(group_id)s WHERE id = %(tag_id)s RETURNING id)
UPDATE audience_contacttag SET group_id = %(group_id)s, exclusive = %(exclusive)s
FROM moved WHERE tag_id = moved.id

-- name: drop_tag
DELETE FROM audience_contacttag WHERE tag_id = %(tag_id)s
