#include "broker/placement/rounding.hpp"
#include "broker/placement/spread_cost.hpp"

#include <algorithm>
#include <numeric>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int improvements_max = 64;  // of one local search: each makes the set better, so it ends long before

/// Finds the best set of candidates, by the policy's keys or by cost alone.
class spread_search {
public:
    explicit spread_search(spread_costs& costs) : costs_(costs) {}

    std::uint64_t tried() const noexcept { return tried_; }
    bool every_set() const noexcept { return sets_up_to(costs_.sites_max()) <= spread_sets_max; }

    /// Nothing where no set keeps all limits.
    std::optional<spread_set> best(bool by_cost, double dearest) {
        by_cost_ = by_cost;
        dearest_ = dearest;
        best_.reset();
        if (every_set())
            extend({}, 0);
        else
            search();
        return best_ && best_->violation == 0 ? best_ : std::nullopt;
    }

    /// The best of the sets of one.
    std::optional<spread_set> alone(double dearest) {
        by_cost_ = false;
        dearest_ = dearest;
        best_.reset();
        for (std::size_t c = 0; c < costs_.size(); ++c)
            look_at(with({}, c));
        return best_ && best_->violation == 0 ? best_ : std::nullopt;
    }

private:
    std::uint64_t sets_up_to(std::size_t most) const noexcept {
        const std::uint64_t n = costs_.size();
        std::uint64_t sum = 0, of_size = 1;
        for (std::uint64_t k = 1; k <= most && k <= n && sum <= spread_sets_max; ++k)
            sum += of_size = of_size * (n - k + 1) / k;
        return sum;
    }

    static spread_set with(spread_set set, std::size_t candidate) {
        const auto end = set.of.begin() + static_cast<std::ptrdiff_t>(set.size);
        const auto at = std::lower_bound(set.of.begin(), end, candidate);
        std::copy_backward(at, end, end + 1);
        *at = static_cast<std::uint16_t>(candidate);
        ++set.size;
        return set;
    }
    static spread_set without(spread_set set, std::size_t member) {
        const auto at = set.of.begin() + static_cast<std::ptrdiff_t>(member);
        std::copy(at + 1, set.of.begin() + static_cast<std::ptrdiff_t>(set.size), at);
        --set.size;
        return set;
    }
    static bool has(const spread_set& set, std::size_t candidate) {
        return std::ranges::binary_search(set.members(), candidate);
    }

    /// Ties: fewer sites, less RTT, the lower offer ids.
    bool better(const spread_set& a, const spread_set& b) const {
        if (a.violation != b.violation)
            return a.violation < b.violation;
        const std::size_t keys = by_cost_ ? 1 : costs_.keys();
        for (std::size_t k = 0; k < keys; ++k) {
            const double ours = by_cost_ ? a.cost : a.keys[k], theirs = by_cost_ ? b.cost : b.keys[k];
            if (ours != theirs)
                return ours < theirs;
        }
        if (a.size != b.size)
            return a.size < b.size;
        if (a.rtt_ms != b.rtt_ms)
            return a.rtt_ms < b.rtt_ms;
        return std::ranges::lexicographical_compare(a.members(), b.members());
    }

    /// True: it is the best so far.
    bool look_at(spread_set set) {
        ++tried_;
        costs_.reckon(set, dearest_);
        if (set.violation == infinity || (best_ && !better(set, *best_)))
            return false;
        best_ = set;
        return true;
    }

    void extend(const spread_set& set, std::size_t from) {
        for (std::size_t c = from; c < costs_.size(); ++c) {
            const spread_set larger = with(set, c);
            look_at(larger);
            if (larger.size < costs_.sites_max())
                extend(larger, c + 1);
        }
    }

    /// From the best single offer, and from what is nearest to the largest origins; the better end counts.
    void search() {
        for (std::size_t c = 0; c < costs_.size(); ++c)
            look_at(with({}, c));
        improve();
        auto first = std::exchange(best_, std::nullopt);
        look_at(nearest_set());
        improve();
        if (first && (!best_ || better(*first, *best_)))
            best_ = first;
    }

    void improve() {
        for (int i = 0; best_ && i < improvements_max; ++i)
            if (!step(*best_))
                return;
    }

    /// The best of all additions, removals and exchanges.
    bool step(const spread_set from) {
        bool found = false;
        for (std::size_t m = 0; m < from.size && from.size > 1; ++m)
            found |= look_at(without(from, m));
        for (std::size_t c = 0; c < costs_.size(); ++c) {
            if (has(from, c))
                continue;
            if (from.size < costs_.sites_max())
                found |= look_at(with(from, c));
            for (std::size_t m = 0; m < from.size; ++m)
                found |= look_at(with(without(from, m), c));
        }
        return found;
    }

