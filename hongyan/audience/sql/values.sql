-- name: values_of_property
-- Of the newest facts only: suggestions must come at once. A value that only one person has is theirs, not a suggestion.
SELECT value, count(DISTINCT contact_id) FROM (
    SELECT e.properties ->> %(key)s AS value, e.contact_id FROM events_event e
    WHERE e.name = %(event)s AND jsonb_typeof(e.properties -> %(key)s) IN ('string', 'number') AND e.contact_id IS NOT NULL
    ORDER BY e.occurred_at DESC LIMIT %(newest)s
) newest
WHERE value <> '' AND length(value) <= 200 AND strpos(lower(value COLLATE "C"), %(text)s) > 0
GROUP BY 1 HAVING count(DISTINCT contact_id) > 1 ORDER BY 2 DESC, 1 LIMIT %(n)s

-- name: values_of_object
SELECT value, count(DISTINCT contact_id) FROM (
    SELECT o.attributes ->> %(key)s AS value, o.contact_id FROM contacts_objectrecord o
    WHERE o.type_id = %(type_id)s AND jsonb_typeof(o.attributes -> %(key)s) = 'string'
    ORDER BY o.updated_at DESC LIMIT %(newest)s
) newest
WHERE value <> '' AND length(value) <= 200 AND strpos(lower(value COLLATE "C"), %(text)s) > 0
GROUP BY 1 HAVING count(DISTINCT contact_id) > 1 ORDER BY 2 DESC, 1 LIMIT %(n)s

-- name: values_in_list
SELECT value, count(DISTINCT contact_id) FROM (
    SELECT thing ->> %(key)s AS value, newest.contact_id FROM (
        SELECT e.properties -> %(list)s AS things, e.contact_id FROM events_event e
        WHERE e.name = %(event)s AND jsonb_typeof(e.properties -> %(list)s) = 'array' AND e.contact_id IS NOT NULL
        ORDER BY e.occurred_at DESC LIMIT %(newest)s
    ) newest CROSS JOIN LATERAL jsonb_array_elements(things) thing
    WHERE jsonb_typeof(thing -> %(key)s) IN ('string', 'number')
) found
WHERE value <> '' AND length(value) <= 200 AND strpos(lower(value COLLATE "C"), %(text)s) > 0
GROUP BY 1 HAVING count(DISTINCT contact_id) > 1 ORDER BY 2 DESC, 1 LIMIT %(n)s
