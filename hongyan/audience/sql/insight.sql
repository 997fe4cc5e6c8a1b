-- name: tally
-- All numbers of the overview of audiences: (what, id, day, size, entered, left).
SELECT 'everyone', 0, NULL::date, count(*), 0::bigint, 0::bigint FROM contacts_contact
UNION ALL
SELECT 'tag', tag_id, NULL, count(*), 0, 0 FROM audience_contacttag GROUP BY tag_id
UNION ALL
SELECT 'list', list_id, NULL, count(*), 0, 0 FROM audience_listmember GROUP BY list_id
UNION ALL
SELECT 'day', audience_id, day, size, entered, "left" FROM audience_memberday WHERE day >= %(first)s

-- name: worth
-- What these people and all people bought, in the organisation's currency: two rows' worth of sums in one.
WITH here AS MATERIALIZED (/*members*/)
SELECT
    (SELECT count(*) FROM here), count(h.id) FILTER (WHERE f.orders > 0),
    coalesce(sum(f.orders) FILTER (WHERE h.id IS NOT NULL), 0)::bigint,
    coalesce(sum(f.total_minor) FILTER (WHERE h.id IS NOT NULL), 0)::bigint,
    (SELECT count(*) FROM contacts_contact), count(*) FILTER (WHERE f.orders > 0),
    coalesce(sum(f.orders), 0)::bigint, coalesce(sum(f.total_minor), 0)::bigint,
    coalesce((SELECT currency FROM commerce_commercesettings ORDER BY id LIMIT 1), %(currency)s)
FROM commerce_contactfacts f LEFT JOIN here h ON h.id = f.contact_id
