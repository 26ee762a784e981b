#include "broker/placement/replay.hpp"
#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

using built::decide_on;
using built::now;
using built::plain;

workload_spec interactive() {
    workload_spec spec = built::task();
    spec.interactive = true;
    spec.limits.from = origin{.region = "here", .latitude_longitude = {}};
    return spec;
}

/// Declared 9 ms, measured 4 ms at `age` before now; what is older than an hour does not count.
offer measured(milliseconds age) {
    offer o = plain("a");
    o.site.rtt_ms = {{"here", 9.0}};
    o.site.rtt_measured = {{.region = "here", .ms = 4, .measured_at = now - age, .samples = 5}};
    o.site.rtt_max_age_s = 3600;
    return o;
}

bool notes_have(const decision& made, note_kind kind) {
    return std::ranges::any_of(made.notes, [&](const note& told) { return told.kind == kind; });
}

TEST(measured_rtt, counts_before_what_is_declared_until_it_is_too_old) {
    const decision fresh = decide_on({measured(seconds(3600))}, interactive());
    EXPECT_EQ(fresh.ranked[0].rtt_ms, 4);
    EXPECT_EQ(fresh.ranked[0].rtt_method, "measured");
    EXPECT_NE(explain(fresh).find("The RTT from here to a was measured at "), std::string::npos) << explain(fresh);
    EXPECT_NE(explain(fresh, language::zh).find("RTT 4.0 ms（实测）"), std::string::npos);

    const decision old = decide_on({measured(seconds(3600) + milliseconds(1))}, interactive());
    EXPECT_EQ(old.ranked[0].rtt_ms, 9);
    EXPECT_EQ(old.ranked[0].rtt_method, "declared");
    EXPECT_TRUE(notes_have(old, note_kind::rtt_measured_old));
    EXPECT_FALSE(notes_have(old, note_kind::rtt_measured));
    EXPECT_NE(explain(old).find("was measured 1 h ago, and what is older than 1 h does not count: it is declared."),
              std::string::npos)
        << explain(old);
}

TEST(measured_rtt, does_not_count_where_it_is_dated_ahead) {
    const decision by_minutes = decide_on({measured(-seconds(300))}, interactive());
    EXPECT_EQ(by_minutes.ranked[0].rtt_method, "measured") << "clocks differ";
    const decision by_more = decide_on({measured(-seconds(300) - milliseconds(1))}, interactive());
    EXPECT_EQ(by_more.ranked[0].rtt_ms, 9);
    EXPECT_EQ(by_more.ranked[0].rtt_method, "declared");
    EXPECT_FALSE(notes_have(by_more, note_kind::rtt_measured) || notes_have(by_more, note_kind::rtt_measured_old));
}

TEST(measured_rtt, gives_way_to_an_estimate_where_nothing_is_declared) {
    offer o = measured(seconds(7200));
    o.site.rtt_ms.clear();
    o.site.region = "here";
    const decision made = decide_on({o}, interactive());
    EXPECT_EQ(made.ranked[0].rtt_method, "estimated from coordinates (median error 3 ms)");
    EXPECT_EQ(made.ranked[0].rtt_ms, 6.57);
}

TEST(measured_rtt, of_several_origins_the_weakest_knowledge_labels_the_whole) {
    offer o = measured(seconds(1));
    workload_spec spec = interactive();
    spec.limits.from.reset();
    spec.limits.origins = {{{.region = "here", .latitude_longitude = {}}, 1},
                           {{.region = "there", .latitude_longitude = {}}, 3}};
    o.site.rtt_ms.emplace_back("there", 8.0);
    const decision mixed = decide_on({o}, spec);
    EXPECT_EQ(mixed.ranked[0].rtt_method, "declared");
    EXPECT_EQ(mixed.ranked[0].rtt_ms, 0.25 * 4 + 0.75 * 8);
    o.site.rtt_measured.push_back({.region = "there", .ms = 6, .measured_at = now});
    EXPECT_EQ(decide_on({o}, spec).ranked[0].rtt_method, "measured");
}

TEST(measured_rtt, is_held_against_the_limit) {
    workload_spec spec = interactive();
    spec.limits.max_rtt_ms = 5;
    EXPECT_EQ(decide_on({measured(seconds(1))}, spec).ranked.size(), 1u);
    EXPECT_EQ(built::only_rejection(decide_on({measured(seconds(4000))}, spec)), rejection::rtt);
}

TEST(measured_rtt, is_not_told_where_nobody_waits) {
    workload_spec spec = interactive();
    spec.interactive = false;
    EXPECT_FALSE(notes_have(decide_on({measured(seconds(1))}, spec), note_kind::rtt_measured));
}

TEST(measured_rtt, makes_a_site_of_the_book_another_one) {
    offer_book book = built::book_of({measured(seconds(2))});
    const offer_list later({measured(seconds(1))});
    const auto made = book.replace_part("p", later.all(), nullptr, nullptr);
    EXPECT_EQ(made.changed.size(), 1u);
    EXPECT_EQ(book.sites()[book.cols().site[0]].measured[0].until, now + seconds(3599));
}

/// With a figure that counts and one that is too old by then: both are of the offers' history, and the time is the
/// decision's.
TEST(measured_rtt, decisions_replay_from_the_history_of_offers) {
    offer other = measured(seconds(5000));
    other.id = "p/b/n/on_demand";
    other.site.site = "b";
    const offer_list offers{measured(seconds(10)), other};
    market_past past;
    past.offers = {{"p", offers}};
    offer_book book;
    book.replace_provider("p", offers);
    const decision first = decide(book, {}, built_in_terms(), interactive(), built::world());
    past_book again(past, {});
    const auto replayed = again.decide_again(first, {}, {}, built_in_terms(), interactive());
    ASSERT_TRUE(replayed);
    EXPECT_EQ(*replayed, first);
    EXPECT_EQ(first.ranked[0].rtt_method, "measured");
    EXPECT_EQ(first.ranked[1].rtt_method, "declared");
}

}  // namespace
}  // namespace westerly
