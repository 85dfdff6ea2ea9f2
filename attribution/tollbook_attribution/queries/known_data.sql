-- Is there anything that other hours could change: bytes sent in tiers, copies that are held?
SELECT
    (SELECT count() FROM (SELECT 1 FROM transfer_volumes_settled LIMIT 1)) AS volumes,
    (SELECT count() FROM (SELECT 1 FROM stored_assets LIMIT 1)) + (SELECT count() FROM (SELECT 1 FROM storage_events_settled LIMIT 1)) AS copies
