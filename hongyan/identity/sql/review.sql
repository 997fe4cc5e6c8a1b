-- name: activity
-- How much is known of each of a few contacts, counted up to a thousand.
SELECT given.id,
    (SELECT count(*) FROM (SELECT 1 FROM events_event e WHERE e.contact_id = given.id LIMIT 1000) events),
    (SELECT count(*) FROM (
        SELECT 1 FROM events_event e WHERE e.contact_id = given.id AND e.name = 'email_sent' LIMIT 1000) mails)
FROM unnest(%(ids)s::bigint[]) AS given (id)
