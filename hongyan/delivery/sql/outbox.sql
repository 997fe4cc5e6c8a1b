-- name: dispatch
-- Straight into the partition: routing through the parent costs a fifth more. The unique index is the only arbiter of
-- "already in this send", so a repeated dispatch adds nobody twice.
INSERT INTO {partition} (month, origin_kind, origin_id, contact_id, content_version_id, sender_id, topic_id, variant,
                         transactional, priority, due_at, wake_at)
SELECT %(month)s::date, %(kind)s, %(origin_id)s, member.id, %(content_version_id)s::bigint, %(sender_id)s::bigint,
       %(topic_id)s::bigint, %(variant)s::smallint, %(transactional)s, %(priority)s::smallint, %(due_at)s::timestamptz,
       %(due_at)s::timestamptz
FROM ({members}) AS member
ON CONFLICT (origin_kind, origin_id, contact_id, month) DO NOTHING

-- name: has_messages
SELECT 1 FROM {partition} WHERE origin_kind = %(kind)s AND origin_id = %(origin_id)s AND month = %(month)s LIMIT 1

-- name: insert_one
INSERT INTO {partition} (month, origin_kind, origin_id, contact_id, content_version_id, sender_id, topic_id, variant,
                         transactional, priority, due_at, wake_at)
VALUES (%(month)s::date, %(kind)s, %(origin_id)s, %(contact_id)s::bigint, NULL, %(sender_id)s::bigint, NULL, 0,
        %(transactional)s, %(priority)s::smallint, %(due_at)s::timestamptz, %(due_at)s::timestamptz)
ON CONFLICT (origin_kind, origin_id, contact_id, month) DO NOTHING
RETURNING id

-- name: cancel_waiting
-- Only what no worker holds; claimed rows meet the hold in the gate.
UPDATE delivery_message
SET state = 9, reason = 'origin_cancelled', wake_at = NULL, finished_at = %(now)s
WHERE origin_kind = %(kind)s AND origin_id = %(origin_id)s AND month = %(month)s AND state IN (0, 4)

-- name: progress
SELECT state, reason, coalesce(smtp_code, 0), count(*), min(finished_at), max(finished_at)
FROM delivery_message
WHERE origin_kind = %(kind)s AND origin_id = %(origin_id)s AND month = %(month)s
GROUP BY 1, 2, 3

-- name: recipients
SELECT id, month, contact_id, state, reason, variant, smtp_code, smtp_enhanced, smtp_text, attempts, due_at, finished_at
FROM delivery_message
WHERE origin_kind = %(kind)s AND origin_id = %(origin_id)s AND month = %(month)s
  AND (%(states)s::smallint[] IS NULL OR state = ANY(%(states)s::smallint[]))
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(after)s::bigint IS NULL OR contact_id > %(after)s)
ORDER BY contact_id
LIMIT %(limit)s

-- name: facts
-- A message of a record that was merged away speaks of the person it is now.
SELECT id, month,
       coalesce((SELECT g.into_id FROM contacts_mergedaway g WHERE g.contact_id = m.contact_id), contact_id),
       origin_kind, origin_id, content_version_id, sender_id, topic_id, variant, transactional,
       state, finished_at
FROM delivery_message m
WHERE id = ANY(%(ids)s) AND month = ANY(%(months)s)

-- name: of_contact
-- Without an index of its own: PostgreSQL 18 skips through delivery_once_per_person, earlier versions read the partitions.
SELECT id, month, contact_id, state, reason, variant, smtp_code, smtp_enhanced, smtp_text, attempts, due_at, finished_at
FROM delivery_message
WHERE contact_id = %(contact_id)s
ORDER BY month DESC, id DESC
LIMIT %(limit)s

-- name: settle_uncertain
UPDATE delivery_message
SET state = %(state)s::smallint, reason = 'resolved', finished_at = coalesce(finished_at, %(now)s),
    wake_at = CASE WHEN %(state)s = 0 THEN %(now)s END
WHERE id = ANY(%(ids)s) AND month = ANY(%(months)s) AND state = 7
RETURNING id, contact_id, origin_kind, origin_id

-- name: queue_by_priority
SELECT priority, count(*), min(wake_at)
FROM delivery_message
WHERE wake_at IS NOT NULL
GROUP BY priority
ORDER BY priority

-- name: forget_contact
-- Erasure: the send log stays counted, the person goes; what still waited for them does not leave.
UPDATE delivery_message
SET contact_id = NULL, smtp_text = '',
    state = CASE WHEN state IN (0, 1, 4) THEN 8 ELSE state END,
    reason = CASE WHEN state IN (0, 1, 4) THEN 'no_contact' ELSE reason END,
    wake_at = NULL,
    finished_at = coalesce(finished_at, CASE WHEN state IN (0, 1, 4) THEN now() END)
WHERE contact_id = %(contact_id)s
RETURNING id
