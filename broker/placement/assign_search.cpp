#include "broker/placement/assign_knot.hpp"

#include <numeric>

namespace westerly {

namespace {

/// A way for one workload, with what it adds above the bound: its cost at the prices less the least at the prices.
struct way {
    assigned what;
    double cost = 0, above = 0;
};

class searcher {
public:
    searcher(const assign_knot& knot, const knot_prices& prices, std::uint32_t nodes_max, knot_choice& best)
        : knot_(knot), best_(best), room_(knot.capacity, knot.slots), bound_(prices.bound), nodes_left_(nodes_max) {
        knot_dual dual(knot);
        std::vector<assigned> picks;
        dual.evaluate(prices.lambda, picks);
        ways_.resize(knot.jobs.size());
        for (std::size_t j = 0; j < knot.jobs.size(); ++j)
            list_ways(j, dual);
        order_.resize(knot.jobs.size());
        std::iota(order_.begin(), order_.end(), 0u);
        // The second best's distance: where it is large, a wrong turn shows early.
        std::ranges::stable_sort(order_, std::greater<>(), [&](std::uint32_t j) {
            return ways_[j].size() > 1 ? ways_[j][1].above - ways_[j][0].above
                                       : std::numeric_limits<double>::infinity();
        });
        now_.resize(knot.jobs.size());
    }

    bool run() {
        descend(0, 0);
        return nodes_left_ > 0;
    }

private:
    void list_ways(std::size_t j, const knot_dual& dual) {
        const assign_knot::job& job = knot_.jobs[j];
        auto& ways = ways_[j];
        ways.push_back({{}, job.refusal, job.refusal});
        double least = job.floor;
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const assign_knot::option& o = knot_.options[i];
            for (std::uint32_t s = o.first_start; s <= o.last_start; ++s) {
                ways.push_back({{i, s}, o.cost_at(s), o.cost_at(s) + dual.toll(o, s)});
                least = std::min(least, ways.back().above);
            }
        }
        for (way& w : ways)
            w.above -= least;
        std::ranges::stable_sort(ways, {}, &way::above);
    }

    void descend(std::size_t depth, double above) {
        if (nodes_left_ == 0 || --nodes_left_ == 0)
            return;
        if (depth == order_.size()) {
            // Summed in the order of jobs: the same assignment has the same cost wherever it was found.
            if (const double cost = knot_cost(knot_, now_); cost < best_.cost)
                best_ = {now_, cost};
            return;
        }
        const std::uint32_t j = order_[depth];
        for (const way& w : ways_[j]) {
            const double reached = bound_ + above + w.above;
            // A hair's breadth of rounding must not cut an optimum off, nor let ties be searched for ever.
            if (reached >= best_.cost - 1e-12 * best_.cost)
                break;
            if (w.what.option != nothing && !room_.fits(knot_.options[w.what.option], w.what.start))
                continue;
            if (w.what.option != nothing)
                room_.take(knot_.options[w.what.option], w.what.start);
            now_[j] = w.what;
            descend(depth + 1, above + w.above);
            now_[j] = {};
            if (w.what.option != nothing)
                room_.give(knot_.options[w.what.option], w.what.start);
            if (nodes_left_ == 0)
                return;
        }
    }

    const assign_knot& knot_;
    knot_choice& best_;
    assign_room room_;
    double bound_;
    std::uint32_t nodes_left_;
    std::vector<std::vector<way>> ways_;
    std::vector<std::uint32_t> order_;
    std::vector<assigned> now_;
};

}  // namespace

bool search_to_the_end(const assign_knot& knot, const knot_prices& prices, std::uint32_t nodes_max, knot_choice& best) {
    return searcher(knot, prices, nodes_max, best).run();
}

}  // namespace westerly
