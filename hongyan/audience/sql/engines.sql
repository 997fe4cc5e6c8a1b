-- name: sizes
-- Contacts in the population's files, whether the history has files, and how many facts are in none of them (up to a
-- bound that is looked for no further).
SELECT
    (SELECT coalesce(sum(rows), 0) FROM audience_populationfile WHERE retired_at IS NULL AND type_id IS NULL),
    coalesce(s.tx, 0) > 0,
    (SELECT count(*) FROM (
        SELECT 1 FROM events_event e WHERE e.tx >= s.tx::text::xid8 LIMIT %(most)s) waiting)
FROM (SELECT 1) one LEFT JOIN events_historystate s ON s.id = 1
