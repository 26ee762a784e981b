// Factors that are published after runs were metered.
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

constexpr milliseconds hour{3'600'000};
using phase = observation::phase;

struct corrections_test : testing::Test {
    engine_rig rig;
    void SetUp() override {
        rig.add_provider("p", 10);
        send_offers();
    }
    /// 1 kWh an hour at 500 g.
    void send_offers() {
        offer o = small_offer("p", 10);
        o.site.grid_zone = "Z";
        o.site.pue = sourced{1.0, "test", quality_class::declared};
        o.site.carbon_g_per_kwh = sourced{500, "yearbook", quality_class::annual_provincial};
        o.idle_w = o.max_w = 1000;
        rig.give(offers_received{"p", {o}});
    }
    usage run_an_hour() {
        const auto id = rig.submit();
        const auto attempt = *rig.stored(id).current;
        rig.answer_call(rig.only<call_provider>(), call_outcome::done);
        rig.observe(attempt, phase::running, 1);
        rig.pass(hour);
        rig.observe(attempt, phase::exited, 2, 0);
        return rig.store.usages.back();
    }
    /// As api does: with what is committed.
    result<answer> correct(const usage& metered, double g_per_kwh, bool dry_run = false) {
        carbon_publication told;
        told.zone = "Z";
        told.source = "ministry";
        told.year = 2026;
        told.quality = quality_class::annual_provincial;
        told.factors = {{metered.start_at - hour, metered.end_at + hour, g_per_kwh, false}};
        correct_carbon asked;
        asked.request = 99;
        asked.told = std::make_shared<carbon_publication>(told);
        asked.dry_run = dry_run;
        correctable& one = asked.read.rows.emplace_back(correctable{metered, {}});
        for (const usage& row : rig.store.usages)
            if (row.correction) {
                asked.read.corrections = std::max(asked.read.corrections, row.correction->number);
                if (row.correction->of == metered.id)
                    one.corrections.push_back(row);
            }
        last_asked = asked;
        rig.give(asked);
        return rig.answered();
    }
    correct_carbon last_asked;
};

TEST_F(corrections_test, a_run_is_metered_with_its_zone_and_what_the_grid_counts_for) {
    const usage row = run_an_hour();
    EXPECT_EQ(row.grid_zone, "Z");
    EXPECT_EQ(row.by_grid_microkwh, 1'000'000);
    EXPECT_FALSE(row.correction);
}

TEST_F(corrections_test, a_correction_is_a_row_of_its_own_without_a_charge) {
    const usage metered = run_an_hour();
    const auto said = correct(metered, 600);
    ASSERT_TRUE(said.has_value());
    const auto& made = std::get<corrections_made>(*said);
    ASSERT_EQ(made.rows.size(), 1u);
    EXPECT_EQ(made.counts[static_cast<std::size_t>(correction_outcome::corrected)], 1u);
    ASSERT_EQ(rig.store.usages.size(), 2u);
    EXPECT_EQ(rig.store.usages.front(), metered) << "it is not changed";
    EXPECT_EQ(rig.store.usages.back(), made.rows.front());
    EXPECT_EQ(rig.store.usages.back().carbon_mg, 100'000);
    EXPECT_NE(rig.store.usages.back().id, metered.id);
    EXPECT_EQ(rig.store.charges.size(), 1u);
}

TEST_F(corrections_test, a_dry_run_changes_nothing) {
    const usage metered = run_an_hour();
    const auto said = correct(metered, 600, true);
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(std::get<corrections_made>(*said).rows.size(), 1u);
    EXPECT_EQ(rig.store.usages.size(), 1u);
    EXPECT_TRUE(correct(metered, 600).has_value()) << "nor does it take a number";
}

TEST_F(corrections_test, the_same_again_makes_no_row_also_after_a_restart) {
    const usage metered = run_an_hour();
    ASSERT_TRUE(correct(metered, 600).has_value());
    rig.restart();
    const auto said = correct(metered, 600);
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(std::get<corrections_made>(*said).counts[static_cast<std::size_t>(correction_outcome::repeated)], 1u);
    ASSERT_TRUE(correct(metered, 450).has_value());
    ASSERT_EQ(rig.store.usages.size(), 3u);
    EXPECT_EQ(rig.store.usages[1].correction->number, 1u);
    EXPECT_EQ(rig.store.usages[2].correction->number, 2u);
    EXPECT_EQ(rig.store.usages[2].carbon_mg, -150'000);
}

TEST_F(corrections_test, what_was_read_before_another_correction_is_refused) {
    const usage metered = run_an_hour();
    ASSERT_TRUE(correct(metered, 600).has_value());
    correct_carbon stale = last_asked;  // of before that
    auto other = *stale.told;
    other.factors.front().value = 700;
    stale.told = std::make_shared<carbon_publication>(other);
    rig.give(stale);
    ASSERT_FALSE(rig.answered().has_value());
    EXPECT_EQ(rig.answered().error().code, errc::conflict);
    EXPECT_EQ(rig.store.usages.size(), 2u);
}

}  // namespace
