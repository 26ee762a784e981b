#include "broker/store/sqlite/money_rows.hpp"

#include "broker/store/sqlite/workload_rows.hpp"

namespace westerly {

namespace {

#define USAGE_COLUMNS                                                                                          \
    " n, id, attempt, workload, tenant, project, provider, site, region, offer, start_at, end_at, units,"      \
    " energy_microkwh, non_green_microkwh, carbon_mg, green_power_share, pue, carbon_source, carbon_quality, " \
    "measured, carbon_market_mg, carbon_market_source, grid_zone, by_grid_microkwh, corrects, correction,"     \
    " factor_from, factor_until, factor_g_per_kwh, factor_year, correction_reason "

#define CHARGE_COLUMNS                                                                                               \
    " n, usage, attempt, workload, tenant, project, provider, site, offer, start_at, end_at, currency, price_nanos," \
    " billed_ms, units, list_micros, contracted_micros, billed_micros, effective_micros "

template <class T>
struct numbered {
    std::uint64_t n = 0;
    T row;
};

void read(statement& row, numbered<usage>& out) {
    out.n = row.take<std::uint64_t>();
    usage& u = out.row;
    u.id = row.take<usage_id>();
    u.attempt = row.take<attempt_id>();
    u.workload = row.take<workload_id>();
    u.tenant = row.take<tenant_id>();
    u.project = row.take<std::string>();
    u.provider = row.take<std::string>();
    u.site = row.take<std::string>();
    u.region = row.take<std::string>();
    u.offer = row.take<std::string>();
    u.start_at = row.take<instant>();
    u.end_at = row.take<instant>();
    u.units = row.take<std::uint64_t>();
    u.energy_microkwh = row.take<std::optional<std::int64_t>>();
    u.non_green_microkwh = row.take<std::optional<std::int64_t>>();
    u.carbon_mg = row.take<std::optional<std::int64_t>>();
    u.green_power_share = row.take<std::optional<double>>();
    u.pue = row.take<std::optional<double>>();
    u.carbon_source = row.take<std::string>();
    u.carbon_quality = row.take<quality_class>();
    u.measured = row.take<bool>();
    u.carbon_market_mg = row.take<std::optional<std::int64_t>>();
    u.carbon_market_source = row.take<std::string>();
    u.grid_zone = row.take<std::string>();
    u.by_grid_microkwh = row.take<std::optional<std::int64_t>>();
    if (const auto of = row.take<std::optional<usage_id>>()) {
        carbon_correction& c = u.correction.emplace();
        c.of = *of;
        c.number = row.take<std::uint64_t>();
        c.from_at = row.take<instant>();
        c.until_at = row.take<instant>();
        c.g_per_kwh = row.take<double>();
        c.year = row.take<std::int32_t>();
        c.reason = row.take<std::string>();
    }
}

void read(statement& row, numbered<charge>& out) {
    out.n = row.take<std::uint64_t>();
    charge& c = out.row;
    c.usage = row.take<usage_id>();
    c.attempt = row.take<attempt_id>();
    c.workload = row.take<workload_id>();
    c.tenant = row.take<tenant_id>();
    c.project = row.take<std::string>();
    c.provider = row.take<std::string>();
    c.site = row.take<std::string>();
    c.offer = row.take<std::string>();
    c.start_at = row.take<instant>();
    c.end_at = row.take<instant>();
    c.price.unit = row.take<currency>();
    c.price.nanos = row.take<std::int64_t>();
    c.billed_ms = row.take<std::uint64_t>();
    c.units = row.take<std::uint64_t>();
    c.list_micros = row.take<std::int64_t>();
    c.contracted_micros = row.take<std::int64_t>();
    c.billed_micros = row.take<std::int64_t>();
    c.effective_micros = row.take<std::int64_t>();
}

bool matches(const usage& row, const correction_filter& filter) {
    const bool there =
        filter.zone.empty() ? row.provider == filter.provider && row.site == filter.site : row.grid_zone == filter.zone;
    return there && !row.correction && row.end_at > filter.from && row.start_at < filter.until;
}
/// The same filter in C++ for lists, which count the rows that they pass over …
template <class T>
bool matches(const T& row, const usage_filter& filter) {
    return (!filter.tenant || row.tenant == *filter.tenant) && (!filter.workload || row.workload == *filter.workload) &&
           (filter.project.empty() || row.project == filter.project) && (!filter.from || row.end_at > *filter.from) &&
           (!filter.until || row.start_at < *filter.until);
}
/// … and in SQL for sums. The unary plus keeps an index from a column that a narrower one serves.
#define FILTER_AND_TIMES                                                                          \
    " (?1 IS NULL OR +tenant = ?1) AND (?2 = '' OR project = ?2) AND (?3 IS NULL OR end_at > ?3)" \
    " AND (?4 IS NULL OR start_at < ?4) "

template <class T, class Filter>
money_rows_page<T> collect(statement rows, const Filter& filter, std::uint32_t limit) {
    money_rows_page<T> found;
    std::uint64_t last_given = 0;
    std::uint32_t scanned = 0;
    while (rows.step()) {
        numbered<T> got;
        read(rows, got);
        const bool match = matches(got.row, filter);
        if (match && found.items.size() == limit) {
            found.next_before = last_given;
            return found;
        }
        if (match) {
            found.items.push_back(std::move(got.row));
            last_given = got.n;
        }
        if (++scanned == rows_scanned_max) {
            found.next_before = got.n;
            return found;
        }
    }
    return found;
}

}  // namespace

void put_usage(connection& database, const usage& u) {
    const auto of = [&](auto field) {
        return u.correction ? std::optional((*u.correction).*field) : std::nullopt;
    };
    database.run(
        "INSERT INTO usage (shard, id, attempt, workload, tenant, project, provider, site, region, offer, start_at,"
        " end_at, units, energy_microkwh, non_green_microkwh, carbon_mg, green_power_share, pue, carbon_source,"
        " carbon_quality, measured, carbon_market_mg, carbon_market_source, grid_zone, by_grid_microkwh, corrects,"
        " correction, factor_from, factor_until, factor_g_per_kwh, factor_year, correction_reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET shard = excluded.shard, attempt = excluded.attempt,"
        " workload = excluded.workload, tenant = excluded.tenant, project = excluded.project,"
        " provider = excluded.provider, site = excluded.site, region = excluded.region, offer = excluded.offer,"
        " start_at = excluded.start_at, end_at = excluded.end_at, units = excluded.units,"
        " energy_microkwh = excluded.energy_microkwh, non_green_microkwh = excluded.non_green_microkwh,"
        " carbon_mg = excluded.carbon_mg, green_power_share = excluded.green_power_share, pue = excluded.pue,"
        " carbon_source = excluded.carbon_source, carbon_quality = excluded.carbon_quality,"
        " measured = excluded.measured, carbon_market_mg = excluded.carbon_market_mg,"
        " carbon_market_source = excluded.carbon_market_source, grid_zone = excluded.grid_zone,"
        " by_grid_microkwh = excluded.by_grid_microkwh, corrects = excluded.corrects,"
        " correction = excluded.correction, factor_from = excluded.factor_from,"
        " factor_until = excluded.factor_until, factor_g_per_kwh = excluded.factor_g_per_kwh,"
        " factor_year = excluded.factor_year, correction_reason = excluded.correction_reason",
        shard_of(u.tenant), u.id, u.attempt, u.workload, u.tenant, u.project, u.provider, u.site, u.region, u.offer,
        u.start_at, u.end_at, u.units, u.energy_microkwh, u.non_green_microkwh, u.carbon_mg, u.green_power_share, u.pue,
        u.carbon_source, u.carbon_quality, u.measured, u.carbon_market_mg, u.carbon_market_source, u.grid_zone,
        u.by_grid_microkwh, of(&carbon_correction::of), of(&carbon_correction::number), of(&carbon_correction::from_at),
        of(&carbon_correction::until_at), of(&carbon_correction::g_per_kwh), of(&carbon_correction::year),
        u.correction ? u.correction->reason : std::string());
    for (const green_allocation& one : u.certificates)
        database.run(
            "INSERT OR REPLACE INTO certificate_uses (usage, certificate, tenant, microkwh) VALUES (?, ?, ?, ?)", u.id,
            one.certificate, u.tenant, one.microkwh);
}

std::vector<certificate_use> certificate_use_rows(connection& database) {
    statement rows = database.query(
        "SELECT certificate, name, sum(microkwh) FROM certificate_uses JOIN tenants ON tenants.id = tenant"
        " GROUP BY certificate, tenant ORDER BY certificate, tenant");
    std::vector<certificate_use> all;
    while (rows.step()) {
        certificate_use& one = all.emplace_back();
        one.certificate = rows.take<std::string>();
        one.beneficiary = rows.take<std::string>();
        one.microkwh = rows.take<std::int64_t>();
    }
    return all;
}

void put_charge(connection& database, const charge& c) {
    database.run(
        "INSERT INTO charges (shard, usage, attempt, workload, tenant, project, provider, site, offer, start_at, "
        "end_at,"
        " currency, price_nanos, billed_ms, units, list_micros, contracted_micros, billed_micros, effective_micros)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (usage) DO UPDATE SET shard = excluded.shard, attempt = excluded.attempt,"
        " workload = excluded.workload, tenant = excluded.tenant, project = excluded.project,"
        " provider = excluded.provider, site = excluded.site, offer = excluded.offer, start_at = excluded.start_at,"
        " end_at = excluded.end_at, currency = excluded.currency, price_nanos = excluded.price_nanos,"
        " billed_ms = excluded.billed_ms, units = excluded.units, list_micros = excluded.list_micros,"
        " contracted_micros = excluded.contracted_micros, billed_micros = excluded.billed_micros,"
        " effective_micros = excluded.effective_micros",
        shard_of(c.tenant), c.usage, c.attempt, c.workload, c.tenant, c.project, c.provider, c.site, c.offer,
        c.start_at, c.end_at, c.price.unit, c.price.nanos, c.billed_ms, c.units, c.list_micros, c.contracted_micros,
        c.billed_micros, c.effective_micros);
}

money_rows_page<usage> list_usage_rows(connection& database, const usage_filter& filter, std::uint64_t before,
                                       std::uint32_t limit) {
    if (filter.workload)
        return collect<usage>(database.query("SELECT" USAGE_COLUMNS "FROM usage INDEXED BY usage_workload"
                                             " WHERE workload = ? AND n < ? ORDER BY n DESC",
                                             *filter.workload, before),
                              filter, limit);
    if (filter.tenant)
        return collect<usage>(database.query("SELECT" USAGE_COLUMNS "FROM usage INDEXED BY usage_tenant"
                                             " WHERE tenant = ? AND n < ? ORDER BY n DESC",
                                             *filter.tenant, before),
                              filter, limit);
    return collect<usage>(database.query("SELECT" USAGE_COLUMNS "FROM usage WHERE n < ? ORDER BY n DESC", before),
                          filter, limit);
}

money_rows_page<charge> list_charge_rows(connection& database, const usage_filter& filter, std::uint64_t before,
                                         std::uint32_t limit) {
    if (filter.workload)
        return collect<charge>(database.query("SELECT" CHARGE_COLUMNS "FROM charges INDEXED BY charges_workload"
                                              " WHERE workload = ? AND n < ? ORDER BY n DESC",
                                              *filter.workload, before),
                               filter, limit);
    if (filter.tenant)
        return collect<charge>(database.query("SELECT" CHARGE_COLUMNS "FROM charges INDEXED BY charges_tenant"
                                              " WHERE tenant = ? AND n < ? ORDER BY n DESC",
                                              *filter.tenant, before),
                               filter, limit);
    return collect<charge>(database.query("SELECT" CHARGE_COLUMNS "FROM charges WHERE n < ? ORDER BY n DESC", before),
                           filter, limit);
}

money_rows_page<correctable> list_correctable_rows(connection& database, const correction_filter& filter,
                                                   std::uint64_t before, std::uint32_t limit) {
    auto metered = collect<usage>(
        database.query("SELECT" USAGE_COLUMNS "FROM usage WHERE n < ? ORDER BY n DESC", before), filter, limit);
    money_rows_page<correctable> found{{}, metered.next_before};
    for (usage& row : metered.items) {
        correctable& one = found.items.emplace_back();
        statement rows =
            database.query("SELECT" USAGE_COLUMNS "FROM usage WHERE corrects = ? ORDER BY correction", row.id);
        while (rows.step()) {
            numbered<usage> got;
            read(rows, got);
            one.corrections.push_back(std::move(got.row));
        }
        one.metered = std::move(row);
    }
    return found;
}

std::uint64_t last_correction(connection& database) {
    return database.scalar<std::uint64_t>(
        "SELECT coalesce(max(correction), 0) FROM usage WHERE correction IS NOT NULL");
}

usage_total total_usage_rows(connection& database, const usage_filter& filter) {
#define USAGE_SUMS                                                                                                  \
    "SELECT coalesce(sum(energy_microkwh), 0), coalesce(sum(non_green_microkwh), 0), coalesce(sum(carbon_mg), 0),"  \
    " coalesce(sum(carbon_market_mg), 0), count(*), count(*) - count(energy_microkwh), count(corrects) FROM usage " \
    "WHERE" FILTER_AND_TIMES
    statement rows =
        filter.workload ? database.query(USAGE_SUMS "AND workload = ?5", filter.tenant, filter.project, filter.from,
                                         filter.until, filter.workload)
        : filter.tenant
            ? database.query(USAGE_SUMS "AND tenant = ?1", filter.tenant, filter.project, filter.from, filter.until)
            : database.query(USAGE_SUMS, filter.tenant, filter.project, filter.from, filter.until);
    usage_total total;
    if (!rows.step())
        throw_damaged("a sum without a row");
    total.energy_microkwh = rows.take<std::int64_t>();
    total.non_green_microkwh = rows.take<std::int64_t>();
    total.carbon_mg = rows.take<std::int64_t>();
    total.carbon_market_mg = rows.take<std::int64_t>();
    total.rows = rows.take<std::uint64_t>();
    total.rows_without_energy = rows.take<std::uint64_t>();
    total.corrections = rows.take<std::uint64_t>();
    return total;
#undef USAGE_SUMS
}

std::vector<charge_total> total_charge_rows(connection& database, const usage_filter& filter) {
#define CHARGE_SUMS "SELECT currency, sum(billed_micros), count(*) FROM charges WHERE" FILTER_AND_TIMES
#define BY_CURRENCY "GROUP BY currency ORDER BY currency"
    statement rows = filter.workload ? database.query(CHARGE_SUMS "AND workload = ?5 " BY_CURRENCY, filter.tenant,
                                                      filter.project, filter.from, filter.until, filter.workload)
                     : filter.tenant ? database.query(CHARGE_SUMS "AND tenant = ?1 " BY_CURRENCY, filter.tenant,
                                                      filter.project, filter.from, filter.until)
                                     : database.query(CHARGE_SUMS BY_CURRENCY, filter.tenant, filter.project,
                                                      filter.from, filter.until);
    std::vector<charge_total> totals;
    while (rows.step()) {
        charge_total total;
        total.unit = rows.take<currency>();
        total.billed_micros = rows.take<std::int64_t>();
        total.rows = rows.take<std::uint64_t>();
        totals.push_back(total);
    }
    return totals;
#undef BY_CURRENCY
#undef CHARGE_SUMS
}

}  // namespace westerly
