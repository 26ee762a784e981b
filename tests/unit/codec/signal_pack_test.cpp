#include "broker/codec/signal_pack.hpp"

#include "broker/codec/deflate.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace westerly {
namespace {

constexpr milliseconds hour{3'600'000};

using shared_series = std::shared_ptr<const signal_series>;

shared_series hours(const std::string& zone, int from, int count, double value) {
    signal_series made;
    made.zone = zone;
    made.source = "grid";
    made.version = "2026";
    made.quality = quality_class::modelled_hourly;
    made.issued_at = instant(from * hour);
    made.received_at = instant(from * hour + milliseconds(12'345));
    made.max_age_s = 7200;
    for (int i = 0; i < count; ++i)
        made.intervals.push_back({instant((from + i) * hour), instant((from + i + 1) * hour), value + i / 3.0, i > 20});
    return std::make_shared<signal_series>(made);
}

bool same(const signal_list& a, const signal_list& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return *x == *y; });
}

TEST(signal_pack, signals_come_back) {
    auto odd = *hours("Z", -5, 3, -0.0);
    odd.kind = signal_kind::green_power_share;
    odd.method = signal_method::marginal;
    odd.scope = emission_scope::life_cycle;
    odd.issued_at.reset();
    odd.intervals[1].start_at += milliseconds(7);  // a gap
    const signal_list all = {hours("A", 490'000, 100, 1), std::make_shared<signal_series>(odd), hours("B", 0, 0, 0)};
    const auto back = unpack_signals(pack_signals(all));
    ASSERT_TRUE(back);
    EXPECT_TRUE(same(*back, all));
    EXPECT_TRUE(unpack_signals(pack_signals({}))->empty());
}

TEST(signal_pack, a_change_tells_what_is_new) {
    signal_list before, now;
    for (int zone = 0; zone < 50; ++zone) {
        before.push_back(hours("zone-" + std::to_string(zone), 490'000, 840, zone));
        auto later = *before.back();
        later.received_at += hour;
        later.intervals.erase(later.intervals.begin());
        later.intervals.push_back({later.intervals.back().end_at, later.intervals.back().end_at + hour, 7, true});
        now.push_back(std::make_shared<signal_series>(later));
    }
    const auto change = pack_signal_change(before, now);
    const auto back = unpack_signal_change(change, before);
    ASSERT_TRUE(back);
    EXPECT_TRUE(same(*back, now));
    EXPECT_LT(change.size() * 50, pack_signals(now).size());
    EXPECT_LT(change.size(), 50u * 30);
    EXPECT_FALSE(unpack_signal_change(change, {})) << "of another word it is no change";
}

TEST(signal_pack, any_change_comes_back) {
    std::mt19937 dice(7);
    const auto below = [&](int limit) {
        return static_cast<int>(dice() % static_cast<unsigned>(limit));
    };
    signal_list before;
    for (int step = 0; step < 2000; ++step) {
        signal_list now;
        for (int i = below(4); i > 0; --i)
            now.push_back(hours(std::string(1, static_cast<char>('A' + below(3))), below(6), below(30), below(2)));
        const auto back = unpack_signal_change(pack_signal_change(before, now), before);
        ASSERT_TRUE(back);
        ASSERT_TRUE(same(*back, now)) << step;
        before = now;
    }
}

TEST(signal_pack, words_of_libraries_come_back_to_the_last_bit) {
    foreign_column water{.term = "water", .tasks = 3, .quantity = {}, .gaps = true, .failure = {}};
    for (int i = 0; i < 20'000; ++i)
        water.quantity.push_back(i / 40 % 7 == 3 ? std::numeric_limits<double>::quiet_NaN() : i / 40 * 0.1);
    const foreign_column fallen{.term = "heat", .tasks = 1, .quantity = {}, .gaps = false, .failure = "it broke"};
    const auto runs = runs_of(std::vector{water, fallen});
    ASSERT_TRUE(runs);
    const auto packed = pack_terms(*runs);
    EXPECT_LT(packed.size(), 6000u) << "160 KB as they are";
    const auto kept = unpack_terms(packed);
    ASSERT_TRUE(kept);
    const auto back = columns_of(*kept);
    ASSERT_EQ(back.size(), 2u);
    EXPECT_EQ(back[0].term, "water");
    EXPECT_EQ(back[0].tasks, 3u);
    EXPECT_TRUE(back[0].gaps);
    ASSERT_EQ(back[0].quantity.size(), water.quantity.size());
    for (std::size_t i = 0; i < water.quantity.size(); ++i)
        ASSERT_EQ(std::bit_cast<std::uint64_t>(back[0].quantity[i]), std::bit_cast<std::uint64_t>(water.quantity[i]));
    EXPECT_EQ(back[1].failure, "it broke");
    EXPECT_FALSE(back[1].gaps);
    for (std::size_t i = 0; i < water.quantity.size(); ++i)
        water.quantity[i] = static_cast<double>(i);
    EXPECT_FALSE(runs_of(std::vector{water})) << "more than is kept";
    water.quantity.resize(foreign_runs_max);
    EXPECT_TRUE(runs_of(std::vector{water}));
}

TEST(signal_pack, damage_is_told) {
    const auto packed = pack_signals({hours("A", 1, 30, 2)});
    for (std::size_t size = 0; size < packed.size(); ++size)
        EXPECT_FALSE(unpack_signals(std::string_view(packed).substr(0, size)));
    EXPECT_FALSE(unpack_signals(deflated("")));
    EXPECT_FALSE(unpack_signals(deflated(std::string("\x02\x00", 2)))) << "of a newer form";
    EXPECT_FALSE(unpack_terms(deflated(std::string("\x01\x05", 2))));
    EXPECT_FALSE(inflated(std::string(8, '\xFF') + "x"));
    EXPECT_EQ(*inflated(deflated("")), "");
}

}  // namespace
}  // namespace westerly
