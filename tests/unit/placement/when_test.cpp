// The choice of a start together with the choice of an offer.
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly::built {
namespace {

constexpr milliseconds hour{3'600'000};

/// Hourly carbon intensity of a zone from now on.
signal_series hourly(const std::string& zone, std::vector<double> values) {
    signal_series made;
    made.zone = zone;
    made.source = "grid";
    made.quality = quality_class::modelled_hourly;
    made.received_at = now;
    instant at = now;
    for (const double value : values) {
        made.intervals.push_back({at, at + hour, value, true});
        at += hour;
    }
    return made;
}

signal_book told(std::vector<signal_series> series) {
    signal_book book;
    book.receive("test", std::move(series), now);
    return book;
}

policy carbon_at(double per_kg, double per_hour = 0) {
    policy p;
    p.prices = {{.term = "carbon", .per_unit = per_kg}};
    if (per_hour > 0)
        p.prices.push_back({.term = "time", .per_unit = per_hour});
    return p;
}

/// 100 W and PUE 1.2 of plain(): a run of h hours takes 0.12 h kWh.
offer in_zone(const std::string& site, const std::string& zone, double price = 1.0) {
    offer o = plain(site, price);
    o.site.grid_zone = zone;
    return o;
}

workload_spec flexible(std::uint64_t run_hours, std::uint64_t slack_hours) {
    workload_spec spec = task();
    spec.work.runtime_s = run_hours * 3600;
    spec.when.max_delay_s = slack_hours * 3600;
    return spec;
}

decision with(const signal_book& signals, const std::vector<offer>& offers, const workload_spec& spec,
              const policy& rules) {
    decision_world around = world();
    around.signals = &signals;
    return decide_on(offers, spec, rules, around);
}

/// P3: 400 200 210 190 380 500, 2 h: the start is hour 2, 0.12 kWh an hour x (210 + 190) g = 48 g.
TEST(when, p3_in_a_decision) {
    const auto signals = told({hourly("Z", {400, 200, 210, 190, 380, 500})});
    const decision made = with(signals, {in_zone("a", "Z")}, flexible(2, 24), carbon_at(1));
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked.front().start_at, now + 2 * hour);
    EXPECT_EQ(made.ranked.front().finish_at, now + 4 * hour);
    EXPECT_NEAR(*made.ranked.front().carbon_kg, 0.12 * (0.210 + 0.190), 1e-12);
    ASSERT_TRUE(made.baseline);
    EXPECT_EQ(made.baseline->start_at, now) << "the baseline starts at once";
    EXPECT_NEAR(*made.baseline->carbon_kg, 0.12 * (0.400 + 0.200), 1e-12);
    ASSERT_TRUE(made.put_off);
    EXPECT_EQ(made.put_off->launch_at, now + 2 * hour);
    EXPECT_EQ(made.put_off->at_once_at, now);
    EXPECT_NEAR(*made.put_off->carbon_saved_kg, 0.12 * (0.600 - 0.400), 1e-12);
    EXPECT_NEAR(made.put_off->saved_base, 0.024, 1e-12);
    EXPECT_NE(made.put_off->why.find("Waits until"), std::string::npos);
    EXPECT_NE(made.put_off->why.find("0.024 kg CO2e"), std::string::npos) << made.put_off->why;
}

/// 108 g at once, past the limit, and 12 g an hour later; each hour of the wait costs 5.
TEST(when, a_wait_for_a_limit_is_told_as_what_it_costs) {
    const auto signals = told({hourly("Z", {900, 100, 100, 100})});
    workload_spec spec = flexible(1, 2);
    spec.limits.max_carbon_kg = 0.05;
    const decision made = with(signals, {in_zone("a", "Z")}, spec, carbon_at(0, 5));
    ASSERT_TRUE(made.put_off);
    EXPECT_LT(made.put_off->saved_base, 0);
    const auto money_of = [&](note_kind kind) {
        const auto at = std::ranges::find(made.notes, kind, &note::kind);
        return at == made.notes.end() ? std::nullopt : std::optional(at->figures.at(0));
    };
    EXPECT_FALSE(money_of(note_kind::put_off_saves_money));
    EXPECT_EQ(money_of(note_kind::put_off_adds_money), -made.put_off->saved_base);
}

std::optional<switch_price> switch_of(const decision& made, const std::string& term, bool below) {
    const auto told =
        std::ranges::find_if(made.switches, [&](const switch_price& s) { return s.term == term && s.below == below; });
    return told == made.switches.end() ? std::nullopt : std::optional(*told);
}

/// 0.12 kWh at "w": 1 CNY and 96 g now, 12 g from the third hour on; at "b": 1.02 CNY and 36 g. Waiting is 3 h at what
/// time costs. With carbon at p and time at 0.001: J of w = min(1 + 0.096 p, 1.003 + 0.012 p), below 1.02 + 0.036 p at
/// every p: "b" never wins, though it would from 0.02 / 0.06 = 0.333 on if "w" had to start at once.
TEST(when, a_winner_that_could_wait_is_not_beaten_at_its_present_start) {
    const auto signals = told({hourly("Z", {800, 800, 800, 100, 100, 100}), hourly("Y", {300, 300, 300, 300})});
    const std::vector<offer> offers{in_zone("w", "Z"), in_zone("b", "Y", 1.02)};
    decision made = with(signals, offers, flexible(1, 5), carbon_at(0, 0.001));
    ASSERT_EQ(made.ranked.front().site, "w");
    EXPECT_FALSE(made.put_off);
    EXPECT_FALSE(switch_of(made, "carbon", false));

    // Time at 0.01: 1.03 + 0.012 p when it waits, so that "b" wins between 0.333 and 0.01 / 0.024 = 0.41667.
    made = with(signals, offers, flexible(1, 5), carbon_at(0, 0.01));
    ASSERT_TRUE(switch_of(made, "carbon", false));
    EXPECT_NEAR(switch_of(made, "carbon", false)->at, 1.0 / 3, 1e-9);
    made = with(signals, offers, flexible(1, 5), carbon_at(1, 0.01));
    ASSERT_TRUE(made.put_off);
    ASSERT_TRUE(switch_of(made, "carbon", true));
    EXPECT_NEAR(switch_of(made, "carbon", true)->at, 0.01 / 0.024, 1e-9);
    // With carbon at 1 and time at t: w 1.012 + 4 t, b 1.056 + t.
    ASSERT_TRUE(switch_of(made, "time", false));
    EXPECT_NEAR(switch_of(made, "time", false)->at, 0.044 / 3, 1e-9);
}

TEST(when, nobody_waits_who_did_not_allow_it) {
    const auto signals = told({hourly("Z", {400, 200, 210, 190, 380, 500})});
    workload_spec rigid = task();
    EXPECT_FALSE(with(signals, {in_zone("a", "Z")}, rigid, carbon_at(1)).put_off);
    workload_spec service = flexible(2, 24);
    service.kind = workload_kind::service;
    EXPECT_FALSE(with(signals, {in_zone("a", "Z")}, service, carbon_at(1)).put_off);
    EXPECT_FALSE(with(signals, {in_zone("a", "Z")}, flexible(2, 24), policy{}).put_off) << "cost alone does not change";
}

TEST(when, signals_count_at_once_too) {
    const auto signals = told({hourly("Z", {400, 200}), hourly("Y", {300, 500})});
    const decision made = with(signals, {in_zone("a", "Z"), in_zone("b", "Y")}, task(), carbon_at(1));
    EXPECT_EQ(sites_of(made), (std::vector<std::string>{"b", "a"}));
    EXPECT_NEAR(*made.ranked.front().carbon_kg, 0.12 * 0.300, 1e-12);
}

/// Two hours at 10 of two days: (2 x 10 + 46 x 500) / 48 = 479.6 g/kWh with the
/// site's own 500 for what no hour tells, against 400 flat.
TEST(when, a_service_counts_the_grid_over_its_whole_stay) {
    const auto signals = told({hourly("Z", {10, 10}), hourly("Y", std::vector<double>(48, 400.0))});
    workload_spec spec = task();
    spec.kind = workload_kind::service;
    spec.work.runtime_s = 48 * 3600;
    const std::vector<offer> offers{in_zone("a", "Z"), in_zone("b", "Y")};
    const decision made = with(signals, offers, spec, carbon_at(1));
    ASSERT_EQ(made.ranked.size(), 2u);
    EXPECT_EQ(made.ranked[0].site, "b");
    EXPECT_NEAR(*made.ranked[0].carbon_kg, 0.12 * 0.400, 1e-12);
    EXPECT_NEAR(*made.ranked[1].carbon_kg, 0.12 * (2 * 0.010 + 46 * 0.500) / 48, 1e-12);
    const decision alone = with(signals, {offers[0]}, spec, carbon_at(1));
    EXPECT_NE(explain(alone).find("which covers 4 % of the run"), std::string::npos) << explain(alone);
}

TEST(when, offer_and_start_are_chosen_together) {
    // At once b is cleaner (300 against 400); in an hour a is cleanest of all (100).
    const auto signals = told({hourly("Z", {400, 100, 400}), hourly("Y", {300, 290, 300})});
    EXPECT_EQ(with(signals, {in_zone("a", "Z"), in_zone("b", "Y")}, flexible(1, 0), carbon_at(1)).ranked[0].site, "b");
    const decision made = with(signals, {in_zone("a", "Z"), in_zone("b", "Y")}, flexible(1, 2), carbon_at(1));
    EXPECT_EQ(made.ranked[0].site, "a");
    EXPECT_EQ(made.ranked[0].start_at, now + hour);
    EXPECT_EQ(made.ranked[1].start_at, now + hour) << "b too would wait, for 290";
}

TEST(when, slack_is_bounded) {
    const auto signals = told({hourly("Z", {400, 300, 200, 100, 50, 25, 12})});
    const auto start = [&](workload_spec spec, policy rules) {
        return (with(signals, {in_zone("a", "Z")}, spec, rules).ranked.at(0).start_at - now) / hour;
    };
    EXPECT_EQ(start(flexible(1, 3), carbon_at(1)), 3) << "by the workload";
    policy impatient = carbon_at(1);
    impatient.max_delay_s = 2 * 3600;
    EXPECT_EQ(start(flexible(1, 3), impatient), 2) << "by the policy";
    workload_spec due = flexible(2, 9);
    due.when.deadline_at = now + 3 * hour;
    EXPECT_EQ(start(due, carbon_at(1)), 1) << "by the deadline: 2 h from hour 1";
    workload_spec queued = flexible(1, 9);
    queued.when.max_wait_s = 3600;
    EXPECT_EQ(start(queued, carbon_at(1)), 1) << "by the queue, past which it expires";
    workload_spec later = flexible(1, 1);
    later.when.earliest_start_at = now + 2 * hour;
    EXPECT_EQ(start(later, carbon_at(1)), 3) << "counted from its earliest start";
    // An hour of waiting at 0.01 costs more than 0.12 kWh x 75 g and less than 0.12 kWh x 100 g at 1 per kg.
    EXPECT_EQ(start(flexible(1, 6), carbon_at(1, 0.0091)), 3) << "by the price of time";
}

TEST(when, slack_counts_from_when_the_workload_came) {
    const auto signals = told({hourly("Z", {400, 300, 200, 100})});
    decision_world around = world();
    around.signals = &signals;
    around.asked_at = now - 2 * hour;
    const decision made = decide_on({in_zone("a", "Z")}, flexible(1, 3), carbon_at(1), around);
    EXPECT_EQ(made.ranked.front().start_at, now + hour);
}

TEST(when, a_flat_factor_never_saves_and_neither_does_the_end_of_a_series) {
    signal_series yearly = hourly("Z", {400});
    yearly.quality = quality_class::annual_provincial;
    yearly.intervals.front().end_at += 8000 * hour;
    EXPECT_FALSE(with(told({yearly}), {in_zone("a", "Z")}, flexible(2, 24), carbon_at(1)).put_off);
    // The site's own factor is 500; 900 for two hours and then nothing known is no reason to wait for the 500.
    const auto ends = told({hourly("Z", {900, 900})});
    const decision made = with(ends, {in_zone("a", "Z")}, flexible(2, 24), carbon_at(1));
    EXPECT_FALSE(made.put_off);
    EXPECT_NEAR(*made.ranked.front().carbon_kg, 0.12 * 1.8, 1e-12);
    // A longer run counts the site's own factor for the rest, and says so.
    const decision longer = with(ends, {in_zone("a", "Z")}, flexible(4, 24), carbon_at(1));
    EXPECT_NEAR(*longer.ranked.front().carbon_kg, 0.12 * (1.8 + 1.0), 1e-12);
    const auto says = [&](const std::string& words) {
        return std::ranges::any_of(longer.notes, [&](const note& n) {
            return in_words(n, longer.rates.base).find(words) != std::string::npos;
        });
    };
    EXPECT_TRUE(says("50 % of the run"));
}

struct covered_by_signals : testing::Test {
    /// Hours from now on are told; the run takes two from `begins` on.
    void expect(int begins, double kg, const std::string& in_english, const std::string& in_chinese) const {
        workload_spec spec = flexible(2, 0);
        spec.when.earliest_start_at = now + begins * hour;
        const decision made = with(told({hourly("Z", {300, 600})}), {at}, spec, carbon_at(1));
        ASSERT_EQ(made.ranked.size(), 1u);
        EXPECT_NEAR(*made.ranked[0].carbon_kg, kg, 1e-12);
        EXPECT_NE(explain(made).find(in_english), std::string::npos) << explain(made);
        EXPECT_NE(explain(made, language::zh).find(in_chinese), std::string::npos) << explain(made, language::zh);
    }
    offer at = in_zone("a", "Z");
};

/// 0.12 kWh an hour, 500 g/kWh of its own.
TEST_F(covered_by_signals, says_when_the_rest_is_by_the_sites_own_factor) {
    expect(0, 0.12 * 0.9, "The carbon of a is by grid (modelled by the hour).", "算力中心 a 的碳排放依据 grid（");
    expect(1, 0.12 * 1.1, "which covers 50 % of the run; for the rest the site's own factor was taken, flat.", "50 %");
    expect(
        2, 0.12 * 1.0,
        "The carbon of a is by the site's own factor, flat: grid (modelled by the hour) tells nothing of the time of "
        "the run.",
        "算力中心 a 的碳排放按该中心自己的因子计，不随时间变化：grid（");
}

TEST_F(covered_by_signals, does_not_speak_of_a_factor_that_the_site_does_not_have) {
    at.site.carbon_g_per_kwh.reset();
    expect(1, 0.12 * 1.2,
           "which covers 50 % of the run; the site has no factor of its own, so for the rest the mean of that part was "
           "taken.",
           "该中心没有自己的因子，其余时间取已覆盖部分的平均值。");
    expect(2, 0.12 * 0.9,
           "How much carbon a has at the time of the run is not known: the site has no factor of its own, so the mean "
           "of all that grid (modelled by the hour) tells of other times was taken.",
           "算力中心 a 在运行期间的碳排放未知：该中心没有自己的因子，因此取 grid（");
}

TEST(when, a_signal_makes_an_unknown_factor_known) {
    offer o = in_zone("a", "Z");
    o.site.carbon_g_per_kwh.reset();
    EXPECT_TRUE(decide_on({o}, task(), carbon_at(1)).ranked.empty());
    EXPECT_EQ(with(told({hourly("Z", {400})}), {o}, task(), carbon_at(1)).ranked.size(), 1u);
}

TEST(when, a_carbon_limit_may_be_met_by_waiting) {
    const auto signals = told({hourly("Z", {400, 300, 200})});
    workload_spec spec = flexible(1, 5);
    spec.limits.max_carbon_kg = 0.12 * 0.310;
    const decision made = with(signals, {in_zone("a", "Z")}, spec, policy{});
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked.front().start_at, now + hour * 9 / 10)
        << "400 - 100 x 0.9 = 310: no later than the limit asks for, as cost does not care";
    spec.when.max_delay_s.reset();
    EXPECT_EQ(only_rejection(with(signals, {in_zone("a", "Z")}, spec, policy{})), rejection::max_carbon);
}

