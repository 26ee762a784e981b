#include "policies/table.hpp"
#include "tests/unit/engine/rig.hpp"

#include <algorithm>

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;
using std::chrono::minutes;

constexpr std::uint64_t pool_units = 4;

/// Four units on terms of being taken away, and runs that save themselves every ten minutes.
struct spot_pool {
    explicit spot_pool(fair_share_rules rules = {}, billing_mode mode = billing_mode::spot)
        : rig([&] {
              engine_options options;
              options.fair_share = std::move(rules);
              return options;
          }()) {
        rig.terms = built_in_terms();
        rig.restart();
        rig.add_provider("p", 1);
        offer pool = small_offer("p", pool_units);
        pool.mode = mode;
        rig.give(offers_received{"p", {pool}});
    }

    static workload_spec spec_of(std::int32_t priority, std::uint32_t tasks = 1, std::uint64_t hours = 10) {
        auto spec = small_spec();
        spec.resources.vcpus = 4;  // a unit each
        spec.priority = priority;
        spec.tasks = tasks;
        spec.work.runtime_s = hours * 3600;
        spec.checkpoint = checkpoint_rule{.interval_s = 600, .write_s = 5, .restore_s = 10};
        return spec;
    }
    void as(const std::string& name) {
        if (!tenants.contains(name)) {
            rig.give(create_tenant{1, name});
            tenants[name] = std::get<tenant>(rig.answered().value()).id;
        }
        rig.who.tenant = tenants.at(name);
        rig.who.tenant_name = name;
    }
    workload_id submit(const workload_spec& spec) {
        rig.pass(milliseconds(1));
        const auto id = rig.submit(spec);
        follow();
        return id;
    }
    void follow() {
        std::vector<attempt_id> fresh;
        const auto gather = [&] {
            for (const auto& call : rig.all<call_provider>())
                (call.verb == outbox_verb::launch ? fresh : stopping).push_back(call.attempt);
        };
        gather();
        for (std::size_t i = 0; i < fresh.size(); ++i) {
            const attempt_id run = fresh[i];
            rig.observe(run, phase::running, ++seq);
            gather();
        }
    }
    /// What runs is seen to run.
    void pass(milliseconds time) {
        for (const instant until = rig.now + time; rig.now < until;) {
            rig.pass(std::min<milliseconds>(until - rig.now, minutes(1)));
            std::vector<attempt_id> runs;
            for (const auto& [id, a] : rig.store.attempts)
                if (a.state == attempt_state::running)
                    runs.push_back(id);
            for (const auto& id : runs) {
                rig.observe(id, phase::running, ++seq);
                follow();
            }
        }
    }
    /// Those that are being stopped are gone, and those that are stopped because of that.
    void let_them_go() {
        while (!stopping.empty()) {
            const attempt_id run = stopping.front();
            stopping.erase(stopping.begin());
            rig.observe(run, phase::exited, ++seq, 143);
            follow();
        }
    }
    bool runs(const workload_id& id) const { return rig.stored(id).state == workload_state::active; }
    displacement fate_of(const workload_id& id) const { return rig.stored(*rig.stored(id).current).displaced_for; }

    engine_rig rig;
    std::map<std::string, tenant_id> tenants;
    std::vector<attempt_id> stopping;
    std::uint64_t seq = 0;
};

std::ptrdiff_t stopped_so_far(const engine_rig& rig) {
    return std::ranges::count_if(rig.store.attempts,
                                 [](const auto& one) { return one.second.displaced_for != displacement::none; });
}

TEST(preemption, stops_what_loses_least_and_no_more_than_it_needs) {
    spot_pool pool;
    std::vector<workload_id> runs;
    for (int i = 0; i < 4; ++i) {
        runs.push_back(pool.submit(pool.spec_of(0)));
        pool.pass(minutes(2));
    }
    // Unsaved: 8, 6, 4 and 2 minutes.
    const auto urgent = pool.submit(pool.spec_of(1, 2));
    EXPECT_EQ(pool.stopping.size(), 2u);
    EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "preempting");
    EXPECT_EQ(pool.fate_of(runs[3]), displacement::preemptor);
    EXPECT_EQ(pool.fate_of(runs[2]), displacement::preemptor);
    EXPECT_EQ(pool.fate_of(runs[0]), displacement::none);
    const decision& made = pool.rig.store.decisions.at(*pool.rig.stored(urgent).last_decision);
    ASSERT_FALSE(made.ranked.front().terms.empty());
    EXPECT_EQ(made.ranked.front().terms.back().first, "preemption");
    // 4 and 2 minutes again, each with 15 s to restore and write, at 3.60 an hour.
    EXPECT_NEAR(made.ranked.front().terms.back().second, (240 + 15 + 120 + 15) * 0.001, 0.001);
    EXPECT_NEAR(made.ranked.front().j, made.ranked.front().cost_base + made.ranked.front().terms.back().second, 1e-9);
    const auto between = pool.submit(pool.spec_of(0));
    pool.let_them_go();
    EXPECT_TRUE(pool.runs(urgent));
    EXPECT_FALSE(pool.runs(between)) << "what was made free is for whom it was made free";
    EXPECT_EQ(pool.rig.stored(runs[2]).state, workload_state::queued);
    EXPECT_EQ(pool.rig.stored(runs[2]).attempts_displaced, 1u);
    EXPECT_EQ(pool.stopping.size(), 0u);
}

