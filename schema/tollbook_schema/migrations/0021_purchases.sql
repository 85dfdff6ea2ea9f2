-- How a machine was bought: spot, on demand or reserved machines of one type have rates of their own.
ALTER TABLE instance_rates
    ADD COLUMN IF NOT EXISTS purchase LowCardinality(String) COMMENT 'on_demand, spot or reserved; empty for any' AFTER region;

ALTER TABLE hosts_settled
    ADD COLUMN IF NOT EXISTS purchase LowCardinality(String) COMMENT 'as its telemetry says; empty where it does not';

CREATE OR REPLACE VIEW hosts AS
SELECT * FROM hosts_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