/// A start f hours from now emits 0.12 kWh x (900 - 800 f) g: 600 g are met at 0.375.
TEST(when, the_start_that_just_meets_the_limit_is_tried) {
    const auto signals = told({hourly("Z", {900, 100, 100})});
    workload_spec spec = flexible(1, 2);
    spec.limits.max_carbon_kg = 0.12 * 0.600;
    policy hurried;
    hurried.prices = {{.term = "time", .per_unit = 5}};
    const decision made = with(signals, {in_zone("a", "Z")}, spec, hurried);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked.front().start_at, now + milliseconds(1'350'000));
    EXPECT_NEAR(made.ranked.front().j, 1 + 5 * 1.375, 1e-9) << "11 in the next hour";
    EXPECT_NEAR(*made.ranked.front().carbon_kg, 0.12 * 0.600, 1e-9);

    // 899 g are met after 4.5 s, and no start is put off by less than a minute.
    spec.limits.max_carbon_kg = 0.12 * 0.899;
    EXPECT_EQ(with(signals, {in_zone("a", "Z")}, spec, hurried).ranked.at(0).start_at, now + milliseconds(60'000));
}

/// Green power comes as the grid gets worse, 100 + 800 f g: 500 g are met until 0.5.
TEST(when, the_last_start_that_meets_the_limit_is_tried) {
    signal_series share = hourly("p/a", {0, 1, 1});
    share.kind = signal_kind::green_power_share;
    const auto signals = told({hourly("Z", {100, 900, 900}), share});
    workload_spec spec = flexible(1, 2);
    spec.limits.max_carbon_kg = 0.12 * 0.500;
    policy green;
    green.prices = {{.term = "green_power", .per_unit = 1}};
    const decision made = with(signals, {in_zone("a", "Z")}, spec, green);
    ASSERT_EQ(made.ranked.size(), 1u);
    EXPECT_EQ(made.ranked.front().start_at, now + hour / 2);
    EXPECT_NEAR(*made.ranked.front().non_green_kwh, 0.12 * 0.5, 1e-9);
}

policy in_order(std::vector<ordered_key> keys) {
    policy p;
    p.order_batch = p.order_service = p.order_interactive = std::move(keys);
    return p;
}

/// Half an hour, now or in an hour: the finish is 0.5 or 1.5 h away, and both are the first step of 2 h.
TEST(when, a_step_of_the_finish_leaves_room_to_wait) {
    workload_spec spec = flexible(1, 2);
    spec.work.runtime_s = 1800;
    const auto cleaner = told({hourly("Z", {900, 100, 900})});
    const policy rules = in_order({{"finish", 2}, {"carbon", 0}, {"cost", 0}});
    const decision made = with(cleaner, {in_zone("a", "Z")}, spec, rules);
    EXPECT_EQ(made.ranked.at(0).start_at, now + hour);
    EXPECT_EQ(made.ranked.at(0).keys.at(0), 1);
    EXPECT_NEAR(made.ranked.at(0).keys.at(1), 0.06 * 0.100, 1e-12);

    signal_series share = hourly("p/a", {0, 0.95, 0});
    share.kind = signal_kind::green_power_share;
    const policy greener = in_order({{"finish", 2}, {"non_green_energy", 0}, {"cost", 0}});
    EXPECT_EQ(with(told({share}), {in_zone("a", "Z")}, spec, greener).ranked.at(0).start_at, now + hour);
}

/// Runs of an hour, 900 - 100 f g until the next hour: the first step of 1.75 h ends with the start at 0.75.
TEST(when, the_last_start_of_a_step_of_the_finish_is_tried) {
    const auto signals = told({hourly("Z", {900, 800, 100, 100})});
    const policy rules = in_order({{"finish", 1.75}, {"carbon", 0}, {"cost", 0}});
    const decision made = with(signals, {in_zone("a", "Z")}, flexible(1, 9), rules);
    EXPECT_EQ(made.ranked.at(0).start_at, now + hour * 3 / 4);
    EXPECT_NEAR(made.ranked.at(0).keys.at(1), 0.12 * 0.825, 1e-12);
}

/// An hour in the queue and half an hour of run: at once the finish is 1.5 h away, in another hour 2.5 h.
TEST(when, the_finish_in_an_order_counts_the_queue) {
    offer queued = in_zone("a", "Z");
    queued.queue_wait_s = 3600;
    workload_spec spec = flexible(1, 2);
    spec.work.runtime_s = 1800;
    const auto start_in_steps_of = [&](double step) {
        const auto signals = told({hourly("Z", {900, 900, 100, 900})});
        const policy rules = in_order({{"finish", step}, {"carbon", 0}, {"cost", 0}});
        return with(signals, {queued}, spec, rules).ranked.at(0).start_at - now;
    };
    EXPECT_EQ(start_in_steps_of(3), 2 * hour) << "both are within 3 h";
    EXPECT_EQ(start_in_steps_of(1.5), hour) << "2.5 h is another step";
    EXPECT_EQ(start_in_steps_of(2.25), hour * 7 / 4) << "a quarter of an hour of 100 g until then";
}

TEST(when, an_order_waits_for_whole_steps_only) {
    policy least;
    least.order_batch = least.order_service = least.order_interactive = {{"carbon", 0.01}, {"cost", 0}};
    // 0.12 kWh an hour: 48, 37.2, 36.1, 35.9 g, in steps of 10 g: 5, 4, 4, 4. The first of the least.
    const auto signals = told({hourly("Z", {400, 310, 301, 299})});
    EXPECT_EQ(with(signals, {in_zone("a", "Z")}, flexible(1, 9), least).ranked.front().start_at, now + hour);
    least.order_batch.front().step = 0;
    EXPECT_EQ(with(signals, {in_zone("a", "Z")}, flexible(1, 9), least).ranked.front().start_at, now + 3 * hour);
}

TEST(when, green_power_by_the_hour_is_a_sites) {
    signal_series share = hourly("p/a", {0.2, 0.9, 0.5});
    share.kind = signal_kind::green_power_share;
    policy green;
    green.prices = {{.term = "green_power", .per_unit = 1}};
    const decision made = with(told({share}), {in_zone("a", "Z"), in_zone("b", "Z")}, flexible(1, 9), green);
    EXPECT_EQ(made.ranked.front().site, "a");
    EXPECT_EQ(made.ranked.front().start_at, now + hour);
    EXPECT_NEAR(*made.ranked.front().non_green_kwh, 0.12 * 0.1, 1e-12);
    EXPECT_NEAR(*made.ranked.back().non_green_kwh, 0.12 * 0.5, 1e-12);
}

TEST(when, data_is_moved_before_the_run) {
    // An hour of moving: the run at once is hour 1 of the series.
    const auto signals = told({hourly("Z", {1, 400, 300, 200})});
    workload_spec spec = flexible(1, 1);
    spec.inputs = {{.size_gib = 3600 * 10 / (8 * 1.073741824), .region = "elsewhere"}};
    const decision made = with(signals, {in_zone("a", "Z")}, spec, carbon_at(1));
    EXPECT_NEAR(*made.baseline->carbon_kg, 0.12 * 0.400, 1e-6);
    EXPECT_NEAR(*made.ranked.front().carbon_kg, 0.12 * 0.300, 1e-6);
    ASSERT_TRUE(made.put_off);
    EXPECT_NEAR(static_cast<double>((made.put_off->launch_at - now).count()), 3.6e6, 10);
}

}  // namespace
}  // namespace westerly::built
