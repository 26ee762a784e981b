#include "tools/simulate/core/exact_bound.hpp"

#include <coin/Clp_C_Interface.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

namespace westerly {

namespace {

constexpr std::size_t ways_at_first = 24, ways_added = 12;  // of one job, the best at the prices of the round
constexpr int rounds_max = 60;
constexpr double stability = 0.7;  // of the best prices so far: those of few ways swing widely (Wentges 1997)

struct way {
    std::uint32_t option = 0, start = 0;
    double cost = 0, priced = 0;  // priced: with what its cells cost, at the smoothed prices
};

/// Columns to be added together.
struct columns {
    std::vector<double> cost, values;
    std::vector<CoinBigIndex> starts{0};
    std::vector<int> rows;
    void begin(double c) { cost.push_back(c); }
    void put(int row, double value) {
        rows.push_back(row);
        values.push_back(value);
    }
    void end() { starts.push_back(static_cast<CoinBigIndex>(rows.size())); }
    bool into(Clp_Simplex* model) const {
        if (cost.empty())
            return false;
        const std::vector<double> low(cost.size(), 0.0), high(cost.size(), 1e30);
        Clp_addColumns(model, static_cast<int>(cost.size()), low.data(), high.data(), cost.data(), starts.data(),
                       rows.data(), values.data());
        return true;
    }
};

/// A program over some of the ways: more are added while their prices say that they could help.
///
/// Rows    one a job, then one a slot of every pool that could run out: what starts there less what has just ended,
///         against what the slot has more than the one before. So a way stands in three rows however long it runs, and
///         what is left unused is carried from slot to slot as in a network.
/// Prices  of a slot: by how much the dual values of its row and the next one differ.
/// Start   the assignment that is known, so that the first prices are of its order and not of a world that lacks ways.
class restricted_program {
public:
    restricted_program(const assign_problem& p, std::span<const assigned> known)
        : p_(p),
          model_(Clp_newModel()),
          first_row_(p.pools(), -1),
          sum_(p.pools() * (p.slots + std::size_t{1})),
          smooth_sum_(sum_.size()) {
        Clp_setLogLevel(model_.get(), 0);
        used_.resize(p.jobs.size());
        add_rows();
        add_known(known);
    }

    /// A round at these prices, which become those of the program. Ways that could help at them are added, those first
    /// that are cheap at the smoothed prices. False: none is left.
    bool solve(std::vector<double>& lambda, const std::vector<double>& smoothed, bool first) {
        sum_up(lambda, sum_);
        sum_up(smoothed, smooth_sum_);
        if (!add_ways(first) && !first)
            return false;
        if ((first ? Clp_initialDualSolve(model_.get()) : Clp_primal(model_.get(), 1)) < 0 ||
            Clp_status(model_.get()) != 0)
            return false;
        const double* const duals = Clp_dualRowSolution(model_.get());
        std::ranges::fill(lambda, 0.0);
        for (std::size_t pool = 0; pool < p_.pools(); ++pool)
            for (std::uint32_t t = 0; first_row_[pool] >= 0 && t < p_.slots; ++t) {
                const double* const at = duals + first_row_[pool] + t;
                lambda[pool * p_.slots + t] = std::max(0.0, (t + 1 < p_.slots ? at[1] : 0.0) - at[0]);
            }
        return true;
    }
    double value() const { return Clp_objectiveValue(model_.get()); }

private:
    /// What all together could want of a pool at once.
    std::vector<std::uint64_t> most_wanted() const {
        std::vector<std::uint64_t> wanted(p_.pools(), 0);
        std::vector<std::uint32_t> most(p_.pools(), 0);
        for (const assign_job& job : p_.jobs) {
            for (std::uint32_t i = job.options_begin; i < job.options_end; ++i)
                most[p_.options[i].pool] = std::max(most[p_.options[i].pool], p_.options[i].quantity);
            for (std::uint32_t i = job.options_begin; i < job.options_end; ++i)
                wanted[p_.options[i].pool] += std::exchange(most[p_.options[i].pool], 0);
        }
        return wanted;
    }

    void add_rows() {
        const std::vector<std::uint64_t> wanted = most_wanted();
        std::vector<double> right(p_.jobs.size(), 1.0);
        columns unused;
        for (std::size_t pool = 0; pool < p_.pools(); ++pool) {
            const auto capacity = [&](std::uint32_t t) {
                const std::uint32_t has = p_.capacity[pool * p_.slots + t];
                return has == unlimited_capacity ? static_cast<double>(wanted[pool] + 1) : has;
            };
            bool scarce = false;
            for (std::uint32_t t = 0; t < p_.slots; ++t)
                scarce |= capacity(t) < static_cast<double>(wanted[pool]);
            if (!scarce)
                continue;
            first_row_[pool] = static_cast<int>(right.size());
            for (std::uint32_t t = 0; t < p_.slots; ++t) {
                unused.begin(0);
                unused.put(static_cast<int>(right.size()), 1);
                if (t + 1 < p_.slots)
                    unused.put(static_cast<int>(right.size()) + 1, -1);
                unused.end();
                right.push_back(t == 0 ? capacity(0) : capacity(t) - capacity(t - 1));
            }
        }
        const std::vector<CoinBigIndex> starts(right.size() + 1, 0);
        const int no_column = 0;
        const double no_value = 0;
        Clp_addRows(model_.get(), static_cast<int>(right.size()), right.data(), right.data(), starts.data(), &no_column,
                    &no_value);
        unused.into(model_.get());
    }

