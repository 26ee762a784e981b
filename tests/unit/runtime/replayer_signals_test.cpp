// Decisions that saw signals, words of libraries, or a listing half taken over are made again, too.
#include "tests/unit/runtime/replay_rig.hpp"

namespace westerly {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr milliseconds hour{3'600'000};
constexpr std::string_view green_text = R"({"prices": {"carbon": {"amount": "100", "currency": "CNY", "per": "kg"}}})";
constexpr std::string_view watery_text = R"({"prices": {"water": {"amount": "2", "currency": "CNY", "per": "L"}}})";
constexpr std::string_view driest_text =
    R"({"order": {"service": [{"term": "water", "step": 0.5}, {"term": "cost"}],
                  "interactive": [{"term": "water", "step": 0.5}, {"term": "cost"}],
                  "batch": [{"term": "water", "step": 0.5}, {"term": "cost"}]}})";

/// Two sites, each in a grid zone of its name: p/east is the cheaper one.
struct replayer_signals_test : replay_rig {
    void begin(std::string_view text) {
        policy_at_start = text;
        start();
        offers();
    }
    void offers() {
        std::vector<offer> both = {offer_of("p", "east", 1'000'000'000, 50), offer_of("q", "west", 1'010'000'000, 50)};
        for (offer& each : both) {
            each.site.grid_zone = each.site.site;
            each.idle_w = each.max_w = 1000;
            each.site.carbon_g_per_kwh = sourced{500, "yearbook", quality_class::annual_provincial};
            offer_from(each.provider, {each});
        }
    }
    signal_series hours(const std::string& zone, std::vector<double> values, bool forecast = true) {
        signal_series made;
        made.zone = zone;
        made.source = "grid";
        made.version = "v1";
        made.quality = quality_class::modelled_hourly;
        made.received_at = now;
        instant at = std::chrono::floor<std::chrono::hours>(now);
        for (const double value : values) {
            made.intervals.push_back({at, at + hour, value, forecast && at > now});
            at += hour;
        }
        return made;
    }
    void told(const std::string& feed, std::vector<signal_series> series) {
        give(signals_received{feed, std::move(series)});
    }
    static workload_spec an_hour(std::uint64_t slack_hours = 0) {
        workload_spec spec;
        spec.work.runtime_s = 3600;
        if (slack_hours > 0)
            spec.when.max_delay_s = slack_hours * 3600;
        return spec;
    }
    void with_water() {
        table.push_back(foreign_term("water", "L", "Litres."));
        terms = table;
    }
    decision last_decision() { return *keep->readers().find_decision(decisions.back()); }
};

TEST_F(replayer_signals_test, over_words_of_feeds_hours_and_restarts) {
    begin(green_text);
    submit(an_hour());  // without any signal
    told("grid", {hours("east", {400, 400, 100, 400}), hours("west", {300, 300, 300, 300})});
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().provider, "q");
    submit(an_hour(5));
    ASSERT_TRUE(last_decision().put_off) << "its start is put off, and that is a decision as well";
    for (int i = 0; i < 8; ++i) {
        pass(hour / 4);
        told("grid", {hours("east", {100.0 + i, 400, 100 - i * 1.5, 400, 380}), hours("west", {300, 290.0 + i, 300})});
        submit(an_hour());
        submit(an_hour(4));
    }
    pass(hour);  // an edge passes without any word
    submit(an_hour());
    told("more", {hours("west", {10, 20})});
    submit(an_hour());
    start();
    offers();
    now += milliseconds(6000);
    give(tick{});
    submit(an_hour());  // of a broker that heard no feed yet
    told("more", {hours("west", {15, 20})});
    submit(an_hour());
    give(feeds_configured{{"grid"}});  // and "more" is gone
    submit(an_hour());
    told("grid", {hours("east", {90, 80, 70}), hours("west", {95, 85, 75})});
    submit(an_hour(2));
    ASSERT_GE(decisions.size(), 22u);
    EXPECT_THAT(replays(), Each("identical"));
}

