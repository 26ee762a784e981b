#pragma once

#include "broker/domain/policy_rules.hpp"

#include <cstdint>

namespace westerly {

/// A soft term with its price: J grows by price x quantity. `per_unit` is in base-currency units per term unit.
struct priced_term {
    std::string term;  // a name in the policies table: "latency", "green_power", "carbon", "time"; or a library's
    double per_unit =
        0;  // >= 0. Units: latency per ms·replica-hour, green_power per non-green kWh, carbon per kg, time per hour
    double weight = 0;     // as written when the file states weights; 0 otherwise. per_unit then is the implied price
    double reference = 0;  // the reference scale beside the weight
    std::string per = {};  // the term's unit as the file states it; empty when weights leave it out
    bool ignored_on_failure = false;  // of a term from a library that fails: decided without it, else not decided
    friend bool operator==(const priced_term&, const priced_term&) = default;
};

/// One key of a lexicographic order: quantity rounded up to whole steps (0: exact), compared before the next key.
struct ordered_key {
    std::string term;  // "cost", "rtt", "data_movement", "non_green_energy", "carbon", "finish", or a library's
    double step = 0;   // in the term's unit
    bool ignored_on_failure = false;
    friend bool operator==(const ordered_key&, const ordered_key&) = default;
};

/// The reverse of within_of_cheapest: only offers whose quantity of a built-in term is near the least one's.
struct least_rule {
    std::string term;
    double within = 0;  // 0.1: at most 1.1 x the least
    friend bool operator==(const least_rule&, const least_rule&) = default;
};

/// When a run is moved to a better place. A gain has to exceed what the move costs, and both margins besides.
struct replacement_rule {
    double min_gain = 0.2;  // of what staying would cost, or of the key of an order: prices within 10 % move nothing
    double min_gain_amount = 1;            // in the base currency
    std::uint64_t at_most_every_s = 3600;  // after a start
    std::uint64_t look_every_s = 300;
    std::uint32_t moves_max = 8;  // of one workload, displacements for others included
    friend bool operator==(const replacement_rule&, const replacement_rule&) = default;
};

/// A rule for choosing, from a file. Either priced (J = C + terms) or ordered (lexicographic), never both.
struct policy {
    std::string name;     // slug; the file's name without .json
    std::string version;  // "sha256:<12 hex>" of the file's bytes: every decision names it
    std::string description;
    std::vector<priced_term> prices;              // empty with empty orders: J = C
    std::vector<ordered_key> order_service;       // lexicographic keys for services
    std::vector<ordered_key> order_interactive;   // … for interactive batch
    std::vector<ordered_key> order_batch;         // … for other batch
    std::optional<double> within_of_cheapest;     // 0.5: C <= 1.5 x the cheapest feasible C
    std::optional<least_rule> within_of_least;    // never beside within_of_cheapest
    std::optional<double> min_green_power_share;  // floors and caps laid on every workload under this policy
    std::optional<double> max_pue;
    std::vector<compliance_rule> compliance;      // … beside those that a workload states itself
    std::uint64_t default_runtime_s = 3600;       // when the workload states none; the decision says so
    std::uint64_t max_delay_s = 86'400;           // no start is put off for longer, whatever the workload allows
    std::optional<replacement_rule> replacement;  // nullopt: what runs stays where it is
    bool counted_twice_meant = false;             // the file says that pricing carbon and green power both is meant
    override_bounds overrides;                    // what workloads may set in place of the above
    std::vector<workload_group> applies_to;       // who may use it; empty: everybody. Those of the next two may as well
    std::vector<workload_group> default_for;      // who runs under it by naming no policy
    std::vector<workload_group> forced_for;       // who runs under it in any case
    std::vector<std::string> overridden;          // what a workload's overrides changed, "field: before → now"
    std::string text = {};  // the file's bytes, for the records; what was made of them stands above
    bool ordered() const noexcept { return !order_batch.empty(); }
    friend bool operator==(const policy&, const policy&) = default;
};

/// What one tenant is told of a policy: its groups without other tenants' names; nullopt: it is only for others.
std::optional<policy> as_seen_by(policy p, std::string_view tenant);

}  // namespace westerly
