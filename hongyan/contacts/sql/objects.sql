-- name: forget_merged
-- Merges of companies remember whose people moved; an erased person is no longer to be moved back.
UPDATE contacts_companymerge SET contact_ids = array_remove(contact_ids, %(contact_id)s::bigint)
 WHERE contact_ids @> ARRAY[%(contact_id)s::bigint]

-- name: recent_add
WITH old AS (
    DELETE FROM contacts_recentcontact
     WHERE user_id = %(user_id)s AND contact_id <> %(contact_id)s AND at <= (
        SELECT at FROM contacts_recentcontact WHERE user_id = %(user_id)s ORDER BY at DESC OFFSET %(kept)s - 1 LIMIT 1)
)
INSERT INTO contacts_recentcontact (user_id, contact_id, at) VALUES (%(user_id)s, %(contact_id)s, %(at)s)
ON CONFLICT ON CONSTRAINT recent_contact_once DO UPDATE SET at = excluded.at
