#include "tests/unit/engine/rig.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

using namespace westerly;
using namespace westerly::testing_support;
using std::chrono::hours;

namespace {

using phase = observation::phase;

constexpr std::int64_t full_price = 3'600'000'000;  // 3.60 CNY an hour
constexpr std::uint64_t work_s = 2 * 86'400;
constexpr std::uint64_t interval_s = 1800;
constexpr double restore_s = 60;

policy moving_policy(replacement_rule by = {}) {
    policy rules = cheapest_policy();
    rules.replacement = by;
    return rules;
}

/// Two days of work that saves itself every half hour.
workload_spec saving_spec(std::uint64_t runtime_s = work_s) {
    workload_spec spec = small_spec();
    spec.work.runtime_s = runtime_s;
    spec.checkpoint = checkpoint_rule{.interval_s = interval_s, .restore_s = restore_s, .portable = true};
    return spec;
}

/// Views and lists are of no use here, and cost much over weeks.
engine_options seldom() {
    engine_options options;
    options.market_publish_every = options.list_every = hours(10);
    return options;
}

/// Providers "p" and "q" that do what they are told at once, and work that goes on from its last checkpoint.
class moving {
public:
    explicit moving(replacement_rule by = {}, std::uint64_t units_each = 1) : units_(units_each) {
        rig.poll_s = 60;  // weeks pass
        rig.add_provider("p", units_);
        rig.add_provider("q", units_);
        rig.set_policies({moving_policy(by)});
    }

    void price(const provider_id& at, double factor) {
        offer one = small_offer(at, units_);
        one.price->nanos = std::llround(full_price * factor);
        rig.give(offers_received{at, {one}});
        answer_all();
    }

    void reload(policy rules) {
        rig.set_policies({std::move(rules)});
        answer_all();
    }

    workload_id submit(workload_spec spec = saving_spec()) {
        const auto id = rig.submit(std::move(spec));
        answer_all();
        return id;
    }

    /// Ticks at every wake, and answers what is asked.
    void run_for(milliseconds time) {
        const instant until = rig.now + time;
        for (instant next = next_event(until); next <= until; next = next_event(until)) {
            rig.now = std::max(rig.now, next);
            rig.give(tick{});
            const bool polled = !rig.all<poll_attempts>().empty();
            answer_all();
            if (polled || done_at() <= rig.now)
                tell_what_runs();
        }
        rig.now = until;
    }

    const attempt& current(const workload_id& of) const { return rig.stored(*rig.stored(of).current); }
    std::uint32_t moves(const workload_id& of) const { return rig.stored(of).attempts_displaced; }
    std::string place(const workload_id& of) const { return current(of).provider; }

    /// Stops are answered, but the runs end only when the test says so.
    bool stops_take_time = false;
    engine_rig rig{seldom()};

    void end(const attempt_id& id, std::int32_t exit_code) {
        rig.observe(id, phase::exited, 3, exit_code);
        answer_all();
    }

private:
    void answer_all() {
        for (auto calls = rig.all<call_provider>(); !calls.empty();) {
            std::vector<call_provider> more;
            for (const auto& call : calls) {
                rig.answer_call(call, call_outcome::done);
                keep(more);
                if (call.verb == outbox_verb::launch)
                    rig.observe(call.attempt, phase::running, 1);
                else if (!stops_take_time)
                    rig.observe(call.attempt, phase::exited, 2, stopped(call.attempt));
                keep(more);
            }
            calls = std::move(more);
        }
    }

    void keep(std::vector<call_provider>& more) const {
        for (const auto& call : rig.all<call_provider>())
            more.push_back(call);
    }

    /// By SIGTERM: what came after the last checkpoint is lost.
    std::int32_t stopped(const attempt_id& id) {
        const attempt& a = rig.stored(id);
        const double intervals = std::floor(at_work_s(a) / static_cast<double>(interval_s));
        saved_s_[a.workload] += std::max(intervals, 0.0) * static_cast<double>(interval_s);
        return 143;
    }

