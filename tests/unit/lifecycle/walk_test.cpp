// Laws of the life cycle over long random histories: first of any facts at all, then of truthful ones about a provider
// whose calls, answers and news come late, twice, in the wrong order or never.
#include "tests/unit/lifecycle/fixtures.hpp"

#include <gtest/gtest.h>

#include <set>

namespace westerly {
namespace {

using phase = observation::phase;

constexpr std::uint64_t walks = 3'000;
constexpr std::size_t event_count = static_cast<std::size_t>(attempt_event::given_up) + 1;

using pair = std::pair<attempt_state, attempt_event>;

attempt_fact any_fact(random_source& random) {
    attempt_fact fact{.on = static_cast<attempt_event>(random.next() % event_count)};
    const bool observed = fact.on == attempt_event::accepted || fact.on == attempt_event::started ||
                          fact.on == attempt_event::exited || fact.on == attempt_event::proved_absent;
    if (observed && random.next() % 4 != 0) {
        const auto at = fact.on == attempt_event::accepted  ? phase::pending
                        : fact.on == attempt_event::started ? phase::running
                        : fact.on == attempt_event::exited  ? phase::exited
                                                            : phase::absent;
        fact.seen = seen_as(at, random.next() % 8, random.next() % 8 == 0 ? 2 : 1);
        if (random.next() % 2 == 0)
            fact.seen->handle = random.next() % 4 == 0 ? "h-2" : "h-1";
        if (random.next() % 2 == 0)
            fact.seen->exit_code = static_cast<std::int32_t>(random.next() % 2);
        fact.seen->timed_out = random.next() % 8 == 0;
        fact.seen->preempted = random.next() % 8 == 0;
    }
    fact.deadline = random.next() % 2 == 0;
    return fact;
}

TEST(walk, any_facts_at_all_never_change_an_ended_attempt_and_reach_every_row) {
    std::set<pair> reached;
    std::set<attempt_outcome> outcomes;
    for (std::uint64_t seed = 0; seed < walks; ++seed) {
        random_source random(seed);
        attempt current = attempt_in(attempt_state::intended);
        for (std::int64_t s = 1; s <= 60; ++s) {
            const attempt_fact fact = any_fact(random);
            const attempt_step got = step(current, fact, at_s(s));
            SCOPED_TRACE("seed " + std::to_string(seed) + ", second " + std::to_string(s));
            const bool applied = got.legal && !got.stale;
            ASSERT_EQ(got.changed && !applied, false);
            if (!applied) {
                ASSERT_EQ(got.next, current);
                ASSERT_EQ(got.then, attempt_effect::none);
            } else {
                ASSERT_NE(find_transition(current.state, fact.on), nullptr);
                reached.insert({current.state, fact.on});
            }
            ASSERT_TRUE(live(current.state) || !applied);
            ASSERT_EQ(got.next.state == attempt_state::ended, got.next.outcome != attempt_outcome::none);
            ASSERT_EQ(got.next.state == attempt_state::ended, got.next.ended_at.has_value());
            ASSERT_GE(got.next.seen_seq, current.seen_seq);
            ASSERT_GE(got.next.cancel_wanted, current.cancel_wanted);
            const bool timed = got.next.ended_at && got.next.started_at;
            ASSERT_TRUE(!timed || *got.next.started_at <= *got.next.ended_at);
            // A wish to cancel never rests where a stop could be sent.
            if (got.next.cancel_wanted) {
                ASSERT_NE(got.next.state, attempt_state::pending);
                ASSERT_NE(got.next.state, attempt_state::running);
            }
            if (!got.changed) {
                attempt unsighted = got.next;
                unsighted.last_seen_at = current.last_seen_at;
                ASSERT_EQ(unsighted, current);
            }
            current = got.next;
            outcomes.insert(current.outcome);
        }
    }
    for (const auto& row : attempt_transitions)
        EXPECT_TRUE(reached.contains({row.from, row.on})) << to_string(row.from) << " on " << to_string(row.on);
    EXPECT_EQ(outcomes.size(), static_cast<std::size_t>(attempt_outcome::vanished) + 1);
}

TEST(walk, the_same_facts_give_the_same_attempt) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        attempt ends[2];
        for (attempt& current : ends) {
            random_source random(seed);
            current = attempt_in(attempt_state::intended);
            for (std::int64_t s = 1; s <= 40; ++s)
                current = step(current, any_fact(random), at_s(s)).next;
        }
        EXPECT_EQ(ends[0], ends[1]);
    }
}

