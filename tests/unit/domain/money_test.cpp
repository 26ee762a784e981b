#include "broker/domain/money.hpp"

#include "broker/support/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace westerly {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr milliseconds hour = std::chrono::hours(1);

TEST(money, currencies_are_read_as_they_are_written) {
    for (const auto code : {currency::cny, currency::usd})
        EXPECT_EQ(parse_currency(to_string(code)), code);
    for (const auto* bad : {"", "cny", "EUR", "CNYX", "CN"})
        EXPECT_EQ(parse_currency(bad), std::nullopt) << bad;
}

struct decimal_case {
    std::string_view text;
    std::int64_t micros;
    std::string_view written;
};

TEST(money, decimals_are_read_exactly) {
    for (const auto& [text, micros, written] : {decimal_case{"0", 0, "0.000000"},
                                                {"-0", 0, "0.000000"},
                                                {"7.80", 7'800'000, "7.800000"},
                                                {"-7.8", -7'800'000, "-7.800000"},
                                                {"0.000001", 1, "0.000001"},
                                                {"-0.000001", -1, "-0.000001"},
                                                {"10", 10'000'000, "10.000000"},
                                                {"9223372036854.775807", most, "9223372036854.775807"},
                                                {"-9223372036854.775808", least, "-9223372036854.775808"}}) {
        EXPECT_EQ(parse_micros(text).value(), micros) << text;
        EXPECT_EQ(format_micros(micros), written);
    }
    EXPECT_EQ(parse_nanos("0.045").value(), 45'000'000);
    EXPECT_EQ(format_nanos(45'000'000), "0.045000000");
    EXPECT_EQ(parse_nanos("9223372036.854775807").value(), most);
    EXPECT_EQ(format_nanos(least), "-9223372036.854775808");
}

TEST(money, what_is_no_exact_decimal_is_refused) {
    for (const auto* bad : {"",
                            "-",
                            "+1",
                            ".5",
                            "5.",
                            "1.2.3",
                            "1e3",
                            "0x1",
                            "1,5",
                            " 1",
                            "1 ",
                            "--1",
                            "007.8",
                            "1.-5",
                            "NaN",
                            "inf",
                            "1.0000001",
                            "٣",
                            "-.5",
                            "9223372036854.775808",
                            "-9223372036854.775809",
                            "99999999999999999999999999"}) {
        const auto micros = parse_micros(bad);
        ASSERT_FALSE(micros) << bad;
        EXPECT_EQ(micros.error().code, errc::invalid);
    }
    EXPECT_FALSE(parse_nanos("0.0000000001"));
    EXPECT_FALSE(parse_nanos("9223372037"));
}

TEST(money, every_amount_survives_its_text) {
    random_source random(21);
    for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<std::int64_t>(random.next() >> (random.next() % 64)) * (i % 2 == 0 ? 1 : -1);
        EXPECT_EQ(parse_micros(format_micros(value)).value(), value);
        EXPECT_EQ(parse_nanos(format_nanos(value)).value(), value);
    }
}

TEST(money, halves_go_to_the_even_neighbour) {
    const auto divide = [](std::int64_t a, std::int64_t b) {
        return static_cast<std::int64_t>(divide_half_even(a, b));
    };
    EXPECT_EQ(divide(5, 10), 0);
    EXPECT_EQ(divide(15, 10), 2);
    EXPECT_EQ(divide(25, 10), 2);
    EXPECT_EQ(divide(-5, 10), 0);
    EXPECT_EQ(divide(-15, 10), -2);
    EXPECT_EQ(divide(-25, 10), -2);
    EXPECT_EQ(divide(24, 10), 2);
    EXPECT_EQ(divide(26, 10), 3);
    EXPECT_EQ(divide(-26, 10), -3);
    EXPECT_EQ(divide(7, 1), 7);
    EXPECT_EQ(divide(3, 7), 0);
    EXPECT_EQ(divide(4, 7), 1);
}

