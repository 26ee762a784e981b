#include "tests/unit/engine/rig.hpp"

#include <algorithm>

using namespace westerly;
using namespace westerly::testing_support;

namespace {

offer offer_of(const std::string& name, std::uint64_t memory_mib, std::int64_t price_nanos, std::uint64_t units) {
    offer out = small_offer("p", units);
    out.id = "p/s/" + name + "/on_demand";
    out.memory_mib = memory_mib;
    out.price = unit_price{price_nanos, currency::cny};
    return out;
}

workload_spec job_of(std::uint64_t memory_mib, std::uint32_t tasks = 1) {
    auto spec = small_spec();
    spec.work.runtime_s = 3600;
    spec.resources.vcpus = 4;  // a unit each
    spec.resources.memory_mib = memory_mib;
    spec.tasks = tasks;
    return spec;
}

/// A provider that offers nothing until `open`: whoever comes before waits for that one instant.
struct shut_house {
    explicit shut_house(engine_options options = {}) : rig(std::move(options)) {
        rig.add_provider("p", 1);
        rig.give(offers_received{"p", {}});
    }
    workload_id submit(const workload_spec& spec) {
        rig.pass(milliseconds(1));
        return rig.submit(spec);
    }
    void open(std::vector<offer> offers) {
        for (const auto& each : offers)
            units[each.id] = *each.units_free;
        rig.give(offers_received{"p", std::move(offers)});
        rig.run_for(milliseconds(0));
    }
    std::string place_of(const workload_id& id) const {
        const workload& w = rig.stored(id);
        return w.state == workload_state::queued ? "" : rig.stored(*w.current).offer;
    }
    const decision& made_for(const workload_id& id) const {
        return rig.store.decisions.at(rig.stored(*rig.stored(id).current).decision);
    }
    engine_rig rig;
    std::map<offer_id, std::uint64_t> units;
};

bool told_so(const decision& made) {
    return std::ranges::any_of(made.notes, [](const note& n) { return n.kind == note_kind::assigned_together; });
}

TEST(together, who_can_go_elsewhere_makes_room_for_who_cannot) {
    shut_house house;
    const auto anywhere = house.submit(job_of(1024)), large = house.submit(job_of(16'384));
    house.open({offer_of("roomy", 32'768, 1'000'000'000, 1), offer_of("small", 2048, 1'100'000'000, 1)});
    EXPECT_EQ(house.place_of(anywhere), "p/s/small/on_demand");
    EXPECT_EQ(house.place_of(large), "p/s/roomy/on_demand");
    const decision& made = house.made_for(anywhere);
    EXPECT_EQ(made.ranked.front().offer, "p/s/small/on_demand");
    ASSERT_TRUE(told_so(made));
    EXPECT_EQ(made.notes.back().words, std::vector<std::string>{"p/s/roomy/on_demand"});
    EXPECT_EQ(made.notes.back().figures.at(0), 1);
    EXPECT_NEAR(made.notes.back().figures.at(1), 0.1, 1e-9);
    EXPECT_FALSE(told_so(house.made_for(large)));
}

TEST(together, a_gang_starts_whole_or_waits) {
    for (const std::uint64_t free : {3u, 4u}) {
        shut_house house;
        const auto one = house.submit(job_of(1024)), gang = house.submit(job_of(16'384, 4));
        house.open({offer_of("roomy", 32'768, 1'000'000'000, free), offer_of("small", 2048, 1'100'000'000, 1)});
        EXPECT_EQ(house.place_of(gang), free == 4 ? "p/s/roomy/on_demand" : "");
        EXPECT_EQ(house.place_of(one), free == 4 ? "p/s/small/on_demand" : "p/s/roomy/on_demand");
        EXPECT_LE(house.rig.all<call_provider>().size(), 2u);
    }
}

TEST(together, nobody_pays_more_than_making_room_is_worth) {
    shut_house house;
    const auto anywhere = house.submit(job_of(1024)), large = house.submit(job_of(16'384));
    house.open({offer_of("roomy", 32'768, 1'000'000'000, 1), offer_of("small", 2048, 1'300'000'000, 1)});
    EXPECT_EQ(house.place_of(anywhere), "p/s/roomy/on_demand");
    EXPECT_EQ(house.place_of(large), "");
    EXPECT_EQ(house.rig.stored(large).waiting.at(0).code, "no_capacity");
}

TEST(together, a_higher_priority_never_makes_room_for_a_lower_one) {
    shut_house house;
    auto urgent = job_of(1024);
    urgent.priority = 1;
    const auto first = house.submit(urgent), large = house.submit(job_of(16'384));
    house.open({offer_of("roomy", 32'768, 1'000'000'000, 1), offer_of("small", 2048, 1'100'000'000, 1)});
    EXPECT_EQ(house.place_of(first), "p/s/roomy/on_demand");
    EXPECT_EQ(house.place_of(large), "");
}

/// Many workloads of several shapes over some offers, in one turn or one by one.
struct random_house {
    random_house(std::uint64_t seed, bool one_by_one, std::uint64_t units_each)
        : house([&] {
              engine_options options;
              if (one_by_one)
                  options.placements_per_input_max = 1;
              return options;
          }()) {
        random_source random(seed);
        const auto below = [&](std::uint64_t limit) {
            return random.next() % limit;
        };
        for (std::uint64_t i = 2 + below(12); i > 0; --i)
            wishes.push_back(house.submit(job_of(1024ull << below(4), 1 + static_cast<std::uint32_t>(below(3)))));
        std::vector<offer> offers;
        for (std::uint64_t i = 0; i < 2 + below(4); ++i)
            offers.push_back(offer_of("o" + std::to_string(i), 2048ull << below(3),
                                      static_cast<std::int64_t>(1'000'000'000 + below(1'000'000'000)),
                                      units_each ? units_each : 1 + below(6)));
        house.open(std::move(offers));
        for (std::size_t i = 0; i < wishes.size(); ++i)
            house.rig.run_for(milliseconds(0));
    }
    std::vector<std::string> places() const {
        std::vector<std::string> all;
        for (const auto& id : wishes)
            all.push_back(house.place_of(id));
        return all;
    }
    std::size_t started() const {
        return static_cast<std::size_t>(std::ranges::count_if(places(), [](const auto& p) { return !p.empty(); }));
    }
    shut_house house;
    std::vector<workload_id> wishes;
};

TEST(headroom, the_last_units_are_for_work_that_somebody_waits_at) {
    shut_house house;
    auto pool = offer_of("pool", 4096, 1'000'000'000, 3);
    pool.supply.latency_headroom = 1;
    house.open({pool});
    std::vector<workload_id> batch;
    for (int i = 0; i < 3; ++i)
        batch.push_back(house.submit(job_of(1024)));
    EXPECT_EQ(house.place_of(batch[1]), pool.id);
    EXPECT_EQ(house.place_of(batch[2]), "");
    EXPECT_EQ(house.rig.stored(batch[2]).waiting.at(0).code, "no_capacity");
    auto waited_at = job_of(1024);
    waited_at.interactive = true;
    EXPECT_EQ(house.place_of(house.submit(waited_at)), pool.id);
    const auto too_large = house.submit(job_of(1024, 3));
    EXPECT_EQ(house.rig.stored(too_large).waiting.at(0).code, "no_feasible_offer") << "it never fits beside them";
}

TEST(together, without_contention_it_is_as_one_by_one) {
    for (std::uint64_t seed = 0; seed < 200; ++seed)
        EXPECT_EQ(random_house(seed, false, 100).places(), random_house(seed, true, 100).places()) << seed;
}

TEST(together, where_it_is_short_no_fewer_start_and_never_more_than_there_is) {
    std::size_t more = 0, told = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const random_house together(seed, false, 0), apart(seed, true, 0);
        EXPECT_GE(together.started(), apart.started()) << seed;
        more += together.started() > apart.started();
        std::map<offer_id, std::uint64_t> taken;
        for (const auto& id : together.wishes)
            if (const workload& w = together.house.rig.stored(id); w.current) {
                const attempt& a = together.house.rig.stored(*w.current);
                taken[a.offer] += a.terms.units;
                const decision& made = together.house.made_for(id);
                EXPECT_EQ(made.ranked.front().offer, a.offer);
                told += told_so(made);
            }
        for (const auto& [id, units] : taken)
            EXPECT_LE(units, together.house.units.at(id)) << seed;
    }
    EXPECT_GT(more, 0u);
    EXPECT_GT(told, 0u);
}

}  // namespace