/// A provider that holds at most one thing for the token. Launches take effect or not before their answer is known.
struct provider_model {
    enum class thing { none, pending, running, exited, forgotten } is = thing::none;
    std::uint64_t seq = 0;
    std::vector<observation> told;  // everything ever said, for repeats in any order

    bool alive() const { return is == thing::pending || is == thing::running; }

    void go_on(random_source& random) {
        if (is == thing::pending && random.next() % 3 == 0) {
            is = thing::running;
            ++seq;
        } else if (alive() && random.next() % 8 == 0) {
            is = thing::exited;
            ++seq;
        } else if (is == thing::exited && random.next() % 20 == 0) {
            is = thing::forgotten;
        }
    }
    observation look() {
        const auto at = is == thing::pending   ? phase::pending
                        : is == thing::running ? phase::running
                        : is == thing::exited  ? phase::exited
                                               : phase::absent;
        observation seen = seen_as(at, at == phase::absent ? 0 : seq);
        if (at == phase::exited)
            seen.exit_code = 0;
        if (at != phase::absent)
            told.push_back(seen);
        return seen;
    }
};

/// The broker's side of one attempt: does what the effects ask, and may lose every answer.
class broker_model {
public:
    explicit broker_model(std::uint64_t seed) : random_(seed) {}

    /// L1 at every moment: what is recorded as ended is dead at the provider.
    void turn() {
        clock_ += 1;
        there_.go_on(random_);
        switch (random_.next() % 8) {
            case 0:
                return take(fact_of(there_.look()), recorded_.state != attempt_state::intended);
            case 1:
                return take({.on = attempt_event::silent}, true);
            case 2:
                return repeat_old_news();
            case 3:
                return take({.on = attempt_event::cancel}, random_.next() % 10 == 0);
            default:
                return act();
        }
    }
    const attempt& recorded() const { return recorded_; }
    const provider_model& there() const { return there_; }
    int launches() const { return launches_; }

private:
    void repeat_old_news() {
        if (!there_.told.empty())
            take(fact_of(there_.told[random_.next() % there_.told.size()]), true);
    }
    void act() {
        switch (recorded_.state) {
            case attempt_state::intended:
                launch();
                break;
            case attempt_state::submitting:
                answer_launch();
                break;
            case attempt_state::stopping:
                stop();
                break;
            case attempt_state::unknown:
            case attempt_state::lost:
                take(fact_of(there_.look()), true);
                break;
            default:
                break;
        }
    }
    /// The call acts at once or never; its answer comes later or not at all, perhaps after the thing was seen.
    void launch() {
        const attempt_step got = step(recorded_, {.on = attempt_event::dispatched}, at_s(clock_));
        recorded_ = got.next;
        if (got.then != attempt_effect::launch)
            return;
        ++launches_;
        refused_ = random_.next() % 4 == 0;
        if (!refused_) {
            there_.is = provider_model::thing::pending;
            there_.seq = 1;
        }
    }
    void answer_launch() {
        if (random_.next() % 3 == 0)
            take({.on = attempt_event::no_answer}, true);
        else
            take(fact_of_launch(reply_of(refused_ ? call_outcome::not_done : call_outcome::done)), true);
    }
    void stop() {
        if (there_.alive() && random_.next() % 2 == 0) {
            there_.is = provider_model::thing::exited;
            ++there_.seq;
        }
        take(fact_of_cancel(reply_of(random_.next() % 2 == 0 ? call_outcome::done : call_outcome::unknown)), true);
    }
    void take(const attempt_fact& fact, bool heard) {
        if (heard)
            recorded_ = step(recorded_, fact, at_s(clock_)).next;
    }

    random_source random_;
    provider_model there_;
    attempt recorded_ = attempt_in(attempt_state::intended);
    std::int64_t clock_ = 0;
    int launches_ = 0;
    bool refused_ = false;
};

TEST(walk, of_a_truthful_provider_nothing_lives_that_is_recorded_as_ended) {
    std::uint64_t ended = 0;
    for (std::uint64_t seed = 0; seed < walks; ++seed) {
        broker_model broker(seed);
        for (int turn = 0; turn < 200; ++turn) {
            broker.turn();
            ASSERT_TRUE(live(broker.recorded().state) || !broker.there().alive())
                << "seed " << seed << ", turn " << turn;
            ASSERT_LE(broker.launches(), 1) << "seed " << seed;
        }
        ended += !live(broker.recorded().state);
    }
    // L4: once a look gets through, doubt ends; nearly all of these walks are over after 200 turns.
    EXPECT_GT(ended, walks * 9 / 10);
}

}  // namespace
}  // namespace westerly
