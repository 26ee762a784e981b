-- Migration 0004: what decisions were made from, so that they can be made again.
-- Oldest binary that may still run on a database with this migration: one that knows schema 3; decisions that it makes
-- have no basis and cannot be replayed.
INSERT INTO migrations VALUES (4, '0004_history', 3);

ALTER TABLE decisions ADD COLUMN basis BLOB;  -- pack_basis; NULL: made before this migration

-- One change of what decisions are made from, in the order of its commits. Without a provider: the broker began anew,
-- with no offers and these facts of regions and accelerators.
CREATE TABLE book_history (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    provider TEXT NOT NULL,
    digest BLOB,                    -- of all of them in book_contents; NULL: what changed stands here
    change BLOB                     -- pack_change with its SHA-256 in front
) STRICT;
CREATE INDEX book_history_provider ON book_history (provider, seq);

-- All offers of a provider, or all facts, by the SHA-256 of their bytes: a start that finds the same writes nothing.
CREATE TABLE book_contents (
    digest BLOB PRIMARY KEY,
    packed BLOB NOT NULL            -- pack_offers or pack_facts
) STRICT;

-- Policy files as they were. The version is made of the text, so that a changed text is told.
CREATE TABLE policy_texts (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
