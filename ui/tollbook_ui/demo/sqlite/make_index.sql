-- The intake's product: what each document is, and its words.
PRAGMA journal_mode = WAL;

PRAGMA synchronous = NORMAL;

CREATE VIRTUAL TABLE IF NOT EXISTS documents USING fts5 (
    name, label UNINDEXED, policy UNINDEXED, body
);