TEST(money, division_is_the_nearest_and_does_not_overflow_at_the_edge) {
    constexpr wide widest = (wide(most) << 64) | wide(std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(divide_half_even(widest, widest) == 1);
    EXPECT_TRUE(divide_half_even(widest - 1, widest) == 1);
    EXPECT_TRUE(divide_half_even(-widest, widest) == -1);
    EXPECT_TRUE(divide_half_even(widest / 2, widest) == 0);
    EXPECT_TRUE(divide_half_even(widest, 1) == widest);
    random_source random(22);
    for (int i = 0; i < 20'000; ++i) {
        const auto a = static_cast<std::int64_t>(random.next());
        const auto b = static_cast<std::int64_t>(random.next() >> 33) + 1;
        const wide q = divide_half_even(a, b);
        const wide twice_error = (wide(a) - q * b) * 2;
        EXPECT_TRUE(twice_error <= b && twice_error >= -wide(b));
        EXPECT_TRUE((twice_error != b && twice_error != -wide(b)) || q % 2 == 0);
    }
}

TEST(money, published_figures_come_out) {
    // 200 cards for two months at 7.80 a card-hour.
    EXPECT_EQ(format_micros(cumulative_micros({7'800'000'000}, 200, 24 * 60 * hour)), "2246400.000000");
    // 50 000 a month for 8 cards is dearer by the hour than 7.80: 8.68.
    const auto card_hour = static_cast<std::int64_t>(divide_half_even(wide(50'000) * 1'000'000'000, 8 * 24 * 30));
    EXPECT_EQ(format_nanos(card_hour).substr(0, 4), "8.68");
    EXPECT_GT(card_hour, 7'800'000'000);
    // A centre of 64 000 kW at 0.45 a kWh pays about 250 million a year.
    EXPECT_EQ(format_micros(cumulative_micros({450'000'000}, 64'000, 24 * 365 * hour)), "252288000.000000");
}

TEST(money, a_single_rounding_is_half_even_at_the_micro) {
    // 3600 nanos an hour are one nano a second: 500 s are half a micro, 1500 s one and a half.
    EXPECT_EQ(cumulative_micros({3'600}, 1, seconds(499)), 0);
    EXPECT_EQ(cumulative_micros({3'600}, 1, seconds(500)), 0);
    EXPECT_EQ(cumulative_micros({3'600}, 1, milliseconds(500'001)), 1);
    EXPECT_EQ(cumulative_micros({3'600}, 1, seconds(1500)), 2);
    EXPECT_EQ(cumulative_micros({3'600}, 1, seconds(2500)), 2);
}

TEST(money, rows_of_any_cut_sum_to_the_whole) {
    random_source random(23);
    for (int round = 0; round < 500; ++round) {
        const unit_price price{static_cast<std::int64_t>(random.next() % 100'000'000'000)};
        const std::uint64_t units = random.next() % 20'000 + 1;
        const auto whole_ms = static_cast<std::int64_t>(random.next() % 10'000'000'000);
        std::vector<std::int64_t> cuts = {0, whole_ms};
        for (std::uint64_t i = random.next() % 20; i > 0; --i)
            cuts.push_back(static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(whole_ms + 1)));
        std::ranges::sort(cuts);
        std::int64_t sum = 0;
        for (std::size_t i = 1; i < cuts.size(); ++i) {
            const std::int64_t row = cumulative_micros(price, units, milliseconds(cuts[i])) -
                                     cumulative_micros(price, units, milliseconds(cuts[i - 1]));
            EXPECT_GE(row, 0);
            sum += row;
        }
        EXPECT_EQ(sum, cumulative_micros(price, units, milliseconds(whole_ms)));
    }
}

TEST(money, the_charge_scales_with_price_units_and_time_alike) {
    random_source random(24);
    for (int i = 0; i < 2'000; ++i) {
        const auto price = static_cast<std::int64_t>(random.next() % 1'000'000'000);
        const std::uint64_t units = random.next() % 1'000 + 1;
        const milliseconds time(static_cast<std::int64_t>(random.next() % 1'000'000));
        const auto k = static_cast<std::int64_t>(random.next() % 1'000 + 1);
        const std::int64_t scaled = cumulative_micros({price * k}, units, time);
        EXPECT_EQ(cumulative_micros({price}, units * static_cast<std::uint64_t>(k), time), scaled);
        EXPECT_EQ(cumulative_micros({price}, units, time * k), scaled);
    }
}

TEST(money, a_dearer_longer_or_larger_run_never_costs_less) {
    random_source random(25);
    for (int i = 0; i < 2'000; ++i) {
        const auto price = static_cast<std::int64_t>(random.next() >> 20);
        const std::uint64_t units = random.next() >> 40;
        const milliseconds time(static_cast<std::int64_t>(random.next() >> 25));
        const std::int64_t cost = cumulative_micros({price}, units, time);
        EXPECT_LE(cost, cumulative_micros({price + 1}, units, time));
        EXPECT_LE(cost, cumulative_micros({price}, units + 1, time));
        EXPECT_LE(cost, cumulative_micros({price}, units, time + milliseconds(1)));
    }
}

TEST(money, extremes_saturate) {
    constexpr auto units_most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(cumulative_micros({most}, units_most, milliseconds::max()), most);
    EXPECT_EQ(cumulative_micros({most}, units_most, hour), most);
    EXPECT_EQ(cumulative_micros({most}, 1, milliseconds::max()), most);
    EXPECT_EQ(cumulative_micros({0}, units_most, milliseconds::max()), 0);
    EXPECT_EQ(cumulative_micros({most}, 0, milliseconds::max()), 0);
    EXPECT_EQ(cumulative_micros({most}, units_most, milliseconds(0)), 0);
    EXPECT_EQ(cumulative_micros({-most}, units_most, milliseconds::max()), least);
}

TEST(money, rates_convert_to_either_base) {
    exchange_rates rates;
    EXPECT_EQ(rate_nanos(rates, currency::cny), 1'000'000'000);
    EXPECT_EQ(rate_nanos(rates, currency::usd), 7'100'000'000);
    EXPECT_DOUBLE_EQ(to_base(rates, {2'000'000, currency::usd}), 14.2);
    EXPECT_DOUBLE_EQ(to_base(rates, {-2'000'000, currency::cny}), -2.0);
    rates.base = currency::usd;
    EXPECT_EQ(rate_nanos(rates, currency::usd), 1'000'000'000);
    EXPECT_EQ(rate_nanos(rates, currency::cny), 140'845'070);
}

}  // namespace
}  // namespace westerly
