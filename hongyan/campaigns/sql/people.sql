-- name: judged
-- Everybody of the audience once, with the first reason why they get no mail, or NULL. The places in braces take
-- statements of other rooms, and a condition over c.
WITH member AS MATERIALIZED (
    SELECT DISTINCT m.id FROM ({members}) m
), excluded AS MATERIALIZED (
    SELECT DISTINCT x.id FROM ({excluded}) x
), judged AS (
    SELECT member.id,
        CASE
            WHEN excluded.id IS NOT NULL THEN 'excluded'
            WHEN {empty} THEN 'empty_field'
            ELSE r.refusal
        END AS reason
    FROM member
    JOIN contacts_contact c ON c.id = member.id
    JOIN ({refusals}) r ON r.id = member.id
    LEFT JOIN excluded ON excluded.id = member.id
)

-- name: counts
-- The same judgement without keeping everybody's: in one pass, which the planner may share among workers, it takes half
-- as long at a million contacts.
SELECT reason, count(*)
FROM (
    SELECT CASE WHEN excluded.id IS NOT NULL THEN 'excluded' WHEN {empty} THEN 'empty_field' ELSE r.refusal END AS reason
    FROM ({refusals}) r
    JOIN contacts_contact c ON c.id = r.id
    LEFT JOIN (SELECT DISTINCT x.id FROM ({excluded}) x) excluded ON excluded.id = c.id
    WHERE c.id IN ({members})
) judged
GROUP BY reason

-- name: page
SELECT id FROM judged
WHERE id > %(after)s AND (reason = ANY(%(reasons)s) OR (%(others)s AND reason <> ALL(%(known)s)))
ORDER BY id
LIMIT %(limit)s

-- name: receiving
SELECT id FROM judged WHERE id > %(after)s AND reason IS NULL ORDER BY id LIMIT %(limit)s

-- name: riskiest
SELECT judged.id FROM judged JOIN contacts_contact c ON c.id = judged.id
WHERE judged.id > %(after)s AND reason IS NULL
  AND (NOT c.filled && ARRAY['full_name', 'given_name', 'family_name'] OR c.city = '')
ORDER BY c.filled && ARRAY['full_name', 'given_name', 'family_name'], judged.id
LIMIT %(limit)s

-- name: members
-- Who gets a message: the gate asks for consent and suppression again when the mail leaves.
SELECT c.id
FROM contacts_contact c
WHERE c.id IN ({members}) AND c.id NOT IN ({excluded}) AND NOT ({empty})

-- name: left_out
SELECT count(*) FILTER (WHERE c.id IN ({excluded})),
       count(*) FILTER (WHERE c.id NOT IN ({excluded}) AND ({empty}))
FROM contacts_contact c
WHERE c.id IN ({members})
