#include "broker/placement/assign_knot.hpp"

namespace westerly {

namespace {

/// Whether what everybody chose fits together.
bool fits_together(const assign_knot& knot, std::span<const assigned> of) {
    assign_room room(knot.capacity, knot.slots);
    for (const assigned& a : of) {
        if (a.option == nothing)
            continue;
        if (!room.fits(knot.options[a.option], a.start))
            return false;
        room.take(knot.options[a.option], a.start);
    }
    return true;
}

}  // namespace

assignment assign_by_cost(const assign_problem& p, const assign_effort& effort) {
    assignment made;
    made.bound.lambda.assign(p.capacity.size(), 0.0);
    made.optimal = true;
    std::vector<assign_knot> knots = find_knots(p, made.of);
    for (const assign_knot& knot : knots) {
        // At no price everybody names his cheapest; if those fit together they are the optimum.
        knot_dual dual(knot);
        knot_choice best;
        const double floor = dual.evaluate(std::vector<double>(knot.capacity.size(), 0.0), best.of);
        const auto write_back = [&] {
            for (std::size_t j = 0; j < knot.jobs.size(); ++j) {
                const assigned& a = best.of[j];
                made.of[knot.jobs[j].original] =
                    a.option == nothing ? assigned{} : assigned{knot.options[a.option].original, a.start};
            }
        };
        best.cost = knot_cost(knot, best.of);
        write_back();
        if (best.cost == floor && fits_together(knot, best.of))
            continue;
        best = {};
        knot_prices prices = raise_bound(knot, effort, best);
        if (knot.jobs.size() <= effort.exact_jobs_max)
            polish_bound(knot, prices);
        repair(knot, effort.repair_passes, best);
        if (knot.jobs.size() > effort.exact_jobs_max || !search_to_the_end(knot, prices, effort.exact_nodes, best))
            made.optimal = false;
        write_back();
        for (std::size_t local = 0; local < knot.pools.size(); ++local)
            std::copy_n(
                prices.lambda.begin() + static_cast<std::ptrdiff_t>(local * knot.slots), knot.slots,
                made.bound.lambda.begin() + static_cast<std::ptrdiff_t>(std::size_t{knot.pools[local]} * knot.slots));
    }
    made.cost = cost_of(p, made.of);
    made.bound.value = bound_at(p, made.bound.lambda);
    return made;
}

}  // namespace westerly
