-- Keeping members of saved audiences current.

-- name: stamp
-- What plans are made from, as two digests: all that conditions may name, and the audiences themselves. New names of
-- events are among the second: they mend definitions and change none.
SELECT md5(concat_ws('|',
    (SELECT string_agg(concat_ws(',', id, key, group_id), ';' ORDER BY id) FROM audience_tag),
    (SELECT string_agg(concat_ws(',', id, key, parent_id), ';' ORDER BY id) FROM audience_taggroup),
    (SELECT string_agg(concat_ws(',', id, public_id), ';' ORDER BY id) FROM audience_contactlist),
    (SELECT string_agg(concat_ws(',', id, key), ';' ORDER BY id) FROM contacts_topic),
    (SELECT string_agg(concat_ws(',', key, type, sensitive, options, archived_at), ';' ORDER BY id)
       FROM contacts_fielddefinition),
    (SELECT string_agg(concat_ws(',', id, key, fields, archived_at), ';' ORDER BY id) FROM contacts_objecttype),
    (SELECT string_agg(currency, ';') FROM commerce_commercesettings),
    (SELECT max(id)::text FROM audience_standingrules)
)), md5(concat_ws('|',
    (SELECT string_agg(concat_ws(',', id, current), ';' ORDER BY id) FROM audience_savedaudience),
    (SELECT string_agg(audience_id::text, ';' ORDER BY audience_id) FROM audience_following WHERE NOT live),
    (SELECT count(*)::text FROM events_eventname)
))

-- name: new_events
-- The next facts in the order of their transactions: those that some condition looks at or that happen later, at most
-- ``limit``, and the last one of all that were read, behind which the next pass begins. Properties only where some
-- condition asks about them. Besides: when the newest came, how many there were, and whether there may be more.
WITH next AS MATERIALIZED (
    SELECT * FROM events_event
     WHERE (tx, id) > (%(tx)s::text::xid8, %(id)s::bigint)
       AND tx < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY tx, id
     LIMIT %(read)s
), concerned AS (
    SELECT tx, id FROM next WHERE name = ANY(%(names)s::text[]) OR occurred_at > %(now)s
     ORDER BY tx, id LIMIT %(limit)s
), newest AS (
    SELECT tx, id FROM next ORDER BY tx DESC, id DESC LIMIT 1
), last AS (
    SELECT tx, id FROM concerned
     WHERE (SELECT count(*) FROM concerned) = %(limit)s ORDER BY tx DESC, id DESC LIMIT 1
), behind AS (
    SELECT tx, id FROM last UNION ALL (SELECT tx, id FROM newest WHERE NOT EXISTS (SELECT 1 FROM last))
), counted AS (
    SELECT max(n.received_at) AS newest, count(*) AS read,
           EXISTS (SELECT 1 FROM last) OR count(*) = %(read)s AS more
      FROM next n CROSS JOIN behind b WHERE (n.tx, n.id) <= (b.tx, b.id)
)
SELECT n.tx::text::bigint, n.id, n.contact_id, n.name, n.occurred_at,
       CASE WHEN n.name = ANY(%(asking)s::text[]) THEN n.properties END, c.newest, c.read, c.more
  FROM next n CROSS JOIN counted c CROSS JOIN behind b
 WHERE (n.tx, n.id) <= (b.tx, b.id)
   AND (n.name = ANY(%(names)s::text[]) OR n.occurred_at > %(now)s OR (n.tx, n.id) = (b.tx, b.id))
 ORDER BY n.tx, n.id

-- name: horizon
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint

-- name: own_tables
-- The batch under evaluation, in tables of this session: definitions are asked of them instead of the whole.
CREATE TEMP TABLE member_contacts (LIKE contacts_contact) ON COMMIT DELETE ROWS;
CREATE INDEX ON member_contacts (id);
CREATE TEMP TABLE member_events (
    id bigint, contact_id bigint, name text, occurred_at timestamptz, received_at timestamptz, source text,
    properties jsonb
) ON COMMIT DELETE ROWS;
CREATE INDEX ON member_events (contact_id, name, occurred_at);

-- name: take_contacts
INSERT INTO member_contacts SELECT * FROM contacts_contact WHERE id = ANY(%(ids)s::bigint[])

-- name: take_events
-- Of the batch's contacts: what the definitions look at. since: the first instant any of them counts from.
INSERT INTO member_events
SELECT id, contact_id, name, occurred_at, received_at, source, properties FROM events_event
 WHERE contact_id = ANY(%(ids)s::bigint[]) AND name = ANY(%(names)s::text[])
   AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)

-- name: take_spans
-- The same, of each contact only in the months in which it has such facts.
INSERT INTO member_events
SELECT e.*
  FROM unnest(%(ids)s::bigint[], %(lows)s::timestamptz[], %(highs)s::timestamptz[]) AS t (contact_id, low, high)
 CROSS JOIN LATERAL (
    SELECT id, contact_id, name, occurred_at, received_at, source, properties FROM events_event
     WHERE contact_id = t.contact_id AND occurred_at >= t.low AND occurred_at < t.high
       AND name = ANY(%(names)s::text[]) AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)
    OFFSET 0  -- each by its index
 ) e

-- name: contacts_of_span
-- Who has such facts between two moments, as one string of eight bytes each.
SELECT string_agg(int8send(contact_id), '') FROM (
    SELECT DISTINCT contact_id FROM events_event
     WHERE name = ANY(%(names)s::text[]) AND contact_id IS NOT NULL
       AND occurred_at >= %(low)s::timestamptz AND occurred_at < %(high)s::timestamptz
) AS d