    spread_set nearest_set() const {
        std::vector<std::size_t> by_demand(costs_.origins());
        std::iota(by_demand.begin(), by_demand.end(), 0u);
        std::ranges::stable_sort(by_demand,
                                 [&](auto a, auto b) { return costs_.origin_at(a).share > costs_.origin_at(b).share; });
        spread_set set;
        for (const std::size_t o : by_demand) {
            std::size_t nearest = 0;
            double ms = infinity;
            for (std::size_t c = 0; c < costs_.size(); ++c)
                if (const double there = costs_.rtt(c, o); there < ms) {
                    ms = there;
                    nearest = c;
                }
            if (ms < infinity && set.size < costs_.sites_max() && !has(set, nearest))
                set = with(set, nearest);
        }
        return set.size > 0 ? set : with(set, 0);
    }

    spread_costs& costs_;
    bool by_cost_ = false;
    double dearest_ = infinity;
    std::optional<spread_set> best_;
    std::uint64_t tried_ = 0;
};

/// What no set of the candidates has less J than: docs/placement.md, Latency, tells why. Nothing where J does not add
/// up.
std::optional<double> least_j(spread_costs& costs, std::uint32_t replicas, double best_j) {
    const double per_ms = costs.per_ms();
    std::vector<double> each;
    double low = infinity, high = 0;
    for (std::size_t c = 0; c < costs.size(); ++c) {
        const auto least = costs.least_per_replica(c);
        if (!least)
            return std::nullopt;
        each.push_back(*least * replicas);
        low = std::min(low, each.back());
        if (*least <= best_j)  // dearer ones are in no better set
            high = std::max(high, each.back());
    }
    double apart = low, together = -(high - low) / replicas * static_cast<double>(costs.sites_max() - 1);
    for (std::size_t o = 0; o < costs.origins(); ++o) {
        double nearest = infinity, best = infinity;
        for (std::size_t c = 0; c < costs.size(); ++c) {
            const double ms = costs.rtt(c, o);
            nearest = std::min(nearest, std::isnan(ms) ? infinity : ms);
            best = std::min(best, std::isnan(ms) ? infinity : each[c] + per_ms * ms);
        }
        apart += per_ms * nearest * costs.origin_at(o).share;
        together += best * costs.origin_at(o).share;
    }
    return std::max(apart, together);
}

}  // namespace

std::vector<std::uint32_t> apportion(std::uint32_t replicas, std::span<const double> shares) {
    std::vector<double> quota;
    std::vector<std::uint32_t> given;
    std::uint32_t sum = 0;
    for (const double share : shares) {
        quota.push_back(share * replicas);
        given.push_back(std::max(1u, static_cast<std::uint32_t>(quota.back() + 1e-9)));
        sum += given.back();
    }
    const auto above = [&](std::size_t i) {
        return static_cast<double>(given[i]) - quota[i];
    };
    for (; sum < replicas; ++sum) {
        std::size_t least = 0;
        for (std::size_t i = 1; i < given.size(); ++i)
            if (above(i) < above(least) - 1e-9)
                least = i;
        ++given[least];
    }
    for (; sum > replicas; --sum) {
        std::optional<std::size_t> most;
        for (std::size_t i = 0; i < given.size(); ++i)
            if (given[i] > 1 && (!most || above(i) > above(*most) + 1e-9))
                most = i;
        --given[*most];
    }
    return given;
}

spread_plan spread_near_users(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                              const decision_world& world) {
    spread_plan made;
    made.max_sites = spec.spread ? spec.spread->max_sites : 1;
    spread_costs costs(book, policy, terms, spec, world);
    made.problem = costs.problem();
    made.offers_fit = static_cast<std::uint32_t>(costs.fit());
    made.offers_weighed = static_cast<std::uint32_t>(costs.size());
    if (made.problem != spread_problem::none)
        return made;
    spread_search search(costs);
    double dearest = infinity;
    if (policy.within_of_cheapest)
        if (const auto cheapest = search.best(true, infinity))
            dearest = cheapest->cost * (1.0 + *policy.within_of_cheapest) * (1 + rounding);
    const auto best = search.best(false, dearest);
    made.sets_tried = search.tried();
    made.every_set = search.every_set();
    if (!best) {
        made.problem = spread_problem::nothing_fits;
        return made;
    }
    costs.tell(*best, made);
    if (const auto alone = search.alone(dearest))
        made.alone = unspread{costs.offer_of(alone->of[0]), alone->cost, costs.ordered() ? alone->cost : alone->keys[0],
                              alone->rtt_ms};
    if (!made.every_set)
        made.j_bound = least_j(costs, spec.tasks, made.j);
    return made;
}

}  // namespace westerly
