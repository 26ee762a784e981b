#include "tests/property/oracle.hpp"

#include "tests/property/oracle_offer.hpp"

#include <algorithm>
#include <cmath>

namespace westerly::laws {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool before(const judged* a, const judged* b) {
    const auto rest = [](const judged* j) {
        return std::make_tuple(!j->at->launchable, j->stale, j->finish_ms, j->non_green_kwh, j->rtt_ms, j->preference,
                               j->at->id);
    };
    return a->keys != b->keys ? a->keys < b->keys : rest(a) < rest(b);
}

/// The ε-form: nothing dearer than so much over the cheapest that may be launched, or over the cheapest at all.
void drop_too_dear(const world& w, bool plan_only_too, std::vector<judged>& all) {
    if (!w.rules.within_of_cheapest)
        return;
    for (const bool launchable : {true, false}) {
        double least = infinity;
        for (const auto& j : all)
            if (!j.why && (j.at->launchable || !launchable))
                least = std::min(least, j.first_cost);
        if (least == infinity)
            continue;
        const double dearest = least * (1 + *w.rules.within_of_cheapest) * (1 + 1e-9);
        for (auto& j : all) {
            judge_of_one again(w, *j.at, plan_only_too);
            if (!j.why && again.hourly())
                j = again.judgement(dearest);  // another start may be within it
            else if (!j.why && j.cost > dearest * (1 + 1e-12))
                j.why = rejection::too_dear_for_policy;
        }
        return;
    }
}

/// The reverse: nothing with so much more than the least, of those that may be launched where there are any.
void drop_far_from_least(const world& w, std::vector<judged>& all) {
    if (!w.rules.within_of_least)
        return;
    for (const bool launchable : {true, false}) {
        double least = infinity;
        for (const auto& j : all)
            if (!j.why && (j.at->launchable || !launchable))
                least = std::min(least, j.bounded);
        if (least == infinity)
            continue;
        for (auto& j : all)
            if (!j.why && j.bounded > least * (1 + w.rules.within_of_least->within) * (1 + 1e-9))
                j.why = rejection::too_far_from_least;
        return;
    }
}

}  // namespace

judgement judge(const world& w, bool plan_only_too) {
    judgement made;
    for (const auto& o : w.offers)
        made.all.push_back(judge_of_one(w, o, plan_only_too).judgement());
    std::sort(made.all.begin(), made.all.end(), [](const auto& a, const auto& b) { return a.at->id < b.at->id; });
    drop_too_dear(w, plan_only_too, made.all);
    drop_far_from_least(w, made.all);
    for (const auto& j : made.all)
        if (!j.why)
            made.ranked.push_back(&j);
    std::sort(made.ranked.begin(), made.ranked.end(), before);
    return made;
}

double gap(const judged& a, const judged& b) {
    for (std::size_t k = 0; k < a.keys.size(); ++k)
        if (a.keys[k] != b.keys[k])
            return std::abs(a.keys[k] - b.keys[k]) / std::max({1.0, std::abs(a.keys[k]), std::abs(b.keys[k])});
    return 0;
}

}  // namespace westerly::laws
