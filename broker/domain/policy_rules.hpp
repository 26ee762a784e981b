#pragma once

#include "broker/domain/workload.hpp"

#include <limits>
#include <string_view>

namespace westerly {

/// Both ends belong to it.
struct number_bounds {
    double min = 0;
    double max = std::numeric_limits<double>::infinity();
    friend bool operator==(const number_bounds&, const number_bounds&) = default;
};
struct price_bounds {
    std::string term;
    std::int64_t min_nanos = 0;  // of the decisions' currency, per the term's unit
    std::int64_t max_nanos = std::numeric_limits<std::int64_t>::max();
    friend bool operator==(const price_bounds&, const price_bounds&) = default;
};

/// What workloads may set in place of a policy file's figures, and within what. What is not named stays as it is.
struct override_bounds {
    std::vector<price_bounds> prices;  // by term, sorted
    std::optional<number_bounds> within_of_cheapest;
    std::optional<number_bounds> min_green_power_share;
    std::optional<number_bounds> max_pue;
    friend bool operator==(const override_bounds&, const override_bounds&) = default;
};

/// Workloads of some tenants, with some labels. Names nothing: all workloads.
struct workload_group {
    std::vector<std::string> tenants;  // by name; empty: whoever asks
    /// Of each of these labels the workload has one of the values. Sorted by key; values not empty.
    std::vector<std::pair<std::string, std::vector<std::string>>> labels;
    friend bool operator==(const workload_group&, const workload_group&) = default;
};

bool holds(const workload_group& group, std::string_view tenant, const workload_spec& spec);
/// May hold for some workload of this tenant.
bool concerns(const workload_group& group, std::string_view tenant);
/// Some workload could be in both.
bool overlap(const workload_group& a, const workload_group& b);
/// The one that says more goes before: naming tenants, then the number of labels.
std::size_t says_more(const workload_group& group) noexcept;
/// "workloads of tenant acme labelled stage=prod", "all workloads".
std::string in_words(const workload_group& group);

}  // namespace westerly
