#include "broker/placement/assign.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace westerly {
namespace {

void add_job(assign_problem& p, double refusal, std::initializer_list<assign_option> options, assign_job as = {}) {
    as.options_begin = static_cast<std::uint32_t>(p.options.size());
    p.options.insert(p.options.end(), options);
    as.options_end = static_cast<std::uint32_t>(p.options.size());
    as.refusal = refusal;
    p.jobs.push_back(as);
}

/// Scenario P4 of the decision model: a pool of 12 cards at 1, another without limit at 2; gangs of 7, 7 and 4; one
/// hour.
assign_problem two_pools() {
    assign_problem p;
    p.capacity = {12, unlimited_capacity};
    for (const std::uint32_t gang : {7u, 7u, 4u})
        add_job(p, 1000,
                {{.pool = 0, .quantity = gang, .cost = 1.0 * gang}, {.pool = 1, .quantity = gang, .cost = 2.0 * gang}});
    return p;
}

TEST(assign_by_cost, p4_two_gangs_share_the_cheap_pool_and_the_bound_is_24) {
    // By parts of gangs: 12 cards at 1 and the other 6 at 2: 12 + 12 = 24. Whole gangs: 7 + 4 fit into 12, the other 7
    // pay 2: 11 + 14 = 25. At 1 a card for a place in the cheap pool everybody pays 2 anywhere: 14 + 14 + 8 − 12 = 24.
    const assign_problem p = two_pools();
    const assignment made = assign_by_cost(p);
    EXPECT_EQ(made.cost, 25.0);
    EXPECT_TRUE(made.optimal);
    EXPECT_NEAR(made.bound.value, 24.0, 1e-3);
    EXPECT_LE(made.bound.value, 24.0 + 1e-9);
    EXPECT_EQ(bound_at(p, std::vector<double>{1.0, 0.0}), 24.0);
    EXPECT_NEAR((made.cost - made.bound.value) / made.bound.value, 0.0417, 0.0001);  // 25 / 24 − 1
    EXPECT_EQ(uncontended_floor(p), 18.0);
    // Free capacity cannot dilute this one: (25 − 24) / (24 − 18).
    EXPECT_NEAR((made.cost - made.bound.value) / (made.bound.value - uncontended_floor(p)), 1.0 / 6, 0.001);
    EXPECT_EQ(made.of[2].option, 4u) << "the gang of 4 has its place in the cheap pool";
    EXPECT_NE(made.of[0].option == 0u, made.of[1].option == 2u) << "and one of the two of 7";
}

TEST(assign_by_cost, room_for_all_leaves_no_gap_to_the_bit) {
    assign_problem p;
    p.capacity = {18, 1};
    for (int i = 0; i < 6; ++i)
        add_job(p, 10, {{.pool = 0, .quantity = 3, .cost = 0.1 + 0.7 * i}, {.pool = 1, .quantity = 1, .cost = 9}});
    const assignment made = assign_by_cost(p);
    EXPECT_EQ(made.cost, made.bound.value);
    EXPECT_TRUE(made.optimal);
}

TEST(assign_by_cost, waits_where_waiting_is_cheaper_than_the_dear_pool) {
    assign_problem p;
    p.slots = 3;
    p.capacity = {1, 1, 1, 1, 1, 1};
    for (int i = 0; i < 2; ++i)
        add_job(p, 100,
                {{.pool = 0, .last_start = 2, .cost = 10, .cost_per_slot_later = 2},
                 {.pool = 1, .last_start = 2, .cost = 13, .cost_per_slot_later = 2}});
    const assignment made = assign_by_cost(p);
    EXPECT_EQ(made.cost, 22.0) << "one starts now at 10, the other an hour later at 12, not now at 13";
    EXPECT_TRUE(made.optimal);
}

TEST(assign_by_cost, holds_a_bound_for_options_that_are_not_listed) {
    assign_problem p;
    p.capacity = {1};
    for (int i = 0; i < 3; ++i)
        add_job(p, 50, {{.cost = 10}}, {.unlisted_floor = 11});
    const assignment made = assign_by_cost(p);
    EXPECT_EQ(made.cost, 110.0);
    EXPECT_LE(made.bound.value, 10 + 11 + 11 + 1e-9) << "two of them might have had something at 11";
}

TEST(assign_by_cost, takes_no_gang_in_part) {
    assign_problem p;
    p.capacity = {7};
    add_job(p, 5, {{.quantity = 8, .cost = 1}});
    const assignment made = assign_by_cost(p);
    EXPECT_EQ(made.of[0].option, nothing);
    EXPECT_EQ(made.cost, 5.0);
}

TEST(check_problem, names_what_is_wrong) {
    assign_problem p = two_pools();
    p.options[3].pool = 9;
    try {
        check_problem(p);
        FAIL() << "a pool that is not there was let through";
    } catch (const std::invalid_argument& e) {
        EXPECT_STREQ(e.what(), "option 3");
    }
    p = two_pools();
    p.jobs[1].refusal = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(check_problem(p), std::invalid_argument);
}

TEST(assign_fairly, least_served_goes_first_and_use_counts_at_once) {
    // Three places; "big" has been served 90 of the list price, "small" 10, each place is worth 50.
    assign_problem p;
    p.capacity = {3};
    p.accounts = {{.weight = 1, .used = 90}, {.weight = 1, .used = 10}};
    for (int i = 0; i < 6; ++i)
        add_job(p, 1000, {{.cost = 50, .use = 50}}, {.account = i < 3 ? 0u : 1u, .waits_since = i});
    const assignment made = assign_fairly(p);
    // small 10 -> 60 -> 110, then big is the least served.
    EXPECT_NE(made.of[3].option, nothing);
    EXPECT_NE(made.of[4].option, nothing);
    EXPECT_NE(made.of[0].option, nothing);
    EXPECT_EQ(made.of[5].option, nothing);
}

TEST(assign_fairly, a_weight_of_two_is_owed_twice_as_much) {
    assign_problem p;
    p.capacity = {6};
    p.accounts = {{.weight = 2}, {.weight = 1}};
    for (int i = 0; i < 12; ++i)
        add_job(p, 1000, {{.cost = 1, .use = 1}}, {.account = i < 6 ? 0u : 1u, .waits_since = i});
    const assignment made = assign_fairly(p);
    std::map<std::uint32_t, int> got;
    for (std::size_t j = 0; j < p.jobs.size(); ++j)
        got[p.jobs[j].account] += made.of[j].option != nothing;
    EXPECT_EQ(got[0], 4);
    EXPECT_EQ(got[1], 2);
}

TEST(assign_fairly, small_work_fills_the_gap_before_a_gang_but_does_not_delay_it) {
    // Four cards, two of them busy until slot 2. The gang of 4 can start in slot 2; what lasts two slots fits before
    // it, what lasts three would delay it.
    assign_problem p;
    p.slots = 6;
    p.capacity = {2, 2, 4, 4, 4, 4};
    add_job(p, 1000, {{.quantity = 4, .slots = 2, .last_start = 5, .cost = 8, .cost_per_slot_later = 1}},
            {.waits_since = 0});
    add_job(p, 1000, {{.quantity = 2, .slots = 3, .last_start = 5, .cost = 6, .cost_per_slot_later = 1}},
            {.waits_since = 1});
    add_job(p, 1000, {{.quantity = 2, .slots = 2, .last_start = 5, .cost = 4, .cost_per_slot_later = 1}},
            {.waits_since = 2});
    const assignment made = assign_fairly(p);
    EXPECT_EQ(made.of[0].start, 2u);
    EXPECT_EQ(made.of[1].start, 4u);
    EXPECT_EQ(made.of[2].start, 0u);
}

TEST(assign_fairly, priority_goes_before_shares_and_a_long_wait_before_priority) {
    assign_problem p;
    p.capacity = {1};
    p.accounts = {{.used = 0}, {.used = 1e6}};
    add_job(p, 9, {{.cost = 1}}, {.account = 0, .priority = 0});
    add_job(p, 9, {{.cost = 1}}, {.account = 1, .priority = 5});
    EXPECT_NE(assign_fairly(p).of[1].option, nothing);
    p.jobs[0].overdue = true;
    EXPECT_NE(assign_fairly(p).of[0].option, nothing);
}

TEST(assign_fairly, an_overdue_gang_that_fits_into_no_slot_yet_keeps_others_out) {
    assign_problem p;
    p.capacity = {3};  // of 4: one card is busy past the last slot
    p.pool_total = {4};
    add_job(p, 9, {{.quantity = 4, .cost = 4}}, {.overdue = true});
    add_job(p, 9, {{.quantity = 1, .cost = 1}});
    EXPECT_EQ(assign_fairly(p).of[1].option, nothing) << "else small work could come for ever";
    p.jobs[0].overdue = false;
    EXPECT_NE(assign_fairly(p).of[1].option, nothing);
}

TEST(decayed_use, halves_in_seven_days) {
    EXPECT_DOUBLE_EQ(decayed_use(100, 7 * 86'400), 50);
    EXPECT_DOUBLE_EQ(decayed_use(100, 14 * 86'400), 25);
    EXPECT_DOUBLE_EQ(decayed_use(100, 0), 100);
}

}  // namespace
}  // namespace westerly
