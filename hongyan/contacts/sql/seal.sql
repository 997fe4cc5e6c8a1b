-- name: old_blobs
-- seal_version 0 with no blob: nothing to do.
SELECT id, sealed FROM contacts_contact
WHERE seal_version < %(version)s AND sealed IS NOT NULL
ORDER BY seal_version, id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: put_blob
UPDATE contacts_contact SET sealed = %(sealed)s, seal_version = %(version)s WHERE id = %(id)s
