// assign_tick_1k_ms: what one input of the engine takes at most while 1 000 workloads of 32 shapes, gangs of 1 to 4,
// meet 200 offers of 1 to 16 units, fewer than they want: most are contested, and rounds are assigned together.
#include "tests/bench/round_bench.hpp"

#include "broker/engine/engine.hpp"
#include "policies/table.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

namespace westerly {

namespace {

constexpr std::size_t workloads = 1'000, offers = 200, shapes = 32;

offer random_offer(std::size_t number, std::mt19937_64& random) {
    offer out;
    out.id = "p/s/o" + std::to_string(number) + "/on_demand";
    out.provider = "p";
    out.site.site = "s";
    out.site.region = "cn-east";
    out.site.jurisdiction = "CN";
    out.vcpus = 64;
    out.memory_mib = 4096ull << (random() % 6);
    out.units_free = 1 + random() % 16;
    out.price = unit_price{static_cast<std::int64_t>(1'000'000'000 + random() % 1'000'000'000), currency::cny};
    return out;
}

workload_spec spec_of(std::size_t number) {
    workload_spec spec;
    spec.name = "bench";
    spec.policy = "bench";
    spec.variants.emplace_back().command = {"true"};
    spec.tasks = 1 + static_cast<std::uint32_t>(number % 4);
    spec.resources.memory_mib = 3000ull << (number % shapes / 4 % 6);
    spec.work.runtime_s = 3600 + number % shapes;
    return spec;
}

struct timed_engine {
    explicit timed_engine(std::uint64_t seed) : random(seed) {
        stored_state empty;
        random_source ids(seed);
        empty.owner = owner_id::make(now, ids);
        core = std::make_unique<engine>(engine_options{}, built_in_terms(), std::move(empty), now);
        who.tenant = tenant_id::make(now, ids);
        who.tenant_name = "t";
    }
    double give(const input& in) {
        const auto from = std::chrono::steady_clock::now();
        const reaction made = core->handle(in, now, random);
        started += made.changes.attempts_new.size();
        for (const auto& each : made.changes.decisions)
            elsewhere +=
                static_cast<std::size_t>(std::ranges::count(each.notes, note_kind::assigned_together, &note::kind));
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - from).count();
    }
    instant now = instant(std::chrono::hours(24 * 365 * 50));
    random_source random;
    principal who;
    std::unique_ptr<engine> core;
    std::size_t started = 0, elsewhere = 0;
};

}  // namespace

std::vector<double> longest_inputs_ms(std::size_t runs) {
    std::vector<double> longest;
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
        timed_engine tested(seed);
        policy rules;
        rules.name = "bench";
        rules.prices = {{"time", 5.0}};
        tested.give(policies_configured{{rules}, {}});
        provider_config home;
        home.id = "p";
        home.kind = "local";
        home.sites.emplace_back().site = "s";
        tested.give(providers_configured{{home}});
        provider_health well;
        well.id = "p";
        well.state = provider_state::ready;
        tested.give(provider_reported{well});
        tested.give(offers_received{"p", {}});
        for (std::size_t i = 0; i < workloads; ++i)
            tested.give(submit_workload{i + 1, tested.who, std::make_shared<workload_spec>(spec_of(i)), {}, {}});
        std::mt19937_64 random(seed);
        std::vector<offer> all;
        for (std::size_t i = 0; i < offers; ++i)
            all.push_back(random_offer(i, random));
        double most = tested.give(offers_received{"p", std::move(all)});
        for (auto wake = tested.core->next_wake(); wake && *wake <= tested.now; wake = tested.core->next_wake())
            most = std::max(most, tested.give(tick{}));
        std::fprintf(stderr, "%.2f ms at most; %zu of %zu started, %zu elsewhere than alone\n", most, tested.started,
                     workloads, tested.elsewhere);
        if (tested.started == 0 || tested.elsewhere == 0)
            return {};
        longest.push_back(most);
    }
    return longest;
}

}  // namespace westerly
