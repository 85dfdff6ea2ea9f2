-- Retention policy of each customer: the small table that the intake asks once for each document.
CREATE TABLE IF NOT EXISTS retention_policies (
    customer TEXT PRIMARY KEY,
    policy TEXT NOT NULL,
    keep_days INTEGER NOT NULL
);

INSERT OR REPLACE INTO retention_policies (customer, policy, keep_days) VALUES
('internal', 'source code', 3650),
('acme', 'customer documents', 730),
('globex', 'customer documents', 365);
