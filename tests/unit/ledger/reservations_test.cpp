#include "broker/ledger/reservations.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

using std::chrono::days;
using std::chrono::hours;

const instant until{milliseconds(1'780'000'000'000)};

offer node(std::string id, billing_mode mode, std::uint32_t cards = 8, std::string model = "A100") {
    offer o;
    o.id = std::move(id);
    o.mode = mode;
    o.unit = offer_unit::node;
    o.vcpus = 128;
    o.accelerators = accelerator_facts{.model = std::move(model), .count = cards, .memory_gib = 80};
    return o;
}

/// 50 000 CNY a month for eight cards, as MISSION.md has it.
offer reserved(std::int64_t fee_cny = 50'000, reservation_term term = reservation_term::month) {
    offer o = node("seller/north/8xa100/reserved", billing_mode::reserved);
    o.site.region = "cn-north";
    o.supply.fee = reservation_fee{term, {fee_cny * 1'000'000, currency::cny}};
    return o;
}

/// One card by the hour.
offer by_the_hour(std::int64_t nanos = 7'800'000'000) {
    offer o = node("cloud/east/card/on_demand", billing_mode::on_demand, 1);
    o.unit = offer_unit::card;
    o.price = unit_price{nanos, currency::cny};
    return o;
}

/// So many cards of the offer from `from` on, at 7.80 an hour of a card.
charge ran(instant from, hours length, std::uint64_t units, const offer& on = by_the_hour()) {
    charge row;
    row.offer = on.id;
    row.start_at = from;
    row.end_at = from + length;
    row.units = units;
    row.price = *on.price;
    row.billed_micros = cumulative_micros(row.price, units, length);
    return row;
}

reservation_advice advice_on(const std::vector<charge>& history, offer of, days window = days(30)) {
    const std::vector<offer> offers{by_the_hour(), std::move(of)};
    const auto made = advise_reservations(history, offers, until - window, until);
    EXPECT_EQ(made.advices.size(), 1u);
    return made.advices.empty() ? reservation_advice{} : made.advices.front();
}

