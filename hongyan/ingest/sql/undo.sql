-- name: delete_untouched
-- Not people who have done something, were edited by somebody or were brought up to date since. Consent records stay in
-- the ledger, as all do.
WITH untouched AS (
    SELECT id FROM contacts_contact
    WHERE id = ANY(%(ids)s::bigint[]) AND updated_at = created_at AND last_activity_at IS NULL
    ORDER BY id
    FOR UPDATE
), identifiers AS (
    DELETE FROM contacts_identifier i USING untouched u WHERE i.contact_id = u.id
), states AS (
    DELETE FROM contacts_consentstate s USING untouched u WHERE s.contact_id = u.id
)
DELETE FROM contacts_contact c USING untouched u WHERE c.id = u.id
