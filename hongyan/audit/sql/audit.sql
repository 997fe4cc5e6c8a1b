-- name: sealable
-- Entries whose transaction can no longer be joined by an older one in flight: theirs is below the oldest running id.
-- An id beyond the snapshot's end cannot have been given out here: the row came with a restored backup, so it is whole.
SELECT id, at, actor_kind, actor_id, actor_label, host(ip), action, subject_kind, subject_id, data::text
  FROM audit_auditentry, pg_current_snapshot() AS snapshot
 WHERE seq IS NULL
   AND (xid < pg_snapshot_xmin(snapshot) OR xid >= pg_snapshot_xmax(snapshot))
 ORDER BY id
 LIMIT %(limit)s

-- name: head
SELECT seq, hash, at FROM audit_auditentry WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1

-- name: seal
UPDATE audit_auditentry AS entry
   SET seq = sealed.seq, prev_hash = sealed.prev_hash, hash = sealed.hash
  FROM unnest(%(ids)s::bigint[], %(seqs)s::bigint[], %(prevs)s::bytea[], %(hashes)s::bytea[])
       AS sealed (id, seq, prev_hash, hash)
 WHERE entry.id = sealed.id

-- name: chain
SELECT id, at, actor_kind, actor_id, actor_label, host(ip), action, subject_kind, subject_id, data::text,
       seq, prev_hash, hash
  FROM audit_auditentry WHERE seq IS NOT NULL AND seq > %(after)s ORDER BY seq LIMIT %(limit)s
