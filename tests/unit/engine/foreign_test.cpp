// Terms of libraries: asked by an effect, heard as an input; nobody but those who need them waits.
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

/// Two sites of provider "p": "s" at 3.60 CNY an hour and "t" at 4.00.
struct foreign_test : testing::Test {
    std::vector<term> table{foreign_term("water", "L", "Litres.")};
    engine_rig rig;

    void SetUp() override {
        rig.terms = table;
        rig.restart();
        configure(false);
        rig.add_provider("p", 10);
        send_offers(10);
    }
    void configure(bool ignored_on_failure) {
        policy cheapest, watery;
        cheapest.name = "cheapest";
        watery.name = "watery";
        watery.prices = {{.term = "water", .per_unit = 1, .ignored_on_failure = ignored_on_failure}};
        cheapest.version = watery.version = "sha256:000000000000";
        rig.give(policies_configured{{cheapest, watery}, {}});
    }
    void send_offers(std::uint64_t units) {
        offer other = small_offer("p", units);
        other.site.site = "t";
        other.id = "p/t/small/on_demand";
        other.price = unit_price{4'000'000'000, currency::cny};
        rig.give(offers_received{"p", {small_offer("p", units), other}});
    }
    static workload_spec watery(std::uint32_t vcpus = 1) {
        workload_spec spec = small_spec();
        spec.policy = "watery";
        spec.work.runtime_s = 3600;
        spec.resources.vcpus = vcpus;
        return spec;
    }
    void tell(const score_offers& asked, std::vector<double> litres) {
        for (const auto& question : asked.questions) {
            foreign_column column{.term = question.term,
                                  .tasks = question.request->tasks,
                                  .quantity = litres,
                                  .gaps = false,
                                  .failure = {}};
            tidy(column);
            rig.give(offers_scored{asked.ticket, std::move(column)});
        }
    }
    void fail(const score_offers& asked) {
        for (const auto& question : asked.questions)
            rig.give(offers_scored{asked.ticket,
                                   {.term = question.term,
                                    .tasks = question.request->tasks,
                                    .quantity = {},
                                    .gaps = false,
                                    .failure = "it broke"}});
    }
    std::string site_of(const workload_id& id) {
        const auto& current = rig.stored(id).current;
        return current ? rig.stored(*current).site : std::string("nowhere");
    }
    std::string reason_of(const workload_id& id) {
        const auto& waiting = rig.stored(id).waiting;
        return waiting.empty() ? "" : waiting.front().code;
    }
};

// 3.60 + 1 x 1 L at "s" against 4.00 + 0 L at "t".
TEST_F(foreign_test, a_workload_is_placed_by_what_the_library_said) {
    const auto id = rig.submit(watery());
    const auto asked = rig.only<score_offers>();
    ASSERT_EQ(asked.questions.size(), 1u);
    EXPECT_EQ(asked.questions[0].term, "water");
    ASSERT_EQ(asked.table->offers.site.size(), 2u);
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(reason_of(id), "") << "no reason is shown for a wait of milliseconds";
    tell(asked, {1, 0});
    EXPECT_EQ(site_of(id), "t");
}

TEST_F(foreign_test, one_question_serves_all_that_are_decided_alike) {
    const auto first = rig.submit(watery());
    const auto asked = rig.only<score_offers>();
    const auto second = rig.submit(watery(), "", 2);
    EXPECT_TRUE(rig.all<score_offers>().empty());
    tell(asked, {0, 5});
    EXPECT_EQ(site_of(first), "s");
    EXPECT_EQ(site_of(second), "s");
    const auto third = rig.submit(watery(), "", 3);
    EXPECT_TRUE(rig.all<score_offers>().empty()) << "what was said is still good";
    EXPECT_EQ(site_of(third), "s");
    rig.submit(watery(2), "", 4);
    EXPECT_EQ(rig.all<score_offers>().size(), 1u) << "another demand, another question";
}

TEST_F(foreign_test, what_was_said_grows_old) {
    rig.submit(watery());
    tell(rig.only<score_offers>(), {0, 5});
    rig.pass(milliseconds(60'000));
    rig.submit(watery(), "", 2);
    EXPECT_EQ(rig.all<score_offers>().size(), 1u);
}

TEST_F(foreign_test, others_are_not_held_up) {
    rig.submit(watery());
    ASSERT_EQ(rig.all<score_offers>().size(), 1u);
    const auto other = rig.submit(small_spec(), "", 2);
    EXPECT_EQ(rig.stored(other).state, workload_state::launching);
}

TEST_F(foreign_test, after_a_failure_it_waits_with_a_reason_and_asks_again) {
    const auto id = rig.submit(watery());
    fail(rig.only<score_offers>());
    EXPECT_EQ(rig.stored(id).state, workload_state::queued);
    EXPECT_EQ(reason_of(id), "term_failed");
    EXPECT_NE(rig.stored(id).waiting.front().detail.find("it broke"), std::string::npos);
    rig.run_for(milliseconds(999));
    EXPECT_TRUE(rig.all<score_offers>().empty());
    rig.run_for(milliseconds(1));
    fail(rig.only<score_offers>());
    rig.run_for(milliseconds(1'999));
    EXPECT_TRUE(rig.all<score_offers>().empty()) << "each failure doubles the wait";
    rig.run_for(milliseconds(1));
    tell(rig.only<score_offers>(), {0, 0});
    EXPECT_EQ(site_of(id), "s");
    EXPECT_EQ(reason_of(id), "");
}

TEST_F(foreign_test, a_policy_may_decide_without_it) {
    configure(true);
    const auto id = rig.submit(watery());
    fail(rig.only<score_offers>());
    EXPECT_EQ(site_of(id), "s");
    const decision& made = rig.store.decisions.at(*rig.stored(id).last_decision);
    const auto told = std::ranges::find(made.notes, note_kind::term_ignored, &note::kind);
    ASSERT_NE(told, made.notes.end());
    EXPECT_EQ(told->words, (std::vector<std::string>{"water", "it broke"}));
    const auto next = rig.submit(watery(), "", 2);
    EXPECT_EQ(site_of(next), "s") << "at once, while the failure is fresh";
}

TEST_F(foreign_test, an_answer_about_other_offers_is_asked_for_again) {
    const auto id = rig.submit(watery());
    const auto asked = rig.only<score_offers>();
    send_offers(7);
    tell(asked, {1, 0});
    const auto again = rig.only<score_offers>();
    EXPECT_GT(again.table->book_version, asked.table->book_version);
    tell(again, {0, 0});
    EXPECT_EQ(site_of(id), "s");
}

TEST_F(foreign_test, offers_that_always_change_are_a_failure) {
    const auto id = rig.submit(watery());
    for (std::uint64_t units = 20; units < 40; ++units) {
        const auto asked = rig.all<score_offers>();
        if (asked.empty())
            break;
        send_offers(units);
        tell(asked.front(), {1, 0});
    }
    EXPECT_EQ(reason_of(id), "term_failed");
    rig.run_for(milliseconds(1'000));
    tell(rig.only<score_offers>(), {1, 0});
    EXPECT_EQ(site_of(id), "t");
}

TEST_F(foreign_test, a_lost_answer_is_asked_for_again) {
    const auto id = rig.submit(watery());
    const auto lost = rig.only<score_offers>();
    rig.run_for(milliseconds(60'000));
    const auto again = rig.only<score_offers>();
    tell(lost, {0, 9});
    EXPECT_EQ(rig.stored(id).state, workload_state::queued) << "an answer to an old question is none";
    tell(again, {9, 0});
    EXPECT_EQ(site_of(id), "t");
}

// One unit at each of two sites, and three that are tried at once: who goes where is found together.
TEST_F(foreign_test, those_who_are_assigned_together_weigh_it) {
    send_offers(1);
    std::vector<workload_id> all{rig.submit(watery())};
    const auto asked = rig.only<score_offers>();
    all.push_back(rig.submit(watery(), "", 2));
    all.push_back(rig.submit(watery(), "", 3));
    tell(asked, {1, 0});
    EXPECT_EQ((std::set{site_of(all[0]), site_of(all[1])}), (std::set<std::string>{"s", "t"}));
    EXPECT_EQ(site_of(all[2]), "nowhere");
    EXPECT_EQ(reason_of(all[2]), "no_capacity");
}

TEST_F(foreign_test, a_plan_waits_for_its_answer) {
    rig.give(plan_workload{77, rig.who, std::make_shared<workload_spec>(watery())});
    EXPECT_TRUE(rig.all<answer_request>().empty());
    tell(rig.only<score_offers>(), {1, 0});
    const auto said = rig.answered();
    ASSERT_TRUE(said);
    const decision& made = std::get<plan_result>(*said).made;
    ASSERT_EQ(made.ranked.size(), 2u);
    EXPECT_EQ(made.ranked[0].site, "t");
    EXPECT_NEAR(made.ranked[0].j, 4.0, 1e-9);
    EXPECT_NEAR(made.ranked[1].j, 4.6, 1e-9);
}

TEST_F(foreign_test, new_policies_ask_anew_also_for_plans) {
    rig.give(plan_workload{77, rig.who, std::make_shared<workload_spec>(watery())});
    const auto before = rig.only<score_offers>();
    const auto id = rig.submit(watery(), "", 2);
    configure(true);
    const auto after = rig.only<score_offers>();
    EXPECT_NE(before.ticket, after.ticket);
    tell(after, {0, 0});
    EXPECT_TRUE(rig.answered());
    EXPECT_EQ(site_of(id), "s");
}

TEST_F(foreign_test, every_size_of_a_gang_is_asked_for) {
    workload_spec spec = watery();
    spec.tasks = 1;
    spec.tasks_max = 3;
    spec.work.reference = reference_cards{"A100", 1};
    rig.submit(spec);
    const auto asked = rig.only<score_offers>();
    ASSERT_EQ(asked.questions.size(), 3u);
    EXPECT_EQ(asked.questions[2].request->tasks, 3u);
}

TEST_F(foreign_test, few_are_asked_at_once_and_the_rest_by_turns) {
    std::vector<workload_id> all;
    std::vector<score_offers> asked;
    for (std::uint32_t n = 0; n < 40; ++n) {
        workload_spec spec = watery();
        spec.work.runtime_s = 3600 + n;
        all.push_back(rig.submit(spec, "", static_cast<std::uint8_t>(n + 1)));
        for (auto& each : rig.all<score_offers>())
            asked.push_back(each);
    }
    EXPECT_EQ(asked.size(), 16u);
    for (std::size_t next = 0; next < asked.size(); ++next) {
        tell(score_offers(asked[next]), {0, 0});
        for (auto& each : rig.all<score_offers>())
            asked.push_back(each);
    }
    EXPECT_EQ(asked.size(), 40u);
    const auto placed = std::ranges::count_if(all, [&](const auto& id) { return rig.stored(id).current.has_value(); });
    EXPECT_EQ(placed, 20) << "as many as fit two sites of 10 units";
}

}  // namespace
