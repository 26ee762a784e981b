#include "broker/placement/assign_knot.hpp"

namespace westerly {

namespace {

constexpr std::size_t work_max = 20'000'000;  // ways x cells x halvings: beyond it polishing is not worth its time
constexpr int halvings = 40, passes = 3;

/// What one workload pays as the price of one cell moves: the least of `without` and cost + quantity x price.
struct line {
    double cost;
    std::uint32_t quantity;
};
struct share {
    double without;
    std::vector<line> lines;
};

struct point {
    double value, left, right;  // the sum, and its slopes on either side
};

point sum_at(const std::vector<share>& shares, double capacity, double price) {
    point sum{-capacity * price, -capacity, -capacity};
    for (const share& s : shares) {
        double least = s.without;
        for (const line& l : s.lines)
            least = std::min(least, l.cost + l.quantity * price);
        // Lines that meet here: the steepest holds to the left of the point, the flattest to the right.
        const double near = 1e-12 * (1 + least);
        std::uint32_t steep = 0, flat = s.without <= least + near ? 0 : unlimited_capacity;
        for (const line& l : s.lines)
            if (l.cost + l.quantity * price <= least + near) {
                steep = std::max(steep, l.quantity);
                flat = std::min(flat, l.quantity);
            }
        sum.value += least;
        sum.left += steep;
        sum.right += flat;
    }
    return sum;
}

/// Where the concave, piecewise straight sum is highest, at 0 or above.
double highest(const std::vector<share>& shares, double capacity) {
    double low = 0, high = 0;
    for (const share& s : shares)
        for (const line& l : s.lines)
            high = std::max(high, (s.without - l.cost) / l.quantity);
    point at_low = sum_at(shares, capacity, low), at_high = sum_at(shares, capacity, high);
    if (at_low.right <= 0)
        return 0;
    for (int i = 0; i < halvings && at_high.left < 0; ++i) {
        // Where the straight pieces at both ends meet is the corner, when there is only one between them.
        const double meet =
            (at_high.value - at_low.value + at_low.right * low - at_high.left * high) / (at_low.right - at_high.left);
        const double middle = i % 2 == 0 && meet > low && meet < high ? meet : low + (high - low) / 2;
        const point at = sum_at(shares, capacity, middle);
        if (at.left >= 0 && at.right <= 0)
            return middle;
        (at.right > 0 ? low : high) = middle;
        (at.right > 0 ? at_low : at_high) = at;
    }
    return at_low.value > at_high.value ? low : high;
}

}  // namespace

void polish_bound(const assign_knot& knot, knot_prices& prices) {
    std::size_t ways = 0;
    for (const assign_knot::option& o : knot.options)
        ways += o.last_start - o.first_start + 1;
    if (ways * knot.capacity.size() * static_cast<std::size_t>(halvings) > work_max)
        return;
    knot_dual dual(knot);
    std::vector<assigned> picks;
    std::vector<double> lambda = prices.lambda;
    std::vector<share> shares(knot.jobs.size());
    for (int pass = 0; pass < passes; ++pass) {
        const double before = prices.bound;
        for (std::size_t cell = 0; cell < lambda.size(); ++cell) {
            if (knot.capacity[cell] == unlimited_capacity)
                continue;
            const double was = lambda[cell];
            lambda[cell] = 0;
            dual.evaluate(lambda, picks);
            const auto pool = static_cast<std::uint32_t>(cell / knot.slots),
                       slot = static_cast<std::uint32_t>(cell % knot.slots);
            for (std::size_t j = 0; j < knot.jobs.size(); ++j) {
                share& s = shares[j];
                s.without = knot.jobs[j].floor;
                s.lines.clear();
                for (std::uint32_t i = knot.jobs[j].begin; i < knot.jobs[j].end; ++i) {
                    const assign_knot::option& o = knot.options[i];
                    for (std::uint32_t t = o.first_start; t <= o.last_start; ++t) {
                        const double cost = o.cost_at(t) + dual.toll(o, t);
                        if (o.pool == pool && t <= slot && slot - t < o.slots)
                            s.lines.push_back({cost, o.quantity});
                        else
                            s.without = std::min(s.without, cost);
                    }
                }
            }
            lambda[cell] = highest(shares, knot.capacity[cell]);
            if (const double bound = dual.evaluate(lambda, picks); bound > prices.bound)
                prices = {lambda, bound};
            else
                lambda[cell] = was;
        }
        if (prices.bound <= before)
            break;
    }
}

}  // namespace westerly
