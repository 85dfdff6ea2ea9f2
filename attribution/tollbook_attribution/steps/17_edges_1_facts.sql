-- What is known of the hours beside, before they are looked at? What comes in meanwhile is looked at again.
INSERT INTO work_beside_facts
SELECT
    {settlement:UInt64} AS settlement,
    sumIf(facts, window < {window:DateTime('UTC')}) AS before,
    sumIf(facts, window > {window:DateTime('UTC')}) AS after
FROM fact_hours
WHERE tenant = {tenant:String} AND window >= {before:DateTime64(9, 'UTC')} AND window < {after:DateTime64(9, 'UTC')}
