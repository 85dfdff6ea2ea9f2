-- Which machines' rates changed within the hour, and what did one CPU of them cost when?
-- Where there is: work_rate_terms
INSERT INTO work_rate_changes
SELECT
    settlement, host, from_ns, until_ns,
    reinterpret(toDecimal256(vcpus, 3), 'Int256') * (until_ns - from_ns) AS cpu_units,
    intDiv(usd_units * 1000, reinterpret(toDecimal256(vcpus, 3), 'Int256')) AS usd_units
FROM work_rate_terms
WHERE work_rate_terms.settlement = {settlement:UInt64} AND until_ns > from_ns
    AND host IN (SELECT host FROM work_rate_terms WHERE settlement = {settlement:UInt64} GROUP BY host HAVING count() > 1)
