#include "broker/placement/filters.hpp"

#include "broker/domain/software.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::int64_t any_price = std::numeric_limits<std::int64_t>::max();

std::uint8_t code(rejection why) noexcept {
    return static_cast<std::uint8_t>(why);
}

bool contains(const std::vector<std::uint32_t>& numbers, std::uint32_t number) noexcept {
    return std::ranges::find(numbers, number) != numbers.end();
}

void number_all(const name_table& names, const std::vector<std::string>& texts, std::vector<std::uint32_t>& into) {
    into.clear();
    for (const auto& text : texts)
        if (const auto number = names.find(text); number != name_table::absent)
            into.push_back(number);
}

std::int64_t clamp_price(wide price) noexcept {
    return price > any_price ? any_price : price < 0 ? -1 : static_cast<std::int64_t>(price);
}

}  // namespace

void resolve_limits(const offer_book& book, const policy& policy, const workload_spec& spec,
                    const decision_world& world, std::uint8_t reads, limits_view& into) {
    const name_table& names = book.names();
    number_all(names, spec.limits.regions, into.regions);
    number_all(names, spec.limits.jurisdictions, into.jurisdictions);
    number_all(names, spec.limits.providers_allow, into.providers_allow);
    number_all(names, spec.limits.providers_deny, into.providers_deny);
    into.any_region = spec.limits.regions.empty();
    into.any_jurisdiction = spec.limits.jurisdictions.empty();
    into.any_provider = spec.limits.providers_allow.empty();
    into.blocked.clear();
    for (const auto& block : world.blocked)
        into.blocked.push_back(names.find(block.provider));
    into.stacks.clear();
    for (const auto& run : spec.variants)
        into.stacks.push_back(names.find(run.stack));
    into.any_stack = spec.variants.empty();
    into.versioned = {};
    if (std::ranges::any_of(spec.variants, asks_for_versions))
        into.versioned = spec.variants;
    into.any_architecture = spec.resources.architecture.empty();
    into.architecture = names.find(spec.resources.architecture);
    into.plan_only_too = world.plan_only_too;
    into.gang = spec.tasks > 1;
    into.files = std::ranges::any_of(spec.variants, [](const variant& run) { return !run.files.empty(); });
    into.compute = spec.compute;
    into.max_rtt_ms = spec.limits.max_rtt_ms;
    into.max_pue = spec.limits.max_pue;
    if (policy.max_pue)
        into.max_pue = std::min(*policy.max_pue, into.max_pue.value_or(*policy.max_pue));
    into.min_green_power_share = spec.limits.min_green_power_share;
    if (policy.min_green_power_share)
        into.min_green_power_share =
            std::max(*policy.min_green_power_share, into.min_green_power_share.value_or(*policy.min_green_power_share));
    into.any_data_class = spec.data_class.empty();
    into.data_class = names.find(spec.data_class);
    into.licences.clear();
    for (const auto& licence : spec.licences)
        into.licences.push_back(names.find(licence));
    into.reads = reads;
}

std::uint8_t site_code(const limits_view& limits, const offer_book::site_row& row, double rtt_ms,
                       double carbon_g_per_kwh) noexcept {
    if ((!limits.any_provider && !contains(limits.providers_allow, row.provider)) ||
        contains(limits.providers_deny, row.provider))
        return code(rejection::provider_denied);
    if (contains(limits.blocked, row.provider))
        return code(rejection::provider_unhealthy);
    if (!limits.any_region && !contains(limits.regions, row.region))
        return code(rejection::region);
    if (!limits.any_jurisdiction && !contains(limits.jurisdictions, row.jurisdiction))
        return code(rejection::jurisdiction);
    if (!limits.any_data_class && !contains(row.data_classes, limits.data_class))
        return code(rejection::data_class);
    if (!std::ranges::all_of(limits.licences, [&](auto needed) { return contains(row.licences, needed); }))
        return code(rejection::licence);
    if (limits.max_rtt_ms && rtt_ms > *limits.max_rtt_ms)
        return code(rejection::rtt);
    if (limits.max_rtt_ms && std::isnan(rtt_ms))
        return code(rejection::rtt_unknown);
    if (limits.max_pue && !(row.pue <= *limits.max_pue))
        return code(rejection::pue);
    if (limits.min_green_power_share && !(row.green_share >= *limits.min_green_power_share))
        return code(rejection::green_power_share);
    if (((limits.reads & (reads_rtt | reads_rtt_p95)) && std::isnan(rtt_ms)) ||
        ((limits.reads & reads_carbon) && std::isnan(carbon_g_per_kwh)))
        return code(rejection::quantity_unknown);
    return passes;
}

