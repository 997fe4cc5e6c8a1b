-- Statements of the bulk writer. What is many comes through temporary tables filled by COPY.

-- name: keys_table
CREATE TEMPORARY TABLE IF NOT EXISTS contacts_bulk_key (kind text, blind bytea) ON COMMIT DELETE ROWS

-- name: by_index
-- A few thousand keys against millions of rows: always by index. Left to itself the planner, which has no statistics of a
-- temporary table, reads the whole table once a block.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)

-- name: by_any_plan
SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)

-- name: owners
-- Which contacts hold these identifiers.
SELECT i.kind, i.blind, i.contact_id
  FROM contacts_bulk_key wanted
  JOIN contacts_identifier i ON i.kind = wanted.kind AND i.blind = wanted.blind

-- name: suppressed
SELECT s.kind, s.blind, bool_or(s.reason = 'erased')
  FROM contacts_bulk_key wanted
  JOIN contacts_suppression s ON s.kind = wanted.kind AND s.blind = wanted.blind
 GROUP BY s.kind, s.blind

-- name: present
-- In the order of ids, so that two writers lock the same rows in the same order.
SELECT id, sealed, sex, language, country, region, city, time_zone, attributes, provenance, source, is_demo, created_at
  FROM contacts_contact WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

-- name: present_unlocked
SELECT id, sealed, sex, language, country, region, city, time_zone, attributes, provenance, source, is_demo, created_at
  FROM contacts_contact WHERE id = ANY(%(ids)s) ORDER BY id

-- name: ids
-- The sequence is looked up once: within the call it would be once a row, which took four times as long as all the rest.
WITH number AS MATERIALIZED (SELECT pg_get_serial_sequence('contacts_contact', 'id')::regclass AS source)
SELECT array_agg(nextval((SELECT source FROM number))) FROM generate_series(1, %(count)s)

-- name: changes_table
CREATE TEMPORARY TABLE IF NOT EXISTS contacts_bulk_change (
  id bigint, public_id uuid, sealed bytea, seal_version smallint, filled text[], search_tokens bigint[], sex smallint,
  language text, country text, region text, city text, time_zone text, email_domain text, birth_month smallint,
  birth_day smallint, has_email boolean, has_phone boolean, attributes jsonb, provenance jsonb, source text,
  is_demo boolean, created_at timestamptz, updated_at timestamptz
) ON COMMIT DELETE ROWS

-- name: apply_changes
UPDATE contacts_contact c
   SET sealed = n.sealed, seal_version = n.seal_version, filled = n.filled, search_tokens = n.search_tokens,
       sex = n.sex, language = n.language, country = n.country, region = n.region, city = n.city,
       time_zone = n.time_zone, email_domain = n.email_domain, birth_month = n.birth_month, birth_day = n.birth_day,
       has_email = n.has_email, has_phone = n.has_phone, attributes = n.attributes, provenance = n.provenance,
       updated_at = n.updated_at
  FROM contacts_bulk_change n
 WHERE c.id = n.id

-- name: drop_identifiers
-- Identifiers a changed contact no longer has.
DELETE FROM contacts_identifier i
 USING unnest(%(contacts)s::bigint[], %(kinds)s::text[], %(blinds)s::bytea[]) AS gone (contact_id, kind, blind)
 WHERE i.contact_id = gone.contact_id AND i.kind = gone.kind AND i.blind = gone.blind

-- name: consent_states
SELECT contact_id, topic_id, state FROM contacts_consentstate
 WHERE contact_id = ANY(%(ids)s) AND channel = 'email'