    double total_s(const workload_id& of) const {
        return static_cast<double>(rig.stored(of).spec->work.runtime_s.value_or(7 * 86'400));
    }

    double at_work_s(const attempt& a) {
        const double ran_s = static_cast<double>((rig.now - *a.started_at).count()) / 1000;
        return ran_s - (saved_s_[a.workload] > 0 ? restore_s : 0);
    }

    /// As polls would: what runs is seen, or has done its work.
    void tell_what_runs() {
        std::vector<attempt_id> there;
        for (const auto& [id, a] : rig.store.attempts)
            if (a.state == attempt_state::running || a.state == attempt_state::stopping)
                there.push_back(id);
        for (const auto& id : there) {
            const attempt& a = rig.stored(id);
            if (saved_s_[a.workload] + at_work_s(a) >= total_s(a.workload))
                end(id, 0);
            else
                rig.observe(id, phase::running, 1);
        }
    }

    /// When the first of the running has done its work.
    instant done_at() {
        instant first = instant::max();
        for (const auto& [id, a] : rig.store.attempts)
            if (a.state == attempt_state::running) {
                const double left_s = total_s(a.workload) - saved_s_[a.workload] - at_work_s(a);
                first = std::min(first, rig.now + milliseconds(std::llround(std::max(left_s, 0.0) * 1000)));
            }
        return first;
    }

    instant next_event(instant until) {
        const instant later = until + seconds(1);
        return std::min({rig.core->next_wake().value_or(later), done_at(), later});
    }

    std::uint64_t units_;
    std::map<workload_id, double> saved_s_;
};

std::vector<std::string> events_of(const engine_rig& rig, const workload_id& id) {
    std::vector<std::string> types;
    for (const auto& e : rig.store.events)
        if (e.workload == id)
            types.push_back(e.type);
    return types;
}

double spent(const engine_rig& rig, const workload_id& id) {
    std::int64_t micros = 0;
    for (const auto& each : rig.store.charges)
        if (each.workload == id)
            micros += each.billed_micros;
    return static_cast<double>(micros) / 1e6;
}

/// Between 1 - by and 1 + by.
double trembling(random_source& random, double by) {
    return 1 + by * (2 * random.unit() - 1);
}

TEST(moves, a_price_that_falls_by_half_moves_a_run_once_and_everything_is_told) {
    moving world;
    const auto id = world.submit();
    world.run_for(hours(10));
    ASSERT_EQ(world.place(id), "p");
    const auto first = *world.rig.stored(id).current;
    world.price("q", 0.5);
    world.run_for(hours(50));

    EXPECT_EQ(world.rig.stored(id).state, workload_state::succeeded);
    EXPECT_EQ(world.moves(id), 1u);
    EXPECT_EQ(world.place(id), "q");
    EXPECT_EQ(world.rig.stored(id).attempts, 2u);
    EXPECT_EQ(world.rig.stored(id).attempts_counted, 1u);
    EXPECT_EQ(world.rig.stored(first).outcome, attempt_outcome::cancelled);
    EXPECT_EQ(world.rig.stored(first).displaced_for, displacement::better_place);
    EXPECT_EQ(world.rig.store.usages.size(), 2u);
    EXPECT_EQ(world.rig.store.charges.size(), 2u);
    EXPECT_LT(spent(world.rig, id), 0.65 * 48 * 3.6);

    const auto told = std::ranges::find(world.rig.store.events, "workload.displaced", &event::type);
    ASSERT_NE(told, world.rig.store.events.end());
    EXPECT_EQ(told->attempt, first);
    EXPECT_NE(told->detail.find("Moved from p/s/small/on_demand to q/s/small/on_demand"), std::string::npos)
        << told->detail;
    const auto noted = [](const auto& entry) {
        return std::ranges::find(entry.second.notes, note_kind::moved, &note::kind) != entry.second.notes.end();
    };
    EXPECT_EQ(std::ranges::count_if(world.rig.store.decisions, noted), 1);
    EXPECT_THAT(events_of(world.rig, id), testing::Contains("workload.queued"));
}

TEST(moves, the_better_place_is_kept_while_the_run_is_being_stopped) {
    for (const bool ends_before : {false, true}) {
        moving world;
        auto whole = saving_spec();
        whole.resources.vcpus = 4;
        const auto id = world.submit(whole);
        world.run_for(hours(2));
        world.price("q", 0.5);
        world.stops_take_time = true;
        world.run_for(std::chrono::minutes(10));
        const auto first = *world.rig.stored(id).current;
        ASSERT_EQ(world.rig.stored(first).displaced_for, displacement::better_place);
        const auto other = world.submit(whole);
        EXPECT_EQ(world.rig.stored(other).state, workload_state::queued) << "p is taken and q is kept";
        world.end(first, ends_before ? 0 : 143);
        if (ends_before) {
            EXPECT_EQ(world.rig.stored(id).state, workload_state::succeeded);
            EXPECT_EQ(world.place(other), "q") << "nothing is kept for what is over";
        } else {
            EXPECT_EQ(world.place(id), "q");
            EXPECT_EQ(world.place(other), "p");
        }
    }
}

TEST(moves, the_better_place_is_not_kept_for_a_stop_that_hangs) {
    moving world;
    auto whole = saving_spec();
    whole.resources.vcpus = 4;
    const auto id = world.submit(whole);
    world.run_for(hours(2));
    world.price("q", 0.5);
    world.stops_take_time = true;
    world.run_for(std::chrono::minutes(6));
    const auto first = *world.rig.stored(id).current;
    ASSERT_EQ(world.rig.stored(first).displaced_for, displacement::better_place);
    const auto other = world.submit(whole);
    EXPECT_EQ(world.rig.stored(other).state, workload_state::queued);
    world.run_for(std::chrono::minutes(7));
    EXPECT_EQ(world.place(other), "q");
    EXPECT_THAT(events_of(world.rig, id), testing::Contains("workload.place_given_back"));
    world.end(first, 143);
    EXPECT_EQ(world.place(id), "p");
}

TEST(moves, prices_that_tremble_by_a_tenth_at_every_look_move_nothing_in_a_week) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
        random_source random(seed);
        moving world;
        const auto id = world.submit(saving_spec(8 * 86'400));
        for (int look = 0; look < 7 * 24 * 12; ++look) {
            world.price("p", trembling(random, 0.1));
            world.price("q", trembling(random, 0.1));
            world.run_for(seconds(300));
        }
        EXPECT_EQ(world.moves(id), 0u) << "seed " << seed;
    }
}

/// The law of spending: each move is made for a gain at prices that are frozen by moving, so that a run that was moved
/// has never cost more than one that stayed.
TEST(moves, prices_that_swing_widely_never_make_it_dearer_than_staying) {
    std::uint32_t moved = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        random_source random(seed);
        moving world({.min_gain_amount = 0, .moves_max = 1000});
        const auto id = world.submit();
        const double staying = static_cast<double>(work_s) / 3600 * 3.6;
        for (int change = 0; change < 3 * 24 * 2 && !terminal(world.rig.stored(id).state); ++change) {
            world.price("p", std::exp(2 * trembling(random, 1) - 2));
            world.price("q", std::exp(2 * trembling(random, 1) - 2));
            world.run_for(seconds(1800));
        }
        ASSERT_EQ(world.rig.stored(id).state, workload_state::succeeded) << "seed " << seed;
        moved += world.moves(id);
        EXPECT_LE(spent(world.rig, id), staying) << "seed " << seed;
        std::vector<instant> starts;
        for (const auto& [attempt, provider] : world.rig.store.attempts_of(id))
            starts.push_back(*world.rig.stored(attempt).started_at);
        std::ranges::sort(starts);
        for (std::size_t i = 1; i < starts.size(); ++i)
            EXPECT_GE(starts[i] - starts[i - 1], hours(1)) << "seed " << seed;
    }
    EXPECT_GT(moved, 10u);
}

struct stays_case {
    std::string_view name;
    void (*change)(workload_spec& spec);
};
class stays_test : public testing::TestWithParam<stays_case> {};

TEST_P(stays_test, where_it_is) {
    moving world;
    workload_spec spec = saving_spec();
    GetParam().change(spec);
    const auto id = world.submit(spec);
    world.price("q", 0.1);
    world.run_for(hours(5));
    EXPECT_EQ(world.rig.stored(id).attempts, 1u);
}
INSTANTIATE_TEST_SUITE_P(all, stays_test,
                         testing::Values(stays_case{"without_checkpoints",
                                                    [](workload_spec& spec) {
                                                        spec.checkpoint.reset();
                                                    }},
                                         stays_case{"when_checkpoints_stay_at_their_site",
                                                    [](workload_spec& spec) {
                                                        spec.checkpoint->portable = false;
                                                    }},
                                         stays_case{"when_its_tenant_says_so",
                                                    [](workload_spec& spec) {
                                                        spec.movable = false;
                                                    }},
                                         stays_case{"when_nobody_told_how_much_work_it_is",
                                                    [](workload_spec& spec) {
                                                        spec.work.runtime_s.reset();
                                                    }},
                                         stays_case{"when_the_rest_is_worth_less_than_the_margin",
                                                    [](workload_spec& spec) {
                                                        spec.work.runtime_s = 4000;
                                                    }},
                                         stays_case{"when_bringing_the_checkpoint_costs_more",
                                                    [](workload_spec& spec) {
                                                        spec.checkpoint->region = "cn-west";
                                                        spec.checkpoint->size_gib = 10'000;
                                                        spec.checkpoint->egress_per_gib = money{100'000, currency::cny};
                                                    }}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(moves, no_look_before_the_time_between_moves) {
    moving world;
    const auto id = world.submit();
    world.price("q", 0.5);
    world.run_for(seconds(3599));
    EXPECT_EQ(world.moves(id), 0u);
    world.run_for(seconds(1));
    EXPECT_EQ(world.moves(id), 1u);
}

TEST(moves, a_restart_between_stop_and_end_forgets_nothing) {
    moving world;
    world.stops_take_time = true;
    const auto id = world.submit();
    const auto first = *world.rig.stored(id).current;
    world.price("q", 0.5);
    world.run_for(hours(2));
    ASSERT_EQ(world.rig.stored(first).state, attempt_state::stopping);
    world.rig.restart();
    world.rig.report("p", provider_state::ready);
    world.rig.report("q", provider_state::ready);
    world.price("p", 1);
    world.price("q", 0.5);
    world.run_for(seconds(60));
    EXPECT_EQ(world.rig.stored(id).state, workload_state::active);
    world.end(first, 143);
    EXPECT_EQ(world.moves(id), 1u);
    EXPECT_EQ(world.place(id), "q");
    EXPECT_GT(world.rig.stored(id).work_done, 0.005);
    EXPECT_EQ(world.rig.stored(id).attempts_counted, 0u);
    world.rig.restart();
    EXPECT_EQ(world.rig.core->find(id)->attempts_displaced, 1u);
}

TEST(moves, a_restart_forgets_no_place_that_is_kept) {
    moving world;
    world.stops_take_time = true;
    auto whole = saving_spec();
    whole.resources.vcpus = 4;
    const auto id = world.submit(whole);
    const auto first = *world.rig.stored(id).current;
    world.price("q", 0.5);
    world.run_for(std::chrono::minutes(62));
    ASSERT_EQ(world.rig.stored(first).state, attempt_state::stopping);
    world.rig.restart();
    world.rig.report("p", provider_state::ready);
    world.rig.report("q", provider_state::ready);
    world.price("p", 1);
    world.price("q", 0.5);
    const auto other = world.submit(whole);
    EXPECT_EQ(world.rig.stored(other).state, workload_state::queued) << "p is taken and q is kept";
    world.end(first, 143);
    EXPECT_EQ(world.place(id), "q");
    EXPECT_EQ(world.place(other), "p");
}

TEST(moves, a_cancel_between_stop_and_end_wins) {
    moving world;
    world.stops_take_time = true;
    const auto id = world.submit();
    const auto first = *world.rig.stored(id).current;
    world.price("q", 0.5);
    world.run_for(hours(2));
    ASSERT_EQ(world.rig.stored(first).state, attempt_state::stopping);
    ASSERT_TRUE(world.rig.cancel(id));
    world.end(first, 143);
    EXPECT_EQ(world.rig.stored(id).state, workload_state::cancelled);
    EXPECT_EQ(world.rig.stored(id).attempts, 1u);
}

TEST(moves, what_succeeds_before_the_stop_takes_effect_has_succeeded) {
    moving world;
    world.stops_take_time = true;
    const auto id = world.submit();
    world.price("q", 0.5);
    world.run_for(hours(2));
    world.end(*world.rig.stored(id).current, 0);
    EXPECT_EQ(world.rig.stored(id).state, workload_state::succeeded);
    EXPECT_EQ(world.moves(id), 0u);
}

TEST(moves, a_place_that_grew_dear_meanwhile_sends_it_back_and_its_wait_limit_is_over) {
    moving world;
    world.stops_take_time = true;
    workload_spec spec = saving_spec();
    spec.when.max_wait_s = 60;
    const auto id = world.submit(spec);
    const auto first = *world.rig.stored(id).current;
    world.price("q", 0.5);
    world.run_for(hours(2));
    ASSERT_EQ(world.rig.stored(first).state, attempt_state::stopping);
    world.price("q", 2);
    world.end(first, 143);
    EXPECT_EQ(world.place(id), "p");
    EXPECT_EQ(world.rig.stored(id).state, workload_state::active);
    EXPECT_EQ(world.rig.stored(id).attempts, 2u);
    EXPECT_EQ(world.place(world.submit(small_spec())), "q") << "it keeps no place any more";
}

TEST(moves, so_many_and_no_more) {
    moving world({.moves_max = 2});
    const auto id = world.submit();
    double factor = 1;
    for (const auto* at : {"q", "p", "q", "p"}) {
        world.price(at, factor /= 2);
        world.run_for(hours(2));
    }
    EXPECT_EQ(world.moves(id), 2u);
}

TEST(moves, a_policy_that_moves_nothing_or_begins_to_counts_from_its_reload) {
    moving world;
    world.reload(cheapest_policy());
    const auto id = world.submit();
    world.price("q", 0.5);
    world.run_for(hours(2));
    EXPECT_EQ(world.moves(id), 0u);
    world.reload(moving_policy());
    world.run_for(seconds(1));
    EXPECT_EQ(world.moves(id), 1u);
}

TEST(moves, a_provider_that_cannot_be_asked_to_stop_a_run_keeps_it) {
    moving world;
    const auto id = world.submit();
    world.price("q", 0.5);
    world.rig.report("p", provider_state::down);
    world.run_for(hours(2));
    EXPECT_EQ(world.rig.stored(id).attempts, 1u);
}

TEST(moves, many_runs_are_looked_at_a_few_at_once) {
    moving world({}, 200);
    std::vector<workload_id> all;
    for (int i = 0; i < 100; ++i)
        all.push_back(world.submit());
    world.run_for(seconds(3590));
    world.price("q", 0.5);
    world.rig.pass(seconds(60));
    world.rig.give(tick{});
    EXPECT_EQ(world.rig.all<call_provider>().size(), 8u);
}

}  // namespace
