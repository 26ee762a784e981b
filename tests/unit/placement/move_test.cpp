#include "broker/placement/move.hpp"

#include "broker/domain/explain.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::plain;

constexpr std::uint64_t ten_hours_s = 36'000;

workload_spec saving(std::uint64_t runtime_s = ten_hours_s) {
    workload_spec spec = built::task();
    spec.work.runtime_s = runtime_s;
    spec.checkpoint = checkpoint_rule{.interval_s = 3600, .write_s = 60, .restore_s = 300, .portable = true};
    spec.grace_s = 0;
    return spec;
}

/// Running for so long at 1 CNY an hour at site "here".
attempt running_for(double ran_s, double price = 1.0) {
    attempt a;
    a.provider = "p";
    a.site = "here";
    a.offer = plain("here").id;
    a.state = attempt_state::running;
    a.started_at = built::now - milliseconds(static_cast<std::int64_t>(ran_s * 1000));
    a.terms.price = unit_price{static_cast<std::int64_t>(price * 1e9), currency::cny};
    a.terms.units = 1;
    a.terms.tasks = 1;
    a.terms.work_s = ten_hours_s;
    return a;
}

policy moving(replacement_rule by = {.min_gain = 0.2, .min_gain_amount = 1}) {
    policy rules;
    rules.replacement = by;
    return rules;
}

move_look look_at(const std::vector<offer>& offers, const attempt& a, const workload_spec& spec = saving(),
                  const policy& rules = moving(), double work_done = 0) {
    const offer on = offers.front();
    return look_for_move(built::book_of(offers), rules, built_in_terms(), spec, {a, on, work_done}, built::world());
}

struct saved_case {
    std::string_view name;
    double ran_s;
    double before;
    double saved;
};
class saved_share_test : public testing::TestWithParam<saved_case> {};

