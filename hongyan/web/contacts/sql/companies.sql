-- name: engagement
-- Mails to a company's people since a moment: delivered, of those opened and clicked by people, and bounced. By facts,
-- which have an index by person (the send log has none). Facts stay with the contact they happened to when it is merged.
WITH people AS (
    SELECT id FROM contacts_contact WHERE company_id = %(company_id)s ORDER BY last_activity_at DESC NULLS LAST, id
    LIMIT %(most)s
), everyone AS (
    SELECT id FROM people
    UNION ALL SELECT m.contact_id FROM contacts_mergedaway m JOIN people ON m.into_id = people.id
), mails AS (
    SELECT e.properties->>'origin_kind' AS kind, e.properties->>'origin_id' AS origin, e.properties->>'message_id' AS mail,
           bool_or(e.name = 'email_sent') AS sent,
           bool_or(e.name IN ('email_opened', 'email_clicked') AND e.properties->>'machine' IS NULL) AS opened,
           bool_or(e.name = 'email_clicked' AND e.properties->>'machine' IS NULL) AS clicked,
           bool_or(e.name = 'email_bounced') AS bounced
    FROM everyone JOIN events_event e ON e.contact_id = everyone.id
    WHERE e.occurred_at >= %(since)s AND e.name IN ('email_sent', 'email_opened', 'email_clicked', 'email_bounced')
    GROUP BY 1, 2, 3
)
SELECT count(*) FILTER (WHERE sent AND NOT bounced), count(*) FILTER (WHERE sent AND NOT bounced AND opened),
       count(*) FILTER (WHERE sent AND NOT bounced AND clicked), count(*) FILTER (WHERE bounced)
FROM mails
