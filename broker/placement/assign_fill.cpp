#include "broker/placement/assign_knot.hpp"

#include <numeric>

namespace westerly {

namespace {

struct priced {
    assigned what;
    double cost = 0;
};

/// The cheapest at the prices that is free; refusal otherwise.
priced cheapest_free(const assign_knot& knot, const assign_knot::job& job, const knot_dual& dual,
                     const assign_room& room) {
    priced best{{}, job.refusal};
    for (std::uint32_t i = job.begin; i < job.end; ++i) {
        const assign_knot::option& o = knot.options[i];
        if (o.cost >= best.cost)
            break;
        for (std::uint32_t s = o.first_start; s <= o.last_start && o.cost_at(s) < best.cost; ++s) {
            const double all = o.cost_at(s) + dual.toll(o, s);
            if (all < best.cost && room.fits(o, s))
                best = {{i, s}, all};
        }
    }
    return best;
}

/// How much worse the second best pool is at the prices.
double regret(const assign_knot& knot, const assign_knot::job& job, const knot_dual& dual) {
    double first = job.refusal, second = job.refusal;
    std::uint32_t first_pool = nothing;
    for (std::uint32_t i = job.begin; i < job.end; ++i) {
        const assign_knot::option& o = knot.options[i];
        if (o.cost >= second)
            break;
        double least = second;
        for (std::uint32_t s = o.first_start; s <= o.last_start && o.cost_at(s) < least; ++s)
            least = std::min(least, o.cost_at(s) + dual.toll(o, s));
        if (least < first) {
            if (o.pool != first_pool)
                second = first;
            first = least;
            first_pool = o.pool;
        } else if (o.pool != first_pool) {
            second = std::min(second, least);
        }
    }
    return second - first;
}

}  // namespace

knot_choice fill_by_regret(const assign_knot& knot, knot_dual& dual, std::span<const double> lambda) {
    std::vector<assigned> picks;
    dual.evaluate(lambda, picks);
    std::vector<double> losing(knot.jobs.size());
    for (std::size_t j = 0; j < losing.size(); ++j)
        losing[j] = regret(knot, knot.jobs[j], dual);
    std::vector<std::uint32_t> order(knot.jobs.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, std::greater<>(), [&](std::uint32_t j) { return losing[j]; });

    knot_choice made;
    made.of.resize(knot.jobs.size());
    assign_room room(knot.capacity, knot.slots);
    for (const std::uint32_t j : order) {
        const priced got = cheapest_free(knot, knot.jobs[j], dual, room);
        made.of[j] = got.what;
        if (got.what.option != nothing)
            room.take(knot.options[got.what.option], got.what.start);
    }
    repair(knot, 1, made);
    return made;
}

}  // namespace westerly
