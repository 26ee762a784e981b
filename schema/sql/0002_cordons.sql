-- Migration 0002: what operators said of providers outlives the process.
-- Oldest binary that may still run on a database with this migration: one that knows schema 1; it forgets cordons at its
-- end, as it always did.
INSERT INTO migrations VALUES (2, '0002_cordons', 1);

-- An operator's last word on a provider, over the provider file's `cordoned`.
CREATE TABLE cordons (
    provider TEXT PRIMARY KEY,
    cordoned INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
