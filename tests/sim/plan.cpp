#include "tests/sim/plan.hpp"

#include "broker/support/random.hpp"
#include "tests/sim/dice.hpp"

namespace westerly::sim {

namespace {

enum actor : std::uint64_t { the_providers = 1, the_workloads = 2, the_faults = 3, the_hours = 4 };

std::string provider_name(std::size_t number) {
    constexpr std::array names = {"east", "west", "north", "south", "super"};
    return number < names.size() ? names.at(number) : "p" + std::to_string(number + 1);
}

offer an_offer(const provider_config& at, const std::string& name, const world_size& size, dice& chance) {
    offer out;
    out.site = at.sites.front();
    out.provider = at.id;
    out.id = at.id + "/" + out.site.site + "/" + name + "/on_demand";
    out.vcpus = name == "big" ? 8 : 4;
    out.memory_mib = 2048ull * out.vcpus;
    out.units_free = static_cast<std::uint64_t>(chance.between(3, 8)) * size.units;
    out.price = unit_price{chance.between(1'000'000'000, 9'999'999'999), currency::cny};
    out.increment_s = static_cast<std::uint32_t>(chance.one_in(0.5) ? 1 : 60);
    out.minimum_s = static_cast<std::uint32_t>(chance.one_in(0.5) ? 0 : 30);
    out.idle_w = 50;
    out.max_w = 200;
    return out;
}

planned_provider a_provider(std::size_t number, const world_size& size, dice& chance) {
    planned_provider out;
    out.config.id = provider_name(number);
    out.longest_run = size.longest_run;
    out.keeps_ended = size.keeps_ended;
    out.config.kind = "local";
    out.config.poll_s = 20;
    out.config.lost_after_s = 60;
    site_facts site;
    site.site = "s";
    site.region = number % 2 ? "cn-west" : "cn-east";
    site.jurisdiction = "CN";
    site.pue = sourced{1.1 + 0.1 * static_cast<double>(number), "plan", quality_class::declared};
    site.green_power_share = sourced{0.2 * static_cast<double>(number % 5), "plan", quality_class::declared};
    site.carbon_g_per_kwh = sourced{500, "plan", quality_class::declared};
    out.config.sites.push_back(site);
    out.visibility_s = chance.one_in(0.5) ? 0 : static_cast<std::uint32_t>(chance.between(1, 40));
    out.way_ms = chance.one_in(0.4) ? 4'000 : 400;
    out.offers.push_back(an_offer(out.config, "small", size, chance));
    if (chance.one_in(0.5))
        out.offers.push_back(an_offer(out.config, "big", size, chance));
    return out;
}

/// Windows of minutes, so that prices change while a history runs: it begins at midnight (UTC).
price_schedule some_hours(std::int64_t plain_nanos, dice& chance) {
    constexpr std::int64_t day_min = 24 * 60;
    price_schedule out;
    out.utc_offset_min = static_cast<std::int16_t>(15 * chance.between(-56, 56));
    const std::int64_t every = chance.between(2, 5), lasts = chance.between(1, every - 1);
    const std::int64_t first = day_min + out.utc_offset_min + chance.between(0, every);
    for (std::int64_t i = 0; i < 60; ++i)
        out.windows.push_back({.from_min = static_cast<std::uint16_t>((first + i * every) % day_min),
                               .to_min = static_cast<std::uint16_t>((first + i * every + lasts) % day_min),
                               .nanos = chance.between(0, 2 * plain_nanos)});
    if (chance.one_in(0.3))
        for (price_window& each : out.windows)
            each.days = static_cast<std::uint8_t>(chance.between(1, price_window::every_day));
    return out;
}

/// In some histories prices change with the hour.
void give_hours(std::vector<planned_provider>& providers, dice chance) {
    if (!chance.one_in(0.3))
        return;
    for (planned_provider& each : providers)
        for (offer& one : each.offers)
            if (chance.one_in(0.6))
                one.schedule = some_hours(one.price->nanos, chance);
}

std::shared_ptr<const workload_spec> a_spec(std::size_t number, dice& chance) {
    auto spec = std::make_shared<workload_spec>();
    spec->name = "w" + std::to_string(number);
    spec->policy = chance.one_in(0.5) ? "cheapest" : "balanced";
    spec->tasks = static_cast<std::uint32_t>(chance.one_in(0.02) ? 99 : chance.between(1, 3));
    spec->resources.vcpus = chance.one_in(0.1) ? 8 : 2;
    spec->priority = static_cast<std::int32_t>(chance.between(-1, 1));
    spec->grace_s = static_cast<std::uint32_t>(chance.between(0, 20));
    spec->variants.emplace_back();
    spec->variants.back().command = {"true"};
    if (chance.one_in(0.2))
        spec->budget = money{chance.between(100'000, 5'000'000), currency::cny};
    // Who asks for what may never be offered says how long it may wait.
    if (chance.one_in(0.3) || spec->tasks > 3 || spec->resources.vcpus > 4 || spec->budget)
        spec->when.max_wait_s = static_cast<std::uint64_t>(chance.between(5, 300));
    if (chance.one_in(0.25))
        spec->when.max_runtime_s =
            static_cast<std::uint64_t>(chance.one_in(0.5) ? chance.between(2, 12) : chance.between(5, 60));
    if (chance.one_in(0.4))
        spec->retry.on.push_back(retry_cause::failed);
    spec->retry.backoff_s = static_cast<std::uint32_t>(chance.between(1, 10));
    if (number % 3 == 0) {  // may be moved while it runs
        spec->work.runtime_s = 36'000;
        spec->checkpoint = checkpoint_rule{.interval_s = 2, .portable = true};
    }
    if (chance.one_in(0.15))
        spec->retry.second_copy_after_s = static_cast<std::uint64_t>(chance.between(5, 60));
    return spec;
}

planned_workload a_workload(std::size_t number, std::shared_ptr<const workload_spec> spec, const world_size& size,
                            dice& chance) {
    planned_workload out;
    out.number = number;
    out.ask_at = chance.delay(0, size.asks_last.count());
    if (chance.one_in(0.3))
        out.cancel_after = chance.one_in(0.5) ? chance.delay(0, 2'000) : chance.delay(0, 120'000);
    out.repeats = chance.one_in(0.1);
    out.impatient = chance.one_in(0.15);
    out.risks = chance.one_in(0.3);
    out.spec = std::move(spec);
    return out;
}

/// Kinds that strike seldom while they last come twice as often.
fault_kind a_kind(dice& chance) {
    constexpr fault_kind seldom[] = {fault_kind::reorder,  fault_kind::reuse_id, fault_kind::late_list,
                                     fault_kind::run_out,  fault_kind::garble,   fault_kind::partial_list,
                                     fault_kind::deaf,     fault_kind::stray,    fault_kind::unconfigure,
                                     fault_kind::forget,   fault_kind::throttle, fault_kind::preempt,
                                     fault_kind::partition};
    const auto drawn = chance.below(fault_kinds + std::size(seldom));
    return drawn < fault_kinds ? static_cast<fault_kind>(drawn) : seldom[drawn - fault_kinds];
}

/// How long a kind lasts, how surely it strikes, and what else it needs.
planned_fault a_fault(std::size_t number, const world_size& size, milliseconds storm, dice& chance) {
    planned_fault out;
    out.number = number;
    out.kind = a_kind(chance);
    const bool stormy = size.storm.count() != 0;
    out.provider = stormy && chance.one_in(0.4) ? 0 : chance.below(size.providers);
    out.from = stormy && out.provider == 0 && !strikes_broker(out.kind)
                   ? storm + chance.delay(0, size.storm.count())
                   : chance.delay(1'000, size.faults_last.count() - 1'000);
    out.until = std::min(out.from + chance.delay(10'000, size.longest_fault.count()), size.faults_last);
    out.chance = static_cast<double>(chance.between(20, 100)) / 100;
    if (out.kind == fault_kind::late_list || out.kind == fault_kind::partial_list)
        out.chance = 1;  // lists are few
    if (out.kind == fault_kind::adapter_exit || out.kind == fault_kind::unconfigure)
        out.until = std::min(out.from + chance.delay(500, 90'000), size.faults_last);
    if (out.kind >= fault_kind::crash_unsynced && out.kind <= fault_kind::crash_between)
        out.param = chance.between(0, 30), out.until = size.faults_last;
    if (out.kind == fault_kind::clock_forward)
        out.param = chance.one_in(0.5) ? chance.between(1'000, 90'000) : chance.between(1'000, 7'200'000);
    if (out.kind == fault_kind::clock_back)
        out.param = -(chance.one_in(0.5) ? chance.between(1'000, 90'000) : chance.between(1'000, 1'800'000));
    return out;
}

}  // namespace

plan plan_of(std::uint64_t seed, const world_size& size) {
    plan out;
    out.seed = seed;
    out.calm_at = size.faults_last;
    dice providers(seed, the_providers), workloads(seed, the_workloads), faults(seed, the_faults);
    for (std::size_t i = 0; i < size.providers; ++i)
        out.providers.push_back(a_provider(i, size, providers));
    give_hours(out.providers, dice(seed, the_hours));
    const auto count = static_cast<std::size_t>(workloads.between(static_cast<std::int64_t>(size.workloads_min),
                                                                  static_cast<std::int64_t>(size.workloads_max)));
    std::vector<std::shared_ptr<const workload_spec>> specs;
    for (std::size_t i = 0; i < count; ++i) {
        if (!size.specs || specs.size() < *size.specs)
            specs.push_back(a_spec(i, workloads));
        out.workloads.push_back(a_workload(i, specs[i % specs.size()], size, workloads));
    }
    const auto wrong = static_cast<std::size_t>(
        faults.between(static_cast<std::int64_t>(size.faults_min), static_cast<std::int64_t>(size.faults_max)));
    const auto storm = faults.delay(1'000, (size.faults_last - size.storm).count() - 1'000);
    for (std::size_t i = 0; i < wrong; ++i)
        out.faults.push_back(a_fault(i, size, storm, faults));
    return out;
}

std::string describe(const planned_fault& fault) {
    std::string text = "fault " + std::to_string(fault.number) + ": " + std::string(to_string(fault.kind));
    if (!strikes_broker(fault.kind))
        text += " at " + provider_name(fault.provider);
    text += ", from " + std::to_string(fault.from.count()) + " ms to " + std::to_string(fault.until.count()) + " ms";
    if (strikes_broker(fault.kind))
        return text + ", " + std::to_string(fault.param);
    return text + ", chance " + std::to_string(fault.chance).substr(0, 4);
}

std::string describe(const plan& of) {
    std::string text;
    for (const auto& each : of.workloads)
        text += "  workload " + std::to_string(each.number) + ": asked for at " + std::to_string(each.ask_at.count()) +
                " ms, " + std::to_string(each.spec->tasks) + " task(s)" +
                (each.cancel_after ? ", cancelled " + std::to_string(each.cancel_after->count()) + " ms later" : "") +
                "\n";
    for (const auto& each : of.faults)
        text += "  " + describe(each) + "\n";
    return text;
}

}  // namespace westerly::sim