TEST_F(replayer_signals_test, a_signal_that_grows_stale_counts_as_it_did) {
    begin(green_text);
    auto aged = hours("east", {50, 50, 50, 50, 50, 50});
    aged.max_age_s = 1800;
    auto fallback = hours("east", {450, 450, 450, 450, 450, 450}, false);
    fallback.source = "other";
    auto later = hours("east", {1, 1});  // a layer that has no value yet, and ages before it has
    later.max_age_s = 1800;
    for (auto& piece : later.intervals) {
        piece.start_at += 5 * hour;
        piece.end_at += 5 * hour;
        piece.forecast = true;
    }
    told("grid", {aged, later});
    told("other", {fallback});
    told("west", {hours("west", {300, 300, 300, 300, 300, 300})});
    submit(an_hour(5));
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().provider, "p");
    pass(milliseconds(1'700'000));
    submit(an_hour());
    pass(milliseconds(110'000));
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().provider, "q");
    EXPECT_THAT(replays(), Each("identical"));
}

TEST_F(replayer_signals_test, feeds_are_written_as_changes_and_now_and_then_whole) {
    begin(green_text);
    std::vector<double> values(24, 300);
    for (int i = 0; i < 130; ++i) {
        values[5] = i;
        told("grid", {hours("east", values)});
    }
    ASSERT_EQ(signals_written.size(), 130u);
    std::vector<std::size_t> whole;
    for (std::size_t i = 0; i < signals_written.size(); ++i) {
        if (signals_written[i].whole)
            whole.push_back(i);
        EXPECT_TRUE(i == 0 || signals_written[i].seq > signals_written[i - 1].seq);
    }
    EXPECT_EQ(whole, (std::vector<std::size_t>{0, 65})) << "so a replay reads 65 rows of a feed at most";
    const auto before = signals_written.back().seq;
    start();
    told("grid", {hours("east", values)});
    EXPECT_TRUE(signals_written.back().whole) << "after a start no feed has told anything";
    EXPECT_GT(signals_written.back().seq, before);
    give(feeds_configured{{}});
    EXPECT_TRUE(signals_written.back().whole);
    EXPECT_TRUE(signals_written.back().now.empty());
}

TEST_F(replayer_signals_test, a_record_of_a_version_that_kept_no_signals_says_so) {
    begin(green_text);
    submit(an_hour());
    auto made = last_decision();
    auto basis = *keep->readers().find_recorded_decision(made.id)->basis;
    made.id = basis.of = decision_id::make(now, random);
    basis.with_signals = true;
    change_set old;
    old.epoch = 1;
    old.decisions = {made};
    old.bases = {basis};
    ASSERT_TRUE(keep->commit({&old, 1}));
    replayer tested(keep->readers(), terms);
    const auto report = tested.replay(made.id);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, errc::conflict);
    EXPECT_THAT(report.error().detail, HasSubstr("by a version that kept no history of them"));
}

TEST_F(replayer_signals_test, what_libraries_said_is_said_again) {
    with_water();
    library = [](foreign_column& column, std::size_t offers) {
        for (std::size_t i = 0; i < offers; ++i)
            column.quantity.push_back(i == 0 ? 0.7 : 0.1 / 3);
    };
    begin(watery_text);
    submit(an_hour());
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().provider, "q");
    EXPECT_EQ(terms_written.size(), 1u) << "one answer served both, and is kept once";
    library = [](foreign_column& column, std::size_t offers) {  // one is unknown
        column.quantity.assign(offers, 0.25);
        column.quantity.back() = -1;
    };
    pass(milliseconds(61'000));
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().provider, "p");
    use_policy(driest_text);
    submit(an_hour());
    start();
    offers();
    submit(an_hour());
    ASSERT_EQ(decisions.size(), 5u);
    EXPECT_THAT(replays(), Each("identical")) << "nobody asks the library, which would say something else";
}

