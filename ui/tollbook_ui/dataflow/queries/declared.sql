-- What is declared of these assets?
SELECT asset_id, location, provider, storage_class, region, bytes, held_from, held_until, service_name, workflow, team, project, feature, customer, environment
FROM (SELECT * FROM stored_assets WHERE tenant = {tenant:String} ORDER BY recorded_at DESC LIMIT 1 BY asset_id, location, held_from)
WHERE asset_id IN {assets:Array(String)}
ORDER BY asset_id, location, held_from