plan_result planned(spot_pool& pool, const workload_spec& spec) {
    pool.rig.give(plan_workload{9, pool.rig.who, std::make_shared<workload_spec>(spec)});
    return std::get<plan_result>(pool.rig.answered().value());
}

/// What the plan says is what the submit then does.
TEST(preemption, is_foreseen_by_a_plan) {
    spot_pool pool;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(planned(pool, pool.spec_of(1, 2)).preemption.has_value(), i == 3) << "else there is room";
        pool.as(i == 2 ? "other" : "one");
        pool.submit(pool.spec_of(0));
        pool.pass(minutes(2));
    }
    pool.as("asks");
    EXPECT_FALSE(planned(pool, pool.spec_of(0)).preemption) << "of the same priority";
    const plan_result told = planned(pool, pool.spec_of(1, 2));
    ASSERT_TRUE(told.preemption);
    EXPECT_EQ(told.preemption->offer, "p/s/small/on_demand");
    EXPECT_EQ(told.preemption->runs, 2u);
    EXPECT_EQ(told.preemption->tenants, 2u);
    EXPECT_NEAR(told.preemption->charge_base, (240 + 15 + 120 + 15) * 0.001, 0.001);
    EXPECT_EQ(told.made.notes.back().kind, note_kind::would_preempt);
    EXPECT_TRUE(pool.stopping.empty()) << "a plan does nothing";
    const auto urgent = pool.submit(pool.spec_of(1, 2));
    EXPECT_EQ(pool.stopping.size(), 2u);
    const decision& made = pool.rig.store.decisions.at(*pool.rig.stored(urgent).last_decision);
    EXPECT_NEAR(made.ranked.front().terms.back().second, told.preemption->charge_base, 1e-5);
    EXPECT_FALSE(planned(pool, pool.spec_of(1, 2)).preemption) << "what is kept for one is not stopped for another";
}

TEST(preemption, spares_what_did_not_agree_to_it) {
    struct spared {
        std::string_view name;
        billing_mode mode;
        void (*change)(workload_spec&);
    };
    for (const auto& [name, mode, change] :
         {spared{"on_demand", billing_mode::on_demand,
                 [](workload_spec&) {
                 }},
          spared{"saves nothing", billing_mode::spot,
                 [](workload_spec& spec) {
                     spec.checkpoint.reset();
                 }},
          spared{"too little notice", billing_mode::spot,
                 [](workload_spec& spec) {
                     spec.grace_s = 1;
                 }},
          spared{"same priority", billing_mode::spot,
                 [](workload_spec& spec) {
                     spec.priority = 1;
                 }},
          spared{"loses more than it is worth", billing_mode::spot, [](workload_spec& spec) {
                     spec.checkpoint->interval_s = 36'000;
                 }}}) {
        spot_pool pool({}, mode);
        for (int i = 0; i < 4; ++i) {
            auto spec = pool.spec_of(0);
            change(spec);
            pool.submit(spec);
        }
        pool.pass(minutes(90));
        const auto urgent = pool.submit(pool.spec_of(1, 1, 2));
        EXPECT_TRUE(pool.stopping.empty()) << name;
        EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "no_capacity") << name;
    }
}

