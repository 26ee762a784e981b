#include "broker/api/cost_filter.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

void put_total(json_writer& out, const usage_total& total) {
    put_key(out, "totals");
    out.StartObject();
    put_whole(out, "rows", total.rows);
    put_whole(out, "rows_without_energy", total.rows_without_energy);
    put_whole(out, "corrections", total.corrections);
    put_number(out, "energy_kwh", static_cast<double>(total.energy_microkwh) / micros_per_one);
    put_number(out, "non_green_kwh", static_cast<double>(total.non_green_microkwh) / micros_per_one);
    put_number(out, "carbon_kg", static_cast<double>(total.carbon_mg) / micros_per_one);
    put_number(out, "carbon_market_kg", static_cast<double>(total.carbon_market_mg) / micros_per_one);
    out.EndObject();
}

}  // namespace

result<usage_filter> cost_filter_of(const call& c) {
    usage_filter filter;
    auto tenant = tenant_filter(c);
    if (!tenant)
        return tenant.error();
    auto workload = id_parameter<workload_id>(c, "workload");
    if (!workload)
        return workload.error();
    auto from = time_parameter(c, "from");
    if (!from)
        return from.error();
    auto until = time_parameter(c, "until");
    if (!until)
        return until.error();
    if (*from && *until && **from > **until)
        return parameter_error("?until", "is before ?from", "exchange them");
    filter.tenant = *tenant;
    filter.workload = *workload;
    filter.project = c.parameter("project").value_or("");
    filter.from = *from;
    filter.until = *until;
    return filter;
}

response list_usage(const call& c) {
    const auto filter = cost_filter_of(c);
    if (!filter)
        return problem(filter.error());
    const auto limit = limit_of(c);
    if (!limit)
        return problem(limit.error());
    const auto found = c.house.services.read->list_usage(*filter, cursor_of(c), *limit);
    if (!found)
        return list_problem(found.error());
    const auto total = c.house.services.read->total_usage(*filter);
    if (!total)
        return problem(total.error());
    return list_response(found->items, found->next_cursor, [&](json_writer& out) { put_total(out, *total); });
}

}  // namespace westerly
