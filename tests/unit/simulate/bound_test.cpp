#include "broker/support/random.hpp"
#include "tools/simulate/core/exact_bound.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

/// P4: pool of 12 at 1, another without limit at 2; gangs of 7, 7 and 4 for both slots.
assign_problem gangs() {
    assign_problem p;
    p.slots = 2;
    p.capacity = {12, 12, unlimited_capacity, unlimited_capacity};
    for (const std::uint32_t gang : {7u, 7u, 4u}) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        p.options.push_back({.pool = 0, .quantity = gang, .slots = 2, .cost = 1.0 * gang});
        p.options.push_back({.pool = 1, .quantity = gang, .slots = 2, .cost = 2.0 * gang});
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        job.refusal = 100;
        p.jobs.push_back(job);
    }
    return p;
}

struct world_shape {
    std::uint32_t pools = 4, slots = 1, jobs = 12, quantity_max = 1;
};

assign_problem random_world(random_source& chance, const world_shape& shape) {
    assign_problem p;
    p.slots = shape.slots;
    for (std::uint32_t pool = 0; pool < shape.pools; ++pool) {
        auto free = static_cast<std::uint32_t>(chance.unit() * 3);
        for (std::uint32_t t = 0; t < p.slots; ++t)
            p.capacity.push_back(free += static_cast<std::uint32_t>(chance.unit() * 1.3));  // what runs only ends
    }
    for (std::uint32_t j = 0; j < shape.jobs; ++j) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        for (std::uint32_t pool = 0; pool < shape.pools; ++pool) {
            if (chance.unit() < 0.3)
                continue;
            assign_option o{.pool = pool,
                            .quantity = 1 + static_cast<std::uint32_t>(chance.unit() * shape.quantity_max),
                            .slots = 1 + static_cast<std::uint32_t>(chance.unit() * 5)};
            o.last_start = static_cast<std::uint32_t>(chance.unit() * p.slots);
            o.cost = 1 + 20 * chance.unit();
            o.cost_per_slot_later = chance.unit();
            p.options.push_back(o);
        }
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        job.refusal = 40;
        p.jobs.push_back(job);
    }
    check_problem(p);
    return p;
}

TEST(exact_bound, finds_the_linear_optimum_where_whole_gangs_cost_more) {
    const assign_problem p = gangs();
    assignment made = assign_by_cost(p);
    ASSERT_EQ(made.cost, 25);
    made.bound = {0, std::vector<double>(p.capacity.size(), 0.0)};
    const assign_bound found = exact_bound(p, made);
    EXPECT_NEAR(found.value, 24, 1e-9);
    EXPECT_EQ(found.value, bound_at(p, found.lambda)) << "it is worth what its prices say";
}

TEST(exact_bound, reaches_the_optimum_where_fractions_buy_nothing) {
    // One unit for one slot each: an assignment problem, of which the linear program has whole corners only.
    random_source chance(11);
    std::size_t contended = 0;
    for (int i = 0; i < 300; ++i) {
        const assign_problem p = random_world(chance, {});
        const assignment made = assign_by_cost(p, {.price_rounds = 3, .exact_nodes = 200'000});
        const assign_bound found = exact_bound(p, made, 1e-5);
        ASSERT_EQ(found.value, bound_at(p, found.lambda));
        ASSERT_LE(found.value, made.cost * (1 + 1e-9));
        if (made.optimal) {
            ASSERT_NEAR(found.value, made.cost, 2e-5 * made.cost) << "world " << i;
        }
        contended += made.optimal && made.cost > uncontended_floor(p);
    }
    EXPECT_GT(contended, 200u);
}

TEST(exact_bound, never_passes_the_cost_nor_falls_below_what_it_began_with) {
    random_source chance(12);
    std::size_t raised = 0;
    for (int i = 0; i < 300; ++i) {
        const assign_problem p = random_world(chance, {.pools = 5, .slots = 12, .jobs = 14, .quantity_max = 3});
        const assignment made = assign_by_cost(p, {.price_rounds = 10, .exact_jobs_max = 0});
        const assign_bound found = exact_bound(p, made);
        ASSERT_LE(found.value, made.cost * (1 + 1e-9)) << "world " << i;
        ASSERT_GE(found.value, made.bound.value);
        for (const double price : found.lambda)
            ASSERT_GE(price, 0);
        raised += found.value > made.bound.value;
    }
    EXPECT_GT(raised, 200u);
}

}  // namespace
}  // namespace westerly
