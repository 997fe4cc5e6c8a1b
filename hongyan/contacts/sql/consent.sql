-- name: set_states
-- What holds now follows the newest record of the ledger.
INSERT INTO contacts_consentstate (contact_id, channel, topic_id, state, since)
SELECT * FROM unnest(%(contact_ids)s::bigint[], %(channels)s::text[], %(topic_ids)s::bigint[], %(states)s::text[],
                     %(since)s::timestamptz[])
ON CONFLICT (contact_id, channel, topic_id) DO UPDATE SET state = excluded.state, since = excluded.since
WHERE contacts_consentstate.since <= excluded.since
  -- Asking does not take away what was given, nor what was withdrawn: anybody can type an address into a form.
  AND NOT (excluded.state = 'pending' AND contacts_consentstate.state IN ('given', 'withdrawn'))

-- name: refusals
-- {suppressed}: one of the two joins below, by how many people are asked about.
-- Why each of these contacts may not be mailed, or NULL. Rules, first that applies:
--   no address; suppressed (by address or by its domain); for what needs consent: withdrawn for the topic or the channel,
--   waiting for confirmation, or never given. Transactional mail needs no consent but respects every suppression except
--   an unsubscription, and a topic that the person switched off. A topic given counts even where the channel as a whole was never asked; a withdrawal of the channel
--   beats every topic given before it.
SELECT c.id,
    CASE
        WHEN NOT c.has_email THEN 'no_email'
        WHEN s.reason IS NOT NULL THEN 'suppressed_' || s.reason
        WHEN %(transactional)s THEN CASE WHEN topic.state = 'withdrawn' THEN 'unsubscribed' END
        WHEN whole.state = 'withdrawn' AND (topic.since IS NULL OR topic.since <= whole.since) THEN 'unsubscribed'
        WHEN topic.state = 'withdrawn' THEN 'unsubscribed'
        WHEN topic.state = 'given' THEN NULL
        WHEN topic.state IS NULL AND whole.state = 'given' THEN NULL
        WHEN topic.state = 'pending' OR whole.state = 'pending' THEN 'pending_confirmation'
        ELSE 'no_consent'
    END AS refusal
FROM contacts_contact c
LEFT JOIN contacts_consentstate whole
    ON whole.contact_id = c.id AND whole.channel = 'email' AND whole.topic_id IS NULL
LEFT JOIN contacts_consentstate topic
    ON topic.contact_id = c.id AND topic.channel = 'email' AND topic.topic_id = %(topic_id)s::bigint
{suppressed}


-- name: mail_gate
-- {refusals}: the statement above with its joins.
SELECT g.id, g.refusal, k.country, opens.state, clicks.state
FROM ({refusals} WHERE c.id = ANY(%(ids)s::bigint[])) g
JOIN contacts_contact k ON k.id = g.id
LEFT JOIN contacts_consentstate opens
    ON opens.contact_id = g.id AND opens.channel = 'tracking_open' AND opens.topic_id IS NULL
LEFT JOIN contacts_consentstate clicks
    ON clicks.contact_id = g.id AND clicks.channel = 'tracking_click' AND clicks.topic_id IS NULL

-- name: shrink
-- Who and what for stays provable: pseudonym, purpose, action, basis, version and hash of the wording, times.
UPDATE contacts_consentrecord
   SET contact_id = NULL, wording = '', source_url = '', sealed_evidence = NULL
 WHERE contact_id = %(contact_id)s

-- name: suppressed_of_few
LEFT JOIN LATERAL (
    SELECT p.reason FROM (
        SELECT q.reason FROM contacts_identifier i
        JOIN contacts_suppression q ON q.kind = 'email' AND q.blind = i.blind
        WHERE i.contact_id = c.id AND i.kind = 'email'
        UNION ALL
        SELECT d.reason FROM contacts_suppression d WHERE d.kind = 'domain' AND d.domain = c.email_domain
    ) p
    WHERE NOT (%(transactional)s AND p.reason = 'unsubscribed')
    ORDER BY array_position(ARRAY['hard_bounce', 'complained', 'unsubscribed', 'manual', 'erased', 'import'], p.reason::text)
    LIMIT 1
) s ON true

-- name: suppressed_of_all
-- The suppression list once, turned to contacts, instead of a look-up for each contact.
LEFT JOIN (
    SELECT contact_id, (array_agg(reason ORDER BY rank))[1] AS reason
    FROM (
        SELECT i.contact_id, q.reason,
            array_position(ARRAY['hard_bounce', 'complained', 'unsubscribed', 'manual', 'erased', 'import'], q.reason::text) AS rank
        FROM contacts_suppression q
        JOIN contacts_identifier i ON i.kind = 'email' AND i.blind = q.blind
        WHERE q.kind = 'email' AND NOT (%(transactional)s AND q.reason = 'unsubscribed')
        UNION ALL
        SELECT k.id, d.reason,
            array_position(ARRAY['hard_bounce', 'complained', 'unsubscribed', 'manual', 'erased', 'import'], d.reason::text)
        FROM contacts_suppression d
        JOIN contacts_contact k ON k.email_domain = d.domain
        WHERE d.kind = 'domain' AND NOT (%(transactional)s AND d.reason = 'unsubscribed')
    ) found
    GROUP BY contact_id
) s ON s.contact_id = c.id

-- name: returned
SELECT topic.contact_id
FROM contacts_consentstate topic
JOIN contacts_consentstate whole ON whole.contact_id = topic.contact_id
    AND whole.channel = 'email' AND whole.topic_id IS NULL AND whole.state = 'withdrawn'
WHERE topic.channel = 'email' AND topic.topic_id = %(topic_id)s::bigint AND topic.since > whole.since