    std::uint32_t until(const assign_option& o, std::uint32_t start) const noexcept {
        return o.slots < p_.slots - start ? start + o.slots : p_.slots;
    }

    void sum_up(const std::vector<double>& lambda, std::vector<double>& into) const {
        const std::size_t wide = p_.slots + std::size_t{1};
        for (std::size_t pool = 0; pool < p_.pools(); ++pool)
            for (std::size_t t = 0; t < p_.slots; ++t)
                into[pool * wide + t + 1] = into[pool * wide + t] + lambda[pool * p_.slots + t];
    }

    void add_known(std::span<const assigned> known) {
        columns fresh;
        for (std::size_t j = 0; j < p_.jobs.size(); ++j) {
            fresh.begin(std::min(p_.jobs[j].refusal, p_.jobs[j].unlisted_floor));
            fresh.put(static_cast<int>(j), 1);
            fresh.end();
            if (known[j].option == nothing)
                continue;
            add_way(fresh, static_cast<int>(j),
                    {known[j].option, known[j].start, p_.options[known[j].option].cost_at(known[j].start)});
            used_[j].insert(std::uint64_t{known[j].option} << 32 | known[j].start);
        }
        fresh.into(model_.get());
    }

    bool add_ways(bool first) {
        const double* const duals = first ? nullptr : Clp_dualRowSolution(model_.get());
        columns fresh;
        std::vector<way> ways;
        for (std::size_t j = 0; j < p_.jobs.size(); ++j) {
            const assign_job& job = p_.jobs[j];
            const double below =
                first ? std::min(job.refusal, job.unlisted_floor) : duals[j] - 1e-9 * (1 + std::abs(duals[j]));
            ways.clear();
            for (std::uint32_t i = job.options_begin; i < job.options_end; ++i)
                list_ways(i, below, ways);
            const std::size_t count = std::min(ways.size(), first ? ways_at_first : ways_added);
            std::ranges::partial_sort(ways, ways.begin() + static_cast<std::ptrdiff_t>(count), {}, &way::priced);
            for (std::size_t k = 0; k < count; ++k)
                if (std::uint64_t key = std::uint64_t{ways[k].option} << 32 | ways[k].start;
                    used_[j].insert(key).second)
                    add_way(fresh, static_cast<int>(j), ways[k]);
        }
        return fresh.into(model_.get());
    }

    void list_ways(std::uint32_t i, double below, std::vector<way>& into) const {
        const assign_option& o = p_.options[i];
        const std::size_t wide = p_.slots + std::size_t{1};
        for (std::uint32_t s = o.first_start; s <= o.last_start && o.cost_at(s) < below; ++s) {
            const std::uint32_t end = until(o, s);
            const auto priced = [&](const std::vector<double>& sum) {
                return o.cost_at(s) + o.quantity * (sum[o.pool * wide + end] - sum[o.pool * wide + s]);
            };
            if (priced(sum_) < below)
                into.push_back({i, s, o.cost_at(s), priced(smooth_sum_)});
        }
    }

    void add_way(columns& into, int job_row, const way& w) const {
        const assign_option& o = p_.options[w.option];
        into.begin(w.cost);
        into.put(job_row, 1);
        if (const int row = first_row_[o.pool]; row >= 0) {
            into.put(row + static_cast<int>(w.start), o.quantity);
            if (const std::uint32_t end = until(o, w.start); end < p_.slots)
                into.put(row + static_cast<int>(end), -static_cast<double>(o.quantity));
        }
        into.end();
    }

    struct closer {
        void operator()(Clp_Simplex* model) const noexcept { Clp_deleteModel(model); }
    };
    const assign_problem& p_;
    std::unique_ptr<Clp_Simplex, closer> model_;
    std::vector<int> first_row_;            // by pool; -1: it cannot run out
    std::vector<double> sum_, smooth_sum_;  // of prices up to a slot, by pool
    std::vector<std::set<std::uint64_t>> used_;
};

}  // namespace

assign_bound exact_bound(const assign_problem& problem, const assignment& made, double enough) {
    assign_bound best = made.bound;
    if (made.cost - best.value <= enough * made.cost)
        return best;
    restricted_program program(problem, made.of);
    std::vector<double> lambda = best.lambda, smoothed = lambda;
    for (int round = 0; round < rounds_max && program.solve(lambda, smoothed, round == 0); ++round) {
        for (std::size_t i = 0; i < lambda.size(); ++i)
            smoothed[i] = stability * best.lambda[i] + (1 - stability) * lambda[i];
        for (const auto* prices : {&lambda, &smoothed})
            if (const double value = bound_at(problem, *prices); value > best.value)
                best = {value, *prices};
        if (std::min(made.cost, program.value()) - best.value <= enough * made.cost)
            break;
    }
    return best;
}

}  // namespace westerly
