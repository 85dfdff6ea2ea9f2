-- The intake's product: what each document is, and its words.
CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5 (
    name, label UNINDEXED, policy UNINDEXED, body
);
