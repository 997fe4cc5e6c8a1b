-- name: forget_merged
-- Merges of companies remember whose people moved; an erased person is no longer to be moved back.
UPDATE contacts_companymerge SET contact_ids = array_remove(contact_ids, %(contact_id)s::bigint)
 WHERE contact_ids @> ARRAY[%(contact_id)s::bigint]
