-- name: fold
-- Reads the next events of the log and adds them up, in one statement; returns how many were read and where they end.
-- The caller holds the reader's cursor row, so nobody else folds, and moves it in the same transaction.
WITH seen AS MATERIALIZED (
    SELECT tx, id, contact_id, name, occurred_at, properties
    FROM events_event
    WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint) AND tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY tx, id
    LIMIT %(limit)s
), mail AS (
    SELECT
        contact_id, name, occurred_at, properties ->> 'origin_kind' AS origin_kind,
        CASE WHEN jsonb_typeof(properties -> 'origin_id') = 'number' THEN (properties ->> 'origin_id')::bigint END AS origin_id,
        CASE WHEN jsonb_typeof(properties -> 'message_id') = 'number' THEN (properties ->> 'message_id')::bigint END AS message_id,
        CASE WHEN jsonb_typeof(properties -> 'link') = 'number' THEN (properties ->> 'link')::smallint ELSE -1 END AS link,
        properties ->> 'machine' AS machine  -- NULL: a person
    FROM seen
    WHERE name = ANY(%(names)s) AND properties ? 'origin_kind'
), hits AS MATERIALIZED (
    -- What one event stands for. hit is 0 where the mark only follows from it: a click of a person shows that they opened.
    SELECT m.origin_kind, m.origin_id, m.message_id, m.contact_id, m.occurred_at, stands.mark::smallint AS mark,
           stands.link::smallint AS link, stands.hit
    FROM mail m
    CROSS JOIN LATERAL (VALUES
        ('email_sent', TRUE, 9, -1, 1),
        ('email_opened', m.machine IS NULL, 1, -1, 1),
        ('email_opened', m.machine = ANY(%(unknown)s), 3, -1, 1),
        ('email_opened', m.machine <> ALL(%(unknown)s), 2, -1, 1),
        ('email_opened', COALESCE(m.machine = ANY(%(unknown)s), TRUE), 10, -1, 1),
        ('email_opened', TRUE, 11, -1, 1),
        ('email_clicked', m.machine IS NULL, 4, -1, 1),
        ('email_clicked', m.machine IS NULL AND m.link >= 0, 4, m.link, 1),
        ('email_clicked', m.machine IS NULL, 1, -1, 0),
        ('email_clicked', m.machine IS NULL, 10, -1, 0),
        ('email_clicked', m.machine IS NULL, 11, -1, 0),
        ('email_clicked', m.machine IS NOT NULL, 5, -1, 1),
        ('email_clicked', m.machine IS NOT NULL AND m.link >= 0, 5, m.link, 1),
        ('email_clicked', TRUE, 12, -1, 1),
        ('email_unsubscribed', TRUE, 6, -1, 1),
        ('email_complained', TRUE, 7, -1, 1)
    ) AS stands (name, holds, mark, link, hit)
    WHERE stands.name = m.name AND stands.holds AND m.origin_id IS NOT NULL
), fresh AS (
    INSERT INTO analytics_messagemark (origin_kind, origin_id, mark, link, message_id, contact_id, first_at)
    SELECT origin_kind, origin_id, mark, link, message_id, min(contact_id), min(occurred_at)
    FROM hits
    WHERE mark <> 9 AND message_id IS NOT NULL  -- NULL once the person was erased: counted as a hit, no longer as somebody
    GROUP BY origin_kind, origin_id, mark, link, message_id
    ON CONFLICT DO NOTHING
    RETURNING origin_kind, origin_id, mark, link, first_at
), counted AS (
    SELECT origin_kind, origin_id, mark, link, date_bin('15 minutes', occurred_at, TIMESTAMPTZ '2000-01-01 00:00+00') AS starts_at,
           CASE WHEN mark = 9 THEN 1 ELSE 0 END AS messages, hit AS hits
    FROM hits
    UNION ALL
    SELECT origin_kind, origin_id, mark, link, date_bin('15 minutes', first_at, TIMESTAMPTZ '2000-01-01 00:00+00'), 1, 0
    FROM fresh
), figures AS (
    INSERT INTO analytics_figure AS f (origin_kind, origin_id, mark, link, messages, hits)
    SELECT origin_kind, origin_id, mark, link, sum(messages), sum(hits) FROM counted GROUP BY 1, 2, 3, 4
    ON CONFLICT (origin_kind, origin_id, mark, link)
    DO UPDATE SET messages = f.messages + excluded.messages, hits = f.hits + excluded.hits
), slots AS (
    INSERT INTO analytics_slot AS s (origin_kind, origin_id, starts_at, mark, messages, hits)
    SELECT origin_kind, origin_id, starts_at, mark, sum(messages), sum(hits) FROM counted WHERE link = -1 GROUP BY 1, 2, 3, 4
    ON CONFLICT (origin_kind, origin_id, starts_at, mark)
    DO UPDATE SET messages = s.messages + excluded.messages, hits = s.hits + excluded.hits
)
SELECT count(*), (array_agg(tx::text::bigint ORDER BY tx DESC, id DESC))[1], (array_agg(id ORDER BY tx DESC, id DESC))[1]
FROM seen
