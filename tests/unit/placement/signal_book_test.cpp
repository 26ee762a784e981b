#include "broker/placement/signal_book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace westerly {
namespace {

constexpr auto kind = signal_kind::carbon_intensity;
constexpr std::int64_t hour = 3'600'000;

instant at(std::int64_t hours) {
    return instant(milliseconds(hours * hour));
}

signal_series series(const std::string& source, quality_class quality, std::int64_t from,
                     std::initializer_list<double> values, bool forecast = false) {
    signal_series made;
    made.zone = "Z";
    made.source = source;
    made.quality = quality;
    made.received_at = at(from);
    for (const double value : values) {
        made.intervals.push_back({at(from), at(from + 1), value, forecast});
        ++from;
    }
    return made;
}

signal_series yearly(double value) {
    signal_series made = series("ministry", quality_class::annual_provincial, 0, {value});
    made.intervals.front().end_at = at(8784);
    return made;
}

const zone_signal* used(const signal_book& book) {
    return book.find(kind, "Z");
}

TEST(signal_book, takes_the_best_quality_class) {
    signal_book book;
    EXPECT_EQ(used(book), nullptr);
    book.receive("a", {yearly(600)}, at(10));
    ASSERT_NE(used(book), nullptr);
    EXPECT_FALSE(used(book)->varies);
    book.receive("b", {series("modeller", quality_class::modelled_hourly, 9, {500, 510, 520})}, at(10));
    EXPECT_EQ(used(book)->source, "modeller");
    EXPECT_TRUE(used(book)->varies);
    book.receive("c", {series("meter", quality_class::measured_hourly, 10, {480})}, at(10));
    EXPECT_EQ(used(book)->source, "meter");
    EXPECT_EQ(used(book)->quality, quality_class::measured_hourly);
}

TEST(signal_book, falls_back_when_the_best_grows_stale) {
    signal_book book;
    signal_series hourly = series("modeller", quality_class::modelled_hourly, 9, {500, 510, 520, 530, 540});
    hourly.issued_at = at(9);
    hourly.max_age_s = 2 * 3600;
    book.receive("a", {yearly(600)}, at(10));
    book.receive("b", {hourly}, at(10));
    EXPECT_EQ(used(book)->source, "modeller");
    ASSERT_TRUE(book.next_change_at());
    EXPECT_LE(*book.next_change_at(), at(11));
    EXPECT_TRUE(book.refresh(at(11)));
    EXPECT_EQ(used(book)->source, "ministry") << "two hours after it was issued";
    for (const auto& status : book.statuses(at(11)))
        EXPECT_EQ(status.in_use, status.series->source == "ministry") << status.why_not;
    hourly.issued_at = at(11);
    book.receive("b", {hourly}, at(11));
    EXPECT_EQ(used(book)->source, "modeller");
}

TEST(signal_book, lays_what_is_measured_over_the_forecast_of_the_same_source) {
    signal_book book;
    book.receive("b",
                 {series("maps", quality_class::measured_hourly, 8, {300, 310, 320}),
                  series("maps", quality_class::measured_hourly, 10, {999, 330, 340}, true)},
                 at(10));
    ASSERT_NE(used(book), nullptr);
    const signal_curve& curve = used(book)->curve;
    EXPECT_EQ(curve.mean(10 * hour, hour, 0), 320);
    EXPECT_EQ(curve.mean(11 * hour, hour, 0), 330);
    EXPECT_EQ(curve.covered_until(8 * hour), 13 * hour);
}

TEST(signal_book, never_counts_marginal_or_life_cycle_intensity) {
    signal_book book;
    signal_series marginal = series("m", quality_class::measured_hourly, 10, {1}),
                  life_cycle = series("l", quality_class::measured_hourly, 10, {1});
    marginal.method = signal_method::marginal;
    life_cycle.scope = emission_scope::life_cycle;
    book.receive("a", {marginal, life_cycle}, at(10));
    EXPECT_EQ(used(book), nullptr);
    for (const auto& status : book.statuses(at(10)))
        EXPECT_NE(status.why_not.find("never counted"), std::string::npos);
}

TEST(signal_book, keeps_what_has_passed) {
    signal_book book;
    book.receive("a", {series("meter", quality_class::measured_hourly, 8, {300, 310, 320})}, at(10));
    book.receive("a", {series("meter", quality_class::measured_hourly, 10, {325, 330})}, at(11));
    EXPECT_EQ(used(book)->curve.integral(8 * hour, 12 * hour).sum / hour, 300 + 310 + 325 + 330);
}

TEST(signal_book, forgets_feeds_that_are_gone) {
    signal_book book;
    book.receive("a", {yearly(600)}, at(10));
    const std::string others[] = {"b"};
    book.keep_only(others, at(10));
    EXPECT_TRUE(book.empty());
    EXPECT_EQ(used(book), nullptr);
}

TEST(overlay, fills_gaps_only) {
    const auto piece = [](std::int64_t from, std::int64_t to, double value) {
        return signal_interval{at(from), at(to), value, false};
    };
    const std::vector<signal_interval> first{piece(2, 4, 1), piece(6, 7, 1)};
    const std::vector<signal_interval> second{piece(0, 3, 2), piece(3, 10, 2)};
    EXPECT_EQ(overlay(first, second),
              (std::vector{piece(0, 2, 2), piece(2, 4, 1), piece(4, 6, 2), piece(6, 7, 1), piece(7, 10, 2)}));
    EXPECT_EQ(overlay(first, {}), first);
    EXPECT_EQ(overlay({}, second), second);
}

/// Hour by hour against the rule itself: the first has it, else the second; and no piece is cut without need.
TEST(overlay, is_the_first_else_the_second_at_any_time) {
    std::mt19937 dice(5);
    const auto pieces = [&](double value) {
        std::vector<signal_interval> made;
        for (std::int64_t t = dice() % 6; t < 40; t += dice() % 4) {
            const std::int64_t end = t + 1 + dice() % 5;
            made.push_back({at(t), at(end), value, false});
            t = end;
        }
        return made;
    };
    const auto value_at = [](const std::vector<signal_interval>& in, std::int64_t t) {
        for (const signal_interval& i : in)
            if (i.start_at <= at(t) && at(t) < i.end_at)
                return i.value;
        return 0.0;
    };
    for (int world = 0; world < 20'000; ++world) {
        const auto first = pieces(1), second = pieces(2);
        const auto both = overlay(first, second);
        for (std::int64_t t = 0; t < 50; ++t)
            ASSERT_EQ(value_at(both, t), value_at(first, t) == 0 ? value_at(second, t) : 1) << world << ' ' << t;
        for (std::size_t i = 1; i < both.size(); ++i)
            ASSERT_LE(both[i - 1].end_at, both[i].start_at) << world;
        ASSERT_LE(both.size(), 2 * first.size() + second.size());
    }
}

bool same(const zone_signal* a, const zone_signal* b) {
    const auto curves = [](const signal_curve& x, const signal_curve& y) {
        return std::ranges::equal(x.starts(), y.starts()) && std::ranges::equal(x.ends(), y.ends()) &&
               std::ranges::equal(x.values(), y.values());
    };
    return !a || !b ? a == b
                    : curves(a->curve, b->curve) && a->measured == b->measured && a->varies == b->varies &&
                          a->source == b->source && a->version == b->version && a->quality == b->quality &&
                          a->issued_at == b->issued_at;
}

/// Whatever feeds tell, and whenever the choice was made: what they told gives the same choice again; and what a word
/// or an edge leaves as it was is what choosing everything anew would give.
TEST(signal_book, is_made_again_from_what_its_feeds_told) {
    std::mt19937 dice(11);
    const auto below = [&](int limit) {
        return static_cast<int>(dice() % static_cast<unsigned>(limit));
    };
    const char* const names[] = {"a", "b", "c"};
    const quality_class classes[] = {quality_class::measured_hourly, quality_class::modelled_hourly,
                                     quality_class::annual_provincial};
    signal_book book;
    std::int64_t now = 100;
    for (int step = 0; step < 3000; ++step) {
        now += below(3);
        std::vector<signal_series> told;
        for (int i = below(4); i > 0; --i) {
            auto one = series(names[below(3)], classes[below(3)], now - 3 + below(6), {1.0 * below(9), 2, 3}, below(2));
            one.zone = names[below(2)];
            one.max_age_s = static_cast<std::uint64_t>(below(3)) * 3600;
            one.received_at = at(now);
            if (below(2) == 0)
                one.issued_at = at(now - below(3));
            told.push_back(std::move(one));
        }
        if (below(10) == 0)
            book.keep_only(std::vector<std::string>{"a", "b"}, at(now));
        else if (below(3) > 0)
            book.receive(names[below(3)], std::move(told), at(now));
        else
            book.refresh(at(now));
        std::vector<std::pair<std::string, signal_list>> kept;
        for (const auto& feed : book.feeds())
            kept.emplace_back(feed, book.told_by(feed));
        signal_book again;
        again.restore(kept, at(0));
        again.choose_as_at(book.chosen_at());
        ASSERT_EQ(again.empty(), book.empty());
        for (const char* zone : names)
            ASSERT_TRUE(same(again.find(kind, zone), book.find(kind, zone))) << step;
        book.refresh(at(now));
        signal_book anew;
        anew.restore(kept, at(now));
        for (const char* zone : names)
            ASSERT_TRUE(same(anew.find(kind, zone), book.find(kind, zone))) << step;
    }
}

}  // namespace
}  // namespace westerly
