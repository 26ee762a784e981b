#pragma once

#include "broker/placement/decide.hpp"
#include "broker/placement/overrides.hpp"
#include "policies/table.hpp"

#include <algorithm>
#include <random>

namespace westerly::laws {

/// Random and reproducible: one seed, one world.
class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool once_in(std::uint64_t n) { return below(n) == 0; }
    double between(double low, double high) {
        return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
    }
    template <class T, std::size_t N>
    const T& one_of(const T (&values)[N]) {
        return values[below(N)];
    }

private:
    std::mt19937_64 engine_;
};

/// Everything that a decision depends on, as values.
struct world {
    std::vector<offer> offers;
    std::vector<std::pair<offer_id, std::uint64_t>> live;  // our live units
    workload_spec spec;
    policy rules;
    std::vector<region_place> regions;
    accelerator_table accelerators;
    std::vector<provider_block> blocked;
    std::vector<signal_series> hourly;  // one a zone at most, without gaps
    signal_book signals;                // made of them
    decision_world around;              // its spans are set by surroundings()

    decision_world surroundings() const {
        decision_world w = around;
        w.regions = regions;
        w.accelerators = &accelerators;
        w.blocked = blocked;
        w.signals = hourly.empty() ? nullptr : &signals;
        return w;
    }
    offer_book book() const;
    const offer& offer_of(const offer_id& id) const { return *std::ranges::find(offers, id, &offer::id); }
    /// With the workload's value of time in it.
    policy effective() const { return effective_policy(rules, spec); }
    decision decide() const { return westerly::decide(book(), effective(), built_in_terms(), spec, surroundings()); }
    plan_result plan() const { return westerly::plan(book(), effective(), built_in_terms(), spec, surroundings()); }
};

/// How many random worlds a law is held against; sanitizers look for other faults and are slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t worlds = 3'000;
#else
inline constexpr std::uint64_t worlds = 100'000;
#endif

/// A small world with unknown facts, clones, unequal currencies and most constraints now and then.
world random_world(dice& chance);
/// The same with signals of some zones, and slack for most batch workloads.
world random_world_with_signals(dice& chance);
/// By seed one of three kinds: every start at once and one size, of every second one; starts that may be put off; and
/// one in sixteen with a range of sizes beside that, because each size is as much work as a decision of its own.
world any_world(dice& chance, std::uint64_t seed);
offer random_offer(dice& chance, const site_facts& site, const std::string& provider, int number);
site_facts random_site(dice& chance, int number);

/// Rules in price form without a reference to the cheapest: what the laws of decision-model §7 speak of.
policy random_priced_policy(dice& chance);
/// Now and then.
void price_risk(dice& chance, policy& p);
policy shipped_policy(std::string_view name);

}  // namespace westerly::laws
