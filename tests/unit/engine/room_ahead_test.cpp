// Room that comes free is waited for where that costs less than what is free now.
#include "broker/placement/replay.hpp"
#include "policies/table.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr milliseconds minute{60'000};
using phase = observation::phase;

/// One unit at 1 CNY an hour, which somebody has for 20 minutes by his limit, and ten at 100. Who tells of them does so
/// every minute: what is older than five minutes launches nothing.
struct room_ahead_test : testing::Test {
    engine_rig rig;
    workload_id first;

    void SetUp() override {
        rig.terms = built_in_terms();
        rig.restart();
        rig.add_provider("cheap", 1);
        rig.add_provider("dear", 10);
        tell();
        auto spec = a_unit(std::nullopt);
        spec.when.max_runtime_s = 1200;
        spec.grace_s = 0;
        first = rig.submit(spec);
        EXPECT_EQ(provider_of(first), "cheap");
        run(first);
    }
    void tell() {
        rig.give(offers_received{"cheap", {priced("cheap", 1, 1'000'000'000)}});
        rig.give(offers_received{"dear", {priced("dear", 10, 100'000'000'000)}});
    }
    /// With news of both every minute.
    void wait(milliseconds time) {
        for (; time.count() > 0; time -= minute) {
            rig.run_for(minute);
            tell();
        }
    }
    offer priced(const provider_id& id, std::uint64_t units, std::int64_t nanos) {
        offer o = small_offer(id, units);
        o.price->nanos = nanos;
        o.as_of = rig.now;
        o.stale_after_s = 30;
        return o;
    }
    static workload_spec a_unit(std::optional<std::uint64_t> slack_s) {
        workload_spec spec = small_spec();
        spec.resources.vcpus = 4;
        spec.work.runtime_s = 36'000;
        spec.when.max_delay_s = slack_s;
        return spec;
    }
    provider_id provider_of(const workload_id& id) {
        const auto& w = rig.stored(id);
        return w.current ? rig.stored(*w.current).provider : "";
    }
    void run(const workload_id& id) { rig.observe(*rig.stored(id).current, phase::running, 1); }
    void end(const workload_id& id) { rig.observe(*rig.stored(id).current, phase::exited, 2); }
};

/// 10 h at 100 would be 1 000 CNY, 20 minutes later they are 10.
TEST_F(room_ahead_test, is_waited_for_where_it_costs_less) {
    const instant asked = rig.now;
    const auto id = rig.submit(a_unit(86'400));
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "chosen_start");
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("costs 990.00 CNY less"), std::string::npos)
        << rig.stored(id).waiting.front().detail;
    EXPECT_GT(*rig.stored(id).next_action_at, asked + 19 * minute);
    EXPECT_LE(*rig.stored(id).next_action_at, asked + 22 * minute);
    wait(10 * minute);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    end(first);  // sooner than his limit
    wait(2 * minute);
    EXPECT_EQ(provider_of(id), "cheap");
}

TEST_F(room_ahead_test, is_not_waited_for_without_slack_or_past_it) {
    EXPECT_EQ(provider_of(rig.submit(a_unit(std::nullopt))), "dear");
    EXPECT_EQ(provider_of(rig.submit(a_unit(600))), "dear");
}

TEST_F(room_ahead_test, is_not_waited_for_where_an_hour_of_waiting_costs_more) {
    policy hasty;
    hasty.name = "cheapest";
    hasty.prices = {{.term = "time", .per_unit = 5'000}};
    rig.set_policies({hasty});
    const auto id = rig.submit(a_unit(86'400));
    EXPECT_EQ(provider_of(id), "dear") << rig.stored(id).waiting.front().detail;
}

/// The one unit is waited for once: the second would find it taken for longer than its slack.
TEST_F(room_ahead_test, is_waited_for_by_as_many_as_it_holds) {
    const auto id = rig.submit(a_unit(7200));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(provider_of(rig.submit(a_unit(7200))), "dear");
}

TEST_F(room_ahead_test, that_does_not_come_is_given_up_when_the_slack_ends) {
    const auto id = rig.submit(a_unit(3600));
    wait(50 * minute);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued) << "it may come any moment";
    wait(15 * minute);
    EXPECT_EQ(provider_of(id), "dear");
}

TEST_F(room_ahead_test, leads_to_decisions_that_replay) {
    random_source random(1);
    const auto spec = std::make_shared<workload_spec>(a_unit(86'400));
    market_past past;
    past.offers = {{"cheap", {priced("cheap", 1, 1'000'000'000)}}, {"dear", {priced("dear", 10, 100'000'000'000)}}};
    past_book book(past, {});
    const change_set done = rig.core->handle(submit_workload{1, rig.who, spec, "", {}}, rig.now, random).changes;
    const decision& made = done.decisions.at(0);
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.notes.back().kind, note_kind::room_ahead);
    const auto again = book.decide_again(made, done.bases.at(0), cheapest_policy(), built_in_terms(), *spec);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, made);
}

}  // namespace
