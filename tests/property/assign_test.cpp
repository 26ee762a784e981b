#include "broker/placement/assign.hpp"

#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace westerly::laws {
namespace {

/// Small enough for every assignment to be tried: at most four workloads, three pools and three slots.
assign_problem random_problem(dice& chance) {
    assign_problem p;
    p.slots = 1 + static_cast<std::uint32_t>(chance.below(3));
    const std::size_t pools = 1 + chance.below(3);
    for (std::size_t c = 0; c < pools * p.slots; ++c)
        p.capacity.push_back(chance.once_in(8) ? unlimited_capacity : static_cast<std::uint32_t>(chance.below(9)));
    const std::size_t jobs = chance.below(5);
    p.accounts.resize(2);
    for (std::size_t j = 0; j < jobs; ++j) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        for (std::uint64_t k = chance.below(4); k > 0; --k) {
            assign_option o;
            o.pool = static_cast<std::uint32_t>(chance.below(pools));
            o.quantity = 1 + static_cast<std::uint32_t>(chance.below(8));
            o.slots = 1 + static_cast<std::uint32_t>(chance.below(4));
            o.first_start = static_cast<std::uint32_t>(chance.below(p.slots));
            o.last_start = o.first_start + static_cast<std::uint32_t>(chance.below(p.slots - o.first_start));
            // Now and then whole numbers, so that costs tie.
            o.cost = chance.once_in(2) ? static_cast<double>(chance.below(12)) : chance.between(0, 12);
            o.cost_per_slot_later = chance.once_in(3) ? 0 : chance.between(0, 4);
            o.use = o.cost;
            p.options.push_back(o);
        }
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        job.refusal = chance.once_in(3) ? chance.between(0, 12) : 100;
        job.account = static_cast<std::uint32_t>(chance.below(2));
        job.priority = static_cast<std::int32_t>(chance.below(3));
        job.waits_since = static_cast<std::int64_t>(chance.below(5));
        job.overdue = chance.once_in(6);
        p.jobs.push_back(job);
    }
    return p;
}

/// Written without placement's code: tries everything, one cell at a time.
class everything {
public:
    explicit everything(const assign_problem& p) : p_(p), held_(p.capacity.size(), 0) { go(0, 0); }
    double least() const { return least_; }

private:
    bool hold(const assign_option& o, std::uint32_t start, int sign) {
        bool fits = true;
        for (std::uint32_t t = start; t < std::min(start + o.slots, p_.slots); ++t) {
            auto& cell = held_[o.pool * p_.slots + t];
            cell += sign * static_cast<std::int64_t>(o.quantity);
            const std::uint32_t room = p_.capacity[o.pool * p_.slots + t];
            fits &= room == unlimited_capacity || cell <= static_cast<std::int64_t>(room);
        }
        return fits;
    }
    void go(std::size_t j, double cost) {
        if (j == p_.jobs.size()) {
            least_ = std::min(least_, cost);
            return;
        }
        go(j + 1, cost + p_.jobs[j].refusal);
        for (std::uint32_t i = p_.jobs[j].options_begin; i < p_.jobs[j].options_end; ++i) {
            const assign_option& o = p_.options[i];
            for (std::uint32_t s = o.first_start; s <= o.last_start; ++s) {
                if (hold(o, s, 1))
                    go(j + 1, cost + o.cost + (s - o.first_start) * o.cost_per_slot_later);
                hold(o, s, -1);
            }
        }
    }

    const assign_problem& p_;
    std::vector<std::int64_t> held_;
    double least_ = std::numeric_limits<double>::infinity();
};

/// Each in the order of the list takes its cheapest that is free.
double greedy_cost(const assign_problem& p) {
    std::vector<assigned> of(p.jobs.size());
    double sum = 0;
    for (std::size_t j = 0; j < p.jobs.size(); ++j) {
        double best = p.jobs[j].refusal;
        assigned take;
        for (std::uint32_t i = p.jobs[j].options_begin; i < p.jobs[j].options_end; ++i)
            for (std::uint32_t s = p.options[i].first_start; s <= p.options[i].last_start; ++s) {
                of[j] = {i, s};
                if (p.options[i].cost_at(s) < best && feasible(p, of)) {
                    best = p.options[i].cost_at(s);
                    take = of[j];
                }
            }
        of[j] = take;
        sum += best;
    }
    return sum;
}

