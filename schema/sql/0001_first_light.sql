-- Migration 0001: the first schema.
-- Oldest binary that may still run on a database with this migration: one that knows schema 1.
--
-- Every row of a tenant carries its shard (first byte of SHA-256 of the tenant id). Ids are 16-byte UUIDs; times are
-- milliseconds since 1970 in UTC; money is in 10^-6 and unit prices in 10^-9 of the currency. Enumerations hold the
-- numbers of broker/domain: those never change their meaning. `n` is a row number that the database gives, rising.
-- What a submit writes goes to the ends of trees, so that one commit of many submits touches few pages.

CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    oldest_schema INTEGER NOT NULL  -- a binary that knows this schema may still run here
) STRICT;
INSERT INTO migrations VALUES (1, '0001_first_light', 1);

CREATE TABLE installation (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    owner BLOB NOT NULL,            -- the owner mark, made once
    generation INTEGER NOT NULL,    -- raised by each restore
    sweeping INTEGER NOT NULL,      -- 0 until confirmed, after a restore or under another machine
    machine_id TEXT NOT NULL,
    outbox_seq INTEGER NOT NULL     -- highest ever given
) STRICT;

CREATE TABLE shards (
    shard INTEGER PRIMARY KEY CHECK (shard BETWEEN 0 AND 255),
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;
WITH RECURSIVE every(shard) AS (VALUES (0) UNION ALL SELECT shard + 1 FROM every WHERE shard < 255)
INSERT INTO shards SELECT shard, '', 0 FROM every;

CREATE TABLE tenants (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    tenant BLOB NOT NULL,
    role INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

-- What never changes about a workload; the specification is the text that decode_workload reads.
CREATE TABLE workloads (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    tenant BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    spec TEXT NOT NULL
) STRICT;
CREATE INDEX workloads_tenant ON workloads (tenant);

CREATE TABLE labels (
    tenant BLOB NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    workload_n INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    PRIMARY KEY (tenant, key, value, workload_n)
) STRICT, WITHOUT ROWID;

-- What changes about a workload: one small row, under the workload's n.
CREATE TABLE live (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    state INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    last_event INTEGER NOT NULL,    -- where its chain of events begins, backwards by prev_seq
    updated_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    attempts_counted INTEGER NOT NULL,
    billed_micros INTEGER NOT NULL,
    current_attempt BLOB,
    last_decision BLOB,
    next_action_at INTEGER,
    cancel_wanted INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    message TEXT NOT NULL,
    waiting TEXT                    -- [[code, detail], ...]; NULL: none
) STRICT;
CREATE INDEX live_open ON live (n) WHERE state < 4;

CREATE TABLE attempts (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    workload_n INTEGER NOT NULL,
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    site TEXT NOT NULL,
    offer TEXT NOT NULL,
    decision BLOB NOT NULL,
    fence INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    lease BLOB NOT NULL             -- pack_lease
) STRICT;
CREATE UNIQUE INDEX attempts_workload ON attempts (workload_n, number);

-- What changes about an attempt, under the attempt's n.
CREATE TABLE attempts_live (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    state INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    cancel_wanted INTEGER NOT NULL,
    deadline_cancel INTEGER NOT NULL,
    handle TEXT NOT NULL,
    seen_seq INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    last_seen_at INTEGER,
    exit_code INTEGER,
    exit_signal INTEGER,
    failed_rank INTEGER,
    message TEXT NOT NULL
) STRICT;
CREATE INDEX attempts_live_open ON attempts_live (n) WHERE state < 7;

CREATE TABLE decisions (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    packed BLOB NOT NULL            -- pack_decision
) STRICT;

-- `n` is the order of commits over all shards; `seq` comes from the engine and rises per shard without gaps.
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    prev_seq INTEGER NOT NULL,      -- of the same workload; 0: none
    at INTEGER NOT NULL,
    tenant BLOB NOT NULL,
    workload BLOB NOT NULL,         -- zeros: an event of a tenant or a key
    attempt BLOB,
    type TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_seq ON events (shard, seq);

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    provider_shard INTEGER NOT NULL,
    provider TEXT NOT NULL,
    attempt BLOB NOT NULL,
    verb INTEGER NOT NULL,
    tasks INTEGER NOT NULL
) STRICT;

CREATE TABLE usage (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    attempt BLOB NOT NULL,
    workload BLOB NOT NULL,
    tenant BLOB NOT NULL,
    project TEXT NOT NULL,
    provider TEXT NOT NULL,
    site TEXT NOT NULL,
    region TEXT NOT NULL,
    offer TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    units INTEGER NOT NULL,
    energy_microkwh INTEGER,
    non_green_microkwh INTEGER,
    carbon_mg INTEGER,
    green_power_share REAL,
    pue REAL,
    carbon_source TEXT NOT NULL,
    carbon_quality INTEGER NOT NULL,
    measured INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_tenant ON usage (tenant);
CREATE INDEX usage_workload ON usage (workload);

-- One charge a usage row: a repeat cannot charge twice.
CREATE TABLE charges (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    usage BLOB NOT NULL UNIQUE,
    attempt BLOB NOT NULL,
    workload BLOB NOT NULL,
    tenant BLOB NOT NULL,
    project TEXT NOT NULL,
    provider TEXT NOT NULL,
    site TEXT NOT NULL,
    offer TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    price_nanos INTEGER NOT NULL,
    billed_ms INTEGER NOT NULL,
    units INTEGER NOT NULL,
    list_micros INTEGER NOT NULL,
    contracted_micros INTEGER NOT NULL,
    billed_micros INTEGER NOT NULL,
    effective_micros INTEGER NOT NULL
) STRICT;
CREATE INDEX charges_tenant ON charges (tenant);
CREATE INDEX charges_workload ON charges (workload);

-- Looked up in the engine's memory, which loads it at start: no index by key, which would cost a page a submit.
CREATE TABLE idempotency (
    n INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    tenant BLOB NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    workload BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_at);
