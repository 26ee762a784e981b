#include "broker/engine/backfill.hpp"

#include "tests/unit/engine/rig.hpp"

#include <algorithm>

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;
using std::chrono::minutes;

constexpr std::uint64_t pool_units = 8;

/// A pool of 8 units, and runs that end when they are due, whatever they have said of themselves.
struct busy_pool {
    explicit busy_pool(fair_share_rules rules = {})
        : rig([&] {
              engine_options options;
              options.fair_share = std::move(rules);
              return options;
          }()) {
        rig.add_provider("p", pool_units);
    }

    struct wish {
        std::uint32_t tasks = 1;
        milliseconds lasts{};
        std::optional<std::uint64_t> says_s, limit_s = std::nullopt;
        std::int32_t priority = 0;
    };
    workload_id submit(const wish& asked) {
        rig.pass(milliseconds(1));
        auto spec = small_spec();
        spec.resources.vcpus = 4;  // a unit each
        spec.tasks = asked.tasks;
        spec.priority = asked.priority;
        spec.work.runtime_s = asked.says_s;
        spec.when.max_runtime_s = asked.limit_s;
        spec.grace_s = 0;
        const auto id = rig.submit(spec);
        lasts[id] = asked.lasts;
        follow();
        return id;
    }
    bool runs(const workload_id& id) const { return rig.stored(id).state != workload_state::queued; }

    /// What was started is running at once.
    void follow() {
        std::vector<attempt_id> fresh;
        const auto gather = [&] {
            for (const auto& call : rig.all<call_provider>())
                if (call.verb == outbox_verb::launch)
                    fresh.push_back(call.attempt);
        };
        gather();
        for (std::size_t i = 0; i < fresh.size(); ++i) {
            const attempt_id run = fresh[i];
            const workload_id of = rig.store.attempts.at(run).workload;
            ends.emplace(rig.now + lasts.at(of), run);
            started[of] = rig.now;
            rig.observe(run, phase::running, 1);
            gather();
        }
    }
    void pass(milliseconds time) {
        const instant until = rig.now + time;
        while (!ends.empty() && ends.begin()->first <= until) {
            const auto [end, run] = *ends.begin();
            ends.erase(ends.begin());
            rig.now = std::max(rig.now, end);
            rig.observe(run, phase::exited, 2);
            follow();
        }
        rig.now = until;
    }

    engine_rig rig;
    std::map<workload_id, milliseconds> lasts;
    std::map<workload_id, instant> started;
    std::multimap<instant, attempt_id> ends;
};

TEST(backfill, fills_gaps_and_delays_nobody) {
    busy_pool pool;
    pool.submit({.tasks = 6, .lasts = minutes(60), .says_s = 3600});
    const auto gang = pool.submit({.tasks = 8, .lasts = minutes(60), .says_s = 3600});
    EXPECT_FALSE(pool.runs(gang));
    const auto longer = pool.submit({.tasks = 2, .lasts = minutes(61), .says_s = 3660});
    EXPECT_FALSE(pool.runs(longer));
    EXPECT_NE(pool.rig.stored(longer).waiting.at(0).detail.find("kept for a larger workload"), std::string::npos)
        << pool.rig.stored(longer).waiting.at(0).detail;
    const auto unknown = pool.submit({.tasks = 1, .lasts = minutes(5), .says_s = std::nullopt});
    EXPECT_FALSE(pool.runs(unknown)) << "an end that nobody knows is no end";
    const auto shorter = pool.submit({.tasks = 2, .lasts = minutes(50), .says_s = 3000});
    EXPECT_TRUE(pool.runs(shorter));
    pool.pass(minutes(61));
    EXPECT_TRUE(pool.runs(gang));
    pool.pass(minutes(61));
    EXPECT_TRUE(pool.runs(longer));
}

