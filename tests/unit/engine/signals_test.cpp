// Signals, starts that are put off, and the carbon of what really ran. The engine here has no terms: a carbon limit is
// what makes a workload wait.
#include "broker/placement/replay.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr milliseconds hour{3'600'000};
using phase = observation::phase;

/// small_offer in the grid zone Z: 1 kWh an hour with its PUE of 1.
offer powered_offer() {
    offer o = small_offer("p", 10);
    o.site.grid_zone = "Z";
    o.site.pue = sourced{1.0, "test", quality_class::declared};
    o.site.carbon_g_per_kwh = sourced{500, "yearbook", quality_class::annual_provincial};
    o.idle_w = o.max_w = 1000;
    return o;
}

signals_received hourly(const engine_rig& rig, std::vector<double> values) {
    signal_series made;
    made.zone = "Z";
    made.source = "grid";
    made.quality = quality_class::measured_hourly;
    instant at = std::chrono::floor<std::chrono::hours>(rig.now);
    for (const double value : values) {
        made.intervals.push_back({at, at + hour, value, at > rig.now});
        at += hour;
    }
    return {"signals/test.json", {made}};
}

/// One task for an hour that may wait for so long, with a limit of so much carbon.
workload_spec limited(double max_g, std::uint64_t slack_hours) {
    workload_spec spec = small_spec();
    spec.work.runtime_s = 3600;
    spec.limits.max_carbon_kg = max_g / 1000;
    spec.when.max_delay_s = slack_hours * 3600;
    return spec;
}

struct signals_test : testing::Test {
    engine_rig rig;
    void SetUp() override {
        rig.add_provider("p", 10);
        rig.give(offers_received{"p", {powered_offer()}});
    }
    std::string reason_of(const workload_id& id) {
        const auto& waiting = rig.stored(id).waiting;
        return waiting.empty() ? "" : waiting.front().code;
    }
};

