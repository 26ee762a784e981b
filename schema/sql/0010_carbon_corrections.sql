-- Migration 0010: rows that correct the carbon of metered ones by a factor that was published later.
-- Oldest binary that may still run on a database with this migration: one that knows schema 7; it adds them to its sums
-- and lists them as rows without energy, and what it meters names no grid zone.
INSERT INTO migrations VALUES (10, '0010_carbon_corrections', 7);

ALTER TABLE usage ADD COLUMN grid_zone TEXT NOT NULL DEFAULT '';        -- '': none, or metered before this migration
ALTER TABLE usage ADD COLUMN by_grid_microkwh INTEGER;                  -- what the market-based number counts by the grid
-- Of a correction:
ALTER TABLE usage ADD COLUMN corrects BLOB;                             -- the metered row; NULL: it is one
ALTER TABLE usage ADD COLUMN correction INTEGER;                        -- rises per installation
ALTER TABLE usage ADD COLUMN factor_from INTEGER;                       -- the part of the run that the factor counts over
ALTER TABLE usage ADD COLUMN factor_until INTEGER;
ALTER TABLE usage ADD COLUMN factor_g_per_kwh REAL;
ALTER TABLE usage ADD COLUMN factor_year INTEGER;
ALTER TABLE usage ADD COLUMN correction_reason TEXT NOT NULL DEFAULT '';

CREATE INDEX usage_correction ON usage (correction) WHERE correction IS NOT NULL;
CREATE INDEX usage_corrects ON usage (corrects, correction) WHERE corrects IS NOT NULL;

-- Rows before this one say it in words only.
UPDATE usage SET by_grid_microkwh = non_green_microkwh
    - coalesce((SELECT sum(microkwh) FROM certificate_uses WHERE certificate_uses.usage = usage.id), 0)
    WHERE carbon_market_source LIKE '%the rest by grid average (%';
