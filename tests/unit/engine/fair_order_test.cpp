#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

/// Tenants by name, a provider "p" of few units, and who holds them.
struct shared_pool {
    explicit shared_pool(std::uint64_t units, fair_share_rules rules = {})
        : rig([&] {
              engine_options options;
              options.fair_share = std::move(rules);
              return options;
          }()) {
        rig.add_provider("p", units);
    }

    void as(const std::string& name) {
        if (!tenants.contains(name)) {
            rig.give(create_tenant{1, name});
            tenants[name] = std::get<tenant>(rig.answered().value()).id;
        }
        rig.who.tenant = tenants.at(name);
        rig.who.tenant_name = name;
    }

    workload_id submit(const std::string& name, std::int32_t priority = 0) {
        as(name);
        rig.pass(milliseconds(1));  // age is told in milliseconds
        auto spec = small_spec();
        spec.priority = priority;
        return rig.submit(spec);
    }

    bool runs(const workload_id& id) const { return rig.stored(id).state != workload_state::queued; }

    void end(const workload_id& id) {
        const attempt_id run = *rig.stored(id).current;
        rig.observe(run, phase::running, 1);
        rig.observe(run, phase::exited, 2);
    }

    void restart(std::uint64_t units) {
        rig.restart();
        rig.report("p", provider_state::ready);
        rig.send_offers("p", units);
    }

    engine_rig rig;
    std::map<std::string, tenant_id> tenants;
};

TEST(turns, the_least_served_tenant_comes_before_the_older_wish) {
    shared_pool pool(1);
    const auto first = pool.submit("greedy");
    const auto again = pool.submit("greedy"), modest = pool.submit("modest"), urgent = pool.submit("greedy", 1);
    pool.rig.pass(seconds(3600));
    pool.end(first);
    EXPECT_TRUE(pool.runs(urgent)) << "priority goes before shares";
    pool.end(urgent);
    EXPECT_TRUE(pool.runs(modest));
    EXPECT_FALSE(pool.runs(again));
    pool.end(modest);
    EXPECT_TRUE(pool.runs(again));
}

TEST(turns, what_is_given_at_one_instant_counts_at_once) {
    shared_pool pool(1);
    const auto first = pool.submit("other");
    std::vector<workload_id> a, b;
    for (int i = 0; i < 4; ++i)
        a.push_back(pool.submit("a"));
    for (int i = 0; i < 4; ++i)
        b.push_back(pool.submit("b"));
    pool.rig.send_offers("p", 5);
    EXPECT_TRUE(pool.runs(first));
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(pool.runs(a[i]), i < 2);
        EXPECT_EQ(pool.runs(b[i]), i < 2);
    }
}

TEST(turns, count_the_dominant_resource_of_a_pool) {
    shared_pool pool(1);
    offer slices = small_offer("p", 1);
    slices.divisible = true;
    slices.vcpus = 1;
    slices.memory_mib = 2048;
    pool.rig.give(offers_received{"p", {slices}});
    const auto wanting = [&](const std::string& name, std::uint32_t vcpus, std::uint64_t memory_mib) {
        pool.as(name);
        pool.rig.pass(milliseconds(1));
        auto spec = small_spec();
        spec.resources.vcpus = vcpus;
        spec.resources.memory_mib = memory_mib;
        return pool.rig.submit(spec);
    };
    wanting("other", 1, 1024);
    std::vector<workload_id> memory, cores;
    for (int i = 0; i < 12; ++i) {
        memory.push_back(wanting("memory", 1, 8192));  // a core of 17, but four units' memory
        cores.push_back(wanting("cores", 2, 1024));    // two units' cores
    }
    slices.units_free = 17;
    pool.rig.give(offers_received{"p", {slices}});
    const auto running = [&](const std::vector<workload_id>& of) {
        return std::ranges::count_if(of, [&](const auto& id) { return pool.runs(id); });
    };
    EXPECT_EQ(running(memory), 2) << "8 units";
    EXPECT_EQ(running(cores), 4) << "8 units";
}

TEST(turns, follow_weights) {
    fair_share_rules rules;
    rules.tenants["physics"].weight = 3;
    shared_pool pool(1, rules);
    pool.submit("other");
    std::vector<workload_id> light, heavy;
    for (int i = 0; i < 8; ++i) {
        light.push_back(pool.submit("light"));
        heavy.push_back(pool.submit("physics"));
    }
    pool.rig.send_offers("p", 9);
    EXPECT_EQ(std::ranges::count_if(light, [&](const auto& id) { return pool.runs(id); }), 2);
    EXPECT_EQ(std::ranges::count_if(heavy, [&](const auto& id) { return pool.runs(id); }), 6);
}

TEST(turns, are_the_same_after_a_restart) {
    for (const bool restarted : {false, true}) {
        shared_pool pool(2);
        const auto ended = pool.submit("greedy"), holds = pool.submit("holder");
        pool.rig.pass(seconds(3600));
        pool.end(ended);
        const auto blocker = pool.submit("blocker");
        const auto greedy = pool.submit("greedy"), holder = pool.submit("holder"), fresh = pool.submit("fresh");
        pool.rig.pass(seconds(3600));
        if (restarted)
            pool.restart(2);
        // An hour that has ended counts a little less than two that go on.
        std::vector<workload_id> order;
        for (auto next : {blocker, fresh, greedy}) {
            pool.end(next);
            for (const auto& id : {greedy, holder, fresh})
                if (pool.runs(id) && std::ranges::find(order, id) == order.end())
                    order.push_back(id);
        }
        EXPECT_EQ(order, (std::vector{fresh, greedy, holder})) << restarted;
        EXPECT_TRUE(pool.runs(holds));
    }
}

TEST(turns, capacity_without_a_limit_is_not_counted) {
    shared_pool pool(1);
    offer without_limit = small_offer("p", 1);
    without_limit.units_free.reset();
    pool.rig.give(offers_received{"p", {without_limit}});
    const auto at_will = pool.submit("big");
    pool.rig.pass(seconds(36'000));
    pool.end(at_will);
    EXPECT_TRUE(pool.rig.store.tenant_uses.empty());
    pool.rig.send_offers("p", 1);
    const auto first = pool.submit("other");
    const auto big = pool.submit("big"), small = pool.submit("small");
    pool.end(first);
    EXPECT_TRUE(pool.runs(big)) << "neither has had anything: the older goes first";
    EXPECT_FALSE(pool.runs(small));
    EXPECT_EQ(pool.rig.store.tenant_uses.size(), 1u);
}

TEST(turns, whoever_waits_too_long_goes_before_every_priority) {
    fair_share_rules rules;
    rules.overdue_after = seconds(600);
    shared_pool pool(1, rules);
    auto runs = pool.submit("a", 5);
    const auto old = pool.submit("a", -5);
    for (int i = 0; i < 20 && !pool.runs(old); ++i) {
        const auto next = pool.submit("a", 5);
        pool.rig.pass(seconds(60));
        pool.end(runs);
        EXPECT_EQ(pool.runs(old), i == 9) << i;  // ten minutes
        runs = pool.runs(old) ? old : next;
    }
    EXPECT_TRUE(pool.runs(old));
}

}  // namespace
