// Who serves whom in a spread: the nearest, and past those that are full.
#include "broker/placement/compare.hpp"
#include "broker/placement/spread_cost.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double share_rounding = 1e-12;  // shares sum to 1
constexpr double unserved_counts = 1000;  // more than all limits together, so that a search finds room first

}  // namespace

/// How many replicas its free units take.
std::uint32_t spread_costs::room_at(const candidate& at) {
    const std::uint64_t free = book_.free_units(at.index);
    const auto takes = [&](std::uint32_t replicas) {
        set_size(at, replicas);
        return want_.shapes[at.shape].room() <= free;
    };
    std::uint32_t fit = 1, more = spec_.tasks + 1;
    if (free == offer_book::unlimited || takes(spec_.tasks))
        fit = spec_.tasks;
    else
        while (more - fit > 1) {
            const std::uint32_t middle = fit + (more - fit) / 2;
            (takes(middle) ? fit : more) = middle;
        }
    set_size(at, 1);
    return fit;
}

/// The member with the lowest RTT; set.size where none is known. Ties: the lower offer id.
std::size_t spread_costs::nearest(const spread_set& set, std::size_t o) const {
    std::size_t best = set.size;
    double ms = infinity;
    for (std::size_t m = 0; m < set.size; ++m)
        if (const double there = rtt(set.of[m], o); there < ms) {
            ms = there;
            best = m;
        }
    return best;
}

/// False: an origin has nobody.
bool spread_costs::to_the_nearest(const spread_set& set, flows& into, shares_of_members& shares) const {
    into.clear();
    shares = {};
    for (std::size_t o = 0; o < origins_.size(); ++o) {
        const std::size_t at = nearest(set, o);
        if (at == set.size)
            return false;
        shares[at] += origins_[o].share;
        into.push_back({static_cast<std::uint16_t>(o), static_cast<std::uint16_t>(at), origins_[o].share});
    }
    return true;
}

/// Each replica serves as much demand as another, so a site with room for n of N takes n / N of it. Where more would go
/// there, those with the lowest RTT do (ties: the first origin, then the lower offer id), and the others go on to the
/// next. Gives the share that finds no room.
double spread_costs::past_full_ones(const spread_set& set, flows& into, shares_of_members& shares) const {
    static thread_local std::vector<std::tuple<double, std::uint16_t, std::uint16_t>> pairs;
    pairs.clear();
    shares_of_members room{};
    for (std::size_t m = 0; m < set.size; ++m) {
        room[m] = static_cast<double>(candidates_[set.of[m]].replicas_max) / spec_.tasks;
        for (std::size_t o = 0; o < origins_.size(); ++o)
            if (const double ms = rtt(set.of[m], o); !std::isnan(ms))
                pairs.emplace_back(ms, static_cast<std::uint16_t>(o), static_cast<std::uint16_t>(m));
    }
    std::ranges::sort(pairs);
    into.clear();
    shares = {};
    double unserved = 0;
    static thread_local std::vector<double> left;
    left.clear();
    for (const origin_view& from : origins_)
        left.push_back(from.share);
    for (const auto& [ms, o, m] : pairs) {
        const double share = std::min(left[o], room[m] - shares[m]);
        if (share <= share_rounding)
            continue;
        left[o] -= share;
        shares[m] += share;
        into.push_back({o, m, share});
    }
    for (const double each : left)
        unserved += each > share_rounding ? each : 0;
    return unserved;
}

/// Replicas by shares of the demand. False: one of the set serves nobody, or has not the room.
bool spread_costs::fit_by_share(spread_set& set, const shares_of_members& shares) const {
    for (std::size_t m = 0; m < set.size; ++m)
        if (shares[m] <= 0)
            return false;
    const auto replicas = apportion(spec_.tasks, {shares.data(), set.size});
    for (std::size_t m = 0; m < set.size; ++m) {
        set.replicas[m] = static_cast<std::uint16_t>(replicas[m]);
        if (replicas[m] > candidates_[set.of[m]].replicas_max)
            return false;
    }
    return true;
}

/// Fills in replicas and RTTs. What it comes to as a violation: 0, or past all others where some find no room, and
/// infinity where one of the set serves nobody or an origin has nobody.
double spread_costs::assign(spread_set& set, flows& into) const {
    shares_of_members shares;
    if (!to_the_nearest(set, into, shares))
        return infinity;
    if (!fit_by_share(set, shares)) {
        if (const double unserved = past_full_ones(set, into, shares); unserved > 0)
            return unserved_counts + unserved;
        if (!fit_by_share(set, shares))
            return infinity;
    }
    static thread_local std::vector<std::pair<double, double>> all;
    all.clear();
    set.rtt_ms = 0;
    for (const flow& each : into) {
        const double ms = rtt(set.of[each.member], each.origin);
        set.rtt_ms += ms * each.share;
        all.emplace_back(ms, each.share);
    }
    set.rtt_p95_ms = p95_of(all);
    return 0;
}

}  // namespace westerly