-- name: members_of
-- Each contact is looked up by itself: given two lists, PostgreSQL may look for every pair of them in an index.
SELECT m.audience_id, m.contact_id
  FROM unnest(%(ids)s::bigint[]) AS t (contact_id)
 CROSS JOIN LATERAL (SELECT audience_id, contact_id FROM audience_member WHERE contact_id = t.contact_id OFFSET 0) m
 WHERE m.audience_id = ANY(%(audiences)s::bigint[])

-- name: crossing
-- Contacts with an event that got as old as that between the last look and now, one row for each (name, age).
SELECT s.n, array_agg(DISTINCT e.contact_id)
  FROM unnest(%(names)s::text[], %(lows)s::timestamptz[], %(highs)s::timestamptz[]) WITH ORDINALITY AS s (name, low, high, n)
 CROSS JOIN LATERAL (
    SELECT contact_id FROM events_event
     WHERE name = s.name AND occurred_at >= s.low AND occurred_at <= s.high AND contact_id IS NOT NULL
    OFFSET 0  -- each by its index; one join of all would read the whole log
 ) e
 GROUP BY s.n

-- name: due
SELECT d.clock_id, d.contact_id, d.due_at FROM audience_memberdue d
  JOIN audience_memberclock c ON c.id = d.clock_id
 WHERE c.reader = %(reader)s AND d.due_at <= CASE WHEN c.by_day THEN %(day)s ELSE %(now)s END::timestamptz
 ORDER BY d.due_at LIMIT %(limit)s

-- name: due_done
DELETE FROM audience_memberdue d
 USING unnest(%(clocks)s::bigint[], %(contacts)s::bigint[], %(dues)s::timestamptz[]) AS t (clock_id, contact_id, due_at)
 WHERE d.clock_id = t.clock_id AND d.contact_id = t.contact_id AND d.due_at = t.due_at

-- name: due_forget
DELETE FROM audience_memberdue WHERE clock_id = %(clock)s AND contact_id = ANY(%(ids)s::bigint[])

-- name: due_at
INSERT INTO audience_memberdue (clock_id, contact_id, due_at)
SELECT * FROM unnest(%(clocks)s::bigint[], %(contacts)s::bigint[], %(dues)s::timestamptz[])
ON CONFLICT DO NOTHING

-- name: put
-- Of one audience, many.
INSERT INTO audience_member (audience_id, contact_id, since)
SELECT %(audience)s, contact_id, %(at)s FROM unnest(%(contacts)s::bigint[]) AS t (contact_id) ON CONFLICT DO NOTHING

-- name: take
DELETE FROM audience_member WHERE audience_id = %(audience)s AND contact_id = ANY(%(contacts)s::bigint[])

-- name: enter
INSERT INTO audience_member (audience_id, contact_id, since)
SELECT audience_id, contact_id, %(at)s FROM unnest(%(audiences)s::bigint[], %(contacts)s::bigint[]) AS t (audience_id, contact_id)
ON CONFLICT DO NOTHING

-- name: leave
DELETE FROM audience_member m
 USING unnest(%(audiences)s::bigint[], %(contacts)s::bigint[]) AS t (audience_id, contact_id)
 WHERE m.audience_id = t.audience_id AND m.contact_id = t.contact_id

-- name: moves
INSERT INTO audience_membermove (audience_id, contact_id, entered, at, kind, cause)
SELECT t.audience_id, t.contact_id, t.entered, %(at)s, t.kind, t.cause
  FROM unnest(%(audiences)s::bigint[], %(contacts)s::bigint[], %(entered)s::boolean[], %(kinds)s::text[],
              %(causes)s::text[]) AS t (audience_id, contact_id, entered, kind, cause)
 WHERE EXISTS (SELECT 1 FROM contacts_contact c WHERE c.id = t.contact_id)

-- name: days
-- What came and went is added; the size is what it is now.
INSERT INTO audience_memberday AS d (audience_id, day, size, entered, "left", causes)
SELECT t.audience_id, %(day)s, f.size, t.entered, t.gone, t.causes
  FROM unnest(%(audiences)s::bigint[], %(entered)s::bigint[], %(gone)s::bigint[], %(causes)s::jsonb[])
       AS t (audience_id, entered, gone, causes)
  JOIN audience_following f ON f.audience_id = t.audience_id
ON CONFLICT (audience_id, day) DO UPDATE SET
    size = excluded.size, entered = d.entered + excluded.entered, "left" = d."left" + excluded."left",
    causes = (
        SELECT jsonb_object_agg(key, jsonb_build_array(came, went)) FROM (
            SELECT key, sum((value ->> 0)::bigint) AS came, sum((value ->> 1)::bigint) AS went
              FROM (SELECT * FROM jsonb_each(d.causes) UNION ALL SELECT * FROM jsonb_each(excluded.causes)) both_days
             GROUP BY key
        ) added
    )

-- name: sizes_of_today
-- Also where nothing moved: erased and merged people make audiences smaller without anybody leaving.
INSERT INTO audience_memberday AS d (audience_id, day, size, entered, "left", causes)
SELECT audience_id, %(day)s, size, 0, 0, '{}' FROM audience_following WHERE live AND filled_at IS NOT NULL
ON CONFLICT (audience_id, day) DO UPDATE SET size = excluded.size WHERE d.size <> excluded.size
