-- Migration 0006: how fast works have gone on which cards.
-- Oldest binary that may still run on a database with this migration: one that knows schema 4; it learns nothing.
INSERT INTO migrations VALUES (6, '0006_speeds', 4);

CREATE TABLE measured_speeds (
    tenant BLOB NOT NULL,
    name TEXT NOT NULL,             -- of its workloads
    model TEXT NOT NULL,            -- of the cards
    runs INTEGER NOT NULL,
    sum REAL NOT NULL,              -- of the runs' speeds against the reference card
    sum_of_squares REAL NOT NULL,
    PRIMARY KEY (tenant, name, model)
) STRICT, WITHOUT ROWID;