TEST_F(signals_test, a_chosen_start_is_waited_for_and_told) {
    rig.give(hourly(rig, {400, 300, 200, 100}));
    const auto id = rig.submit(limited(250, 5));
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(reason_of(id), "chosen_start");
    const auto& detail = rig.stored(id).waiting.front().detail;
    EXPECT_NE(detail.find("Waits until " + format_rfc3339(*rig.stored(id).next_action_at)), std::string::npos)
        << detail;
    EXPECT_EQ(*rig.stored(id).next_action_at, rig.now + hour + hour / 2) << "250 g are half way from 300 to 200";
    ASSERT_TRUE(rig.stored(id).last_decision) << "the choice is stored and can be read";
    rig.run_for(hour + hour / 4);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(hour / 2);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(signals_test, a_restart_keeps_waiting) {
    rig.give(hourly(rig, {400, 300, 200, 100}));
    const auto id = rig.submit(limited(250, 5));
    const auto start = *rig.stored(id).next_action_at;
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.give(offers_received{"p", {powered_offer()}});
    rig.give(hourly(rig, {400, 300, 200, 100}));
    rig.run_for(milliseconds(1000));
    EXPECT_EQ(*rig.stored(id).next_action_at, start);
    EXPECT_EQ(reason_of(id), "chosen_start");
    rig.run_for(2 * hour);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(signals_test, better_news_start_it_sooner_and_worse_news_later) {
    rig.give(hourly(rig, {400, 400, 400, 200, 400, 100}));
    const auto sooner = rig.submit(limited(210, 5)), later = rig.submit(limited(210, 5));
    EXPECT_GT(*rig.stored(sooner).next_action_at, rig.now + 2 * hour);
    rig.give(hourly(rig, {400, 150, 150, 150, 150, 100}));
    rig.run_for(milliseconds(1000));
    EXPECT_LE(*rig.stored(sooner).next_action_at, rig.now + hour);
    rig.run_for(milliseconds(600'000));
    rig.give(hourly(rig, {400, 400, 400, 400, 200, 100}));
    rig.run_for(milliseconds(1000));
    EXPECT_GT(*rig.stored(later).next_action_at, rig.now + 2 * hour);
}

/// A forecast that comes anew every minute and trembles neither moves the start nor writes anything.
TEST_F(signals_test, a_trembling_forecast_does_not_flap) {
    rig.give(hourly(rig, {400, 400, 200, 400}));
    const auto id = rig.submit(limited(210, 5));
    const auto revision = rig.stored(id).revision;
    const auto start = *rig.stored(id).next_action_at;
    for (int minute = 0; minute < 60; ++minute) {
        rig.give(hourly(rig, {400 + minute % 3 * 0.5, 400 - minute % 2 * 1.0, 200 - minute % 4 * 0.1, 400}));
        rig.run_for(milliseconds(60'000));
    }
    EXPECT_EQ(rig.stored(id).revision, revision);
    EXPECT_EQ(*rig.stored(id).next_action_at, start);
}

/// Each word that is worse than all before moves the start at which the limit is just met, and none that is better.
TEST_F(signals_test, a_forecast_that_trembles_about_a_limit_settles_at_its_worst) {
    rig.give(hourly(rig, {400, 400, 200, 400}));
    const auto id = rig.submit(limited(210, 5));
    std::uint64_t settled = 0;
    for (int minute = 0; minute < 60; ++minute) {
        rig.give(hourly(rig, {400, 401 - minute % 2 * 1.0, 200 + minute % 4 * 0.1, 400}));
        rig.run_for(milliseconds(60'000));
        if (minute == 20)
            settled = rig.stored(id).revision;
    }
    EXPECT_EQ(rig.stored(id).revision, settled);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
}

/// 250 g are met at 1.5 h. With 320 g in the second hour they are at 1 + 70 / 120 h, five minutes later: within what is
/// the same choice else, and the start that was chosen is over the limit.
TEST_F(signals_test, a_start_that_a_limit_forbids_now_is_no_longer_waited_for) {
    rig.give(hourly(rig, {400, 300, 200, 100}));
    const auto id = rig.submit(limited(250, 5));
    ASSERT_EQ(*rig.stored(id).next_action_at, rig.now + hour + hour / 2);
    const auto begin = rig.now;
    rig.give(hourly(rig, {400, 320, 200, 100}));
    rig.run_for(milliseconds(120'000));
    EXPECT_EQ(*rig.stored(id).next_action_at, begin + hour + seconds(2100));
    rig.run_for(2 * hour);
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(signals_test, a_put_off_workload_can_be_cancelled_and_expires) {
    rig.give(hourly(rig, {400, 300, 200, 100}));
    const auto cancelled = rig.submit(limited(150, 5));
    ASSERT_TRUE(rig.cancel(cancelled).has_value());
    EXPECT_EQ(rig.stored(cancelled).state, workload_state::cancelled);
    auto spec = limited(150, 5);
    spec.when.max_wait_s = 3600;
    const auto impatient = rig.submit(spec);
    EXPECT_NE(reason_of(impatient), "chosen_start") << "the queue's limit is before any start that would do";
    rig.run_for(2 * hour);
    EXPECT_EQ(rig.stored(impatient).state, workload_state::expired);
    rig.give(hourly(rig, {400, 300}));
}

TEST_F(signals_test, without_slack_it_waits_for_other_reasons) {
    rig.give(hourly(rig, {400, 300, 200, 100}));
    const auto id = rig.submit(limited(150, 0));
    EXPECT_EQ(reason_of(id), "no_feasible_offer");
    rig.run_for(2 * hour + hour / 2);
    rig.give(hourly(rig, {100, 100, 100}));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching) << "new signals wake who could not be placed";
}

/// A mean of 150 g is met by runs from 2.5 h on.
TEST_F(signals_test, a_cleaner_hour_wakes_who_waits_at_a_limit_without_new_words) {
    rig.give(hourly(rig, {400, 300, 200, 100, 100}));
    const auto id = rig.submit(limited(150, 0));
    rig.run_for(2 * hour + hour / 4);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    rig.run_for(hour / 2 + seconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST_F(signals_test, usage_counts_the_hours_that_really_ran) {
    rig.give(hourly(rig, {400, 200}));
    const auto id = rig.submit(limited(1000, 0));
    const auto attempt = *rig.stored(id).current;
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(attempt, phase::running, 1);
    rig.run_for(hour + hour / 2);
    rig.give(hourly(rig, {200}));  // the second hour is measured by now; the first one is kept
    rig.observe(attempt, phase::exited, 2, 0);
    ASSERT_EQ(rig.store.usages.size(), 1u);
    const usage& used = rig.store.usages.front();
    EXPECT_EQ(used.carbon_source, "grid");
    // From the start on: 1 h of 400 and half an hour of 200, at 1 kWh an hour (the rig starts on the hour).
    EXPECT_NEAR(static_cast<double>(*used.carbon_mg), 500'000, 5'000);
}

TEST_F(signals_test, the_market_shows_signals) {
    rig.give(hourly(rig, {400, 300}));
    rig.run_for(milliseconds(2000));
    ASSERT_EQ(rig.market->signals.size(), 1u);
    EXPECT_TRUE(rig.market->signals.front().in_use);
    rig.give(feeds_configured{});
    rig.run_for(milliseconds(2000));
    EXPECT_TRUE(rig.market->signals.empty());
}

TEST_F(signals_test, certificates_cover_what_ran_and_a_restart_does_not_give_them_again) {
    certificate held{.id = "one",
                     .grid = "Z",
                     .generated_from = {},
                     .generated_to = {},
                     .expires_at = rig.now + 10'000 * hour,
                     .beneficiary = {},
                     .period = matching_period::year,
                     .mwh = 1,
                     .contract_g_per_kwh = 0};
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(rig.now));
    held.generated_from = std::chrono::sys_days(today.year() / today.month() / 1);
    held.generated_to = held.generated_from + hour;
    rig.give(certificates_configured{{held}});
    rig.give(plan_workload{9, rig.who, std::make_shared<workload_spec>(small_spec())});
    const auto planned = std::get<plan_result>(rig.answered().value());
    for (const appraisal& told : {planned.made.ranked.at(0), planned.pareto.at(0)}) {
        EXPECT_EQ(told.certificates_microkwh, 1'000'000) << "an hour at 1 kW";
        EXPECT_EQ(told.carbon_market_kg, 0.0);
        EXPECT_EQ(told.carbon_kg, 0.5);
    }
    const auto run_an_hour = [&] {
        const auto id = rig.submit();
        const auto attempt = *rig.stored(id).current;
        rig.answer_call(rig.only<call_provider>(), call_outcome::done);
        rig.observe(attempt, phase::running, 1);
        rig.pass(hour);
        rig.observe(attempt, phase::exited, 2, 0);
        return rig.store.usages.back();
    };
    const usage first = run_an_hour();
    EXPECT_EQ(first.carbon_mg, 500'000);
    EXPECT_EQ(first.carbon_market_mg, 0);
    EXPECT_EQ(first.certificates, (std::vector<green_allocation>{{"one", 1'000'000}}));
    ASSERT_EQ(rig.market->certificates.size(), 1u);
    rig.restart();
    rig.report("p", provider_state::ready);
    rig.give(offers_received{"p", {powered_offer()}});
    rig.give(certificates_configured{{held}});
    run_an_hour();
    rig.run_for(seconds(5));
    EXPECT_EQ(rig.market->certificates.at(0).given_microkwh, 2'000'000);

    // Of what is left the next decision tells, whoever else is decided at the same time.
    workload_spec longer = small_spec();
    longer.work.runtime_s = 200 * 3600;
    longer.tasks = 5;  // a unit each: 1 000 kWh
    longer.resources.vcpus = 4;
    for (int i = 0; i < 2; ++i) {
        const auto id = rig.submit(longer);
        const auto& made = rig.store.decisions.at(*rig.stored(id).last_decision);
        EXPECT_EQ(made.ranked.at(0).certificates_microkwh, 998'000'000);
        EXPECT_NEAR(*made.ranked.at(0).carbon_market_kg, 0.5 * (1000 - 998), 1e-9);
    }
}

/// The basis has what was there, so that nothing needs to know later what had been given.
TEST_F(signals_test, a_decision_that_counted_certificates_replays) {
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(rig.now));
    const instant month = std::chrono::sys_days(today.year() / today.month() / 1);
    rig.give(certificates_configured{{{.id = "one",
                                       .grid = "Z",
                                       .generated_from = month,
                                       .generated_to = month + hour,
                                       .expires_at = rig.now + 10'000 * hour,
                                       .beneficiary = {},
                                       .period = matching_period::year,
                                       .mwh = 1,
                                       .contract_g_per_kwh = 30}}});
    random_source random(1);
    const auto spec = std::make_shared<workload_spec>(small_spec());
    const auto done = rig.core->handle(submit_workload{1, rig.who, spec, "", {}}, rig.now, random).changes;
    ASSERT_EQ(done.decisions.size(), 1u);
    ASSERT_EQ(done.bases.at(0).certificates.size(), 1u);
    market_past past;
    past.offers.emplace_back("p", offer_list(std::vector<offer>{powered_offer()}));
    past_book book(past, {});
    const auto again = book.decide_again(done.decisions[0], done.bases[0], cheapest_policy(), {}, *spec);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, done.decisions[0]);
    EXPECT_EQ(again->ranked.at(0).carbon_market_kg, 0.03);
}

}  // namespace
