#include "broker/codec/history_pack.hpp"

#include "broker/codec/difference.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

offer full_offer(const std::string& site, const std::string& name) {
    offer o;
    o.id = "p/" + site + "/" + name + "/spot";
    o.provider = "p";
    o.site.site = site;
    o.site.region = "r";
    o.site.jurisdiction = "CN";
    o.site.latitude_longitude = std::pair(1.5, -2.25);
    o.site.rtt_ms = {{"a", 3.5}};
    o.site.rtt_measured = {{.region = "b", .ms = 2.25, .measured_at = instant(milliseconds(7)), .samples = 5}};
    o.site.rtt_max_age_s = 3600;
    o.site.data_classes = {"internal", "public"};
    o.site.licences = {"ansys"};
    o.site.pue = sourced{1.25, "source", quality_class::declared};
    o.site.ingress_gbps = 0.1;
    o.mode = billing_mode::spot;
    o.compute = compute_class::super;
    o.unit = offer_unit::card;
    o.divisible = true;
    o.launchable = false;
    o.runs_gangs = false;
    o.vcpus = 8;
    o.memory_mib = 1 << 20;
    o.disk_mib = 7;
    o.accelerators = accelerator_facts{.model = "A100",
                                       .count = 8,
                                       .memory_gib = 80,
                                       .fp16_tflops = 312,
                                       .interconnect_gb_s = 600,
                                       .stack = "cuda",
                                       .training = true,
                                       .inference = true,
                                       .fp64_tflops = 9.7,
                                       .memory_gb_s = 2039,
                                       .host_link_gb_s = 64,
                                       .scale_up_cards = 8,
                                       .scale_out_gb_s = 25,
                                       .training_speed = {1, 0.9, 1.1},
                                       .fp32_tflops = 19.5,
                                       .int8_tops = 624};
    o.supply = {.hazard = {.spot_per_h = 0.1, .hardware_per_card_h = 1e-5, .provider_per_h = 1e-6, .notice_s = 30},
                .minimum_units = 2,
                .latency_headroom = 3,
                .available_from = instant(milliseconds(5)),
                .tax_rate = 0.06,
                .firm = false,
                .host = "elsewhere",
                .fee = reservation_fee{reservation_term::year, {5'000, currency::usd}},
                .price_until = instant(milliseconds(99)),
                .owned = true,
                .shadow_price = unit_price{7, currency::usd},
                .host_units = 12};
    o.queue_wait_p90_s = 50;
    o.software = {{{"cuda", "12.4"}, {"none", "1"}}, "550.54.14"};
    o.stale_after_s = 300;
    o.architecture = "arm64";
    o.stacks = {"cuda", "none"};
    o.units_free = 3;
    o.units_ours = 1;
    o.price = unit_price{123, currency::usd};
    o.schedule = {-210, {{0x60, 1320, 360, 45}, {0x01, 0, 0, 7}}};
    o.increment_s = 60;
    o.minimum_s = 61;
    o.billing_starts = billing_start::allocation;
    o.idle_w = 1;
    o.max_w = 2;
    o.queue_wait_s = 5;
    o.price_source = "list";
    o.as_of = instant(milliseconds(77));
    return o;
}

const offer_list some_offers = {full_offer("east", "big"), full_offer("east", "bigger"), full_offer("west", "big")};

TEST(history_pack, offers_come_back_and_are_small) {
    const auto packed = pack_offers(some_offers);
    const auto back = unpack_offers(packed);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, some_offers);
    EXPECT_TRUE(unpack_offers(pack_offers({}))->empty());
    std::vector<offer> many;
    for (int i = 1000; i < 2000; ++i)
        many.push_back(full_offer("east", "n" + std::to_string(i)));
    EXPECT_LT(pack_offers(many).size(), many.size() * 240);
}

TEST(history_pack, changes_bases_and_regions_come_back) {
    const auto change = unpack_change(pack_change(some_offers, {"p/x", "p/y"}));
    ASSERT_TRUE(change);
    EXPECT_EQ(change->offers, some_offers);
    EXPECT_EQ(change->gone, (std::vector<offer_id>{"p/x", "p/y"}));
    decision_basis basis;
    basis.history_seq = 300;
    basis.blocked = {"p"};
    basis.budget_left = money{-5, currency::usd};
    basis.measured = {{"Ascend 910B", {3, 2.4, 1.93}}};
    basis.progress = run_progress{.work_left = 0.375, .restores = true};
    basis.less_free = {{0, 1}, {7, 0}, {100'000, std::uint64_t(-2)}};
    EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    EXPECT_LE(pack_basis({}).size(), 10u);  // what every submit pays
    basis.with_signals = true;
    basis.signals_chosen_at = instant(milliseconds(1'800'000'000'001));
    EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    basis.asked_at = instant(milliseconds(1'799'000'000'001));
    basis.heard = {heard_terms::kept::whole, 301};
    basis.confirming = {{"p", instant(milliseconds(9)), "p/s/n/spot"}, {"p", instant(milliseconds(8)), "p/s/z/spot"}};
    EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    for (const auto how : {heard_terms::kept::nothing, heard_terms::kept::too_much}) {
        basis.heard = {how, 0};
        EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    }
    basis.confirmed = {{"p", instant(milliseconds(1'800'000'000'000))}, {"q", instant(milliseconds(5))}};
    EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    auto without = pack_basis(basis);
    without[0] = 4;  // which knew no certificates, and differs by its number where there are none
    EXPECT_EQ(*unpack_basis(without), basis);
    basis.certificates = {{"CN-NW", instant(milliseconds(9)), instant(milliseconds(99)), matching_period::year, 0.5, 7},
                          {"CN-S", instant(milliseconds(8)), instant(milliseconds(98)), matching_period::month, 0, 8}};
    EXPECT_EQ(*unpack_basis(pack_basis(basis)), basis);
    without = pack_basis(basis);
    without[0] = 4;
    EXPECT_FALSE(unpack_basis(without)) << "damaged";
    const facts_past facts = {{{"a", 1.5, 2.5}, {"b", -3, 4}}, "{}"};
    EXPECT_EQ(*unpack_facts(pack_facts(facts)), facts);
}

/// Takes out what form 5 brought of a site where nothing was measured: an empty list, and the usual age limit; and
/// `more` bytes before it.
void without_measured_rtts(std::string& packed, std::size_t more = 0) {
    constexpr std::string_view brought("\0\x80\xA3\x05", 4);
    const auto at = packed.find(brought);
    ASSERT_NE(at, std::string::npos);
    packed.erase(at - more, brought.size() + more);
}

/// Form 6 ended a site's facts before the classes of data and the licences: two empty lists behind the age limit.
void without_classes(std::string& packed) {
    constexpr std::string_view behind("\x80\xA3\x05", 3);
    const auto at = packed.find(behind);
    ASSERT_NE(at, std::string::npos);
    packed.erase(at + behind.size(), 2);
}

/// Form 5 ended before the prices by the hour, two bytes here.
constexpr std::size_t hours_of_none = 2;

TEST(history_pack, offers_of_before_rtts_were_measured_are_read) {
    offer plain = full_offer("east", "big");
    plain.site.rtt_measured.clear();
    plain.site.rtt_max_age_s = rtt_max_age_default_s;
    plain.site.data_classes.clear();
    plain.site.licences.clear();
    plain.schedule = {};
    plain.accelerators->fp32_tflops = plain.accelerators->int8_tops = 0;
    plain.billing_starts = billing_start::run;
    auto packed = pack_offers({plain});
    packed.pop_back();  // form 8 ended before when billing starts
    packed[0] = 8;
    EXPECT_EQ(unpack_offers(packed).value(), (offer_list{plain}));
    packed.pop_back();  // form 7 ended before the peaks that are not at FP16 or FP64: none here
    packed[0] = 7;
    EXPECT_EQ(unpack_offers(packed).value(), (offer_list{plain}));
    without_classes(packed);
    packed[0] = 6;
    EXPECT_EQ(unpack_offers(packed).value(), (offer_list{plain}));
    packed.resize(packed.size() - hours_of_none);
    packed[0] = 5;
    EXPECT_EQ(unpack_offers(packed).value(), (offer_list{plain}));
    without_measured_rtts(packed);
    packed[0] = 4;
    const auto back = unpack_offers(packed);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, (offer_list{plain}));
}

/// Form 3 kept nothing of signals and of what libraries said.
TEST(history_pack, bases_of_the_form_before_are_read) {
    const auto back = unpack_basis(std::string_view("\x03\x05\0\0\1\0\0\0\0", 9));
    ASSERT_TRUE(back);
    decision_basis basis;
    basis.history_seq = 5;
    basis.with_signals = true;
    EXPECT_EQ(*back, basis);
    EXPECT_EQ(back->heard.how, heard_terms::kept::untold);
}

/// Form 2 ended before what form 3 brought: five fields of the terms of supply, and four of the offer, a byte each
/// here.
TEST(history_pack, offers_of_the_form_before_are_read) {
    offer plain;
    plain.id = "p/s/n/spot";
    plain.provider = "p";
    auto packed = pack_offers({plain});
    packed.resize(packed.size() - 1 - hours_of_none - 9);  // the last: when billing starts
    without_classes(packed);
    without_measured_rtts(packed, 1);  // and the price of staging
    packed[0] = 2;
    const auto back = unpack_offers(packed);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, (offer_list{plain}));
}

TEST(history_pack, damage_is_told) {
    const auto offers = pack_offers(some_offers);
    for (std::size_t size = 0; size < offers.size(); ++size)
        EXPECT_FALSE(unpack_offers(std::string_view(offers).substr(0, size)));
    const auto change = pack_change(some_offers, {"p/x"});
    for (std::size_t size = 0; size < change.size(); ++size)
        EXPECT_FALSE(unpack_change(std::string_view(change).substr(0, size)));
    EXPECT_FALSE(unpack_offers(offers + '\0'));
}

TEST(difference, names_the_first_place) {
    const auto at = [](std::string_view left, std::string_view right) {
        const auto found = first_difference(left, right);
        return found ? found->pointer + " " + found->left + " " + found->right : "none";
    };
    EXPECT_EQ(at(R"({"a": 1, "b": [1, 2]})", R"({"a": 1, "b": [1, 2]})"), "none");
    EXPECT_EQ(at(R"({"a": 1, "b": [1, 2]})", R"({"a": 1, "b": [1, 3]})"), "/b/1 2 3");
    EXPECT_EQ(at(R"({"b": [1]})", R"({"b": [1, 3]})"), "/b/1 absent 3");
    EXPECT_EQ(at(R"({"a": 1})", R"({"a": 1, "c/d": 2})"), "/c~1d absent 2");
    EXPECT_EQ(at(R"({"a": 1, "c": 2})", R"({"a": 1})"), "/c 2 absent");
}

}  // namespace
}  // namespace westerly
