-- Migration 0003: attempts of which nothing is known, and those that their tenants gave up.
-- Oldest binary that may still run on a database with this migration: one that knows schema 3. An older one would take
-- an attempt that was given up for a second live attempt of its workload.
INSERT INTO migrations VALUES (3, '0003_failover', 3);

ALTER TABLE live ADD COLUMN attempts_forgiven INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts_live ADD COLUMN uncertain_since INTEGER;  -- while unknown or lost
ALTER TABLE attempts_live ADD COLUMN given_up_at INTEGER;

-- Few, and looked for at start: their workloads may have ended.
CREATE INDEX attempts_given_up ON attempts_live (n) WHERE given_up_at IS NOT NULL AND state < 7;
