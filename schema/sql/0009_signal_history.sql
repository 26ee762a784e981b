-- Migration 0009: what feeds told of signals, and what libraries of terms said, so that every decision can be made again.
-- Oldest binary that may still run on a database with this migration: one that knows schema 7; decisions that it makes
-- with signals or terms of libraries cannot be replayed, and it cannot replay those of newer ones.
INSERT INTO migrations VALUES (9, '0009_signal_history', 7);

-- One word of one feed, numbered with the rows of book_history: a start of the broker there ends all of them.
CREATE TABLE signal_history (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    feed TEXT NOT NULL,
    whole INTEGER NOT NULL,         -- 1: all that it tells; 0: what differs from its row before
    packed BLOB NOT NULL            -- pack_signals or pack_signal_change with its SHA-256 in front
) STRICT;
CREATE INDEX signal_history_feed ON signal_history (feed, whole, seq);

-- What libraries said to decisions of one kind; bases of decisions name it by its number.
CREATE TABLE terms_history (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL            -- of it in terms_contents
) STRICT;
CREATE TABLE terms_contents (
    digest BLOB PRIMARY KEY,        -- SHA-256 of the bytes: what is said again after a change of prices writes nothing
    packed BLOB NOT NULL            -- pack_terms
) STRICT;
