-- Migration 0008: what each tenant has had of capacity that has a limit, so that whose turn it is outlives the process.
-- Oldest binary that may still run on a database with this migration: one that knows schema 7; it goes by age alone.
INSERT INTO migrations VALUES (8, '0008_tenant_use', 7);

-- List-price money of the base currency, halved every seven days, as it was at as_of: written when a run of the tenant
-- ends. What runs counts on from there by its attempts.
CREATE TABLE tenant_uses (
    tenant BLOB PRIMARY KEY,
    used REAL NOT NULL,
    as_of INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
