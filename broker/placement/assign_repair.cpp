#include "broker/placement/assign_knot.hpp"

#include <numeric>
#include <utility>

namespace westerly {

namespace {

constexpr std::size_t trades_max = 48;  // tried for one workload in one pass

/// An assignment that is being changed, with who is in each pool.
class bench_of_jobs {
public:
    bench_of_jobs(const assign_knot& knot, std::vector<assigned>& of)
        : knot_(knot), of_(of), room_(knot.capacity, knot.slots), in_pool_(knot.pools.size()), place_(of.size()) {
        for (std::uint32_t j = 0; j < of.size(); ++j)
            enter(j, std::exchange(of_[j], {}));
    }

    double cost(std::uint32_t j) const noexcept {
        return of_[j].option == nothing ? knot_.jobs[j].refusal : knot_.options[of_[j].option].cost_at(of_[j].start);
    }
    assigned leave(std::uint32_t j) {
        const assigned was = std::exchange(of_[j], {});
        if (was.option != nothing) {
            const assign_knot::option& o = knot_.options[was.option];
            room_.give(o, was.start);
            auto& mates = in_pool_[o.pool];
            place_[mates.back()] = place_[j];
            mates[place_[j]] = mates.back();
            mates.pop_back();
        }
        return was;
    }
    void enter(std::uint32_t j, assigned at) {
        of_[j] = at;
        if (at.option != nothing) {
            const assign_knot::option& o = knot_.options[at.option];
            room_.take(o, at.start);
            place_[j] = static_cast<std::uint32_t>(in_pool_[o.pool].size());
            in_pool_[o.pool].push_back(j);
        }
    }
    /// The cheapest that is free; `below`: only what is cheaper interests.
    assigned cheapest_free(std::uint32_t j, double below) const {
        const assign_knot::job& job = knot_.jobs[j];
        assigned best;
        for (std::uint32_t i = job.begin; i < job.end && knot_.options[i].cost < below; ++i) {
            const assign_knot::option& o = knot_.options[i];
            if (const std::uint32_t s = room_.first_fit(o); s != nothing && o.cost_at(s) < below) {
                best = {i, s};
                below = o.cost_at(s);
            }
        }
        return best;
    }
    std::span<const std::uint32_t> in_pool(std::uint32_t pool) const noexcept { return in_pool_[pool]; }
    const assign_room& room() const noexcept { return room_; }
    const assigned& of(std::uint32_t j) const noexcept { return of_[j]; }

private:
    const assign_knot& knot_;
    std::vector<assigned>& of_;
    assign_room room_;
    std::vector<std::vector<std::uint32_t>> in_pool_;
    std::vector<std::uint32_t> place_;
};

bool move_to_cheaper(bench_of_jobs& bench, std::uint32_t j) {
    const double before = bench.cost(j);
    const assigned was = bench.leave(j);
    const assigned found = bench.cheapest_free(j, before);
    bench.enter(j, found.option == nothing ? was : found);
    return found.option != nothing;
}

/// Puts j where another is and that one elsewhere, where both together get cheaper.
bool trade_places(const assign_knot& knot, bench_of_jobs& bench, std::uint32_t j) {
    const double mine = bench.cost(j);
    std::size_t tried = 0;
    const assign_knot::job& job = knot.jobs[j];
    for (std::uint32_t i = job.begin; i < job.end && knot.options[i].cost < mine; ++i) {
        const assign_knot::option& o = knot.options[i];
        if (bench.of(j).option != nothing && knot.options[bench.of(j).option].pool == o.pool && knot.slots == 1)
            continue;
        const auto mates = bench.in_pool(o.pool);
        for (std::size_t m = 0; m < mates.size() && tried < trades_max; ++m) {
            const std::uint32_t other = mates[m];
            if (other == j)
                continue;
            ++tried;
            const double before = mine + bench.cost(other);
            const assigned was = bench.leave(j), others = bench.leave(other);
            const std::uint32_t start = bench.room().first_fit(o);
            if (start != nothing && o.cost_at(start) < mine) {
                bench.enter(j, {i, start});
                const double left = before - o.cost_at(start);
                const assigned next = bench.cheapest_free(other, left);
                if (next.option != nothing || knot.jobs[other].refusal < left) {
                    bench.enter(other, next);
                    return true;
                }
                bench.leave(j);
            }
            bench.enter(other, others);
            bench.enter(j, was);
        }
    }
    return false;
}

}  // namespace

void repair(const assign_knot& knot, std::uint32_t passes, knot_choice& chosen) {
    bench_of_jobs bench(knot, chosen.of);
    std::vector<std::uint32_t> order(knot.jobs.size());
    std::vector<double> above(knot.jobs.size());
    for (std::uint32_t pass = 0; pass < passes; ++pass) {
        // Whoever pays most above his cheapest first.
        for (std::uint32_t j = 0; j < order.size(); ++j) {
            const assign_knot::job& job = knot.jobs[j];
            above[j] =
                bench.cost(j) - (job.size() == 0 ? job.refusal : std::min(job.refusal, knot.options[job.begin].cost));
        }
        std::iota(order.begin(), order.end(), 0u);
        std::ranges::stable_sort(order, std::greater<>(), [&](std::uint32_t j) { return above[j]; });
        bool changed = false;
        for (const std::uint32_t j : order) {
            if (above[j] <= 0)
                break;
            changed |= move_to_cheaper(bench, j) || trade_places(knot, bench, j);
        }
        if (!changed)
            break;
    }
    chosen.cost = knot_cost(knot, chosen.of);
}

}  // namespace westerly
