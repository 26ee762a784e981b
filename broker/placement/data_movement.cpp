#include "broker/placement/data_movement.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr double gigabits_per_gib = 8.0 * 1073741824.0 / 1e9;

double staging_per_gib(const offer_book::site_row& row, const exchange_rates& rates) noexcept {
    return row.staging_per_gib ? to_base(rates, *row.staging_per_gib) : 0;
}

}  // namespace

double service_stay_h(const workload_spec& spec) noexcept {
    return static_cast<double>(std::max<std::uint64_t>(spec.work.runtime_s.value_or(service_stay_s), 1)) / 3600.0;
}

std::vector<brought_data> brought_by(const offer_book& book, const workload_spec& spec, const decision_world& world) {
    std::vector<brought_data> all;
    const double hours = spec.kind == workload_kind::service ? service_stay_h(spec) : 1;
    const auto bring = [&](const std::string& from, double gib, const std::optional<money>& egress_per_gib) {
        const double paid_gib = gib / hours;
        all.push_back({book.names().find(from), gib, paid_gib,
                       egress_per_gib ? paid_gib * to_base(world.rates, *egress_per_gib) : 0});
    };
    for (const auto& input : spec.inputs)
        bring(input.region, input.size_gib, input.egress_per_gib);
    if (spec.checkpoint && world.progress && world.progress->restores)
        bring(spec.checkpoint->region, spec.checkpoint->size_gib, spec.checkpoint->egress_per_gib);
    return all;
}

data_movement movement_to(const offer_book::site_row& row, std::span<const brought_data> inputs,
                          const exchange_rates& rates) noexcept {
    const double staging = staging_per_gib(row, rates);
    data_movement made;
    double gigabits = 0;
    for (const auto& input : inputs)
        if (input.region != row.region) {
            gigabits += input.gib * gigabits_per_gib;
            made.cost_base += input.egress_base + input.paid_gib * staging;
        }
    const double gbps = row.ingress_gbps > 0 ? row.ingress_gbps : default_ingress_gbps;
    made.seconds = std::min(gigabits / gbps, data_movement_max_s);
    return made;
}

double staging_base(const offer_book& book, const workload_spec& spec, const decision_world& world,
                    const offer_book::site_row& row) {
    const double per_gib = staging_per_gib(row, world.rates);
    double sum = 0;
    for (const auto& input : brought_by(book, spec, world))
        if (input.region != row.region)
            sum += input.paid_gib * per_gib;
    return sum;
}

}  // namespace westerly
