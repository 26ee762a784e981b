// Dates in the engine: nothing is launched before its time, and who waits for a date is tried when it has come.
#include "broker/domain/explain.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr milliseconds hour{3'600'000};

/// small_offer at a third of its price.
offer cheap_later() {
    offer o = small_offer("p", 10);
    o.id = "p/s/cheap/on_demand";
    o.price->nanos /= 3;
    return o;
}

struct dates_test : testing::Test {
    engine_rig rig;
    void SetUp() override { rig.add_provider("p", 10); }
    std::vector<offer> market(milliseconds after) {
        offer later = cheap_later();
        later.supply.available_from = rig.now + after;
        return {later, small_offer("p", 10)};
    }
    const std::string& offer_of(const call_provider& call) { return rig.stored(call.attempt).offer; }
};

TEST_F(dates_test, who_may_not_wait_is_launched_at_once_on_what_is_there) {
    rig.give(offers_received{"p", market(3 * hour)});
    rig.submit();
    EXPECT_EQ(offer_of(rig.only<call_provider>()), small_offer("p", 1).id);
}

TEST_F(dates_test, who_may_wait_is_launched_no_earlier_than_the_offer_begins) {
    rig.give(offers_received{"p", market(3 * hour)});
    const instant asked = rig.now;
    workload_spec spec = small_spec();
    spec.when.max_delay_s = 4 * 3600;
    const auto id = rig.submit(spec);
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(rig.stored(id).waiting.front().code, "chosen_start");
    EXPECT_EQ(rig.stored(id).next_action_at, asked + 3 * hour);
    rig.run_for(3 * hour - milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(milliseconds(1));
    EXPECT_EQ(offer_of(rig.only<call_provider>()), "p/s/cheap/on_demand");
}

TEST_F(dates_test, who_cannot_be_in_time_is_not_told_to_wait_for_room) {
    workload_spec all = small_spec();
    all.resources.vcpus = 4;
    all.tasks = 10;
    rig.submit(all);
    workload_spec spec = small_spec();
    spec.work.runtime_s = 3600;
    spec.when.deadline_at = rig.now + hour / 2;
    const auto late = rig.submit(spec);
    EXPECT_EQ(rig.stored(late).waiting.front().code, "no_feasible_offer");
    EXPECT_NE(rig.stored(late).waiting.front().detail.find("free or full"), std::string::npos);
    spec.when.deadline_at = rig.now + 2 * hour;
    EXPECT_EQ(rig.stored(rig.submit(spec)).waiting.front().code, "no_capacity");
}

TEST_F(dates_test, where_nothing_else_fits_the_date_is_waited_for_in_the_queue) {
    offer later = cheap_later();
    later.supply.available_from = rig.now + 3 * hour;
    rig.give(offers_received{"p", {later}});
    const auto id = rig.submit();
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    const auto& why = rig.stored(id).waiting.front();
    EXPECT_EQ(why.code, "no_feasible_offer");
    EXPECT_NE(why.detail.find("available from " + format_rfc3339(rig.now + 3 * hour)), std::string::npos) << why.detail;
    rig.run_for(3 * hour - milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

compliance_rule no_fast_links(std::optional<instant> from, std::optional<instant> until) {
    compliance_rule rule;
    rule.name = "links";
    rule.from_at = from;
    rule.until_at = until;
    rule.forbid.fact = offer_fact::interconnect_gb_s;
    rule.forbid.comparison = fact_comparison::at_least;
    rule.forbid.value = 600;
    return rule;
}

struct rules_test : dates_test {
    void SetUp() override {
        dates_test::SetUp();
        offer o = small_offer("p", 10);
        o.accelerators = accelerator_facts{.model = "x", .count = 8, .interconnect_gb_s = 600, .stack = "cuda"};
        rig.give(offers_received{"p", {o}});
    }
    workload_id submit_under(std::vector<compliance_rule> rules) {
        workload_spec spec = small_spec();
        spec.limits.compliance = std::move(rules);
        return rig.submit(std::move(spec));
    }
};

TEST_F(rules_test, who_is_forbidden_until_a_date_is_tried_when_it_has_come) {
    const auto id = submit_under({no_fast_links({}, rig.now + hour)});
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    const std::string why = rig.stored(id).waiting.front().detail;
    EXPECT_NE(why.find("forbidden until " + format_rfc3339(rig.now + hour)), std::string::npos) << why;
    EXPECT_EQ(why.find("Loosen"), std::string::npos) << why;
    rig.run_for(hour - milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(milliseconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(rules_test, who_shares_a_group_is_woken_with_it_and_a_restart_forgets_nothing) {
    const instant until = rig.now + hour;
    const auto first = submit_under({no_fast_links({}, until)});
    const auto second = submit_under({no_fast_links({}, until)});
    EXPECT_EQ(rig.stored(second).waiting, rig.stored(first).waiting);
    rig.restart();
    rig.report("p", provider_state::ready);
    offer o = small_offer("p", 10);
    o.accelerators = accelerator_facts{.model = "x", .count = 8, .interconnect_gb_s = 600, .stack = "cuda"};
    rig.give(offers_received{"p", {o}});
    rig.run_for(hour);
    EXPECT_EQ(rig.stored(first).state, workload_state::launching);
    EXPECT_EQ(rig.stored(second).state, workload_state::launching);
}

TEST_F(rules_test, a_date_that_only_another_rule_follows_is_told_anew) {
    // Cards whose own rule ends later: what is told at first is not the end of the wait.
    offer other = small_offer("p", 10);
    other.id = "p/s/other/on_demand";
    other.vcpus = 1;  // too small, and lawful sooner
    other.accelerators = accelerator_facts{.model = "y", .count = 8, .memory_gib = 80, .stack = "cuda"};
    other.accelerators->interconnect_gb_s = 500;
    offer o = small_offer("p", 10);
    o.accelerators = accelerator_facts{.model = "x", .count = 8, .interconnect_gb_s = 600, .stack = "cuda"};
    rig.give(offers_received{"p", {o, other}});
    compliance_rule short_rule = no_fast_links({}, rig.now + hour);
    short_rule.forbid.value = 500;
    const instant asked = rig.now;
    workload_spec spec = small_spec();
    spec.resources.vcpus = 4;
    spec.limits.compliance = {short_rule, no_fast_links({}, rig.now + 2 * hour)};
    const auto id = rig.submit(spec);
    ASSERT_NE(rig.stored(id).waiting.front().detail.find(format_rfc3339(asked + hour)), std::string::npos);
    rig.run_for(hour + milliseconds(1));
    ASSERT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_NE(rig.stored(id).waiting.front().detail.find(format_rfc3339(asked + 2 * hour)), std::string::npos)
        << rig.stored(id).waiting.front().detail;
    rig.run_for(hour);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(rules_test, a_rule_without_an_end_promises_nothing) {
    const auto id = submit_under({no_fast_links({}, {})});
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("Loosen the constraints"), std::string::npos);
    rig.run_for(48 * hour);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
}

}  // namespace