TEST(assign_laws, small_worlds_get_the_optimum_and_a_bound_below_it) {
    constexpr std::uint64_t worlds = 100'000;
    constexpr double rounding = 1e-9;
    std::uint64_t contended = 0, gaps = 0, refused = 0;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const assign_problem p = random_problem(chance);
        check_problem(p);
        const assignment made = assign_by_cost(p);
        ASSERT_TRUE(feasible(p, made.of));
        const double least = everything(p).least();
        ASSERT_NEAR(made.cost, least, rounding);
        ASSERT_TRUE(made.optimal);
        ASSERT_LE(made.bound.value, least + rounding);
        ASSERT_GE(made.bound.value, uncontended_floor(p) - rounding);
        ASSERT_EQ(made.bound.value, bound_at(p, made.bound.lambda));
        ASSERT_LE(made.cost, greedy_cost(p) + rounding);
        if (std::abs(least - uncontended_floor(p)) <= rounding)
            ASSERT_EQ(made.cost, made.bound.value) << "without contention the gap is exactly 0";
        else
            ++contended;
        gaps += made.cost > made.bound.value + rounding;

        const assignment again = assign_by_cost(p);
        ASSERT_EQ(made.of, again.of);
        ASSERT_EQ(made.bound.lambda, again.bound.lambda);

        // Any prices at all make a bound.
        std::vector<double> any(p.capacity.size());
        for (double& lambda : any)
            lambda = chance.between(-1, 5);
        ASSERT_LE(bound_at(p, any), least + rounding);

        // Search cut short: still feasible, still bounded.
        const assignment hasty = assign_by_cost(p, {.price_rounds = 3, .repair_passes = 1, .exact_jobs_max = 0});
        ASSERT_TRUE(feasible(p, hasty.of));
        ASSERT_GE(hasty.cost, least - rounding);
        ASSERT_LE(hasty.bound.value, least + rounding);

        const assignment fair = assign_fairly(p);
        ASSERT_TRUE(feasible(p, fair.of));
        for (std::size_t j = 0; j < p.jobs.size(); ++j)
            refused += fair.of[j].option == nothing;
    }
    EXPECT_GT(contended, worlds / 5) << "the worlds must contend";
    EXPECT_GT(gaps, worlds / 50) << "some must have an integrality gap";
    EXPECT_GT(refused, worlds / 20);
}

/// Nobody waits for ever: work keeps coming from others with higher priority, smaller and less served, tick after tick.
TEST(assign_laws, no_gang_starves_under_a_stream_that_goes_before_it) {
    constexpr std::uint64_t worlds = 300;
    constexpr std::int64_t patience = 20, longest = 6;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        dice chance(seed);
        const auto total = static_cast<std::uint32_t>(4 + chance.below(5));
        struct waiting {
            std::int64_t since;
            std::uint32_t account, quantity, slots;
            std::int32_t priority;
        };
        std::deque<waiting> queue = {{0, 0, total, 2, 0}};            // needs the whole pool, of the lowest priority
        std::vector<std::pair<std::int64_t, std::uint32_t>> running;  // end, quantity
        std::vector<assign_account> accounts = {{.used = 1e6}, {}, {}};
        std::int64_t started = -1;
        std::int64_t ahead = 0;  // work that came before it was overdue, in slots if one after the other
        for (std::int64_t tick = 0; tick < 2'000 && started < 0; ++tick) {
            for (std::uint64_t n = chance.below(4); n > 0; --n) {
                queue.push_back({tick, 1 + static_cast<std::uint32_t>(chance.below(2)),
                                 1 + static_cast<std::uint32_t>(chance.below(total)),
                                 1 + static_cast<std::uint32_t>(chance.below(longest)), 5});
                if (tick == 0)
                    ahead += queue.back().slots;
            }
            std::erase_if(running, [&](const auto& r) { return r.first <= tick; });
            assign_problem p;
            p.slots = 4;  // shorter than the longest work: the gang often fits into no slot that is seen
            p.pool_total = {total};
            p.accounts = accounts;
            for (std::uint32_t t = 0; t < p.slots; ++t) {
                std::uint32_t free = total;
                for (const auto& [end, quantity] : running)
                    free -= end > tick + t ? quantity : 0;
                p.capacity.push_back(free);
            }
            for (const waiting& w : queue) {
                p.jobs.push_back({.options_begin = static_cast<std::uint32_t>(p.options.size()),
                                  .options_end = static_cast<std::uint32_t>(p.options.size() + 1),
                                  .refusal = 1000,
                                  .account = w.account,
                                  .priority = w.priority,
                                  .waits_since = w.since,
                                  .overdue = tick - w.since >= patience});
                p.options.push_back({.quantity = w.quantity,
                                     .slots = w.slots,
                                     .last_start = p.slots - 1,
                                     .cost = 1.0 * w.quantity * w.slots,
                                     .cost_per_slot_later = 1,
                                     .use = 1.0 * w.quantity * w.slots});
            }
            const assignment made = assign_fairly(p);
            ASSERT_TRUE(feasible(p, made.of));
            std::deque<waiting> left;
            for (std::size_t j = 0; j < queue.size(); ++j) {
                if (made.of[j].option == nothing || made.of[j].start > 0) {
                    left.push_back(queue[j]);
                    continue;
                }
                running.emplace_back(tick + queue[j].slots, queue[j].quantity);
                accounts[queue[j].account].used += p.options[made.of[j].option].use;
                if (queue[j].since == 0 && queue[j].account == 0)
                    started = tick;
            }
            queue = std::move(left);
        }
        ASSERT_GE(started, 0) << "it never started";
        EXPECT_LE(started, patience + longest + ahead) << "once overdue only those of the same age may be before it";
    }
}

}  // namespace
}  // namespace westerly::laws
