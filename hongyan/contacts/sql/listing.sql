-- Parts and batches of the list of people. ``c`` is contacts_contact.

-- name: standing
-- What holds for e-mail as a whole: the best of the channel and its topics. A withdrawal of the channel takes away every
-- topic given before it, as in consent.sql.
SELECT CASE
    WHEN bool_or(s.state = 'given' AND (whole.state IS DISTINCT FROM 'withdrawn' OR s.since > whole.since)) THEN 'given'
    WHEN bool_or(s.topic_id IS NULL AND s.state = 'withdrawn') THEN 'withdrawn'
    WHEN bool_or(s.state = 'pending') THEN 'pending'
    WHEN bool_or(s.state = 'withdrawn') THEN 'withdrawn'
    ELSE 'none'
  END
  FROM contacts_consentstate s
  LEFT JOIN contacts_consentstate whole
    ON whole.contact_id = s.contact_id AND whole.channel = 'email' AND whole.topic_id IS NULL
 WHERE s.contact_id = c.id AND s.channel = 'email'

-- name: suppressed
SELECT i.contact_id, s.reason
  FROM contacts_identifier i
  JOIN contacts_suppression s ON s.kind = 'email' AND s.blind = i.blind
 WHERE i.contact_id = ANY(%(ids)s::bigint[]) AND i.kind = 'email'
UNION
SELECT c.id, d.reason
  FROM contacts_contact c
  JOIN contacts_suppression d ON d.kind = 'domain' AND d.domain = c.email_domain
 WHERE c.id = ANY(%(ids)s::bigint[]) AND c.email_domain <> ''
 ORDER BY 1, 2

-- name: places
-- The values that occur, by leaps along the index: as many steps as values, however many people there are.
WITH RECURSIVE country AS (
    (SELECT c.country AS value FROM contacts_contact c ORDER BY c.country LIMIT 1)
    UNION ALL
    SELECT (SELECT c.country FROM contacts_contact c WHERE c.country > leap.value ORDER BY c.country LIMIT 1)
      FROM country leap WHERE leap.value IS NOT NULL
), city AS (
    (SELECT c.city AS value FROM contacts_contact c ORDER BY c.city LIMIT 1)
    UNION ALL
    SELECT (SELECT c.city FROM contacts_contact c WHERE c.city > leap.value ORDER BY c.city LIMIT 1)
      FROM city leap WHERE leap.value IS NOT NULL
)
(SELECT 'country', value FROM country WHERE value <> '' LIMIT %(limit)s)
UNION ALL
(SELECT 'city', value FROM city WHERE value <> '' LIMIT %(limit)s)
