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

-- name: memberships
SELECT 0, contact_id, tag_id FROM audience_contacttag WHERE contact_id = ANY(%(ids)s::bigint[])
UNION ALL
SELECT 1, contact_id, list_id FROM audience_listmember WHERE contact_id = ANY(%(ids)s::bigint[])
