#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// One offer judged by itself, from the words of the decision model and not from placement's code.
struct judged {
    const offer* at = nullptr;
    std::optional<rejection> why;
    double cost = 0;           // C in base currency
    double first_cost = 0;     // started at once, where it may
    double bounded = 0;        // of the term that within_of_least names
    std::vector<double> keys;  // J, or the order's keys
    bool stale = false;
    double finish_ms = 0;
    double non_green_kwh = 0;    // unknown: infinity
    double rtt_ms = 0;           // where it counts; unknown: infinity
    std::size_t preference = 0;  // the alternative that its cards meet
};

/// Every offer of the world, by id; then the feasible ones, best first.
struct judgement {
    std::vector<judged> all;
    std::vector<const judged*> ranked;
};
judgement judge(const world& w, bool plan_only_too);

/// By how much two offers differ in what ranks first, as a share; 0 when every key is equal.
double gap(const judged& a, const judged& b);

}  // namespace westerly::laws
