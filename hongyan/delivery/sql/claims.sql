-- name: pick
-- A loose scan hops over the queue index from origin to origin, so a paused origin of a million rows costs one probe;
-- origins of the same priority take turns by chance, so a small send is not stuck behind a large one.
WITH RECURSIVE hop AS (
    (SELECT priority, origin_kind, origin_id
     FROM delivery_message WHERE wake_at IS NOT NULL
     ORDER BY priority, origin_kind, origin_id LIMIT 1)
    UNION ALL
    SELECT following.priority, following.origin_kind, following.origin_id
    FROM hop, LATERAL (
        SELECT priority, origin_kind, origin_id
        FROM delivery_message
        WHERE wake_at IS NOT NULL
          AND (priority, origin_kind, origin_id) > (hop.priority, hop.origin_kind, hop.origin_id)
        ORDER BY priority, origin_kind, origin_id LIMIT 1
    ) AS following
), waiting AS (
    SELECT * FROM hop LIMIT 1000
), live AS MATERIALIZED (
    SELECT priority, origin_kind, origin_id
    FROM waiting
    WHERE NOT EXISTS (
        SELECT 1 FROM delivery_originhold hold
        WHERE hold.origin_kind = waiting.origin_kind AND hold.origin_id = waiting.origin_id
          AND hold.ended_at IS NULL AND hold.action = 'pause')
    ORDER BY priority, random()
)
SELECT picked.id, picked.month
FROM live, LATERAL (
    SELECT m.id, m.month
    FROM delivery_message m
    WHERE m.wake_at IS NOT NULL AND m.wake_at <= %(now)s
      AND m.priority = live.priority AND m.origin_kind = live.origin_kind AND m.origin_id = live.origin_id
    ORDER BY m.wake_at, m.id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) AS picked
LIMIT %(limit)s

-- name: open_claim
INSERT INTO delivery_claim (worker, claimed_at, lease_until, message_ids, months)
VALUES (%(worker)s, %(now)s, %(lease_until)s, %(ids)s::bigint[], %(months)s)
RETURNING id

-- name: take
UPDATE delivery_message
SET state = 1, fence = %(fence)s, claimed_at = %(now)s, wake_at = NULL
WHERE id = ANY(%(ids)s::bigint[]) AND month = ANY(%(months)s)
RETURNING id, month, origin_kind, origin_id, contact_id, content_version_id, sender_id, topic_id, transactional,
          attempts, message_id, due_at, fence

-- name: renew
UPDATE delivery_claim SET lease_until = %(lease_until)s WHERE id = ANY(%(fences)s) RETURNING id

-- name: close_claim
DELETE FROM delivery_claim WHERE id = %(fence)s

-- name: dead_claims
DELETE FROM delivery_claim
WHERE id IN (
    SELECT id FROM delivery_claim WHERE lease_until < %(now)s ORDER BY id LIMIT 10 FOR UPDATE SKIP LOCKED)
RETURNING id, message_ids, months

-- name: give_back
-- Rows the dead (or ending) worker had not dotted. The fence and the state are checked on the row itself, under its lock:
-- a dot that commits at the same instant either wins and is left alone, or finds its row gone and must not be sent.
UPDATE delivery_message
SET state = 0, fence = NULL, wake_at = %(now)s
WHERE id = ANY(%(ids)s) AND month = ANY(%(months)s) AND fence = %(fence)s AND state = 1

-- name: doubt
UPDATE delivery_message
SET state = CASE WHEN transactional THEN 4 ELSE 7 END, reason = 'worker_died',
    wake_at = CASE WHEN transactional THEN %(now)s END,
    finished_at = CASE WHEN transactional THEN NULL ELSE %(now)s END
WHERE id = ANY(%(ids)s) AND month = ANY(%(months)s) AND fence = %(fence)s AND state = 2

-- name: untold
-- Outcomes whose facts may not have been told before the worker died.
SELECT id, contact_id, origin_kind, origin_id, state, reason, attempts, smtp_code, smtp_enhanced,
       coalesce(finished_at, dotted_at, claimed_at)
FROM delivery_message
WHERE id = ANY(%(ids)s) AND month = ANY(%(months)s) AND fence = %(fence)s AND state IN (3, 4, 5)

-- name: refuse
UPDATE delivery_message m
SET state = r.state, reason = r.reason, wake_at = r.wake_at,
    finished_at = CASE WHEN r.wake_at IS NULL THEN %(now)s END
FROM unnest(%(ids)s::bigint[], %(months)s::date[], %(states)s::smallint[], %(reasons)s::text[], %(wakes)s::timestamptz[])
     AS r(id, month, state, reason, wake_at)
WHERE m.id = r.id AND m.month = r.month AND m.fence = %(fence)s AND m.state = 1

-- name: journal
-- Dots, and the usual answers (one server, one code), in one statement that is prepared by hand, hence the numbers. Only
-- rows that are still ours become dotted; the ids that come back may be sent. No row is in both parts: a dot's answer
-- comes after its commit. A dot may be journalled again by the worker that holds the row and has not given it (state 2
-- with our fence). State 7 as in ``results``.
WITH answers AS (
    UPDATE {partition} m
    SET state = 3, reason = '', smtp_code = $5::smallint, smtp_enhanced = r.enhanced, smtp_text = r.text,
        remote_host = $6::text, remote_ip = nullif($7::text, '')::inet,
        sending_ip = nullif($8::text, '')::inet, tls = $9::text,
        finished_at = $10::timestamptz
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS r(id, fence, enhanced, text)
    WHERE m.id = r.id AND m.fence = r.fence AND m.state IN (2, 7)
)
UPDATE {partition} m
SET state = 2, dotted_at = $16::timestamptz, attempts = d.attempts, message_id = d.message_id, content_sha256 = d.sha256
FROM unnest($11::bigint[], $12::bigint[], $13::smallint[], $14::text[], $15::bytea[])
     AS d(id, fence, attempts, message_id, sha256)
WHERE m.id = d.id AND m.state IN (1, 2) AND m.fence = d.fence
RETURNING m.id

-- name: results
-- State 7 too: a lease may end while the answer is on its way, and the true answer beats the doubt.
UPDATE {partition} m
SET state = r.state, reason = r.reason, wake_at = r.wake_at, attempts = r.attempts, smtp_code = r.code,
    smtp_enhanced = r.enhanced, smtp_text = r.text, remote_host = r.host, remote_ip = r.remote::inet,
    sending_ip = r.sending::inet, tls = r.tls, finished_at = CASE WHEN r.wake_at IS NULL THEN r.at END
FROM unnest(%(ids)s::bigint[], %(fences)s::bigint[], %(states)s::smallint[], %(reasons)s::text[],
            %(wakes)s::timestamptz[], %(attempts)s::smallint[], %(codes)s::smallint[], %(enhanced)s::text[],
            %(texts)s::text[], %(hosts)s::text[], %(remotes)s::text[], %(sendings)s::text[], %(tls)s::text[],
            %(ats)s::timestamptz[])
     AS r(id, fence, state, reason, wake_at, attempts, code, enhanced, text, host, remote, sending, tls, at)
WHERE m.id = r.id AND m.fence = r.fence AND m.state IN (1, 2, 7)

-- name: soft_bounces
-- How often a contact's mailbox refused for this reason in 30 days (by mails, not attempts).
SELECT count(*) FROM delivery_message
WHERE contact_id = %(contact_id)s AND state = 5 AND reason = %(reason)s AND finished_at > %(since)s
