#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

using phase = observation::phase;

attempt_id running_one(engine_rig& rig) {
    rig.submit();
    const auto call = rig.only<call_provider>();
    rig.answer_call(call, call_outcome::done);
    rig.observe(call.attempt, phase::running, 1);
    return call.attempt;
}

listing list_of(const engine_rig& rig, std::vector<observation> items, bool complete = true) {
    listing out;
    out.items = std::move(items);
    out.complete = complete;
    out.as_of = rig.now;
    return out;
}

attempt_id stranger() {
    random_source random(99);
    return attempt_id::make(instant(milliseconds(5)), random);
}

TEST(provider, a_missing_one_keeps_its_attempts_as_lost_until_it_returns) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = running_one(rig);
    rig.give(providers_configured{});
    EXPECT_EQ(rig.stored(id).state, attempt_state::lost);
    rig.run_for(std::chrono::hours(1));
    EXPECT_TRUE(rig.all<find_attempt>().empty());
    EXPECT_EQ(rig.stored(id).state, attempt_state::lost);
    rig.restart();
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.only<find_attempt>().attempt, id);
    rig.found(id, rig.seen(id, phase::running, 1));
    EXPECT_EQ(rig.stored(id).state, attempt_state::running);
}

TEST(provider, a_cordon_outlives_the_process_and_the_files_word) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto restart = [&rig] {
        rig.restart();
        rig.report("p", provider_state::ready);
        rig.send_offers("p", 2);
    };
    rig.give(cordon_provider{0, "p", true});
    restart();
    const auto id = rig.submit();
    EXPECT_EQ(rig.stored(id).waiting.at(0).code, "provider_unhealthy");
    rig.give(cordon_provider{0, "p", false});
    restart();
    rig.run_for(seconds(1));
    EXPECT_EQ(rig.stored(id).state, workload_state::launching);
}

TEST(provider, a_late_word_about_a_removed_one_does_not_hide_its_return) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = running_one(rig);
    rig.give(providers_configured{});
    rig.report("p", provider_state::ready);
    rig.configure();
    rig.run_for(seconds(5));
    EXPECT_TRUE(rig.all<find_attempt>().empty());
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.only<find_attempt>().attempt, id);
}

TEST(provider, a_list_that_proves_nothing_ends_nothing) {
    engine_rig rig;
    rig.add_provider("p", 2);
    const auto id = running_one(rig);
    rig.pass(seconds(10));
    auto stale = list_of(rig, {});
    stale.as_of = rig.now - seconds(11);  // from before the launch's answer
    for (const auto& list : {list_of(rig, {}, false), stale}) {
        rig.give(provider_listed{"p", list});
        EXPECT_EQ(rig.stored(id).state, attempt_state::running);
    }
    rig.give(provider_listed{"p", list_of(rig, {})});
    EXPECT_EQ(rig.stored(id).state, attempt_state::ended);
}

TEST(provider, another_things_identity_is_dropped) {
    engine_rig rig;
    rig.add_provider("p", 2);
    rig.add_provider("q", 0);
    const auto id = running_one(rig);
    auto claim = rig.seen(id, phase::exited, 9);
    rig.give(attempt_observed{"q", claim});
    EXPECT_EQ(rig.stored(id).state, attempt_state::running);
    claim.seq = 0;  // older than what was seen
    rig.give(attempt_observed{"p", claim});
    EXPECT_EQ(rig.stored(id).state, attempt_state::running);
}

TEST(poll, looks_at_each_once_a_period_in_spread_batches) {
    engine_rig rig;
    rig.add_provider("p", 1000);
    std::set<attempt_id> expected;
    for (int i = 0; i < 600; ++i)
        expected.insert(running_one(rig));
    rig.run_for(seconds(5));  // settle into the rhythm
    rig.run_for(seconds(5));
    std::multiset<attempt_id> looked;
    for (const auto& look : rig.all<poll_attempts>()) {
        EXPECT_LE(look.attempts.size(), 256u);
        looked.insert(look.attempts.begin(), look.attempts.end());
    }
    EXPECT_GE(looked.size(), 600u);
    EXPECT_LE(looked.size(), 900u);
    for (const auto& id : expected)
        EXPECT_GE(looked.count(id), 1u);
}

TEST(provider, is_listed_every_period_while_it_answers) {
    engine_rig rig;
    rig.add_provider("p", 1);
    rig.run_for(seconds(180));
    EXPECT_EQ(rig.all<list_provider>().size(), 3u);
    rig.report("p", provider_state::down);
    rig.run_for(seconds(180));
    EXPECT_TRUE(rig.all<list_provider>().empty());
}

TEST(sweep, ends_what_is_unknown_for_long_enough_only) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto known = running_one(rig);
    const std::vector<observation> there{rig.seen(known, phase::running, 1), rig.seen(stranger(), phase::running, 1)};
    rig.give(provider_listed{"p", list_of(rig, there)});
    EXPECT_TRUE(rig.all<sweep_orphan>().empty());
    rig.pass(seconds(119));
    rig.give(provider_listed{"p", list_of(rig, there)});
    EXPECT_TRUE(rig.all<sweep_orphan>().empty());
    rig.pass(seconds(1));
    rig.give(provider_listed{"p", list_of(rig, there, false)});
    EXPECT_TRUE(rig.all<sweep_orphan>().empty());
    rig.give(provider_listed{"p", list_of(rig, there)});
    EXPECT_EQ(rig.only<sweep_orphan>().token, launch_token(stranger()));
    rig.pass(seconds(60));
    rig.give(provider_listed{"p", list_of(rig, {there[0], rig.seen(stranger(), phase::exited, 2)})});
    EXPECT_TRUE(rig.all<sweep_orphan>().empty());
    rig.run_for(seconds(2));
    EXPECT_TRUE(rig.market->orphans.empty());
    EXPECT_EQ(rig.market->counts.orphans_swept, 1u);
}

