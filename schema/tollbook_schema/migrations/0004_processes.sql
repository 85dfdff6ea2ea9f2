-- What processes that share one server agree on. The block number says in which order rows became visible, so of all rows about one
-- thing the first decides: whoever inserts its row and then reads sees every row that came before it.

-- Which process does what only one may do at a time, such as settling?
CREATE TABLE IF NOT EXISTS leases (
    name LowCardinality(String),
    owner UInt64 COMMENT 'drawn by chance for each try',
    until DateTime64(3, 'UTC'),
    released Bool
)
ENGINE = MergeTree
ORDER BY (name, owner)
TTL toDateTime(until) + INTERVAL 1 DAY
SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1;

-- Which segment loads a body that several collectors may hold, because a client that got no answer from one sent it to another?
CREATE TABLE IF NOT EXISTS body_claims (
    digest FixedString(16) COMMENT 'first half of the SHA-256 of signal, tenant and body',
    claimant UInt64 COMMENT 'the segment',
    state Enum8('claimed' = 1, 'stored' = 2, 'withdrawn' = 3) COMMENT 'it is about to load the body; it has; it cannot',
    claimed_at DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = MergeTree
ORDER BY digest
TTL claimed_at + INTERVAL 3 DAY
SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1, index_granularity = 512, fsync_after_insert = 1;