TEST(backfill, takes_what_the_reservation_does_not_need) {
    busy_pool pool;
    pool.submit({.tasks = 6, .lasts = minutes(60), .says_s = 3600});
    const auto gang = pool.submit({.tasks = 7, .lasts = minutes(60), .says_s = 3600});
    const auto first = pool.submit({.tasks = 1, .lasts = minutes(600), .says_s = 36'000});
    const auto second = pool.submit({.tasks = 1, .lasts = minutes(600), .says_s = 36'000});
    EXPECT_TRUE(pool.runs(first)) << "7 of 8 units are enough for the gang";
    EXPECT_FALSE(pool.runs(second));
    pool.pass(minutes(61));
    EXPECT_TRUE(pool.runs(gang));
}

TEST(backfill, goes_when_its_holder_goes) {
    busy_pool pool;
    pool.submit({.tasks = 6, .lasts = minutes(60), .says_s = 3600});
    const auto gang = pool.submit({.tasks = 8, .lasts = minutes(60), .says_s = 3600});
    const auto held_back = pool.submit({.tasks = 2, .lasts = minutes(90), .says_s = 5400});
    EXPECT_FALSE(pool.runs(held_back));
    pool.rig.cancel(gang);
    pool.rig.run_for(milliseconds(0));
    EXPECT_TRUE(pool.runs(held_back));
}

TEST(backfill, a_higher_priority_is_before_the_reservation) {
    busy_pool pool;
    pool.submit({.tasks = 6, .lasts = minutes(60), .says_s = 3600});
    const auto gang = pool.submit({.tasks = 8, .lasts = minutes(60), .says_s = 3600});
    const auto urgent = pool.submit({.tasks = 2, .lasts = minutes(600), .says_s = 36'000, .priority = 1});
    EXPECT_TRUE(pool.runs(urgent));
    EXPECT_FALSE(pool.runs(gang));
}

TEST(backfill, is_kept_over_a_restart) {
    busy_pool pool;
    pool.submit({.tasks = 6, .lasts = minutes(60), .says_s = 3600});
    const auto gang = pool.submit({.tasks = 8, .lasts = minutes(60), .says_s = 3600});
    pool.rig.restart();
    pool.rig.report("p", provider_state::ready);
    pool.rig.send_offers("p", pool_units);
    const auto longer = pool.submit({.tasks = 2, .lasts = minutes(61), .says_s = 3700});
    EXPECT_FALSE(pool.runs(longer));
    EXPECT_FALSE(pool.runs(gang));
}

struct stream {
    std::string_view name;
    bool estimates;           // of the small ones, true ones
    std::int32_t priority;    // of the small ones
    std::uint64_t bound_min;  // the gang starts within
};

class small_work : public testing::TestWithParam<stream> {};

/// Without a pause small work comes for a pool that it keeps full; the gang needs all of it.
TEST_P(small_work, never_starves_a_large_gang) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        fair_share_rules rules;
        rules.overdue_after = minutes(240);
        busy_pool pool(rules);
        random_source random(seed);
        const auto come = [&] {
            const auto lasts = minutes(5 + 5 * static_cast<std::int64_t>(random.next() % 12));
            const auto says = GetParam().estimates
                                  ? std::optional(static_cast<std::uint64_t>(std::chrono::seconds(lasts).count()))
                                  : std::nullopt;
            pool.submit({.tasks = 1 + static_cast<std::uint32_t>(random.next() % 3),
                         .lasts = lasts,
                         .says_s = says,
                         .priority = GetParam().priority});
        };
        for (int i = 0; i < 12; ++i)
            come();
        const auto gang = pool.submit({.tasks = pool_units, .lasts = minutes(30), .says_s = 1800});
        const instant came = pool.rig.now;
        while (!pool.runs(gang) && pool.rig.now < came + minutes(2 * GetParam().bound_min)) {
            pool.pass(seconds(120 + static_cast<std::int64_t>(random.next() % 480)));
            come();
        }
        ASSERT_TRUE(pool.runs(gang)) << seed;
        EXPECT_LE(pool.started.at(gang) - came, minutes(GetParam().bound_min)) << seed;
    }
}

// With estimates: those before it in turn (12, of at most an hour each), then what ran. Without, or behind a higher
// priority: until it is overdue and something ends, then what ran.
INSTANTIATE_TEST_SUITE_P(all, small_work,
                         testing::Values(stream{"with_estimates", true, 0, 300},
                                         stream{"without_known_ends", false, 0, 240 + 75},
                                         stream{"of_higher_priority", true, 5, 240 + 75}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(reservations, kept_from_everybody_end_in_their_order_and_are_counted_apart) {
    random_source random(7);
    const auto id = [&] {
        return workload_id::make(instant{}, random);
    };
    const instant now{seconds(1000)};
    backfill tested;
    const workload_id gathers = id(), first = id(), second = id();
    const backfill::choice at_p{"p", 2, 0, 1}, at_q{"q", 2, 0, 1};
    ASSERT_TRUE(tested.reserve(gathers, std::vector{at_p}, {}, now, true));
    EXPECT_EQ(tested.first_to_end(), nullptr) << "who gathers does so for as long as it takes";
    EXPECT_TRUE(tested.keep(first, at_p, now + seconds(60)));
    EXPECT_EQ(tested.of(gathers), nullptr) << "it gives way";
    EXPECT_FALSE(tested.keep(second, at_p, now + seconds(50))) << "kept for another";
    EXPECT_TRUE(tested.keep(second, at_q, now + seconds(50)));
    EXPECT_EQ(tested.first_to_end()->holder, second);
    tested.move_with_clock(seconds(5));
    EXPECT_EQ(tested.first_to_end()->until, now + seconds(55));
    tested.release(second);
    EXPECT_EQ(tested.first_to_end()->holder, first);
    for (std::size_t i = 1; i < kept_places_max; ++i)
        EXPECT_TRUE(tested.keep(id(), {"o" + std::to_string(i), 1, 0, 1}, now));
    EXPECT_FALSE(tested.keep(second, at_q, now));
    EXPECT_TRUE(tested.reserve(second, std::vector{at_q}, {}, now, true)) << "but it may gather";
}

TEST(reservations, are_at_the_earliest_known_end) {
    random_source random(5);
    const auto id = [&] {
        return attempt_id::make(instant{}, random);
    };
    const instant now(std::chrono::hours(1000));
    backfill tested;
    const auto a = id(), b = id(), c = id();
    tested.occupy("x", a, 3, now, {minutes(10), minutes(30)});
    tested.occupy("x", b, 2, now, {minutes(20), std::nullopt});
    tested.occupy("x", c, 1, now, {});
    EXPECT_EQ(tested.free_at("x", 2, 2, now, false), now);
    EXPECT_EQ(tested.free_at("x", 5, 2, now, false), now + minutes(10));
    EXPECT_EQ(tested.free_at("x", 7, 2, now, false), now + minutes(20));
    EXPECT_EQ(tested.free_at("x", 8, 2, now, false), std::nullopt);
    EXPECT_EQ(tested.free_at("x", 5, 2, now, true), now + minutes(30)) << "only limits are believed";
    EXPECT_EQ(tested.free_at("x", 7, 2, now, true), std::nullopt);
    tested.began("x", a, now + minutes(5));
    EXPECT_EQ(tested.free_at("x", 5, 2, now, false), now + minutes(15));
    EXPECT_EQ(tested.free_at("x", 5, 2, now + minutes(40), false), now + minutes(41)) << "any moment now";
    tested.vacate("x", a);
    EXPECT_EQ(tested.free_at("x", 5, 2, now, false), std::nullopt);
    EXPECT_EQ(tested.free_at("y", 1, 0, now, false), std::nullopt);
}

/// What it leaves is filled at once: to go to and fro between two places would be to gather at neither.
TEST(reservations, of_the_overdue_leave_where_they_gather_for_what_takes_no_longer_than_they_did) {
    random_source random(5);
    const auto run = [&] {
        return attempt_id::make(instant{}, random);
    };
    const instant now(std::chrono::hours(1000));
    backfill tested;
    tested.occupy("x", run(), 4, now, {});
    const auto open_ended = run();
    tested.occupy("y", open_ended, 4, now, {});
    const std::vector<backfill::choice> ways{{"x", 4, 0}, {"y", 4, 0}}, turned{{"y", 4, 0}, {"x", 4, 0}};
    const auto gang = workload_id::make(instant{}, random);
    const auto place_at = [&](instant at, const std::vector<backfill::choice>& seen) {
        EXPECT_TRUE(tested.reserve(gang, seen, {}, at, true));
        return tested.of(gang)->offer;
    };
    EXPECT_EQ(place_at(now, ways), "x");
    EXPECT_EQ(place_at(now + minutes(5), turned), "x") << "it has gathered there";
    tested.vacate("y", open_ended);
    tested.occupy("y", open_ended, 4, now + minutes(5), {std::nullopt, minutes(25)});
    EXPECT_EQ(place_at(now + minutes(14), ways), "x") << "y takes 16 minutes more";
    tested.move_with_clock(minutes(5));
    EXPECT_EQ(tested.of(gang)->since, now + minutes(5));
    tested.move_with_clock(-minutes(5));
    EXPECT_EQ(place_at(now + minutes(15), ways), "y") << "and now no more than it has waited";
    EXPECT_EQ(tested.of(gang)->at, now + minutes(30));
    EXPECT_EQ(place_at(now + minutes(16), ways), "y");
    EXPECT_EQ(place_at(now + minutes(17), {{"x", 4, 4}, {"y", 4, 0}}), "x") << "what is free is";
}

TEST(reservations, one_for_each_offer_and_the_earlier_turn_has_it) {
    random_source random(5);
    const auto id = [&] {
        return workload_id::make(instant{}, random);
    };
    const instant now(std::chrono::hours(1000));
    backfill tested;
    tested.occupy("x", attempt_id::make(instant{}, random), 4, now, {minutes(10), std::nullopt});
    tested.occupy("y", attempt_id::make(instant{}, random), 4, now, {minutes(20), std::nullopt});
    const std::vector<backfill::choice> ways{{"y", 4, 0}, {"x", 4, 0}};
    const auto first = id(), second = id(), third = id();
    EXPECT_TRUE(tested.reserve(first, ways, {}, now, false));
    EXPECT_EQ(tested.of(first)->offer, "x");
    EXPECT_TRUE(tested.reserve(second, ways, {}, now, false));
    EXPECT_EQ(tested.of(second)->offer, "y");
    EXPECT_FALSE(tested.reserve(third, ways, {}, now, false));
    EXPECT_TRUE(tested.reserve(third, ways, std::vector{first}, now, false)) << "whose turn is before takes it over";
    EXPECT_EQ(tested.of(third)->offer, "x");
    EXPECT_EQ(tested.of(first), nullptr);
    EXPECT_TRUE(tested.release(third));
    EXPECT_FALSE(tested.release(third));
    const std::vector<backfill::choice> never{{"z", 4, 1}};
    EXPECT_FALSE(tested.reserve(first, never, {}, now, false));
    EXPECT_TRUE(tested.reserve(first, never, {}, now, true)) << "overdue: it gathers units however long it takes";
    EXPECT_EQ(tested.spare(*tested.of(first), 1, now, {minutes(1), minutes(1)}), 0u);
}

}  // namespace
