-- Where contacts stand: lifecycle stage and RFM. Only what changes is written, and every move is counted by day.

-- name: stage_move
-- Of these contacts and the stages they should be in, whoever is elsewhere moves. New ones are counted as moves from ''.
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(stages)s::text[]) AS t (contact_id, stage)
), moved AS (
    SELECT w.contact_id, coalesce(l.stage, '') AS before, w.stage AS after
      FROM wanted w JOIN contacts_contact c ON c.id = w.contact_id
      LEFT JOIN audience_lifecycle l ON l.contact_id = w.contact_id
     WHERE l.stage IS DISTINCT FROM w.stage
     ORDER BY w.contact_id
       FOR KEY SHARE OF c
), written AS (
    INSERT INTO audience_lifecycle (contact_id, stage, since)
    SELECT contact_id, after, %(at)s FROM moved
        ON CONFLICT (contact_id) DO UPDATE SET stage = excluded.stage, since = excluded.since
), counted AS (
    INSERT INTO audience_standingflow AS f (kind, day, before, after, contacts)
    SELECT 'stages', %(day)s, before, after, count(*) FROM moved GROUP BY before, after
        ON CONFLICT (kind, day, before, after) DO UPDATE SET contacts = f.contacts + excluded.contacts
)
SELECT contact_id, before, after FROM moved

-- name: stages_held
SELECT stage, array_agg(contact_id) FROM audience_lifecycle GROUP BY stage

-- name: rfm_thresholds
-- For quantile scales: threshold k is the smallest present value such that at least k fifths of all customers have a
-- strictly lower one. Equal values are one row here, so ties are never split.
WITH given AS (
    SELECT w.what, w.value
      FROM commerce_contactfacts f
     CROSS JOIN LATERAL (VALUES ('recency', extract(epoch FROM f.last_at)), ('frequency', f.orders::numeric),
                                ('monetary', f.total_minor::numeric)) AS w (what, value)
     WHERE f.orders > 0 AND f.last_at IS NOT NULL AND w.what = ANY(%(scales)s::text[])
), counted AS (
    SELECT what, value, count(*) AS n FROM given GROUP BY what, value
), ranked AS (
    SELECT what, value, sum(n) OVER (PARTITION BY what ORDER BY value) - n AS lower,
           sum(n) OVER (PARTITION BY what) AS total
      FROM counted
)
SELECT what, k, min(value)::text
  FROM ranked CROSS JOIN generate_series(1, 4) AS k
 WHERE lower * 5 >= k * total
 GROUP BY what, k

-- name: rfm_score
-- Scores and tiers from the thresholds; a threshold that is NULL is reached by nobody. Who has no order left loses the row.
WITH scored AS (
    SELECT f.contact_id,
           (1 + (SELECT count(*) FROM unnest(%(recency)s::numeric[]) AS t (cut)
                  WHERE extract(epoch FROM f.last_at) >= t.cut))::smallint AS recency,
           (1 + (SELECT count(*) FROM unnest(%(frequency)s::numeric[]) AS t (cut) WHERE f.orders >= t.cut))::smallint
               AS frequency,
           (1 + (SELECT count(*) FROM unnest(%(monetary)s::numeric[]) AS t (cut) WHERE f.total_minor >= t.cut))::smallint
               AS monetary
      FROM commerce_contactfacts f
     WHERE f.orders > 0 AND f.last_at IS NOT NULL AND f./*among*/
), tiered AS (
    SELECT s.*, (SELECT t.key
                   FROM unnest(%(keys)s::text[], %(r_low)s::int[], %(r_high)s::int[], %(f_low)s::int[], %(f_high)s::int[],
                               %(m_low)s::int[], %(m_high)s::int[]) WITH ORDINALITY
                        AS t (key, r_low, r_high, f_low, f_high, m_low, m_high, place)
                  WHERE s.recency BETWEEN t.r_low AND t.r_high AND s.frequency BETWEEN t.f_low AND t.f_high
                    AND s.monetary BETWEEN t.m_low AND t.m_high
                  ORDER BY t.place LIMIT 1) AS tier
      FROM scored s
), moved AS (
    SELECT t.*, coalesce(r.tier, '') AS before
      FROM tiered t LEFT JOIN audience_rfm r ON r.contact_id = t.contact_id
     WHERE (r.recency, r.frequency, r.monetary, r.tier) IS DISTINCT FROM (t.recency, t.frequency, t.monetary, t.tier)
), written AS (
    INSERT INTO audience_rfm (contact_id, recency, frequency, monetary, tier, scored_at)
    SELECT contact_id, recency, frequency, monetary, tier, %(at)s FROM moved ORDER BY contact_id
        ON CONFLICT (contact_id) DO UPDATE SET recency = excluded.recency, frequency = excluded.frequency,
           monetary = excluded.monetary, tier = excluded.tier, scored_at = excluded.scored_at
), gone AS (
    DELETE FROM audience_rfm r
     WHERE r./*among*/ AND NOT EXISTS (SELECT 1 FROM scored s WHERE s.contact_id = r.contact_id)
    RETURNING r.contact_id, r.tier AS before
), moves AS (
    SELECT contact_id, before, tier AS after, recency, frequency, monetary FROM moved WHERE before <> tier
    UNION ALL
    SELECT contact_id, before, '', NULL, NULL, NULL FROM gone
), counted AS (
    INSERT INTO audience_standingflow AS f (kind, day, before, after, contacts)
    SELECT 'rfm', %(day)s, before, after, count(*) FROM moves GROUP BY before, after
        ON CONFLICT (kind, day, before, after) DO UPDATE SET contacts = f.contacts + excluded.contacts
)
SELECT contact_id, before, after, recency, frequency, monetary FROM moves WHERE before <> ''

-- name: rfm_grid
-- By cell of recency and frequency: how many, and what they spent.
SELECT r.recency, r.frequency, count(*), coalesce(sum(f.total_minor), 0)::bigint
  FROM audience_rfm r JOIN commerce_contactfacts f ON f.contact_id = r.contact_id
 GROUP BY r.recency, r.frequency

-- name: rfm_tiers
SELECT r.tier, count(*), coalesce(sum(f.total_minor), 0)::bigint, coalesce(sum(f.orders), 0)::bigint
  FROM audience_rfm r JOIN commerce_contactfacts f ON f.contact_id = r.contact_id
 GROUP BY r.tier

-- name: horizon
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint

-- name: events_after
-- Whose events came after the cursor, for the names that matter; the last row says how far it was read.
WITH next AS (
    SELECT tx, id, contact_id, name FROM events_event
     WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint) AND tx < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY tx, id
     LIMIT %(limit)s
)
SELECT (SELECT array_agg(DISTINCT contact_id) FROM next
         WHERE contact_id IS NOT NULL AND name = ANY(%(names)s::text[])),
       tx::text::bigint, id
  FROM next ORDER BY tx DESC, id DESC LIMIT 1

-- name: turned
-- Whose events came to these ages between the two moments. Of age nothing are only those that came before they happened:
-- the others counted when they came. OFFSET 0 keeps the planner from making one join of it, which reads the whole log.
SELECT DISTINCT e.contact_id
  FROM unnest(%(names)s::text[], %(ages)s::interval[]) AS s (name, age)
 CROSS JOIN LATERAL (
    SELECT contact_id FROM events_event
     WHERE name = s.name AND occurred_at > %(since)s - s.age AND occurred_at <= %(until)s - s.age
       AND contact_id IS NOT NULL AND (s.age > interval '0' OR occurred_at > received_at)
    OFFSET 0
 ) e
