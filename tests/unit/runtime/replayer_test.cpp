#include "tests/unit/runtime/replay_rig.hpp"

namespace westerly {
namespace {

struct replayer_test : replay_rig {
    replayer_test() { start(); }
};

TEST_F(replayer_test, decisions_are_made_again_over_refreshes_policies_and_restarts) {
    offer_from("p", {offer_of("p", "east", 1'000'000'000, 2), offer_of("p", "west", 2'000'000'000, 2)});
    offer_from("q", {offer_of("q", "north", 3'000'000'000, 1)});
    for (int i = 0; i < 3; ++i)
        submit();
    offer_from("p", {offer_of("p", "east", 5'000'000'000, 1), offer_of("p", "far", 100'000'000, 1)});
    submit();
    use_policy(dear_text);
    submit();
    start();
    offer_from("q", {offer_of("q", "north", 1'500'000'000, 3)});
    now += milliseconds(6000);  // who is not back by now is not waited for
    give(tick{});
    submit();
    offer_from("p", {offer_of("p", "east", 900'000'000, 3)});
    submit();
    ASSERT_GE(decisions.size(), 6u);
    EXPECT_THAT(replays(), testing::Each("identical"));
}

TEST_F(replayer_test, decisions_of_a_round_are_made_again_each_by_itself) {
    offer_from("p", {});
    offer_from("q", {});
    workload_spec small, large, gang;
    small.work.runtime_s = large.work.runtime_s = gang.work.runtime_s = 3600;
    large.resources.memory_mib = 8000;
    gang.tasks = 3;
    submit(small);
    submit(large);
    submit(gang);
    auto tiny = offer_of("q", "north", 1'100'000'000, 1);
    tiny.memory_mib = 1024;
    give(offers_received{"q", {tiny}});
    ASSERT_EQ(decisions.size(), 1u);
    submit(small);
    // One unit for two of unlike shape, and what is kept for the gang from then on.
    tiny.units_free = 2;
    offer_from("q", {tiny});
    offer_from("p", {offer_of("p", "east", 1'000'000'000, 3)});
    submit(small);
    submit(large);
    EXPECT_GE(decisions.size(), 4u);
    EXPECT_THAT(replays(), testing::Each("identical"));
}

TEST_F(replayer_test, what_differs_is_named) {
    offer_from("p", {offer_of("p", "east", 1'000'000'000, 2)});
    offer_from("q", {offer_of("q", "north", 3'000'000'000, 1)});
    submit();
    ASSERT_EQ(decisions.size(), 1u);
    // The same decision under the name of another one, with a cost that it never had.
    change_set forged;
    forged.epoch = 1;
    auto made = *keep->readers().find_decision(decisions[0]);
    auto stored = *keep->readers().find_recorded_decision(decisions[0]);
    made.ranked[0].cost.micros += 1;
    made.id = decision_id::make(now, random);
    stored.basis->of = made.id;
    forged.decisions.push_back(made);
    forged.bases.push_back(*stored.basis);
    ASSERT_TRUE(keep->commit({&forged, 1}));
    decisions.push_back(made.id);
    const auto got = replays();
    EXPECT_EQ(got[0], "identical");
    EXPECT_THAT(got[1], testing::HasSubstr("/ranked/0/cost"));
}

TEST_F(replayer_test, a_decision_without_a_basis_says_that_it_cannot_be_replayed) {
    offer_from("p", {offer_of("p", "east", 1'000'000'000, 2)});
    offer_from("q", {});
    submit();
    ASSERT_EQ(decisions.size(), 1u);
    change_set old;
    old.epoch = 1;
    auto made = *keep->readers().find_decision(decisions[0]);
    made.id = decision_id::make(now, random);
    old.decisions.push_back(made);
    ASSERT_TRUE(keep->commit({&old, 1}));
    replayer tested(keep->readers(), terms);
    const auto report = tested.replay(made.id);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, errc::conflict);
    EXPECT_EQ(tested.replay(decision_id::make(now, random)).error().code, errc::not_found);
}

TEST_F(replayer_test, two_policies_over_recorded_decisions) {
    auto slow = offer_of("p", "east", 1'000'000'000, 9);
    slow.queue_wait_s = 7200;
    offer_from("p", {slow});
    offer_from("q", {offer_of("q", "north", 1'100'000'000, 9)});
    submit();
    submit();
    replayer tested(keep->readers(), terms);
    const std::vector<policy> in_use = {*decode_policy("mine", cheap_text)};
    policy_comparison_request asked;
    asked.before = {"mine", {}, {}};
    asked.after = {"hasty", {}, std::string(dear_text)};
    const auto report = tested.compare(asked, in_use);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->compared, 2u);
    ASSERT_EQ(report->differ.size(), 2u);
    EXPECT_EQ(report->differ[0].before->offer, "p/east/small/on_demand");
    EXPECT_EQ(report->differ[0].after->offer, "q/north/small/on_demand");
    asked.after = asked.before;
    EXPECT_TRUE(tested.compare(asked, in_use)->differ.empty());
    asked.after = {"mine", decode_policy("mine", cheap_text)->version, {}};  // as it was, of the records
    EXPECT_TRUE(tested.compare(asked, in_use)->differ.empty());
    asked.after = {"nobodys", {}, {}};
    EXPECT_EQ(tested.compare(asked, in_use).error().code, errc::not_found);
    asked.last = 1;
    asked.after = {"hasty", {}, std::string(dear_text)};
    EXPECT_EQ(tested.compare(asked, in_use)->compared, 1u);
}

}  // namespace
}  // namespace westerly
