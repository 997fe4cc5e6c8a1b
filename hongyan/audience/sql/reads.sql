-- name: vocabulary
-- What conditions may speak of, in one journey: kind, name, what there is to say of it.
-- Names of events by jumping along the index from one to the next: a few lookups a name, however many events there are.
WITH RECURSIVE names AS (
    (SELECT name FROM events_event ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT e.name FROM events_event e WHERE e.name > names.name ORDER BY e.name LIMIT 1)
    FROM names WHERE names.name IS NOT NULL
), seen AS (
    SELECT name FROM names WHERE name IS NOT NULL LIMIT 500
)
SELECT 'event', name, '{}' FROM seen
UNION ALL
SELECT 'property', n.name,
    jsonb_build_object('key', p.key, 'types', p.types, 'type', p.type, 'handling', p.handling)::text
FROM events_eventproperty p JOIN events_eventname n ON n.id = p.event_id
UNION ALL
(SELECT 'topic', key, jsonb_build_object('id', id, 'en', name_en, 'zh', name_zh)::text
FROM contacts_topic ORDER BY position, id)
UNION ALL
(SELECT 'rules', kind, definition::text FROM audience_standingrules WHERE kind = 'rfm' ORDER BY number DESC LIMIT 1)
UNION ALL
(SELECT 'field', key,
    jsonb_build_object('en', label_en, 'zh', label_zh, 'type', type, 'sensitive', sensitive, 'options', options)::text
FROM contacts_fielddefinition WHERE archived_at IS NULL ORDER BY position, id)
UNION ALL
(SELECT 'object', key, jsonb_build_object('id', id, 'en', label_en, 'zh', label_zh, 'fields', fields)::text
FROM contacts_objecttype WHERE archived_at IS NULL ORDER BY position, id)
UNION ALL
(SELECT 'group', key, jsonb_build_object('id', id, 'inside', parent_id, 'en', name_en, 'zh', name_zh)::text
FROM audience_taggroup ORDER BY position, id)
UNION ALL
(SELECT 'tag', key, jsonb_build_object('id', id, 'group', group_id, 'en', name_en, 'zh', name_zh)::text
FROM audience_tag ORDER BY position, id)
UNION ALL
(SELECT 'list', public_id::text, jsonb_build_object('id', id, 'name', name)::text FROM audience_contactlist ORDER BY name)
UNION ALL
(SELECT 'audience', a.public_id::text, jsonb_build_object('name', a.name, 'tree', v.tree)::text
FROM audience_savedaudience a JOIN audience_audienceversion v ON v.audience_id = a.id AND v.number = a.current
ORDER BY a.name)
UNION ALL
SELECT 'currency', currency, '{}' FROM commerce_commercesettings WHERE id = 1

-- name: values_of_column
SELECT /*column*/ AS value, count(*) FROM /*table*/
WHERE /*column*/ <> '' AND strpos(lower(/*column*/ COLLATE "C"), %(text)s) > 0
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(n)s

-- name: values_of_attribute
SELECT attributes ->> %(key)s AS value, count(*) FROM contacts_contact
WHERE jsonb_typeof(attributes -> %(key)s) = 'string' AND attributes ->> %(key)s <> ''
  AND strpos(lower((attributes ->> %(key)s) COLLATE "C"), %(text)s) > 0
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(n)s

-- name: tag_and_list_sizes
SELECT 0, tag_id, count(*) FROM audience_contacttag GROUP BY tag_id
UNION ALL
SELECT 1, list_id, count(*) FROM audience_listmember GROUP BY list_id
