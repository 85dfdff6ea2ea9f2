-- Which of these bodies are stored, and who is to store the others? Of the claims in force, the first decides: one that has not lapsed
-- and was not withdrawn after it was made.
SELECT hex(digest) AS digest, max(is_stored) AS stored, argMinIf(claimant, first_claim, first_claim > 0) AS holder
FROM (
    SELECT
        digest,
        claimant,
        countIf(state = 'stored') > 0 AS is_stored,
        maxIf(_block_number, state = 'withdrawn') AS withdrawal,
        groupArrayIf(_block_number, state = 'claimed' AND claimed_at > now('UTC') - toIntervalSecond({seconds:UInt32})) AS claims,
        arrayMin(arrayFilter(claim -> claim > withdrawal, claims)) AS first_claim
    FROM body_claims
    WHERE digest IN (SELECT digest FROM asked)
    GROUP BY digest, claimant
)
GROUP BY digest