TEST(preemption, stops_on_any_terms_what_agreed_to_it) {
    for (const bool saves : {true, false}) {
        spot_pool pool({}, billing_mode::on_demand);
        std::vector<workload_id> runs;
        for (int i = 0; i < 4; ++i) {
            auto spec = pool.spec_of(0);
            spec.preemptible = i == 2;
            if (!saves)
                spec.checkpoint.reset();
            runs.push_back(pool.submit(spec));
        }
        pool.pass(minutes(12));
        const auto urgent = pool.submit(pool.spec_of(1));
        EXPECT_EQ(pool.stopping.size(), 1u);
        EXPECT_EQ(pool.fate_of(runs[2]), displacement::preemptor);
        const decision& made = pool.rig.store.decisions.at(*pool.rig.stored(urgent).last_decision);
        ASSERT_FALSE(made.ranked.front().terms.empty());
        // 12 minutes again, or 115 s since the checkpoint after 605 s with 15 s to restore and write, at 3.60 an hour.
        EXPECT_NEAR(made.ranked.front().terms.back().second, (saves ? 115 + 15 : 720) * 0.001, 0.001);
        pool.let_them_go();
        EXPECT_TRUE(pool.runs(urgent));
        EXPECT_EQ(pool.rig.stored(runs[2]).state, workload_state::queued);
    }
}

TEST(preemption, is_not_asked_for_again_after_a_restart) {
    spot_pool pool;
    for (int i = 0; i < 4; ++i)
        pool.submit(pool.spec_of(0));
    pool.pass(minutes(10));
    const auto urgent = pool.submit(pool.spec_of(1));
    ASSERT_EQ(pool.stopping.size(), 1u);
    pool.rig.restart();
    pool.rig.report("p", provider_state::ready);
    offer same = small_offer("p", pool_units);
    same.mode = billing_mode::spot;
    pool.rig.give(offers_received{"p", {same}});
    pool.pass(minutes(2));
    EXPECT_EQ(stopped_so_far(pool.rig), 1);
    pool.let_them_go();
    EXPECT_TRUE(pool.runs(urgent));
}

/// A grace of 30 s, a poll of 5 and the margin of 300.
TEST(preemption, keeps_no_place_for_a_stop_that_hangs) {
    spot_pool pool;
    std::vector<workload_id> runs;
    for (int i = 0; i < 4; ++i)
        runs.push_back(pool.submit(pool.spec_of(0)));
    pool.pass(minutes(2));
    const auto urgent = pool.submit(pool.spec_of(1, 2));
    ASSERT_EQ(pool.stopping.size(), 2u);
    const attempt_id hangs = pool.stopping.back();
    pool.stopping.pop_back();
    pool.let_them_go();
    const auto vip = pool.submit(pool.spec_of(5));
    pool.pass(seconds(334));
    EXPECT_FALSE(pool.runs(vip)) << "one unit is free, and kept";
    EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "preempting");
    pool.pass(seconds(2));
    pool.rig.give(tick{});
    pool.follow();
    EXPECT_TRUE(pool.runs(vip));
    EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "stop_overdue");
    pool.pass(minutes(30));
    EXPECT_EQ(stopped_so_far(pool.rig), 2) << "nobody else is stopped for it";
    pool.rig.restart();
    pool.rig.report("p", provider_state::ready);
    offer same = small_offer("p", pool_units);
    same.mode = billing_mode::spot;
    pool.rig.give(offers_received{"p", {same}});
    pool.pass(minutes(2));
    EXPECT_EQ(stopped_so_far(pool.rig), 2);
    pool.rig.observe(hangs, phase::exited, ++pool.seq, 143);
    pool.follow();
    EXPECT_FALSE(pool.runs(urgent)) << "it needs two";
    pool.rig.observe(*pool.rig.stored(vip).current, phase::exited, ++pool.seq, 0);
    pool.follow();
    EXPECT_TRUE(pool.runs(urgent));
}

/// A stream of urgent work would take its place for as long as there is something to stop.
TEST(preemption, stops_nobody_where_an_overdue_gang_gathers) {
    for (const auto waited : {minutes(58), minutes(61)}) {
        fair_share_rules rules;
        rules.overdue_after = minutes(60);
        spot_pool pool(rules);
        std::vector<workload_id> runs;
        for (int i = 0; i < 4; ++i)
            runs.push_back(pool.submit(pool.spec_of(0)));
        const auto gang = pool.submit(pool.spec_of(-1, pool_units));
        pool.pass(waited);
        const auto urgent = pool.submit(pool.spec_of(5));
        const bool overdue = waited > minutes(60);
        EXPECT_EQ(pool.stopping.size(), overdue ? 0u : 1u);
        if (!overdue)
            continue;
        for (const auto& id : runs) {
            EXPECT_FALSE(pool.runs(gang));
            pool.rig.observe(*pool.rig.stored(id).current, phase::exited, ++pool.seq, 0);
            pool.follow();
        }
        EXPECT_TRUE(pool.runs(gang));
        EXPECT_FALSE(pool.runs(urgent));
    }
}

