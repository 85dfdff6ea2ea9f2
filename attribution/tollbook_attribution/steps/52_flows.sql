-- Which bytes went from where to where, each counted once, and which kind of boundary did they cross?
-- Told again: by the server that a client asked; by what a handoff does inside (bodies of requests); by a wrapper of several handoffs or
-- requests that tell of as many bytes or more; by those where the wrapper tells of more.
-- The class is the one that the span declares, or the nearest handoff around it, or all handoffs within it; else it follows from regions and zones of the two ends,
-- declared or of the server that answered; else from the address of the other end. Else it is unknown, as is all of a size that cannot be.
-- Where several boundaries are declared, the bytes cross each of them, and each is a flow.
-- Trace by trace.
-- Where there is: work_exchanges
INSERT INTO work_flows
WITH
    exchanges AS (
        SELECT *, out_bytes + in_bytes AS bytes FROM work_exchanges WHERE settlement = {settlement:UInt64}
    ),
    nested AS (
        SELECT
            n.trace_id AS trace_id, n.upper_id AS upper_id, n.lower_id AS lower_id, n.height AS height,
            u.sort AS upper_sort, l.sort AS lower_sort, u.bytes AS upper_bytes, l.bytes AS lower_bytes, u.network AS upper_network, l.network AS lower_network
        FROM (SELECT * FROM work_exchange_nesting WHERE settlement = {settlement:UInt64}) AS n
        INNER JOIN exchanges AS u ON n.trace_id = u.trace_id AND n.upper_id = u.span_id
        INNER JOIN exchanges AS l ON n.trace_id = l.trace_id AND n.lower_id = l.span_id
    ),
    wrappers AS (
        SELECT
            trace_id, wrapper_id AS upper_id, any(wrapper) AS wrapper_bytes, sum(lower_bytes) AS inner_bytes,
            if(uniqExact(lower_network) = 1, any(lower_network), '') AS inner_network
        FROM (
            SELECT trace_id, lower_id, lower_bytes, lower_network, argMin(upper_id, height) AS wrapper_id, argMin(upper_bytes, height) AS wrapper
            FROM nested
            WHERE upper_sort = lower_sort AND upper_bytes > 0 AND lower_bytes > 0
            GROUP BY trace_id, lower_id, lower_bytes, lower_network
        )
        GROUP BY trace_id, wrapper_id
    ),
    told_again AS (
        SELECT trace_id, upper_id AS span_id FROM wrappers WHERE inner_bytes >= wrapper_bytes
        UNION ALL
        SELECT trace_id, lower_id AS span_id FROM nested
        WHERE upper_sort = lower_sort AND (trace_id, upper_id) IN (SELECT trace_id, upper_id FROM wrappers WHERE inner_bytes < wrapper_bytes)
        UNION ALL
        SELECT trace_id, lower_id AS span_id FROM nested WHERE upper_sort = 'handoff' AND lower_sort = 'client' AND upper_bytes > 0
        UNION ALL
        SELECT trace_id, upper_id AS span_id FROM nested WHERE upper_sort = 'client' AND lower_sort = 'handoff' AND lower_bytes > 0
        UNION ALL
        SELECT e.trace_id AS trace_id, e.span_id AS span_id
        FROM exchanges AS e
        INNER JOIN exchanges AS c ON e.trace_id = c.trace_id AND e.parent_span_id = c.span_id
        WHERE e.sort = 'server' AND c.sort != 'server' AND c.bytes > 0
    ),
    around AS (
        SELECT trace_id AS around_trace_id, lower_id AS around_id, argMin(upper_network, height) AS network_around
        FROM nested
        WHERE upper_network != ''
        GROUP BY trace_id, lower_id
    ),
    within AS (
        SELECT trace_id AS within_trace_id, upper_id AS within_id, inner_network AS network_within
        FROM wrappers
        WHERE inner_network != ''
    ),
    answerers AS (
        SELECT
            trace_id AS asked_trace_id, parent_span_id AS asked_by, any(cloud) AS answerer_cloud, any(region) AS answerer_region,
            any(zone) AS answerer_zone, any(host) AS answerer_host
        FROM exchanges
        WHERE sort = 'server' AND region != ''
        GROUP BY trace_id, parent_span_id
    ),
    located AS (
        SELECT
            e.*,
            multiIf(e.network != '', e.network, network_around != '', network_around, network_within) AS declared_class,
            multiIf(
                endsWith(e.address, '.amazonaws.com') OR endsWith(e.address, '.api.aws'), 'aws',
                endsWith(e.address, '.googleapis.com') OR endsWith(e.address, '.run.app'), 'gcp',
                match(e.address, '[.](windows[.]net|azure[.](com|net)|azurewebsites[.]net|microsoft[.]com)$'), 'azure',
                ''
            ) AS address_cloud,
            multiIf(
                address_cloud = 'aws', extract(e.address, '(?:^|[.-])([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9])[.]'),
                address_cloud = 'gcp', extract(e.address, '^([a-z]+-[a-z]+[0-9]+)-'),
                address_cloud = 'azure', extract(e.address, '[.]([a-z]+[0-9]?)[.](?:cloudapp|inference[.]ml|models)[.]'),
                ''
            ) AS address_region,
            -- the other end, as the server that answered tells it, else by its address
            if(answerer_region != '', answerer_region, address_region) AS other_region,
            answerer_zone AS other_zone,
            multiIf(answerer_cloud != '', answerer_cloud, address_cloud != '', address_cloud, answerer_region != '', e.cloud, '') AS other_cloud,
            answerer_host != '' AND answerer_host = e.host AS same_host,
            e.sort = 'handoff' AND e.direction = 'in' AS comes_in,
            -- the two ends of the bytes that go out, and, of a handoff that reads, of those that come in
            multiIf(e.from_region != '', e.from_region, comes_in, if(e.to_region = '', other_region, ''), e.region) AS source_region,
            multiIf(e.from_region != '' OR e.from_zone != '', e.from_zone, comes_in, other_zone, e.zone) AS source_zone,
            multiIf(e.to_region != '', e.to_region, comes_in, e.region, other_region) AS target_region,
            multiIf(e.to_region != '' OR e.to_zone != '', e.to_zone, comes_in, e.zone, other_zone) AS target_zone,
            e.address IN ('localhost', '::1', '0.0.0.0') OR startsWith(e.address, '127.') OR startsWith(e.address, '/') OR (e.address != '' AND e.address = lower(e.host)) AS is_loopback,
            match(e.address, '^(10[.]|192[.]168[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|169[.]254[.]|f[cd][0-9a-f]{2}:|fe80:)')
                OR match(e.address, '[.](internal|local|lan|svc|localdomain|cluster[.]local|home[.]arpa)$') OR (e.address != '' AND NOT match(e.address, '[.:]')) AS is_private,
            match(e.address, '[.]vpce[.]amazonaws[.]com$|[.]privatelink[.]|[.]p[.]googleapis[.]com$|[.]psc[.]goog$') AS is_private_link
        FROM exchanges AS e
        LEFT ANY JOIN around ON e.trace_id = around_trace_id AND e.span_id = around_id
        LEFT ANY JOIN within ON e.trace_id = within_trace_id AND e.span_id = within_id
        LEFT ANY JOIN answerers ON e.trace_id = asked_trace_id AND e.span_id = asked_by
        WHERE e.bytes > 0 AND (e.trace_id, e.span_id) NOT IN (SELECT trace_id, span_id FROM told_again)
    ),
    decided AS (
        SELECT
            *,
            multiIf(
                bytes >= 1000000000000000000, ('unknown', 'its size cannot be: an exabyte or more'),
                declared_class != '', (declared_class, 'declared'),
                is_loopback OR same_host, ('loopback', 'both ends are one machine'),
                is_private_link, ('private_link', 'the address is one of a private endpoint'),
                other_cloud != '' AND cloud != '' AND other_cloud != cloud, ('internet', concat('from ', cloud, ' to ', other_cloud)),
                source_region != '' AND target_region != '' AND source_region != target_region, ('cross_region', concat('from ', source_region, ' to ', target_region)),
                source_region != '' AND target_region != '' AND source_zone != '' AND target_zone != '' AND source_zone != target_zone,
                ('cross_zone', concat('from ', source_zone, ' to ', target_zone)),
                source_region != '' AND target_region != '' AND source_zone != '' AND target_zone != '', ('same_zone', concat('within ', source_zone)),
                source_region != '' AND target_region != '' AND address_region != '' AND cloud = address_cloud, ('same_zone', concat('a service of the region ', source_region)),
                source_region != '' AND target_region != '', ('unknown', concat('within ', source_region, ', the zone of one end is not known')),
                is_private, ('unknown', 'to a private address, whose zone is not known'),
                address_cloud != '' AND address_cloud = cloud, ('unknown', concat('to a service of ', cloud, ' whose region is not known')),
                address != '', ('internet', 'to a public address'),
                ('unknown', 'nothing is known of the other end')
            ) AS decision
        FROM located
    )