TEST(reservations, eight_cards_for_50_000_a_month_cost_more_than_7_80_an_hour_even_when_never_idle) {
    // Eight cards all month: 720 h x 8 x 7.80 = 44 928 by the hour, against 50 000.
    const auto made = advice_on({ran(until - days(30), days(30), 8)}, reserved());
    EXPECT_NEAR(made.reserved_price, 50'000.0 / (8 * 720), 1e-9);
    EXPECT_NEAR(made.reserved_price, 8.68, 0.005);
    EXPECT_TRUE(made.price_paid);
    EXPECT_NEAR(*made.hourly_price, 7.80, 1e-9);
    EXPECT_NEAR(*made.break_even_h, 50'000.0 / 62.40, 1e-6) << "801.28 h, and a month has 720";
    EXPECT_NEAR(made.busy_h, 720, 1e-6);
    EXPECT_EQ(made.units, 0u);
    EXPECT_NEAR(*made.saving_per_month, 44'928 - 50'000, 1e-6) << "what availability would cost";
    EXPECT_NEAR(made.used_card_h, 5760, 1e-6);
    EXPECT_EQ(made.region, "cn-north");
}

TEST(reservations, eight_cards_for_70_000_a_month_cost_more_still) {
    // 70 000 / (8 x 720) = 12.15 a card-hour; it buys 70 000 / (8 x 7.80) = 1 121.79 h, and a month has 720.
    const auto made = advice_on({ran(until - days(30), days(30), 8)}, reserved(70'000));
    EXPECT_NEAR(made.reserved_price, 12.15, 0.005);
    EXPECT_NEAR(*made.break_even_h, 70'000.0 / 62.40, 1e-6);
    EXPECT_EQ(made.units, 0u);
    EXPECT_NEAR(*made.saving_per_month, 44'928 - 70'000, 1e-6);
}

TEST(reservations, dgx_cloud_at_37_000_usd_a_month_pays_from_6_42_an_hour) {
    // 8 x H100: 37 000 / (8 x 720) = 6.4236 USD a card-hour. Against 10 USD it breaks even at 37 000 / 80 = 462.5 h and
    // saves 8 x 720 x 10 - 37 000 = 20 600 when never idle; against 6.40, 37 000 / 51.20 = 722.7 h are more than there
    // are, against 6.45 717.1 h are not.
    for (const auto& [cents, units, saving] :
         {std::tuple{1000, 1u, 20'600.0}, {645, 1u, 5760 * 6.45 - 37'000}, {640, 0u, 5760 * 6.40 - 37'000}}) {
        offer dgx = node("dgx/us/8xh100/reserved", billing_mode::reserved, 8, "H100");
        dgx.supply.fee = reservation_fee{reservation_term::month, {37'000'000'000, currency::usd}};
        offer hourly = node("cloud/us/h100/on_demand", billing_mode::on_demand, 1, "H100");
        hourly.unit = offer_unit::card;
        hourly.price = unit_price{cents * 10'000'000ll, currency::usd};
        const std::vector<offer> offers{hourly, dgx};
        const std::vector<charge> history{ran(until - days(30), days(30), 8, hourly)};
        const auto made = advise_reservations(history, offers, until - days(30), until);
        ASSERT_EQ(made.advices.size(), 1u);
        const auto& advice = made.advices.front();
        EXPECT_NEAR(advice.reserved_price, 37'000.0 / 5760, 1e-9);
        EXPECT_NEAR(advice.reserved_price, 6.4236, 0.00005);
        EXPECT_NEAR(*advice.break_even_h, 37'000 / (8 * cents / 100.0), 1e-6);
        EXPECT_EQ(advice.units, units);
        EXPECT_NEAR(*advice.saving_per_month, saving, 1e-6);
    }
}

TEST(reservations, the_break_even_is_the_hours_that_the_fee_buys) {
    // 31 200 a month buys 31 200 / (8 x 7.80) = 500 h; the month was busy for 501, then 499.
    for (const auto& [busy, units, saving] : {std::tuple{501, 1u, 62.40}, {499, 0u, -62.40}}) {
        const auto made = advice_on({ran(until - days(30), hours(busy), 8)}, reserved(31'200));
        EXPECT_NEAR(*made.break_even_h, 500, 1e-9);
        EXPECT_NEAR(made.busy_h, busy, 1e-9);
        EXPECT_EQ(made.units, units);
        EXPECT_NEAR(*made.saving_per_month, saving, 1e-6);
    }
}

TEST(reservations, as_many_units_as_are_each_busy_enough) {
    // 8 cards always, 8 more for 600 h, 8 more for 100 h; break-even 500 h: two units. Saved: (720-500 + 600-500)
    // x 62.40.
    const auto begin = until - days(30);
    const auto made =
        advice_on({ran(begin, days(30), 8), ran(begin, hours(600), 8), ran(begin, hours(100), 8)}, reserved(31'200));
    EXPECT_EQ(made.units, 2u);
    EXPECT_NEAR(*made.saving_per_month, 320 * 62.40, 1e-6);
    EXPECT_NEAR(made.busy_h, 720, 1e-6);
    offer last_one = reserved(31'200);
    last_one.units_free = 1;
    EXPECT_EQ(advice_on({ran(begin, days(30), 16)}, last_one).units, 1u);
}

TEST(reservations, cards_used_one_after_another_share_one_unit) {
    // 16 cards for half the month are two half-idle units, 8 cards for all of it one busy one.
    const auto begin = until - days(30);
    EXPECT_EQ(advice_on({ran(begin, hours(360), 16)}, reserved(31'200)).units, 0u);
    EXPECT_EQ(advice_on({ran(begin, hours(360), 8), ran(begin + hours(360), hours(360), 8)}, reserved(31'200)).units,
              1u);
    // Four of eight cards all month: as good as 360 h of all.
    EXPECT_NEAR(advice_on({ran(begin, days(30), 4)}, reserved(31'200)).busy_h, 360, 1e-6);
}

TEST(reservations, a_year_is_reckoned_over_its_8760_hours) {
    // 438 000 a year: 438 000 / 62.40 = 7 019.23 h of 8 760; busy all the time saves (8760-7019.23) x 62.40 /
    // (8760/720).
    const auto made = advice_on({ran(until - days(30), days(30), 8)}, reserved(438'000, reservation_term::year));
    EXPECT_NEAR(*made.break_even_h, 438'000 / 62.40, 1e-6);
    EXPECT_NEAR(made.busy_h, 8760, 1e-6);
    EXPECT_EQ(made.units, 1u);
    EXPECT_NEAR(*made.saving_per_month, 44'928 - 36'000, 1e-6);
}

TEST(reservations, only_comparable_use_counts) {
    const auto begin = until - days(30);
    offer other_model = node("cloud/east/h800/on_demand", billing_mode::on_demand, 1, "H800");
    other_model.price = unit_price{20'000'000'000, currency::cny};
    offer dollars = node("dgx/us/card/on_demand", billing_mode::on_demand, 1);
    dollars.price = unit_price{1'000'000'000, currency::usd};
    offer kept = node("seller/north/card/reserved", billing_mode::reserved, 1);
    kept.price = unit_price{0, currency::cny};
    charge gone = ran(begin, hours(10), 8);
    gone.offer = "closed/site/card/on_demand";
    const std::vector<offer> offers{by_the_hour(), other_model, dollars, kept, reserved()};
    const std::vector<charge> history{ran(begin, days(30), 8, other_model), ran(begin, days(30), 8, dollars),
                                      ran(begin, days(30), 8, kept), gone};
    const auto made = advise_reservations(history, offers, begin, until);
    ASSERT_EQ(made.advices.size(), 1u) << "an offer without a fee is none to buy";
    EXPECT_EQ(made.rows_unknown, 1u);
    const auto& advice = made.advices.front();
    EXPECT_EQ(advice.used_card_h, 0);
    EXPECT_FALSE(advice.price_paid);
    EXPECT_EQ(advice.hourly_price, 7.8) << "the cheapest on offer, where nothing was paid";
    EXPECT_EQ(advice.units, 0u);
    EXPECT_NEAR(*advice.saving_per_month, -50'000, 1e-6);
}

TEST(reservations, what_cannot_be_had_now_is_neither_advised_nor_a_price) {
    offer later = by_the_hour(10'000'000);
    later.id = "cloud/east/later/on_demand";
    later.supply.available_from = until + days(2);
    offer past = later;
    past.id = "cloud/east/past/on_demand";
    past.supply.available_from = std::nullopt;
    past.supply.price_until = until;
    const std::vector<offer> offers{by_the_hour(), later, past, reserved()};
    const auto made = advise_reservations({}, offers, until - days(30), until);
    ASSERT_EQ(made.advices.size(), 1u);
    EXPECT_NEAR(*made.advices[0].hourly_price, 7.80, 1e-9);

    offer next_month = reserved();
    next_month.supply.available_from = until + days(2);
    EXPECT_TRUE(
        advise_reservations({}, std::vector{by_the_hour(), next_month}, until - days(30), until).advices.empty());
}

TEST(reservations, without_any_hourly_price_nothing_is_said_of_money) {
    const std::vector<offer> offers{reserved()};
    const auto made = advise_reservations({}, offers, until - days(30), until);
    ASSERT_EQ(made.advices.size(), 1u);
    EXPECT_FALSE(made.advices.front().hourly_price);
    EXPECT_FALSE(made.advices.front().break_even_h);
    EXPECT_FALSE(made.advices.front().saving_per_month);
    EXPECT_EQ(made.from, made.until);
}

TEST(reservations, the_window_begins_with_the_first_use_and_cuts_rows) {
    // A tenant of ten days, busy all the time: its use is not thinned out over the 90 days asked for.
    const auto made = advice_on({ran(until - days(10), days(20), 8)}, reserved(31'200), days(90));
    EXPECT_NEAR(made.busy_h, 720, 1e-6);
    EXPECT_NEAR(made.used_card_h, 10 * 24 * 8, 1e-6) << "what came after the window does not count";
    EXPECT_NEAR(*made.hourly_price, 7.80, 1e-9);
    EXPECT_EQ(made.weeks, 1u);
    EXPECT_EQ(made.how_sure, advice_certainty::low);
}

TEST(reservations, less_than_a_week_of_history_gives_no_number_to_buy) {
    for (const auto& [history, units] :
         {std::pair{hours(7 * 24 - 1), std::optional<std::uint64_t>()}, {hours(7 * 24), 1u}}) {
        const auto made = advice_on({ran(until - history, history, 8)}, reserved(31'200));
        EXPECT_EQ(made.units, units) << history.count() << " h";
        EXPECT_EQ(made.saving_per_month.has_value(), units.has_value());
        EXPECT_NEAR(*made.break_even_h, 500, 1e-9) << "what needs no history is told";
    }
    // 50 000 a month is more than all its hours cost: no history changes that.
    const auto dear = advice_on({ran(until - hours(2), hours(2), 8)}, reserved());
    EXPECT_EQ(dear.units, 0u);
    EXPECT_FALSE(dear.saving_per_month);
    EXPECT_EQ(dear.weeks, 0u);
}

TEST(reservations, the_best_saving_comes_first) {
    offer cheaper = reserved(20'000);
    cheaper.id = "seller/north/z-cheaper/reserved";
    const std::vector<offer> offers{by_the_hour(), reserved(31'200), cheaper};
    const auto made =
        advise_reservations(std::vector{ran(until - days(30), days(30), 8)}, offers, until - days(30), until);
    ASSERT_EQ(made.advices.size(), 2u);
    EXPECT_EQ(made.advices[0].offer, cheaper.id);
}

TEST(reservations, what_is_left_out_is_counted_by_its_reason) {
    std::vector<offer> offers{by_the_hour()};
    const auto add = [&](auto&& change) {
        change(offers.emplace_back(reserved()));
    };
    add([](offer& o) { o.supply.owned = true; });
    add([](offer& o) { o.supply.fee.reset(); });
    add([](offer& o) { o.supply.fee.reset(); });
    add([](offer& o) { o.supply.available_from = until + hours(1); });
    add([](offer& o) { o.supply.price_until = until; });
    add([](offer& o) { o.units_free = 0; });
    add([](offer& o) { o.units_free = 1; });
    const auto made = advise_reservations({}, offers, until - days(30), until);
    EXPECT_EQ(made.advices.size(), 1u);
    EXPECT_EQ(made.left_out.owned, 1u);
    EXPECT_EQ(made.left_out.no_fee, 2u);
    EXPECT_EQ(made.left_out.begin_later, 1u);
    EXPECT_EQ(made.left_out.quotes_ended, 1u);
    EXPECT_EQ(made.left_out.full, 1u);
}

TEST(reservations, certainty_grows_with_weeks_that_agree) {
    struct row {
        int weeks, idle_weeks;
        advice_certainty sure;
    };
    for (const row& each :
         {row{3, 0, advice_certainty::low}, row{4, 0, advice_certainty::fair}, row{11, 0, advice_certainty::fair},
          row{12, 0, advice_certainty::high}, row{12, 2, advice_certainty::fair}, row{20, 2, advice_certainty::high}}) {
        // Idle weeks in the middle: the first and the last are busy.
        const instant begin = until - days(7 * each.weeks);
        const auto first = days(7);
        const auto made = advice_on({ran(begin, first, 8), ran(begin + first + days(7 * each.idle_weeks),
                                                               days(7 * (each.weeks - 1 - each.idle_weeks)), 8)},
                                    reserved(31'200), days(7 * each.weeks));
        EXPECT_EQ(made.units, 1u);
        EXPECT_EQ(made.weeks, static_cast<std::uint32_t>(each.weeks));
        EXPECT_EQ(made.weeks_agreeing, static_cast<std::uint32_t>(each.weeks - each.idle_weeks));
        EXPECT_EQ(made.how_sure, each.sure) << each.weeks << " weeks, " << each.idle_weeks << " idle";
    }
}

}  // namespace
}  // namespace westerly