TEST_P(saved_share_test, is_whole_intervals_only) {
    const auto& [name, ran_s, before, saved] = GetParam();
    EXPECT_NEAR(saved_share(saving(), running_for(ran_s), before, built::now), saved, 1e-12);
}
// An interval of 3 600 s of the 36 000 s takes 3 660 s; after an earlier attempt 300 s go into the restore first.
INSTANTIATE_TEST_SUITE_P(all, saved_share_test,
                         testing::Values(saved_case{"nothing_before_the_first", 3659, 0, 0},
                                         saved_case{"the_first", 3660, 0, 0.1}, saved_case{"two", 7400, 0, 0.2},
                                         saved_case{"a_restore_comes_first", 3959, 0.4, 0.4},
                                         saved_case{"then_the_next", 3960, 0.4, 0.5},
                                         saved_case{"never_all_of_it", 40'000, 0.5, 0.99}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(saved_share, what_is_not_portable_or_never_ran_saves_nothing) {
    workload_spec spec = saving();
    spec.checkpoint->portable = false;
    EXPECT_EQ(saved_share(spec, running_for(7400), 0, built::now), 0);
    attempt a = running_for(7400);
    a.started_at.reset();
    EXPECT_EQ(saved_share(saving(), a, 0.3, built::now), 0.3);
    a = running_for(7400);
    a.terms.work_s = 0;
    EXPECT_EQ(saved_share(saving(), a, 0.3, built::now), 0.3);
}

/// 10 h of work, 4 000 s ran: 3 600 saved, 340 of the next interval done. Staying has 32 060 s of work left and 8 more
/// checkpoints to write; going on elsewhere 32 400 s, 300 to restore, and 9.
TEST(move, the_arithmetic_is_told) {
    const auto seen = look_at({plain("here"), plain("there", 0.5)}, running_for(4000));
    ASSERT_TRUE(seen.moves) << seen.words;
    const note& why = seen.made.notes.back();
    ASSERT_EQ(why.kind, note_kind::moved);
    EXPECT_EQ(why.words, (std::vector<std::string>{"p/here/n/on_demand", "p/there/n/on_demand"}));
    const double stay = (32'060 + 8 * 60) / 3600.0, there = (32'400 + 300 + 9 * 60) / 3600.0 * 0.5;
    EXPECT_NEAR(why.figures[0], stay, 0.001);
    EXPECT_NEAR(why.figures[1], there, 0.001);
    EXPECT_EQ(why.figures[2], 0);
    EXPECT_NEAR(why.figures[3], stay - there, 0.001);
    EXPECT_NE(seen.words.find("4.6"), std::string::npos) << seen.words;
    EXPECT_TRUE(std::ranges::any_of(seen.made.notes, [](const note& n) { return n.kind == note_kind::work_left; }));
    EXPECT_EQ(seen.seen.progress, (run_progress{.work_left = 0.9, .restores = true}));
}

/// 1 000 GiB of checkpoint at 10 Gbit/s take 859 s.
TEST(move, bringing_the_checkpoint_is_paid_for_where_billing_starts_with_the_allocation) {
    workload_spec spec = saving();
    spec.checkpoint->region = "here";
    spec.checkpoint->size_gib = 1000;
    offer there = plain("there", 0.5);
    const auto j_there = [&] {
        const auto seen = look_at({plain("here"), there}, running_for(4000), spec);
        return seen.moves ? seen.made.notes.back().figures[1] : -1;
    };
    EXPECT_NEAR(j_there(), (32'400 + 300 + 9 * 60) / 3600.0 * 0.5, 1e-9);
    there.billing_starts = billing_start::allocation;
    EXPECT_NEAR(j_there(), (32'400 + 300 + 9 * 60 + 859) / 3600.0 * 0.5, 1e-9);
}

TEST(move, both_margins_have_to_be_exceeded) {
    const auto moves = [](double price, replacement_rule by) {
        return look_at({plain("here"), plain("there", price)}, running_for(4000), saving(), moving(by)).moves;
    };
    EXPECT_FALSE(moves(0.80, {.min_gain = 0.2, .min_gain_amount = 0}));  // less than 20 %, after restore and redo
    EXPECT_TRUE(moves(0.70, {.min_gain = 0.2, .min_gain_amount = 0}));
    EXPECT_FALSE(moves(0.70, {.min_gain = 0.2, .min_gain_amount = 5}));
    EXPECT_TRUE(moves(0.70, {.min_gain = 0.2, .min_gain_amount = 2}));
}

TEST(move, the_lease_counts_and_not_what_its_place_costs_now) {
    EXPECT_FALSE(look_at({plain("here", 5), plain("there", 1)}, running_for(4000, 1)).moves);
    EXPECT_TRUE(look_at({plain("here", 1), plain("there", 1)}, running_for(4000, 3)).moves);
}

TEST(move, the_begun_increment_is_paid_for_and_counts) {
    attempt a = running_for(4000);
    a.terms.increment_s = 86'400;
    const auto seen = look_at({plain("here"), plain("there", 0.01)}, a);
    ASSERT_FALSE(seen.moves);  // a day is begun, and pays for all that is left
    a.terms.increment_s = 3600;
    const auto by_hours = look_at({plain("here"), plain("there", 0.01)}, a);
    ASSERT_TRUE(by_hours.moves);
    EXPECT_NEAR(by_hours.made.notes.back().figures[2], 3200 / 3600.0, 0.001);
}

TEST(move, redo_and_transfer_may_eat_the_gain) {
    const std::vector<offer> offers{plain("here"), plain("there", 0.6)};
    EXPECT_TRUE(look_at(offers, running_for(3700)).moves);
    workload_spec spec = saving();
    spec.checkpoint->interval_s = 18'000;
    EXPECT_FALSE(look_at(offers, running_for(17'900), spec).moves);  // 5 h of work are not saved yet
    spec = saving();
    spec.checkpoint->region = "here";
    spec.checkpoint->size_gib = 100;
    EXPECT_TRUE(look_at(offers, running_for(3700), spec).moves);
    spec.checkpoint->egress_per_gib = money{30'000, currency::cny};  // 3 CNY
    EXPECT_FALSE(look_at(offers, running_for(3700), spec).moves);
}

TEST(move, limits_hold_there_as_they_did_here) {
    workload_spec spec = saving();
    spec.limits.regions = {"here"};
    EXPECT_FALSE(look_at({plain("here"), plain("there", 0.1)}, running_for(4000), spec).moves);
    spec = saving();
    spec.when.deadline_at = built::now + seconds(33'000);  // staying meets it, a restore more does not
    EXPECT_FALSE(look_at({plain("here"), plain("there", 0.1)}, running_for(4000), spec).moves);
}

TEST(move, a_full_place_is_none) {
    offer there = plain("there", 0.1);
    there.units_free = 0;
    EXPECT_FALSE(look_at({plain("here"), there}, running_for(4000)).moves);
}

TEST(move, an_order_moves_for_its_first_key_that_gains_and_only_while_none_before_it_loses) {
    policy rules = moving();
    rules.order_batch = {{"carbon", 0.01}, {"cost", 0}};
    rules.order_service = rules.order_interactive = rules.order_batch;
    offer cleaner = plain("there", 1.2);
    cleaner.site.carbon_g_per_kwh = built::said(200);
    const auto seen = look_at({plain("here"), cleaner}, running_for(4000), saving(), rules);
    ASSERT_TRUE(seen.moves);
    EXPECT_EQ(seen.made.notes.back().kind, note_kind::moved_in_order);
    EXPECT_EQ(seen.made.notes.back().words[2], "carbon");
    offer cheaper = plain("there", 0.1);
    cheaper.site.carbon_g_per_kwh = built::said(510);
    EXPECT_FALSE(look_at({plain("here"), cheaper}, running_for(4000), saving(), rules).moves);
    offer hardly = plain("there", 1.0);
    hardly.site.carbon_g_per_kwh = built::said(450);
    EXPECT_FALSE(look_at({plain("here"), hardly}, running_for(4000), saving(), rules).moves);
}

TEST(move, services_are_weighed_over_the_time_that_they_would_stay) {
    workload_spec spec = saving();
    spec.kind = workload_kind::service;
    spec.checkpoint.reset();
    EXPECT_FALSE(movable(spec));
    spec.movable = true;
    EXPECT_TRUE(movable(spec));
    const std::vector<offer> offers{plain("here"), plain("there", 0.5)};
    const auto within = [&](std::uint64_t s) {
        return look_at(offers, running_for(4000), spec,
                       moving({.min_gain = 0.2, .min_gain_amount = 1, .at_most_every_s = s}))
            .moves;
    };
    EXPECT_FALSE(within(7000));
    EXPECT_TRUE(within(7300));
}

/// Ran 4 000 s at 1 CNY an hour, 32 300 s to go here; `now` is 08:00 UTC.
TEST(move, staying_costs_what_the_hours_to_come_cost) {
    offer here = plain("here");
    here.schedule.windows = {{.from_min = 8 * 60, .to_min = 20 * 60, .nanos = 5'000'000'000}};
    attempt dear = running_for(4000);
    dear.terms.schedule = here.schedule;
    EXPECT_FALSE(look_at({here, plain("there", 1.0)}, running_for(4000)).moves) << "leased at 1 for all hours";
    const auto seen = look_at({here, plain("there", 1.0)}, dear);
    ASSERT_TRUE(seen.moves);
    const note& why = seen.made.notes.back();
    ASSERT_EQ(why.kind, note_kind::moved);
    const auto flat = look_at({plain("here", 5.0), plain("there", 1.0)}, running_for(4000, 5.0));
    ASSERT_TRUE(flat.moves);
    EXPECT_NEAR(why.figures[0], flat.made.notes.back().figures[0], 1e-9) << "all of what is left is in dear hours";
    dear.terms.schedule.windows[0] = {.from_min = 0, .to_min = 8 * 60, .nanos = 5'000'000'000};
    EXPECT_FALSE(look_at({here, plain("there", 1.0)}, dear).moves) << "the dear hours are over";
}

TEST(move, without_a_rule_nothing_moves) {
    EXPECT_FALSE(look_at({plain("here"), plain("there", 0.01)}, running_for(4000), saving(), policy{}).moves);
}

}  // namespace
}  // namespace westerly
