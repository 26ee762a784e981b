// Hours past a soft target.
#include "tests/unit/placement/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace westerly::built {
namespace {

using testing::HasSubstr;

constexpr milliseconds hour{3'600'000};

policy time_at(double per_hour) {
    policy p;
    p.prices = {{.term = "time", .per_unit = per_hour}};
    return p;
}

double hours_of(const appraisal& a) {
    return a.terms.at(0).second;
}

TEST(target, counts_hours_past_it_only) {
    workload_spec spec = task();  // ends in an hour
    const auto hours = [&] {
        return hours_of(decide_on({plain("a")}, spec, time_at(1)).ranked.at(0));
    };
    EXPECT_EQ(hours(), 1);
    spec.when.target_at = now + hour / 4;
    EXPECT_EQ(hours(), 0.75);
    spec.when.target_at = now + hour;
    EXPECT_EQ(hours(), 0);
    spec.when.target_at = now - hour;
    EXPECT_EQ(hours(), 2) << "late already";
    spec.kind = workload_kind::service;
    EXPECT_TRUE(decide_on({plain("a")}, spec, time_at(1)).ranked.at(0).terms.empty());
}

TEST(target, lets_a_slower_offer_that_is_in_time_win) {
    offer slow = plain("slow", 0.9);
    slow.queue_wait_s = 7200;
    workload_spec spec = task();
    EXPECT_EQ(sites_of(decide_on({plain("quick"), slow}, spec, time_at(1)))[0], "quick");
    spec.when.target_at = now + 3 * hour;
    const decision made = decide_on({plain("quick"), slow}, spec, time_at(1));
    EXPECT_EQ(sites_of(made)[0], "slow");
    EXPECT_THAT(explain(made),
                HasSubstr("Hours count past the target (2027-01-15T11:00:00.000Z) only; it ends by then"));
    spec.when.target_at = now + 2 * hour;
    spec.limits.regions = {"slow"};
    const decision late = decide_on({slow}, spec, time_at(1));
    EXPECT_THAT(explain(late), HasSubstr("it ends 1 h after it"));
    EXPECT_THAT(explain(late, language::zh), HasSubstr("在其后 1 小时结束"));
}

/// Cleaner by 100 g/kWh from hour to hour, an hour's run of 0.12 kWh: an hour later saves 0.012 kg.
struct cleaner_later : testing::Test {
    cleaner_later() {
        signal_series grid;
        grid.zone = "Z";
        grid.source = "grid";
        grid.quality = quality_class::modelled_hourly;
        grid.received_at = now;
        for (int h = 0; h < 8; ++h)
            grid.intervals.push_back({now + h * hour, now + (h + 1) * hour, 900.0 - 100 * h, true});
        signals.receive("test", {grid}, now);
        around.signals = &signals;
        on.site.grid_zone = "Z";
        spec.when.max_delay_s = 24 * 3600;
        rules.prices.push_back({.term = "carbon", .per_unit = 10});  // 0.12 CNY an hour
    }
    instant start() const { return decide_on({on}, spec, rules, around).ranked.at(0).start_at; }
    signal_book signals;
    decision_world around = world();
    offer on = plain("a");
    workload_spec spec = task();
    policy rules = time_at(0.2);
};

TEST_F(cleaner_later, waits_until_the_target_and_no_longer) {
    EXPECT_EQ(start(), now) << "an hour costs more than it saves";
    spec.when.target_at = now + 4 * hour;
    EXPECT_EQ(start(), now + 3 * hour);
    spec.when.target_at = now + 4 * hour + hour / 3;  // no edge of the grid's hours
    EXPECT_EQ(start(), now + 3 * hour + hour / 3);
    spec.when.target_at = now + hour / 2;
    EXPECT_EQ(start(), now);
    rules.prices[0].per_unit = 0.1;
    EXPECT_EQ(start(), now + 7 * hour) << "past it waiting pays as well";
}

TEST_F(cleaner_later, bends_for_prices_by_the_hour_too) {
    on.schedule.windows = {{.from_min = 0, .to_min = 1, .nanos = on.price->nanos}};  // hourly, and flat
    spec.when.target_at = now + 4 * hour + hour / 3;
    EXPECT_EQ(start(), now + 3 * hour + hour / 3);
}

}  // namespace
}  // namespace westerly::built
