-- Migration 0007: runs that the broker ends to go on with them elsewhere or later.
-- Oldest binary that may still run on a database with this migration: one that knows schema 7. An older one would take
-- the end of a run that is being displaced for a failure of its workload.
INSERT INTO migrations VALUES (7, '0007_displacement', 7);

ALTER TABLE attempts_live ADD COLUMN displaced_for INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live ADD COLUMN attempts_displaced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live ADD COLUMN work_done REAL NOT NULL DEFAULT 0;  -- share of the work in portable checkpoints
