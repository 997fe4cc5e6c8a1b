-- Reading what happened with one person, newest first, in windows of bounded length.

-- name: window
-- Streams along events_of_contact and stops at the limit; ``reach`` bounds how far a search for something rare reads.
-- The plain bound on the time is for pruning partitions, which row comparisons do not do.
SELECT id, contact_id, name, occurred_at, received_at, source, properties FROM (
    SELECT e.id, e.contact_id, e.name, e.occurred_at, e.received_at, e.source, e.properties
      FROM events_event e
     WHERE e.contact_id = %(contact_id)s
       AND e.occurred_at <= %(before_at)s AND (e.occurred_at, e.id) < (%(before_at)s, %(before_id)s)
     ORDER BY e.occurred_at DESC, e.id DESC
     LIMIT %(reach)s
) w
WHERE /*match*/
ORDER BY occurred_at DESC, id DESC
LIMIT %(limit)s

-- name: edge
-- Where such a window ended.
SELECT e.occurred_at, e.id
  FROM events_event e
 WHERE e.contact_id = %(contact_id)s
   AND e.occurred_at <= %(before_at)s AND (e.occurred_at, e.id) < (%(before_at)s, %(before_id)s)
 ORDER BY e.occurred_at DESC, e.id DESC
OFFSET %(reach)s - 1 LIMIT 1

-- name: deeds
-- What staff and the person themselves did to the record. rank tells the sources apart and orders equal times.
(SELECT 6 AS rank, n.created_at AS at, n.id,
        jsonb_build_object('public_id', n.public_id, 'author', coalesce(nullif(u.name, ''), n.author_label),
                           'author_id', n.author_id, 'edited_at', n.edited_at) AS data, n.sealed AS blob
   FROM contacts_contactnote n LEFT JOIN accounts_user u ON u.id = n.author_id
  WHERE 6 = ANY(%(ranks)s::int[]) AND n.contact_id = %(contact_id)s AND (n.created_at, n.id) < (%(at_6)s, %(id_6)s)
  ORDER BY n.created_at DESC, n.id DESC LIMIT %(limit)s)
UNION ALL
(SELECT 3, r.occurred_at, r.id,
        jsonb_build_object('channel', r.channel, 'topic', t.key, 'action', r.action, 'method', r.method,
                           'basis', r.legal_basis, 'wording', left(r.wording, 300), 'by', r.recorded_by), NULL
   FROM contacts_consentrecord r LEFT JOIN contacts_topic t ON t.id = r.topic_id
  WHERE 3 = ANY(%(ranks)s::int[]) AND r.contact_id = ANY(%(contact_ids)s::bigint[])
    AND (r.occurred_at, r.id) < (%(at_3)s, %(id_3)s)
  ORDER BY r.occurred_at DESC, r.id DESC LIMIT %(limit)s)
UNION ALL
(SELECT 1, a.at, a.id,
        jsonb_build_object('action', a.action, 'by', coalesce(nullif(u.name, ''), a.actor_label),
                           'kind', a.actor_kind, 'data', a.data, 'owner', coalesce(nullif(o.name, ''), o.email)), NULL
   FROM audit_auditentry a
   LEFT JOIN accounts_user u ON a.actor_kind = 'user' AND u.id = a.actor_id
   LEFT JOIN accounts_user o ON a.action = 'contact.assigned' AND o.id = (a.data ->> 'owner')::bigint
  WHERE 1 = ANY(%(ranks)s::int[]) AND a.subject_kind = 'contact' AND a.subject_id = ANY(%(public_ids)s::text[])
    AND a.action = ANY(%(actions)s::text[]) AND (a.at, a.id) < (%(at_1)s, %(id_1)s)
  ORDER BY a.at DESC, a.id DESC LIMIT %(limit)s)
UNION ALL
(SELECT 0, m.at, m.id, jsonb_build_object('public_id', m.public_id), NULL
   FROM contacts_mergedaway m
  WHERE 0 = ANY(%(ranks)s::int[]) AND m.into_id = %(contact_id)s AND (m.at, m.id) < (%(at_0)s, %(id_0)s)
  ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s)

-- name: devices
-- With what the person came here, from the newest events that say so.
SELECT agent, min(occurred_at), max(occurred_at), count(*) FROM (
    SELECT e.occurred_at,
           coalesce(e.properties ->> 'user_agent', e.properties #>> '{context,userAgent}') AS agent
      FROM events_event e
     WHERE e.contact_id = %(contact_id)s AND NOT (e.properties ? 'machine' AND e.properties ->> 'machine' IS NOT NULL)
     ORDER BY e.occurred_at DESC, e.id DESC
     LIMIT 5000
) recent
WHERE agent IS NOT NULL AND agent <> ''
GROUP BY agent ORDER BY max(occurred_at) DESC LIMIT 40

-- name: of_people
SELECT w.id, w.contact_id, w.name, w.occurred_at, w.received_at, w.source, w.properties
  FROM unnest(%(contact_ids)s::bigint[]) AS p (contact_id)
 CROSS JOIN LATERAL (
    SELECT e.id, e.contact_id, e.name, e.occurred_at, e.received_at, e.source, e.properties
      FROM events_event e WHERE e.contact_id = p.contact_id
     ORDER BY e.occurred_at DESC, e.id DESC LIMIT %(each)s
 ) w
 ORDER BY w.occurred_at DESC, w.id DESC LIMIT %(limit)s
