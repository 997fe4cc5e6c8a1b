-- name: twice
-- Messages of one origin that both records of a pair have, locked in the order of ids.
WITH pairs AS MATERIALIZED (
    SELECT p.loser, l.id AS lost, s.id AS kept, l.month
    FROM unnest(%(losers)s::bigint[], %(survivors)s::bigint[]) AS p (loser, survivor)
    JOIN delivery_message l ON l.contact_id = p.loser
    JOIN delivery_message s ON s.contact_id = p.survivor
     AND s.origin_kind = l.origin_kind AND s.origin_id = l.origin_id AND s.month = l.month
), held AS (
    SELECT m.id, m.month, m.state, m.reason, m.wake_at
    FROM delivery_message m
    WHERE (m.id, m.month) IN (SELECT lost, month FROM pairs UNION ALL SELECT kept, month FROM pairs)
    ORDER BY m.id
    FOR UPDATE
)
SELECT pairs.loser, l.id, l.month, l.state, l.reason, l.wake_at, s.id, s.month, s.state, s.reason, s.wake_at
FROM pairs
JOIN held l ON l.id = pairs.lost AND l.month = pairs.month
JOIN held s ON s.id = pairs.kept AND s.month = pairs.month

-- name: cancel_merged
UPDATE delivery_message SET state = 9, reason = 'merged', wake_at = NULL, finished_at = %(now)s
WHERE id = %(id)s AND month = %(month)s AND state IN (0, 1, 4)

-- name: wait_again
UPDATE delivery_message m SET state = %(state)s, reason = %(reason)s, wake_at = %(wake_at)s, finished_at = NULL
WHERE id = %(id)s AND month = %(month)s AND state = 9 AND reason = 'merged'
  AND NOT EXISTS (
      SELECT 1 FROM delivery_originhold h
      WHERE h.origin_kind = m.origin_kind AND h.origin_id = m.origin_id AND h.ended_at IS NULL AND h.action = 'cancel')

-- name: assign
UPDATE delivery_message SET contact_id = %(contact_id)s::bigint WHERE id = %(id)s AND month = %(month)s

-- name: hand_over
UPDATE delivery_message m SET contact_id = p.survivor
FROM unnest(%(losers)s::bigint[], %(survivors)s::bigint[]) AS p (loser, survivor)
WHERE m.contact_id = p.loser AND NOT EXISTS (
    SELECT 1 FROM delivery_message s
    WHERE s.contact_id = p.survivor AND s.origin_kind = m.origin_kind AND s.origin_id = m.origin_id AND s.month = m.month)
RETURNING p.loser, m.id, m.month

-- name: hand_back
UPDATE delivery_message m SET contact_id = %(loser)s
FROM unnest(%(ids)s::bigint[]) AS given (id)
WHERE m.contact_id = %(survivor)s AND m.id = given.id AND m.month = ANY(%(months)s::date[])
