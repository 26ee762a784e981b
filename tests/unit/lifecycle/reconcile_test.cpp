#include "tests/unit/lifecycle/fixtures.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

using phase = observation::phase;

constexpr std::uint32_t visibility_s = 30;

/// Last seen at second 10 for those that the provider has answered for.
attempt recorded_in(attempt_state state, std::uint8_t n = 1) {
    attempt made = attempt_in(state, n);
    made.updated_at = at_s(10);
    return made;
}

listing list_of(std::vector<observation> items, std::int64_t as_of_s) {
    listing list;
    list.items = std::move(items);
    list.complete = true;
    list.as_of = at_s(as_of_s);
    return list;
}

enum class verdict { left, asked, absent };

verdict verdict_on(const attempt& recorded, const listing& list, instant now = at_s(10'000)) {
    const attempt* const each = &recorded;
    const reconciliation got = reconcile({&each, 1}, list, visibility_s, now);
    EXPECT_EQ(got.facts.size(), got.attempts.size());
    EXPECT_LE(got.facts.size() + got.ask.size(), 1u);
    if (!got.ask.empty())
        return verdict::asked;
    if (got.facts.empty())
        return verdict::left;
    EXPECT_EQ(got.facts.front().on, attempt_event::proved_absent);
    return verdict::absent;
}

TEST(reconcile, absence_follows_the_state_when_the_list_proves_it) {
    const listing late = list_of({}, 1'000);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::intended), late), verdict::left);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::submitting), late), verdict::left);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::unknown), late), verdict::asked);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::pending), late), verdict::absent);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), late), verdict::absent);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::stopping), late), verdict::absent);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::lost), late), verdict::absent);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::ended), late), verdict::left);
}

TEST(reconcile, a_partial_list_proves_nothing) {
    listing partial = list_of({}, 1'000);
    partial.complete = false;
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), partial), verdict::asked);
    listing cut = list_of({}, 1'000);
    cut.next_cursor = "more";
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), cut), verdict::asked);
}

TEST(reconcile, a_list_must_be_younger_than_the_sighting_by_the_visibility_delay) {
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({}, 9)), verdict::asked);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({}, 40)), verdict::asked);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({}, 41)), verdict::absent);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::pending), list_of({}, 40)), verdict::asked);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::pending), list_of({}, 41)), verdict::absent);
}

TEST(reconcile, a_clock_that_runs_ahead_proves_nothing) {
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({}, 90'000), at_s(40)), verdict::asked);
}

TEST(reconcile, what_is_listed_becomes_its_fact) {
    const attempt a = recorded_in(attempt_state::unknown, 1);
    const attempt b = recorded_in(attempt_state::running, 2);
    const attempt* const recorded[] = {&a, &b};
    const reconciliation got = reconcile(
        recorded, list_of({seen_as(phase::exited, 3, 2), seen_as(phase::running, 1, 1)}, 0), visibility_s, at_s(50));
    ASSERT_EQ(got.facts.size(), 2u);
    EXPECT_EQ(got.attempts, (std::vector{a.id, b.id}));
    EXPECT_EQ(got.facts[0].on, attempt_event::started);
    EXPECT_EQ(got.facts[1].on, attempt_event::exited);
    EXPECT_EQ(got.facts[1].seen->seq, 3u);
    EXPECT_TRUE(got.ask.empty());
    EXPECT_TRUE(got.unknown_things.empty());
}

TEST(reconcile, of_two_entries_for_one_token_the_later_counts) {
    const attempt a = recorded_in(attempt_state::running);
    const attempt* const recorded[] = {&a};
    const reconciliation got = reconcile(recorded, list_of({seen_as(phase::exited, 3), seen_as(phase::running, 2)}, 0),
                                         visibility_s, at_s(50));
    ASSERT_EQ(got.facts.size(), 1u);
    EXPECT_EQ(got.facts[0].on, attempt_event::exited);
}

TEST(reconcile, an_entry_that_says_absent_is_as_good_as_none) {
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({seen_as(phase::absent)}, 20)), verdict::asked);
    EXPECT_EQ(verdict_on(recorded_in(attempt_state::running), list_of({seen_as(phase::absent)}, 41)), verdict::absent);
}

TEST(reconcile, what_no_record_knows_is_reported_once_in_the_lists_order) {
    const attempt live_one = recorded_in(attempt_state::running, 1);
    const attempt* const recorded[] = {&live_one};
    const auto things =
        list_of({seen_as(phase::exited, 1, 9), seen_as(phase::running, 1, 1), seen_as(phase::running, 1, 8),
                 seen_as(phase::running, 2, 8), seen_as(phase::absent, 1, 7)},
                0);
    const reconciliation got = reconcile(recorded, things, visibility_s, at_s(50));
    ASSERT_EQ(got.unknown_things.size(), 2u);
    EXPECT_EQ(got.unknown_things[0].token, launch_token(id_of(9)));
    EXPECT_EQ(got.unknown_things[1].token, launch_token(id_of(8)));
    EXPECT_EQ(got.unknown_things[1].seq, 2u);
}

/// L1, L3: something that runs under the token of an ended attempt is as unwanted as one without a record.
TEST(reconcile, what_runs_although_recorded_as_ended_is_reported_and_what_ended_is_not) {
    const attempt ended = recorded_in(attempt_state::ended);
    const attempt* const recorded[] = {&ended};
    const auto unknown = [&](phase at) {
        const reconciliation got = reconcile(recorded, list_of({seen_as(at)}, 0), visibility_s, at_s(50));
        EXPECT_TRUE(got.facts.empty() && got.ask.empty());
        return got.unknown_things.size();
    };
    EXPECT_EQ(unknown(phase::running), 1u);
    EXPECT_EQ(unknown(phase::pending), 1u);
    EXPECT_EQ(unknown(phase::exited), 0u);
}

TEST(reconcile, every_live_attempt_gets_at_most_one_verdict_and_the_dead_none) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        random_source random(seed);
        std::vector<attempt> attempts;
        listing list = list_of({}, static_cast<std::int64_t>(random.next() % 100));
        list.complete = random.next() % 2 == 0;
        for (std::uint8_t n = 1; n <= 40; ++n) {
            attempts.push_back(recorded_in(static_cast<attempt_state>(random.next() % 8), n));
            if (random.next() % 2 == 0)
                list.items.push_back(seen_as(static_cast<phase>(random.next() % 4), random.next() % 5, n));
        }
        std::vector<const attempt*> recorded;
        for (const auto& each : attempts)
            recorded.push_back(&each);
        const reconciliation got = reconcile(recorded, list, visibility_s, at_s(1'000));
        ASSERT_EQ(got.facts.size(), got.attempts.size());
        std::vector<attempt_id> named = got.attempts;
        named.insert(named.end(), got.ask.begin(), got.ask.end());
        std::ranges::sort(named);
        EXPECT_EQ(std::ranges::adjacent_find(named), named.end()) << "seed " << seed;
        for (const auto& id : named)
            EXPECT_TRUE(live(attempts[id.bytes.front() - 1u].state)) << "seed " << seed;
        for (std::size_t i = 0; i < got.facts.size(); ++i)
            if (got.facts[i].on == attempt_event::proved_absent) {
                EXPECT_TRUE(list.complete);
                EXPECT_TRUE(step(attempts[got.attempts[i].bytes.front() - 1u], got.facts[i], at_s(1'000)).legal);
            }
    }
}

}  // namespace
}  // namespace westerly