TEST(preemption, keeps_its_place_over_the_clock_being_set) {
    spot_pool pool;
    for (int i = 0; i < 4; ++i)
        pool.submit(pool.spec_of(0));
    pool.pass(minutes(2));
    const auto urgent = pool.submit(pool.spec_of(1));
    ASSERT_EQ(pool.stopping.size(), 1u);
    pool.rig.now += std::chrono::hours(5);
    pool.rig.give(clock_stepped{std::chrono::hours(5)});
    EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "preempting");
    pool.let_them_go();
    EXPECT_TRUE(pool.runs(urgent));
}

TEST(preemption, keeps_its_place_over_a_restart) {
    spot_pool pool;
    for (int i = 0; i < 4; ++i)
        pool.submit(pool.spec_of(0));
    pool.pass(minutes(10));
    const auto urgent = pool.submit(pool.spec_of(1, 2));
    ASSERT_EQ(pool.stopping.size(), 2u);
    const attempt_id last = pool.stopping.back();
    pool.stopping.pop_back();
    pool.let_them_go();
    pool.rig.restart();
    pool.rig.report("p", provider_state::ready);
    offer same = small_offer("p", pool_units);
    same.mode = billing_mode::spot;
    pool.rig.give(offers_received{"p", {same}});
    const auto vip = pool.submit(pool.spec_of(5));
    pool.pass(minutes(2));
    EXPECT_FALSE(pool.runs(vip)) << "what is free is kept";
    pool.rig.observe(last, phase::exited, ++pool.seq, 143);
    pool.follow();
    EXPECT_TRUE(pool.runs(urgent));
}

TEST(preemption, never_cascades_and_leaves_the_displaced_alone) {
    spot_pool pool;
    for (int i = 0; i < 4; ++i)
        pool.submit(pool.spec_of(i));
    pool.pass(minutes(10));
    const auto first = pool.submit(pool.spec_of(10));
    ASSERT_EQ(pool.stopping.size(), 1u);
    pool.let_them_go();
    EXPECT_TRUE(pool.runs(first));
    EXPECT_TRUE(pool.stopping.empty()) << "whoever was displaced displaces nobody";
    for (int i = 0; i < 20; ++i) {
        pool.pass(minutes(1));
        pool.rig.give(tick{});
        pool.follow();
        pool.let_them_go();
    }
    std::size_t displaced = 0;
    for (const auto& [id, w] : pool.rig.store.workloads)
        displaced += w.attempts_displaced;
    EXPECT_EQ(displaced, 1u);
}

TEST(preemption, is_bounded_under_a_stream_of_urgent_work) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        spot_pool pool;
        random_source random(seed);
        std::map<workload_id, std::uint32_t> displaced;
        std::map<workload_id, instant> last;
        for (int i = 0; i < 60; ++i) {
            pool.submit(pool.spec_of(static_cast<std::int32_t>(random.next() % 5),
                                     1 + static_cast<std::uint32_t>(random.next() % 2)));
            pool.pass(minutes(1 + static_cast<std::int64_t>(random.next() % 20)));
            pool.rig.give(tick{});
            pool.follow();
            pool.let_them_go();
            for (const auto& [id, w] : pool.rig.store.workloads) {
                if (w.attempts_displaced == displaced[id])
                    continue;
                EXPECT_EQ(w.attempts_displaced, displaced[id] + 1) << seed;
                if (last.contains(id)) {
                    EXPECT_GE(pool.rig.now - last.at(id), minutes(60)) << seed << ": displaced again at once";
                }
                displaced[id] = w.attempts_displaced;
                last[id] = pool.rig.now;
            }
            std::uint64_t units = 0;
            for (const auto& [id, a] : pool.rig.store.attempts)
                units += live(a.state) ? a.terms.units : 0;
            ASSERT_LE(units, pool_units) << seed;
        }
    }
}

