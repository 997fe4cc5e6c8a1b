-- name: set_states
-- What holds now follows the newest record of the ledger.
INSERT INTO contacts_consentstate (contact_id, channel, topic_id, state, since)
SELECT * FROM unnest(%(contact_ids)s::bigint[], %(channels)s::text[], %(topic_ids)s::bigint[], %(states)s::text[],
                     %(since)s::timestamptz[])
ON CONFLICT (contact_id, channel, topic_id) DO UPDATE SET state = excluded.state, since = excluded.since
WHERE contacts_consentstate.since <= excluded.since

-- name: refusals
-- Why each of these contacts may not be mailed, or NULL. Rules, first that applies:
--   no address; suppressed (by address or by its domain); for what needs consent: withdrawn for the topic or the channel,
--   waiting for confirmation, or never given. Transactional mail needs no consent but respects every suppression except
--   an unsubscription. A topic given counts even where the channel as a whole was never asked; a withdrawal of the channel
--   beats every topic given before it.
SELECT c.id,
    CASE
        WHEN NOT c.has_email THEN 'no_email'
        WHEN s.reason IS NOT NULL THEN 'suppressed_' || s.reason
        WHEN %(transactional)s THEN NULL
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
LEFT JOIN LATERAL (
    SELECT p.reason FROM contacts_identifier i
    JOIN contacts_suppression p ON p.kind = 'email' AND p.blind = i.blind
    WHERE i.contact_id = c.id AND i.kind = 'email'
      AND NOT (%(transactional)s AND p.reason = 'unsubscribed')
    ORDER BY array_position(ARRAY['hard_bounce', 'complained', 'unsubscribed', 'manual', 'erased', 'import'], p.reason::text)
    LIMIT 1
) s ON true
