-- Migration 0005: market-based carbon beside the location-based one, and which green-power certificates cover what.
-- Oldest binary that may still run on a database with this migration: one that knows schema 4; it gives no certificates,
-- and its rows tell no market-based number.
INSERT INTO migrations VALUES (5, '0005_certificates', 4);

ALTER TABLE usage ADD COLUMN carbon_market_mg INTEGER;                          -- NULL: not known
ALTER TABLE usage ADD COLUMN carbon_market_source TEXT NOT NULL DEFAULT '';

-- What was given, for good: no kWh of a certificate is given twice.
CREATE TABLE certificate_uses (
    usage BLOB NOT NULL,
    certificate TEXT NOT NULL,
    tenant BLOB NOT NULL,
    microkwh INTEGER NOT NULL,
    PRIMARY KEY (usage, certificate)
) STRICT, WITHOUT ROWID;
