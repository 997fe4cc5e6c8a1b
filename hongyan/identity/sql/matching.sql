-- name: sharing
-- Contacts that share keys with one contact, those with the rarest keys in common first; see the function's migration.
SELECT contact_id FROM identity_sharing(%(tokens)s::bigint[], %(me)s, %(block)s, %(limit)s)

-- name: known_profiles
SELECT contact_id, updated_at FROM identity_profile WHERE contact_id = ANY(%(ids)s::bigint[])

-- name: write_profiles
-- Arrays of arrays must be rectangular in PostgreSQL, so each record's tokens come as text.
INSERT INTO identity_profile (contact_id, tokens, updated_at)
SELECT row.id, row.tokens::bigint[], row.at
  FROM unnest(%(ids)s::bigint[], %(tokens)s::text[], %(ats)s::timestamptz[]) AS row (id, tokens, at)
 ORDER BY row.id
ON CONFLICT (contact_id) DO UPDATE SET tokens = excluded.tokens, updated_at = excluded.updated_at
 WHERE identity_profile.updated_at <> excluded.updated_at

-- name: frequencies
SELECT "column", token, share FROM identity_frequency WHERE token = ANY(%(tokens)s::bigint[])

-- name: forget_frequencies
DELETE FROM identity_frequency

-- name: write_frequencies
INSERT INTO identity_frequency ("column", token, share)
SELECT row.name, row.token, row.share
  FROM unnest(%(names)s::text[], %(tokens)s::bigint[], %(shares)s::float8[]) AS row (name, token, share)

-- name: write_pairs
-- What a person has decided stays; what is open gets the newest figures.
INSERT INTO identity_candidate (public_id, contact_low, contact_high, probability, weight, evidence, verdict, value,
                                reason, run_id, model_id)
SELECT row.public_id, row.low, row.high, row.probability, row.weight, row.evidence::jsonb, row.verdict, row.value,
       row.reason, %(run)s, %(model)s
  FROM unnest(%(public_ids)s::uuid[], %(lows)s::bigint[], %(highs)s::bigint[], %(probabilities)s::float8[],
              %(weights)s::float8[], %(evidence)s::text[], %(verdicts)s::text[], %(values)s::float8[],
              %(reasons)s::text[])
       AS row (public_id, low, high, probability, weight, evidence, verdict, value, reason)
ON CONFLICT (contact_low, contact_high) DO UPDATE
   SET probability = excluded.probability, weight = excluded.weight, evidence = excluded.evidence,
       verdict = excluded.verdict, value = excluded.value, reason = excluded.reason, run_id = excluded.run_id,
       model_id = excluded.model_id
 WHERE identity_candidate.verdict IN ('pending', 'review')

-- name: drop_stale
-- Open pairs that this run, which saw everybody, no longer finds likely enough.
DELETE FROM identity_candidate
 WHERE verdict IN ('pending', 'review') AND run_id IS DISTINCT FROM %(run)s