TEST_F(replayer_signals_test, a_failure_of_a_library_is_kept_as_well) {
    with_water();
    library = [](foreign_column& column, std::size_t) {
        column.failure = "it broke";
    };
    begin(R"({"prices": {"water": {"amount": "2", "currency": "CNY", "per": "L", "on_failure": "ignore"}}})");
    submit(an_hour());
    ASSERT_EQ(decisions.size(), 1u);
    EXPECT_THAT(replays(), Each("identical"));
}

TEST_F(replayer_signals_test, more_than_is_kept_of_a_library_is_told) {
    with_water();
    library = [](foreign_column& column, std::size_t offers) {
        for (std::size_t i = 0; i < offers; ++i)
            column.quantity.push_back(static_cast<double>(i));
    };
    policy_at_start = watery_text;
    start();
    std::vector<offer> many;
    for (std::size_t i = 0; i <= foreign_runs_max; ++i)
        many.push_back(offer_of("p", "s" + std::to_string(100'000 + i), 1'000'000'000, 1));
    offer_from("p", many);
    offer_from("q", {});
    for (int i = 0; i < 80; ++i)
        give(tick{});
    submit(an_hour());
    ASSERT_EQ(decisions.size(), 1u);
    EXPECT_TRUE(terms_written.empty());
    EXPECT_THAT(replays(), Each(HasSubstr("which said more than is kept of it")));
}

TEST_F(replayer_signals_test, policies_are_compared_over_signals_and_words_of_libraries) {
    with_water();
    library = [](foreign_column& column, std::size_t offers) {
        for (std::size_t i = 0; i < offers; ++i)
            column.quantity.push_back(i == 0 ? 0.7 : 0.1);
    };
    begin(watery_text);
    told("grid", {hours("east", {100, 100}), hours("west", {900, 900})});
    submit(an_hour());
    use_policy(green_text);
    submit(an_hour());
    replayer tested(keep->readers(), terms);
    const std::vector<policy> in_use = {*decode_policy("mine", green_text)};
    policy_comparison_request asked;
    asked.before = {"watery", {}, std::string(watery_text)};
    asked.after = {"mine", {}, {}};
    auto report = tested.compare(asked, in_use);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->compared, 1u);
    EXPECT_EQ(report->not_comparable, 1u) << "the library was not asked for the second one";
    ASSERT_EQ(report->differ.size(), 1u);
    EXPECT_EQ(report->differ[0].before->provider, "q");
    EXPECT_EQ(report->differ[0].after->provider, "p");
}

/// While a long listing is taken over its first part has the new date already.
TEST_F(replayer_signals_test, in_the_midst_of_a_listing_some_offers_are_fresh_and_some_are_stale) {
    start();
    offer_from("q", {});
    const auto listing = [&](instant as_of) {
        std::vector<offer> many;
        for (int i = 0; i < 600; ++i) {
            many.push_back(offer_of("p", "s" + std::to_string(1000 + i), 2'000'000'000 - i * 1000, 10));
            many.back().as_of = as_of;
            many.back().stale_after_s = 60;
        }
        return offer_list(std::move(many));
    };
    offer_from("p", listing(now));
    give(tick{});
    submit(an_hour());
    const auto cheapest = last_decision().ranked.front().offer;
    pass(milliseconds(700'000));  // past ten times its age: nothing is launched there
    submit(an_hour());
    EXPECT_EQ(decisions.size(), 1u);
    offer_from("p", listing(now));
    ASSERT_EQ(decisions.size(), 2u) << "what is confirmed already can be used";
    EXPECT_NE(last_decision().ranked.front().offer, cheapest) << "the cheapest one is not confirmed yet";
    pass(milliseconds(100'000));
    submit(an_hour());
    EXPECT_EQ(last_decision().ranked.front().offer, cheapest);
    offer_from("p", listing(now));
    offer_from("p", listing(now + milliseconds(7)));  // before the end of the one before it
    submit(an_hour());
    submit(an_hour());
    EXPECT_THAT(replays(), Each("identical"));
}

}  // namespace
}  // namespace westerly
