-- name: common_events
-- What the people of a sample do most, by how many of them do it.
SELECT name FROM events_event
WHERE contact_id = ANY(%(ids)s::bigint[]) AND occurred_at > %(now)s - interval '365 days' AND occurred_at <= %(now)s
GROUP BY name ORDER BY count(DISTINCT contact_id) DESC, name LIMIT %(n)s

-- name: event_counts
-- The windows of conditions: n × 24 hours back from now, nothing of the future.
SELECT contact_id, name,
    count(*) FILTER (WHERE occurred_at >= %(now)s - interval '720 hours'),
    count(*) FILTER (WHERE occurred_at >= %(now)s - interval '2160 hours'),
    count(*)
FROM events_event
WHERE contact_id = ANY(%(ids)s::bigint[]) AND name = ANY(%(names)s)
  AND occurred_at >= %(now)s - interval '8760 hours' AND occurred_at <= %(now)s
GROUP BY contact_id, name

-- name: common_kinds
-- What kinds of things the people of a sample did things with, by how many of them. A property inside a list ("lists"
-- names it) is asked of each thing in it.
WITH asked AS (
    SELECT * FROM unnest(%(names)s::text[], %(lists)s::text[], %(keys)s::text[], %(whole)s::text[])
        AS a(name, list, key, whole)
), told AS (
    SELECT e.contact_id, a.name, a.whole, e.properties ->> a.key AS value
    FROM events_event e JOIN asked a ON a.name = e.name AND a.list = ''
    WHERE e.contact_id = ANY(%(ids)s::bigint[]) AND e.occurred_at >= %(now)s - interval '8760 hours'
      AND e.occurred_at <= %(now)s AND jsonb_typeof(e.properties -> a.key) = 'string'
    UNION ALL
    SELECT e.contact_id, a.name, a.whole, p.thing ->> a.key
    FROM events_event e JOIN asked a ON a.name = e.name AND a.list <> ''
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(e.properties -> a.list) = 'array' THEN e.properties -> a.list ELSE '[]' END) p(thing)
    WHERE e.contact_id = ANY(%(ids)s::bigint[]) AND e.occurred_at >= %(now)s - interval '8760 hours'
      AND e.occurred_at <= %(now)s AND jsonb_typeof(p.thing -> a.key) = 'string'
)
SELECT name, whole, value, count(DISTINCT contact_id) FROM told WHERE value <> '' AND length(value) <= 100
GROUP BY 1, 2, 3 HAVING count(DISTINCT contact_id) >= %(least)s ORDER BY 4 DESC, 1, 2, 3 LIMIT %(n)s

-- name: kind_counts
-- Of each kind, how many events in 90 and 365 days; an event with several things of a kind is one.
WITH asked AS (
    SELECT * FROM unnest(%(names)s::text[], %(lists)s::text[], %(keys)s::text[], %(whole)s::text[])
        AS a(name, list, key, whole)
), told AS (
    SELECT e.id, e.contact_id, a.name, a.whole, e.properties ->> a.key AS value, e.occurred_at
    FROM events_event e JOIN asked a ON a.name = e.name AND a.list = ''
    WHERE e.contact_id = ANY(%(ids)s::bigint[]) AND e.occurred_at >= %(now)s - interval '8760 hours'
      AND e.occurred_at <= %(now)s AND jsonb_typeof(e.properties -> a.key) = 'string'
    UNION  -- not ALL: the same kind twice in an event is once
    SELECT e.id, e.contact_id, a.name, a.whole, p.thing ->> a.key, e.occurred_at
    FROM events_event e JOIN asked a ON a.name = e.name AND a.list <> ''
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(e.properties -> a.list) = 'array' THEN e.properties -> a.list ELSE '[]' END) p(thing)
    WHERE e.contact_id = ANY(%(ids)s::bigint[]) AND e.occurred_at >= %(now)s - interval '8760 hours'
      AND e.occurred_at <= %(now)s AND jsonb_typeof(p.thing -> a.key) = 'string'
)
SELECT contact_id, name, whole, value,
    count(*) FILTER (WHERE occurred_at >= %(now)s - interval '2160 hours'), count(*)
FROM told WHERE value = ANY(%(values)s::text[]) GROUP BY 1, 2, 3, 4

-- name: memberships
SELECT 0, contact_id, tag_id FROM audience_contacttag WHERE contact_id = ANY(%(ids)s::bigint[])
UNION ALL
SELECT 1, contact_id, list_id FROM audience_listmember WHERE contact_id = ANY(%(ids)s::bigint[])
