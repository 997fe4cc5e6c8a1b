-- name: store_hits
-- Only hits of messages that exist are kept (the others were erased or expired); the answer tells which content they had.
-- Arrays are as long as the batch; agents are places in the array of their texts, since few programs fetch many.
WITH incoming AS MATERIALIZED (
    SELECT t.position - 1 AS position, timestamptz 'epoch' + t.at * interval '1 microsecond' AS at, t.kind, t.message_id,
           t.month, t.link, (%(agent_texts)s::text[])[t.agent] AS user_agent
      FROM unnest(
        %(at)s::bigint[], %(kinds)s::smallint[], %(message_ids)s::bigint[], %(months)s::date[], %(links)s::int[],
        %(agents)s::int[]
    ) WITH ORDINALITY AS t(at, kind, message_id, month, link, agent, position)
), known AS MATERIALIZED (
    SELECT i.*, m.content_version_id, m.contact_id
    FROM incoming i
    JOIN delivery_message m ON m.id = i.message_id AND m.month = i.month
), stored AS (
    INSERT INTO edge_hit (at, kind, message_id, month, link, user_agent)
    SELECT at, kind, message_id, month, link, user_agent FROM known WHERE kind > 0
)
SELECT position, content_version_id, contact_id FROM known

-- name: settled_hits
-- Hits old enough to be judged together with their neighbours; locked so that several workers share the work.
SELECT h.id, h.at, h.kind, h.message_id, h.month, h.link, h.user_agent,
       m.contact_id, m.origin_kind, m.origin_id, m.topic_id, m.finished_at, m.state
FROM edge_hit h
LEFT JOIN delivery_message m ON m.id = h.message_id AND m.month = h.month
WHERE NOT h.digested AND h.at < %(settled_before)s
ORDER BY h.id
LIMIT %(limit)s
FOR UPDATE OF h SKIP LOCKED

-- name: neighbours
-- How many different links of each message were fetched around a time: scanners take them all at once.
SELECT message_id, link, at FROM edge_hit
WHERE kind = 2 AND message_id = ANY(%(message_ids)s::bigint[])
ORDER BY message_id, at

-- name: mark_digested
UPDATE edge_hit SET digested = true WHERE id = ANY(%(ids)s::bigint[])

-- name: forget_hits
-- Kept a little longer than judged: a burst's later hits must still see its first ones.
DELETE FROM edge_hit WHERE digested AND at < %(before)s