SELECT
    {settlement:UInt64} AS settlement,
    trace_id, span_id, start_time,
    multiIf(
        boundary != 'internet' OR declared_class != '', boundary,
        flow.1 = 'in', 'internet_in',
        'internet'
    ) AS class,
    multiIf(
        declared_class = '' AND decision.1 = 'internet' AND sort = 'handoff' AND direction = 'both',
        concat(decision.2, '; taken as all going out, an upper bound'), decision.2
    ) AS reason,
    declared_class != '' AS declared,
    flow.1 AS way,
    flow.2 AS bytes,
    cloud, account,
    flow.3 AS region,
    multiIf(source != '', source, flow.1 = 'in', if(address != '', address, other_region), service_place) AS source,
    multiIf(destination != '', destination, flow.1 = 'in', service_place, if(address != '', address, other_region)) AS destination
FROM (
    SELECT
        *,
        if(region != '', region, cloud) AS service_place,
        arrayJoin(arrayFilter(f -> f.2 > 0, if(
            sort = 'handoff' AND in_bytes = 0,
            [(if(comes_in, 'in', 'out'), out_bytes, if(source_region != '' AND boundary != 'internet', source_region, region))],
            [('out', out_bytes, if(source_region != '', source_region, region)), ('in', in_bytes, if(boundary = 'cross_region', target_region, region))]
        ))) AS flow
    FROM (SELECT *, arrayJoin(splitByChar('\n', decision.1)) AS boundary FROM decided)
)
WHERE boundary NOT IN ('in_process', 'local_disk', 'loopback')
SETTINGS max_block_size = 8192, short_circuit_function_evaluation = 'disable'
