// Offers that grow old, reservations that are owned, and hosts that several sellers sell, as the engine deals with
// them.
#include "broker/placement/replay.hpp"
#include "tests/unit/engine/rig.hpp"

using namespace westerly;
using namespace westerly::testing_support;

namespace {

offer dated(const engine_rig& rig, std::int64_t age_s) {
    offer o = small_offer("p", 10);
    o.stale_after_s = 60;
    o.as_of = rig.now - seconds(age_s);
    return o;
}

struct trust_in_offers : testing::Test {
    engine_rig rig;
    trust_in_offers() { rig.add_provider("p", 10); }
    workload_state state(const workload_id& id) { return rig.stored(id).state; }
};

TEST_F(trust_in_offers, who_waits_for_a_lapsed_offer_starts_when_it_is_confirmed) {
    rig.give(offers_received{"p", {dated(rig, 600)}});
    const auto id = rig.submit();
    ASSERT_EQ(state(id), workload_state::queued);
    EXPECT_NE(rig.stored(id).waiting.at(0).detail.find("(offer_stale)"), std::string::npos);
    rig.give(offers_received{"p", {dated(rig, 0)}});
    rig.run_for(seconds(1));
    EXPECT_EQ(state(id), workload_state::launching);
}

TEST_F(trust_in_offers, a_confirmation_is_part_of_what_a_decision_was_made_from) {
    rig.give(offers_received{"p", {dated(rig, 300)}});
    rig.give(offers_received{"p", {dated(rig, 0)}});  // nothing but its date is new: no entry of the history
    random_source random(1);
    const auto spec = std::make_shared<workload_spec>(small_spec());
    const auto done = rig.core->handle(submit_workload{1, rig.who, spec, "", {}}, rig.now, random).changes;
    ASSERT_EQ(done.bases.size(), 1u);
    const decision& made = done.decisions.at(0);
    EXPECT_EQ(done.bases[0].confirmed, (std::vector<std::pair<provider_id, instant>>{{"p", rig.now}}));
    market_past past;
    past.offers = {{"p", {dated(rig, 900)}}};
    past_book book(past, {});
    policy cheapest;
    cheapest.name = "cheapest";
    cheapest.version = "sha256:000000000000";
    const auto again = book.decide_again(made, done.bases[0], cheapest, {}, *spec);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, made) << "the offer of the history has lapsed; the one that was decided on was confirmed";
}

TEST_F(trust_in_offers, an_owned_reservation_is_leased_at_its_fees_share) {
    offer o = small_offer("p", 10);
    o.id = "p/s/small/reserved";
    o.mode = billing_mode::reserved;
    o.supply.owned = true;
    o.supply.fee = reservation_fee{reservation_term::month, {720'000'000, currency::cny}};
    rig.give(offers_received{"p", {small_offer("p", 10), o}});
    const auto id = rig.submit();
    const auto& a = rig.stored(*rig.stored(id).current);
    EXPECT_EQ(a.offer, "p/s/small/reserved") << "it comes first: 0 against 3.60 an hour";
    EXPECT_EQ(a.terms.price, (unit_price{1'000'000'000, currency::cny}));
    EXPECT_EQ(a.terms.list_price, o.price);
}

TEST_F(trust_in_offers, capacity_that_two_sell_is_used_once) {
    const auto sold_by = [](const provider_id& seller) {
        offer o = small_offer(seller, 1);
        o.supply.host = "dc-1";
        return o;
    };
    rig.add_provider("q", 1);
    rig.give(offers_received{"p", {sold_by("p")}});
    rig.give(offers_received{"q", {sold_by("q")}});
    const auto first = rig.submit(), second = rig.submit();
    EXPECT_EQ(state(first), workload_state::launching);
    EXPECT_EQ(state(second), workload_state::queued);
    EXPECT_EQ(rig.stored(second).waiting.at(0).code, "no_capacity");
}

}  // namespace
