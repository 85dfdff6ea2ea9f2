-- What does the last hour of a day hold besides? The copies of assets of all hours: their storage of the day is booked in it,
-- and what was paid ahead for hours without facts.
(SELECT 'copies' AS word FROM stored_assets WHERE tenant = {tenant:String} LIMIT 1)
UNION ALL
(SELECT 'copies' AS word FROM storage_events WHERE tenant = {tenant:String} LIMIT 1)
UNION ALL
(SELECT 'quiet' AS word FROM commitments WHERE tenant = {tenant:String} LIMIT 1)