std::uint8_t kind_code(const limits_view& limits, const offer_book::shape_row& row) noexcept {
    if (!row.launchable && !limits.plan_only_too)
        return code(rejection::plan_only);
    if (!row.purchased)
        return code(rejection::not_purchased);
    if ((limits.gang && !row.runs_gangs) || (limits.files && !row.takes_files))
        return code(rejection::not_supported);
    if (row.compute != limits.compute)
        return code(rejection::compute_class);
    if (!limits.any_architecture && row.architecture != limits.architecture)
        return code(rejection::architecture);
    if (!limits.any_stack && std::ranges::none_of(row.stacks, [&](auto s) { return contains(limits.stacks, s); }))
        return code(rejection::stack);
    // Names of stacks are numbers in `limits.stacks`, parallel to the variants.
    const auto runs = [&](const variant& run) {
        const auto number = limits.stacks[static_cast<std::size_t>(&run - limits.versioned.data())];
        return contains(row.stacks, number) && versions_fit(row.software, run);
    };
    if (!limits.versioned.empty() && std::ranges::none_of(limits.versioned, runs))
        return code(rejection::stack_version);
    return passes;
}

std::uint8_t fit_code(const limits_view& limits, const shape_fit& fit) noexcept {
    if (!fit.accelerator_met)
        return code(rejection::accelerator);
    if (!fit.precise)
        return code(rejection::precision);
    if (fit.forbidden)
        return code(rejection::compliance);
    if (fit.units == 0)
        return code(rejection::task_shape);
    if (fit.no_run)
        return code(*fit.no_run);
    if (((limits.reads & (reads_energy | reads_carbon)) && std::isnan(fit.it_kwh)) ||
        ((limits.reads & reads_risk) && std::isnan(fit.lost)))
        return code(rejection::quantity_unknown);
    return passes;
}

money_cap::money_cap(money limit, const exchange_rates& rates) noexcept {
    for (const currency unit : {currency::cny, currency::usd}) {
        const auto at = static_cast<std::size_t>(unit);
        const wide rate = rate_nanos(rates, unit);
        any_[at] = rate <= 0;
        if (any_[at])
            continue;
        const wide in_base = wide{std::max<std::int64_t>(limit.micros, 0)} * rate_nanos(rates, limit.unit);
        hourly_nanos_[at] = limit.micros < 0 ? -1 : in_base * 1000 / rate;
        // micros = nanos x units x seconds / (1000 x 3600), half to even: what rounds to micros_max still fits.
        constexpr wide divisor = 3'600'000;
        const wide micros_max = in_base / rate;
        charge_[at] = limit.micros < 0 ? -1 : micros_max * divisor + divisor / 2 - (micros_max % 2 != 0 ? 1 : 0);
    }
}

std::int64_t money_cap::price_by_hour(currency unit, std::uint64_t units) const noexcept {
    return price_within(hourly_nanos_, unit, static_cast<wide>(units));
}

std::int64_t money_cap::price_by_run(currency unit, std::uint64_t units, std::uint64_t billed_s) const noexcept {
    return price_within(charge_, unit, static_cast<wide>(units) * static_cast<wide>(billed_s));
}

wide money_cap::nano_ms_by_run(currency unit, std::uint64_t units) const noexcept {
    const auto at = static_cast<std::size_t>(unit);
    if (any_[at] || units == 0)
        return any_nano_ms;
    return charge_[at] < 0 ? -1 : charge_[at] * 1000 / static_cast<wide>(units);
}

std::int64_t money_cap::price_within(const std::array<wide, 2>& amounts, currency unit, wide quantity) const noexcept {
    const auto at = static_cast<std::size_t>(unit);
    const wide amount = amounts[at];
    if (any_[at] || quantity == 0)
        return any_price;
    if (amount < 0)
        return -1;
    constexpr wide word_max = std::numeric_limits<std::uint64_t>::max();
    if (amount <= word_max && quantity <= word_max)
        return clamp_price(static_cast<std::uint64_t>(amount) / static_cast<std::uint64_t>(quantity));
    return clamp_price(amount / quantity);
}

}  // namespace westerly