TEST(sweep, ends_an_attempt_that_ended_in_the_records_but_runs_there) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto id = running_one(rig);
    rig.observe(id, phase::exited, 2);
    for (int i = 0; i < 3; ++i) {
        rig.pass(seconds(60));
        rig.give(provider_listed{"p", list_of(rig, {rig.seen(id, phase::running, 3)})});
    }
    EXPECT_EQ(rig.only<sweep_orphan>().token, launch_token(id));
}

offer_list many_offers(const provider_id& provider, std::size_t count, std::int64_t price) {
    std::vector<offer> made;
    for (std::size_t i = 0; i < count; ++i) {
        offer one = small_offer(provider, 1);
        one.id = provider + "/s/" + std::to_string(10'000 + i) + "/on_demand";
        one.price = unit_price{price, currency::cny};
        made.push_back(std::move(one));
    }
    return offer_list(std::move(made));
}

TEST(offer_history, a_whole_record_is_whole_though_another_provider_goes_meanwhile) {
    constexpr std::size_t count = 9000;  // more than one input gathers
    for (int when = 0; when < 4; ++when) {
        engine_rig rig;
        rig.add_provider("a", 1);
        provider_config only_p;
        only_p.id = "p";
        only_p.sites.push_back(small_offer("p", 0).site);
        offer_list whole;
        const auto give = [&](const input& in) {
            random_source random(1);
            const auto made = rig.core->handle(in, rig.now, random);
            for (const auto& entry : made.changes.history)
                if (entry.provider == "p" && entry.whole)
                    whole = entry.offers;
        };
        const auto settle = [&] {
            for (int inputs = 0; inputs < 100; ++inputs)
                give(tick{});
        };
        provider_config a = only_p;
        a.id = "a";
        give(providers_configured{{a, only_p}});
        give(offers_received{"p", many_offers("p", count, 1)});
        settle();
        give(offers_received{"p", many_offers("p", count, 2)});  // as many changes as make a whole record due
        whole = {};
        for (int inputs = 0; inputs < when; ++inputs)
            give(tick{});
        give(providers_configured{{only_p}});
        settle();
        EXPECT_EQ(whole.size(), count) << "removed after " << when << " inputs";
    }
}

TEST(sweep, only_lists_after_a_restore_until_confirmed) {
    engine_rig rig({}, false);
    rig.add_provider("p", 1);
    const auto unknown = rig.seen(stranger(), phase::running, 1);
    for (int i = 0; i < 5; ++i) {
        rig.give(provider_listed{"p", list_of(rig, {unknown})});
        EXPECT_TRUE(rig.all<sweep_orphan>().empty());
        rig.pass(seconds(60));
    }
    rig.run_for(seconds(2));
    ASSERT_EQ(rig.market->orphans.size(), 1u);
    EXPECT_FALSE(rig.market->sweeping);
    EXPECT_EQ(rig.market->orphans[0].token, unknown.token);
    rig.give(confirm_sweep{8});
    EXPECT_TRUE(rig.answered().has_value());
    EXPECT_EQ(rig.all<list_provider>().size(), 1u);
    rig.give(provider_listed{"p", list_of(rig, {unknown})});
    EXPECT_EQ(rig.all<sweep_orphan>().size(), 1u);
}

TEST(logs, are_asked_for_again_a_bounded_number_of_times) {
    engine_rig rig;
    rig.add_provider("p", 1);
    const auto id = running_one(rig);
    rig.observe(id, phase::exited, 2);
    const auto began = rig.now;
    int asked = 0;
    for (auto work = rig.all<archive_logs>(); !work.empty(); work = rig.all<archive_logs>()) {
        ASSERT_LT(++asked, 100);
        rig.give(logs_archived{id, work.at(0).outbox_seq, false, "unavailable"});
        rig.run_for(std::chrono::hours(1));
    }
    EXPECT_EQ(asked, 64);
    EXPECT_GT(rig.now - began, std::chrono::hours(24));
    EXPECT_TRUE(rig.store.outbox.empty());
}

TEST(logs, are_kept_after_a_restart_with_all_ranks) {
    engine_rig rig;
    rig.add_provider("p", 8);
    auto spec = small_spec();
    spec.tasks = 3;
    rig.submit(spec);
    const auto call = rig.only<call_provider>();
    rig.observe(call.attempt, phase::running, 1);
    rig.observe(call.attempt, phase::exited, 2);
    rig.restart();
    rig.report("p", provider_state::ready);
    EXPECT_EQ(rig.only<archive_logs>().tasks, 3u);
}

TEST(market, is_published_once_a_period_and_only_on_change) {
    engine_rig rig;
    rig.add_provider("p", 1000);
    rig.run_for(seconds(2));
    std::size_t views = 0;
    for (int i = 0; i < 100; ++i) {
        rig.submit();
        views += rig.all<publish_market>().size();
    }
    EXPECT_EQ(views, 1u);
    rig.run_for(milliseconds(1000));
    EXPECT_EQ(rig.all<publish_market>().size(), 1u);
    EXPECT_EQ(rig.market->counts.workloads.at(static_cast<std::size_t>(workload_state::launching)), 100u);
    rig.run_for(milliseconds(3500));
    EXPECT_TRUE(rig.all<publish_market>().empty());
}

TEST(events, are_published_with_every_commit_that_has_some) {
    engine_rig rig;
    rig.submit();
    EXPECT_EQ(rig.only<publish_events>().events.size(), 1u);
    EXPECT_EQ(rig.only<publish_events>().events.back(), rig.store.events.back());
}

}  // namespace
