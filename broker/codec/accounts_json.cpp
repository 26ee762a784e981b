#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

/// GHG Protocol: what a tenant buys is the provider's Scope 2. It would be the tenant's own where the tenant controlled
/// the lease, but the broker knows of no capacity that a tenant holds: `owned` reservations are the operator's.
constexpr std::string_view scope_of_tenants = "scope_3_category_1";

void put_millionths(json_writer& out, std::string_view name, const std::optional<std::int64_t>& value) {
    if (value)
        put_number(out, name, static_cast<double>(*value) / micros_per_one);
}

void put_correction(json_writer& out, const carbon_correction& c) {
    put_key(out, "correction");
    out.StartObject();
    put_id(out, "usage", c.of);
    put_time(out, "start_at", c.from_at);
    put_time(out, "end_at", c.until_at);
    put_number(out, "carbon_g_per_kwh", c.g_per_kwh);
    put_whole(out, "year", static_cast<std::uint64_t>(c.year));
    put_text(out, "reason", c.reason);
    out.EndObject();
}

}  // namespace

void encode(json_writer& out, const usage& u) {
    out.StartObject();
    put_id(out, "id", u.id);
    put_id(out, "attempt", u.attempt);
    put_id(out, "workload", u.workload);
    put_id(out, "tenant", u.tenant);
    put_text(out, "project", u.project);
    put_text(out, "provider", u.provider);
    put_text(out, "site", u.site);
    put_text(out, "region", u.region);
    put_text(out, "offer", u.offer);
    put_time(out, "start_at", u.start_at);
    put_time(out, "end_at", u.end_at);
    put_whole(out, "units", u.units);
    put_millionths(out, "energy_kwh", u.energy_microkwh);
    put_millionths(out, "non_green_kwh", u.non_green_microkwh);
    put_millionths(out, "carbon_kg", u.carbon_mg);
    put_number(out, "green_power_share", u.green_power_share);
    put_number(out, "pue", u.pue);
    if (u.carbon_mg) {
        put_text(out, "carbon_source", u.carbon_source);
        put_text(out, "carbon_quality", name_of(u.carbon_quality));
    }
    put_millionths(out, "carbon_market_kg", u.carbon_market_mg);
    put_text(out, "carbon_market_source", u.carbon_market_source);
    if (u.carbon_mg || u.carbon_market_mg)
        put_text(out, "carbon_scope", scope_of_tenants);
    put_text(out, "grid_zone", u.grid_zone);
    put_flag(out, "measured", u.measured);
    if (u.correction)
        put_correction(out, *u.correction);
    out.EndObject();
}

void encode(json_writer& out, const charge& c) {
    out.StartObject();
    put_id(out, "usage", c.usage);
    put_id(out, "attempt", c.attempt);
    put_id(out, "workload", c.workload);
    put_id(out, "tenant", c.tenant);
    put_text(out, "project", c.project);
    put_text(out, "provider", c.provider);
    put_text(out, "site", c.site);
    put_text(out, "offer", c.offer);
    put_time(out, "start_at", c.start_at);
    put_time(out, "end_at", c.end_at);
    put_price(out, "price", c.price);
    put_whole(out, "units", c.units);
    put_whole(out, "billed_ms", c.billed_ms);
    put_money(out, "list_cost", {c.list_micros, c.price.unit});
    put_money(out, "contracted_cost", {c.contracted_micros, c.price.unit});
    put_money(out, "billed_cost", {c.billed_micros, c.price.unit});
    put_money(out, "effective_cost", {c.effective_micros, c.price.unit});
    out.EndObject();
}

}  // namespace westerly
