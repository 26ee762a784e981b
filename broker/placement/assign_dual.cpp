#include "broker/placement/assign_knot.hpp"

#include <cmath>
#include <tuple>

namespace westerly {

knot_dual::knot_dual(const assign_knot& knot) : knot_(knot) {
    up_to_.assign(knot.pools.size() * (knot.slots + std::size_t{1}), 0.0);
}

double knot_dual::evaluate(std::span<const double> lambda, std::vector<assigned>& picks) {
    double paid = 0;
    for (std::size_t pool = 0; pool < knot_.pools.size(); ++pool)
        for (std::size_t t = 0; t < knot_.slots; ++t) {
            const std::size_t cell = pool * knot_.slots + t;
            double* const at = &up_to_[pool * (knot_.slots + std::size_t{1}) + t];
            at[1] = at[0] + lambda[cell];
            if (lambda[cell] > 0)
                paid += lambda[cell] * knot_.capacity[cell];
        }
    picks.resize(knot_.jobs.size());
    double sum = 0;
    for (std::size_t j = 0; j < knot_.jobs.size(); ++j) {
        const assign_knot::job& job = knot_.jobs[j];
        assigned best;
        double least = job.floor;
        for (std::uint32_t i = job.begin; i < job.end; ++i) {
            const assign_knot::option& o = knot_.options[i];
            if (o.cost >= least)
                break;  // cheapest first, and prices only add
            for (std::uint32_t s = o.first_start; s <= o.last_start; ++s) {
                const double at_start = o.cost_at(s);
                if (at_start >= least)
                    break;
                if (const double all = at_start + toll(o, s); all < least) {
                    least = all;
                    best = {i, s};
                }
            }
        }
        picks[j] = best;
        sum += least;
    }
    return sum - paid;
}

namespace {

/// What the picks hold less what there is, in every cell that has a limit; where nothing is short and the price is 0
/// already: 0.
double overload(const assign_knot& knot, const std::vector<assigned>& picks, std::span<const double> lambda,
                std::vector<double>& into) {
    for (std::size_t c = 0; c < into.size(); ++c)
        into[c] = knot.capacity[c] == unlimited_capacity ? 0 : -static_cast<double>(knot.capacity[c]);
    for (const assigned& a : picks) {
        if (a.option == nothing)
            continue;
        const assign_knot::option& o = knot.options[a.option];
        const std::uint32_t end = o.slots < knot.slots - a.start ? a.start + o.slots : knot.slots;
        for (std::size_t c = std::size_t{o.pool} * knot.slots + a.start; c < std::size_t{o.pool} * knot.slots + end;
             ++c)
            if (knot.capacity[c] != unlimited_capacity)
                into[c] += o.quantity;
    }
    double square = 0;
    for (std::size_t c = 0; c < into.size(); ++c) {
        if (lambda[c] == 0 && into[c] < 0)
            into[c] = 0;
        square += into[c] * into[c];
    }
    return square;
}

}  // namespace

namespace {

/// Subgradient steps from no prices on. `upper()`: the cost of an assignment, towards which steps reach;
/// `each(round, lambda)` after every step.
template <class Upper, class Each>
knot_prices climb(const assign_knot& knot, knot_dual& dual, std::uint32_t rounds, double enough, const Upper& upper,
                  const Each& each) {
    knot_prices prices{std::vector<double>(knot.capacity.size(), 0.0), 0};
    std::vector<double> lambda = prices.lambda, direction(lambda.size(), 0.0), step(lambda.size(), 0.0);
    std::vector<assigned> picks;
    prices.bound = dual.evaluate(lambda, picks);
    double reach = 1.0;
    std::uint32_t stale = 0;
    constexpr double memory = 0.5;  // of the direction before: damps the zigzag of plain subgradients
    for (std::uint32_t round = 1; round <= rounds; ++round) {
        overload(knot, picks, lambda, step);
        double square = 0;
        for (std::size_t c = 0; c < step.size(); ++c) {
            direction[c] = step[c] + memory * direction[c];
            if (lambda[c] == 0 && direction[c] < 0)
                direction[c] = 0;
            square += direction[c] * direction[c];
        }
        const double between = upper() - prices.bound;
        if (square == 0 || between <= enough * upper())
            break;
        const double length = reach * between / square;
        for (std::size_t c = 0; c < lambda.size(); ++c)
            lambda[c] = std::max(0.0, lambda[c] + length * direction[c]);
        const double bound = dual.evaluate(lambda, picks);
        if (bound > prices.bound) {
            prices = {lambda, bound};
            stale = 0;
        } else if (++stale == 6) {
            // Back to the best prices with smaller steps.
            reach *= 0.6;
            stale = 0;
            lambda = prices.lambda;
            std::ranges::fill(direction, 0.0);
            dual.evaluate(lambda, picks);
        }
        each(round, lambda);
    }
    return prices;
}

/// The whole problem as one knot, as it stands.
assign_knot whole(const assign_problem& p) {
    assign_knot knot;
    knot.slots = p.slots;
    knot.capacity = p.capacity;
    knot.pools.resize(p.pools());
    for (const assign_job& job : p.jobs) {
        assign_knot::job mine{static_cast<std::uint32_t>(knot.options.size()), 0, job.refusal,
                              std::min(job.refusal, job.unlisted_floor), 0};
        for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
            const assign_option& o = p.options[i];
            knot.options.push_back(
                {o.cost, o.cost_per_slot_later, o.pool, o.quantity, o.slots, o.first_start, o.last_start, i});
        }
        mine.end = static_cast<std::uint32_t>(knot.options.size());
        std::sort(knot.options.begin() + mine.begin, knot.options.end(), [](const auto& a, const auto& b) {
            return std::tie(a.cost, a.original) < std::tie(b.cost, b.original);
        });
        knot.jobs.push_back(mine);
    }
    return knot;
}

}  // namespace

knot_prices raise_bound(const assign_knot& knot, const assign_effort& effort, knot_choice& best) {
    knot_dual dual(knot);
    const auto try_fill = [&](std::span<const double> at) {
        knot_choice tried = fill_by_regret(knot, dual, at);
        if (best.of.empty() || tried.cost < best.cost)
            best = std::move(tried);
    };
    if (best.of.empty())
        try_fill(std::vector<double>(knot.capacity.size(), 0.0));
    const std::uint32_t fill_every = std::max<std::uint32_t>(effort.price_rounds / 8, 1);
    std::vector<assigned> picks;
    knot_prices prices = climb(
        knot, dual, effort.price_rounds, effort.enough, [&] { return best.cost; },
        [&](std::uint32_t round, std::span<const double> lambda) {
            if (round % fill_every == 0)
                try_fill(lambda);
        });
    dual.evaluate(prices.lambda, picks);
    try_fill(prices.lambda);
    return prices;
}

assign_bound bound_by_prices(const assign_problem& problem, double upper, std::uint32_t rounds) {
    const assign_knot knot = whole(problem);
    knot_dual dual(knot);
    knot_prices prices = climb(
        knot, dual, rounds, 1e-9, [&] { return upper; }, [](std::uint32_t, std::span<const double>) {});
    return {bound_at(problem, prices.lambda), std::move(prices.lambda)};
}

}  // namespace westerly