TEST(preemption, keeps_nothing_for_whom_no_policy_is_left) {
    spot_pool pool;
    policy going = cheapest_policy();
    going.name = "going";
    pool.rig.set_policies({cheapest_policy(), going});
    for (int i = 0; i < 4; ++i)
        pool.submit(pool.spec_of(0));
    pool.pass(minutes(2));
    auto spec = pool.spec_of(1, 2);
    spec.policy = "going";
    const auto urgent = pool.submit(spec);
    ASSERT_EQ(pool.stopping.size(), 2u);
    pool.rig.set_policies({cheapest_policy()});
    pool.submit(pool.spec_of(0));
    pool.let_them_go();
    EXPECT_EQ(pool.rig.stored(urgent).waiting.at(0).code, "policy_missing");
    EXPECT_EQ(std::ranges::count_if(pool.rig.store.workloads, [&](const auto& one) { return pool.runs(one.first); }),
              std::ptrdiff_t{pool_units})
        << "what was made free is anyone's";
}

TEST(reclaim, gives_back_what_was_lent_and_takes_nothing_below_a_guarantee) {
    fair_share_rules rules;
    rules.tenants["owner"].guaranteed_micros_per_h = 7'200'000;  // two units of the pool
    rules.tenants["guest"].guaranteed_micros_per_h = 7'200'000;
    spot_pool pool(rules);
    pool.as("guest");
    std::vector<workload_id> guests;
    for (int i = 0; i < 4; ++i)
        guests.push_back(pool.submit(pool.spec_of(0)));
    pool.pass(minutes(10));
    pool.as("owner");
    const auto first = pool.submit(pool.spec_of(0)), second = pool.submit(pool.spec_of(-1));
    pool.let_them_go();
    EXPECT_TRUE(pool.runs(first));
    EXPECT_TRUE(pool.runs(second)) << "a guarantee goes before priorities, and the stopped do not take it back";
    const auto third = pool.submit(pool.spec_of(0));
    EXPECT_FALSE(pool.runs(third));
    EXPECT_TRUE(pool.stopping.empty()) << "the guest has no more than its own guarantee";
    EXPECT_EQ(std::ranges::count_if(guests, [&](const auto& id) { return pool.runs(id); }), 2);
}

/// Four units that a guest holds, and nothing that it has done is saved.
struct lent_pool : spot_pool {
    lent_pool()
        : spot_pool([] {
              fair_share_rules rules;
              rules.tenants["owner"].guaranteed_micros_per_h = 7'200'000;  // two units
              return rules;
          }()) {
        policy soonest = cheapest_policy();
        soonest.name = "soonest";
        soonest.order_service = soonest.order_interactive = soonest.order_batch = {{"finish", 0}, {"cost", 0}};
        rig.set_policies({cheapest_policy(), soonest});
        as("guest");
        auto guest = spec_of(0);
        guest.checkpoint->interval_s = 36'000;
        for (int i = 0; i < 4; ++i)
            submit(guest);
        pass(minutes(90));
    }
    /// An hour on one unit, against the hour and a half that one of the guest's would do again.
    workload_id ask(const std::string& tenant, std::int32_t priority, const std::string& policy) {
        as(tenant);
        auto spec = spec_of(priority, 1, 1);
        spec.policy = policy;
        const auto id = submit(spec);
        let_them_go();
        return id;
    }
};

TEST(reclaim, is_no_bargain_as_priority_is) {
    lent_pool pool;
    EXPECT_FALSE(pool.runs(pool.ask("other", 1, "cheapest")));
    EXPECT_TRUE(pool.runs(pool.ask("owner", 0, "cheapest")));
}

TEST(reclaim, is_for_policies_that_order_too) {
    lent_pool pool;
    EXPECT_TRUE(pool.runs(pool.ask("owner", 0, "soonest")));
    EXPECT_EQ(stopped_so_far(pool.rig), 1);
}

TEST(preemption, is_for_policies_that_order_too_where_it_is_a_bargain) {
    lent_pool pool;
    EXPECT_FALSE(pool.runs(pool.ask("other", 1, "soonest")));
    pool.as("other");
    auto spec = pool.spec_of(1, 1, 10);  // half of it is more than that twice: it has nowhere else to go
    spec.policy = "soonest";
    const auto id = pool.submit(spec);
    pool.let_them_go();
    ASSERT_TRUE(pool.runs(id));
    const auto stopped_for = std::ranges::find_if(pool.rig.store.decisions, [&](const auto& one) {
        return one.second.workload == id && !one.second.ranked.front().terms.empty();
    });
    ASSERT_NE(stopped_for, pool.rig.store.decisions.end());
    const appraisal& won = stopped_for->second.ranked.front();
    EXPECT_NEAR(won.terms.back().second, 1.5 * 3.6, 0.1) << "an hour and a half at 3.60";
    EXPECT_DOUBLE_EQ(won.j, won.cost_base + won.terms.back().second);
}

}  // namespace
