-- name: field_used
SELECT EXISTS (SELECT 1 FROM contacts_contact WHERE attributes @? ('$.' || to_json(%(key)s::text)::text)::jsonpath)

-- name: sensitive_field_used
SELECT EXISTS (SELECT 1 FROM contacts_contact WHERE filled @> ARRAY[%(key)s::text])

-- name: value_used
SELECT EXISTS (SELECT 1 FROM contacts_contact WHERE attributes @> %(part)s::jsonb)

-- name: estimate
-- Kept up to date by autovacuum; -1 before the first vacuum or analyse.
SELECT reltuples::bigint FROM pg_class WHERE oid = 'contacts_contact'::regclass

-- name: seen_active
-- When people last did something themselves; never back in time.
UPDATE contacts_contact c SET last_activity_at = t.at
FROM unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS t(id, at)
WHERE c.id = t.id AND (c.last_activity_at IS NULL OR c.last_activity_at < t.at)
