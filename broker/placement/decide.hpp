#pragma once

#include "broker/domain/accelerator.hpp"
#include "broker/domain/decision.hpp"
#include "broker/domain/explain.hpp"
#include "broker/domain/foreign_term.hpp"
#include "broker/domain/measured_speed.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/progress.hpp"
#include "broker/domain/region.hpp"
#include "broker/placement/signal_book.hpp"
#include "broker/placement/term.hpp"

namespace westerly {

/// Providers that take no new work now, with the reason a tenant reads.
struct provider_block {
    provider_id provider;
    std::string why;
};

/// What a decision depends on besides book, policy and workload; kept by the engine.
struct decision_world {
    instant now{};
    exchange_rates rates;
    std::span<const region_place> regions;  // what workloads may name as their origin, sorted by name
    std::span<const provider_block> blocked;
    const accelerator_table* accelerators = nullptr;  // nullptr: none are known by name
    bool plan_only_too = false;                       // a plan ranks catalogue offers beside launchable ones
    std::optional<money> budget_left;                 // what earlier attempts left of the budget
    const signal_book* signals = nullptr;             // nullptr: sites' own factors hold at any time
    std::span<const measured_speed> measured;         // what earlier runs of this work have shown of cards
    std::optional<run_progress> progress;             // of earlier attempts; nullopt: the whole work is to be done
    std::optional<instant> asked_at;          // when the workload came: its slack counts from then; nullopt: now
    std::span<const foreign_column> foreign;  // what terms of libraries say, for each size of the gang
};

/// The world's table, or an empty one.
const accelerator_table& known_in(const decision_world& world) noexcept;

/// Filters, ranks and explains: decision-model §1. `made.ranked` is empty when nothing is feasible now; the rejections
/// then say why. Pure: same arguments, same bits. `made.id` and `made.workload` are left to the caller.
decision decide(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                const decision_world& world);

/// decide() and the first failing filter of every rejected offer (the first `rejected_max` by id).
inline constexpr std::size_t rejected_max = 1000;
inline constexpr std::size_t pareto_max = 32;
plan_result plan(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                 const decision_world& world);

/// Refuses a policy that names an unknown term, one that may not stand where it stands, or its wrong unit: a fault
/// each, with its JSON Pointer into the policy file ("/prices/latncy", "/order/batch/0/term") and the known names as
/// remedy. Errors: invalid.
result<void> check_policy(const policy& policy, term_table terms);
/// With the term's unit as the remedy of each fault that a price states none.
error with_units(error refused, term_table terms);
/// Where the file leaves a price's unit out, as weights may: the term's.
void complete_units(policy& policy, term_table terms);

/// Units of this offer that the whole gang takes; 0 when a task does not fit the unit.
std::uint64_t units_needed(const offer& on, const workload_spec& spec, const accelerator_table& known = {}) noexcept;

/// Cards that one task has there, by the alternative that is met; 0: none are asked for, or it does not fit.
std::uint64_t cards_of_task(const offer& on, const workload_spec& spec, const accelerator_table& known) noexcept;

/// RTT in ms between two places: 6.57 + 0.016465 km up to 3000 km, 32.02 + 0.013234 km beyond (Theil-Sen fits over
/// measured inter-region RTTs of public clouds; median error 3.0 and 20.5 ms). Great-circle distance.
double estimate_rtt_ms(std::pair<double, double> from, std::pair<double, double> to) noexcept;

}  // namespace westerly
