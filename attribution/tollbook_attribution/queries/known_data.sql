-- Is there anything that other hours could change: bytes sent in tiers, copies that are held, spans that run on, quiet hours of what was paid ahead?
SELECT
    (SELECT count() FROM (SELECT 1 FROM transfer_volumes_settled LIMIT 1)) AS volumes,
    (SELECT count() FROM (SELECT 1 FROM stored_assets LIMIT 1)) + (SELECT count() FROM (SELECT 1 FROM storage_events_settled LIMIT 1)) AS copies,
    (SELECT count() FROM (SELECT 1 FROM long_spans_settled LIMIT 1)) AS long_spans,
    (SELECT count() FROM (SELECT 1 FROM commitments LIMIT 1)) AS commitments
