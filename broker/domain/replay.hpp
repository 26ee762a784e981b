#pragma once

#include "broker/domain/decision.hpp"

namespace westerly {

/// What became of making a stored decision again.
struct replay_report {
    decision_id decision;
    bool identical = false;  // to the last bit
    std::string pointer;     // into the decision's JSON: the first difference
    std::string recorded, replayed;
};

/// A policy by name, as it is in use, or as it was in use under `version`; or one of a file's text, called `name`.
struct policy_choice {
    std::string name, version, text;
};

inline constexpr std::uint32_t compared_max = 1000;  // decisions in one comparison
struct policy_comparison_request {
    policy_choice before, after;
    std::uint32_t last = 100;  // decisions, at most
    std::optional<instant> since;
};

/// One decision as both policies would have made it; nullopt: nothing fits.
struct compared_decision {
    decision_id decision;
    workload_id workload;
    instant at{};
    std::optional<appraisal> before, after;

    bool differs() const noexcept {
        return before.has_value() != after.has_value() ||
               (before && (before->offer != after->offer || before->start_at != after->start_at));
    }
};
struct policy_comparison {
    policy_choice before, after;  // name and version, complete
    currency base = currency::cny;
    std::uint32_t compared = 0;
    bool complete = true;                   // false: it took too long, and older ones were not looked at
    std::uint32_t not_comparable = 0;       // what they were made from is not kept
    std::vector<compared_decision> differ;  // newest first
};

}  // namespace westerly
