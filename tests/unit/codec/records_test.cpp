#include "broker/codec/views_json.hpp"
#include "broker/codec/workload_json.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace westerly {
namespace {

/// Records of random content from a seed: every field, every optional both ways, every bit pattern of finite doubles.
class maker {
public:
    explicit maker(std::uint64_t seed) : random_(seed) {}

    std::uint64_t any() { return random_.next() >> (random_.next() % 64); }
    bool coin() { return (random_.next() & 1) != 0; }
    double number() {
        for (;;)
            if (const auto v = std::bit_cast<double>(random_.next()); std::isfinite(v))
                return v;
    }
    std::string text() {
        std::string made;
        for (auto left = random_.next() % 24; left > 0; --left)
            made += static_cast<char>(random_.next());
        return made;
    }
    template <class E>
    E one_of_first(std::size_t count) {
        return static_cast<E>(random_.next() % count);
    }
    template <class T, class Make>
    std::optional<T> maybe(Make make) {
        return coin() ? std::optional<T>(make()) : std::nullopt;
    }
    template <class Id>
    Id id() {
        return Id::make(time(), random_);
    }
    instant time() { return instant(milliseconds(static_cast<std::int64_t>(any() >> 20))); }
    std::int64_t amount() { return static_cast<std::int64_t>(random_.next()); }
    currency unit() { return one_of_first<currency>(2); }
    exchange_rates rates() { return {unit(), amount(), text()}; }
    sourced fact() { return {number(), text(), one_of_first<quality_class>(7)}; }

    lease make_lease() {
        lease l;
        l.price = {amount(), unit()};
        l.mode = one_of_first<billing_mode>(3);
        l.units = any();
        l.increment_s = static_cast<std::uint32_t>(any());
        l.minimum_s = static_cast<std::uint32_t>(any());
        l.rates = rates();
        l.idle_w = maybe<double>([&] { return number(); });
        l.max_w = maybe<double>([&] { return number(); });
        l.pue = maybe<sourced>([&] { return fact(); });
        l.green_power_share = maybe<sourced>([&] { return fact(); });
        l.carbon_g_per_kwh = maybe<sourced>([&] { return fact(); });
        l.residual_g_per_kwh = maybe<sourced>([&] { return fact(); });
        l.tasks = static_cast<std::uint32_t>(any());
        l.work_s = any();
        l.limited = coin();
        l.utilisation = number();
        l.list_price = maybe<unit_price>([&] { return unit_price{amount(), unit()}; });
        if (coin())
            l.schedule = {static_cast<std::int16_t>(static_cast<int>(any() % 1799) - 899),
                          {{static_cast<std::uint8_t>(any() % 128), static_cast<std::uint16_t>(any() % 1440),
                            static_cast<std::uint16_t>(any() % 1440), amount()}}};
        return l;
    }
    appraisal make_appraisal() {
        appraisal a;
        a.offer = text();
        a.provider = text();
        a.site = text();
        a.region = text();
        a.launchable = coin();
        a.units = any();
        a.price = {amount(), unit()};
        a.cost = {amount(), unit()};
        a.cost_base = number();
        a.terms = {{text(), number()}, {text(), number()}};
        a.j = number();
        a.keys.assign(random_.next() % 4, number());
        a.start_at = time();
        a.finish_at = time();
        a.billed_s = any();
        a.data_movement_s = number();
        a.rtt_ms = maybe<double>([&] { return number(); });
        a.rtt_method = text();
        a.energy_kwh = maybe<double>([&] { return number(); });
        a.non_green_kwh = maybe<double>([&] { return number(); });
        a.carbon_kg = maybe<double>([&] { return number(); });
        a.green_power_share = maybe<double>([&] { return number(); });
        a.pue = maybe<double>([&] { return number(); });
        a.rtt_p95_ms = coin() ? a.rtt_ms : maybe<double>([&] { return number(); });
        a.egress_base = coin() ? number() : 0;
        a.staging_base = maybe<double>([&] { return number(); });
        a.certificates_microkwh = coin() ? static_cast<std::int64_t>(any() >> 1) : 0;
        a.cost_low = coin() ? number() : a.cost_base;
        a.cost_high = coin() ? number() : a.cost_base;
        a.run = maybe<run_estimate>([&] { return make_run(); });
        a.odds = maybe<finish_odds>([&] { return finish_odds{time(), maybe<double>([&] { return number(); })}; });
        return a;
    }
    run_estimate make_run() {
        run_estimate run;
        run.cards = number();
        run.speed = {number(), number(), number()};
        run.speed_method = text();
        run.efficiency = number();
        run.effective_cards = number();
        run.interruptions = number();
        run.hazard_per_h = number();
        run.hazard_assumed = coin();
        run.work_s = any();
        run.wall_s = any();
        return run;
    }
    note make_note() {
        note told{one_of_first<note_kind>(static_cast<std::size_t>(note_kind::count_)), {}, {}};
        told.words.assign(random_.next() % 3, text());
        told.figures.assign(random_.next() % 3, number());
        return told;
    }
    decision make_decision() {
        decision d;
        d.id = id<decision_id>();
        d.workload = coin() ? id<workload_id>() : workload_id{};
        d.at = time();
        d.policy = text();
        d.policy_version = text();
        d.book_version = any();
        d.rates = rates();
        d.runtime_s = any();
        d.runtime_assumed = coin();
        d.considered = static_cast<std::uint32_t>(any());
        d.rejections = {{one_of_first<rejection>(static_cast<std::size_t>(rejection::count_)), 3}};
        for (auto left = random_.next() % (ranked_max + 1); left > 0; --left)
            d.ranked.push_back(make_appraisal());
        d.baseline = maybe<appraisal>([&] { return make_appraisal(); });
        d.pareto = {text(), text()};
        d.switches = {{text(), text(), number()}, {text(), text(), number(), true}};
        d.narrow_switches = coin();
        d.rivals.assign(random_.next() % 3, text());
        d.notes.assign(random_.next() % 3, make_note());
        return d;
    }
    std::uint64_t next() { return random_.next(); }

private:
    random_source random_;
};

TEST(pack, comes_back_bit_by_bit) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        maker make(seed);
        const auto made = make.make_decision();
        const auto got = unpack_decision(pack_decision(made));
        ASSERT_TRUE(got.has_value()) << seed;
        EXPECT_EQ(*got, made) << seed;
        const auto terms = make.make_lease();
        const auto again = unpack_lease(pack_lease(terms));
        ASSERT_TRUE(again.has_value()) << seed;
        EXPECT_EQ(*again, terms) << seed;
    }
}

TEST(pack, keeps_signed_zero_and_nan) {
    lease l;
    l.idle_w = -0.0;
    l.max_w = std::numeric_limits<double>::quiet_NaN();
    const auto got = unpack_lease(pack_lease(l)).value();
    EXPECT_TRUE(std::signbit(*got.idle_w));
    EXPECT_TRUE(std::isnan(*got.max_w));
}

TEST(pack, is_compact) {
    decision d;
    d.ranked.resize(ranked_max);
    for (auto& a : d.ranked) {
        a.offer = "local/east/core/on_demand";
        a.provider = "local";
        a.site = "east";
        a.region = "cn-east";
    }
    EXPECT_LT(pack_decision(d).size(), to_json(d).size() / 6);
    EXPECT_LT(pack_lease({}).size(), 64u);
}

TEST(pack, of_very_many_texts_some_are_written_again) {
    decision d;
    for (int round = 0; round < 2; ++round)
        for (int i = 0; i < 1000; ++i)
            d.notes.push_back({note_kind::sentence, {"note number " + std::to_string(i)}, {}});
    const auto got = unpack_decision(pack_decision(d));
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(*got, d);
}

TEST(unpack, refuses_every_cut) {
    maker make(7);
    const auto packed = pack_decision(make.make_decision());
    for (std::size_t size = 0; size < packed.size(); ++size) {
        const auto got = unpack_decision(std::string_view(packed).substr(0, size));
        ASSERT_FALSE(got.has_value()) << size;
        EXPECT_EQ(got.error().code, errc::internal);
    }
    EXPECT_FALSE(unpack_decision(packed + '\0').has_value());
}

TEST(unpack, survives_any_damage) {
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        maker make(seed);
        auto choice = pack_decision(make.make_decision());
        choice[make.next() % choice.size()] = static_cast<char>(make.next());
        if (const auto got = unpack_decision(choice)) {
            EXPECT_LE(got->pareto.size(), choice.size());
        }
        auto packed = pack_lease(make.make_lease());
        packed[make.next() % packed.size()] = static_cast<char>(make.next());
        if (const auto got = unpack_lease(packed)) {
            EXPECT_LE(static_cast<int>(got->mode), static_cast<int>(billing_mode::reserved));
        }
    }
}

TEST(unpack, refuses_a_note_of_a_kind_that_it_does_not_know) {
    decision d;
    d.notes = {{note_kind::sentence, {}, {}}};
    auto packed = pack_decision(d);
    // A note's kind, words and figures, rivals, a start put off: none of any; nor are the switch prices narrow.
    const auto at = packed.size() - 6;
    ASSERT_EQ(packed.substr(at), std::string(6, '\0'));
    packed[at] = static_cast<char>(static_cast<int>(note_kind::count_) - 1);
    EXPECT_TRUE(unpack_decision(packed).has_value());
    packed[at] = static_cast<char>(note_kind::count_);
    EXPECT_FALSE(unpack_decision(packed).has_value());
}

TEST(unpack, refuses_another_form) {
    auto packed = pack_lease({});
    ++packed[0];
    EXPECT_FALSE(unpack_lease(packed).has_value());
}

std::string bytes_of_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

/// As an earlier version wrote it: form 2 repeated its texts.
const std::string second_form = bytes_of_hex(
    "02000000000000000000000000000000000000000000000000000000000000000000086368656170657374000000809c8bf3341062"
    "75696c742d696e206578616d706c650000000106726567696f6e03010f612f622f632f6f6e5f64656d616e64016100000100000000"
    "00000000000000000000000000000000f83f000000000000000000000000010000000000000040000000000000000000010161");

TEST(unpack, reads_the_second_form_of_a_decision) {
    decision d;
    d.policy = "cheapest";
    d.rejections = {{rejection::region, 3}};
    d.ranked.resize(1);
    d.ranked[0].offer = "a/b/c/on_demand";
    d.ranked[0].provider = "a";
    d.ranked[0].j = 1.5;
    d.ranked[0].rtt_ms = d.ranked[0].rtt_p95_ms = 2;
    d.notes = {{note_kind::sentence, {"a"}, {}}};  // it kept its notes as sentences
    d.narrow_switches = true;
    const auto got = unpack_decision(second_form);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(*got, d);
    for (std::size_t size = 0; size < second_form.size(); ++size)
        EXPECT_FALSE(unpack_decision(std::string_view(second_form).substr(0, size)).has_value()) << size;
}

/// Form 1 kept rejections by number: plan_only was 2 and region 3, with nothing between them.
TEST(unpack, reads_the_first_form_of_a_decision) {
    const auto first_form = [](char number) {
        auto packed = second_form;
        const std::string name(to_string(rejection::region));
        packed.replace(packed.find(name) - 1, name.size() + 1, 1, number);
        packed[0] = 1;
        return unpack_decision(packed);
    };
    for (const auto& [why, number] : {std::pair(rejection::plan_only, '\2'), std::pair(rejection::region, '\3'),
                                      std::pair(rejection::too_dear_for_policy, '\x16')}) {
        const auto got = first_form(number);
        ASSERT_TRUE(got.has_value()) << to_string(why);
        EXPECT_EQ(got->rejections, (std::vector<std::pair<rejection, std::uint32_t>>{{why, 3}}));
    }
    EXPECT_FALSE(first_form('\x17').has_value());
}

TEST(unpack, refuses_a_text_that_was_not_written) {
    decision d;
    d.policy = "p";
    auto packed = pack_decision(d);
    const auto at = packed.find('p') - 2;  // "written out here", its length, itself
    packed.replace(at, 3, 1, '\2');
    EXPECT_FALSE(unpack_decision(packed).has_value());
}

template <class Record, class... More>
rapidjson::Document shown(const Record& record, More... more) {
    auto document = parse_json(to_json(record, more...), 1 << 20);
    EXPECT_TRUE(document.has_value()) << to_json(record, more...);
    return document ? std::move(*document) : rapidjson::Document();
}

/// No null anywhere: absent fields are left out.
bool has_null(const json_value& v) {
    if (v.IsArray())
        return std::any_of(v.Begin(), v.End(), has_null);
    if (v.IsObject())
        return std::any_of(v.MemberBegin(), v.MemberEnd(), [](const auto& m) { return has_null(m.value); });
    return v.IsNull();
}

TEST(encode, a_plan_tells_what_a_submit_would_have_stopped) {
    plan_result planned;
    EXPECT_FALSE(shown(planned).HasMember("preemption"));
    EXPECT_FALSE(shown(planned).HasMember("rejected_more"));
    planned.rejected_more = 141;
    EXPECT_EQ(shown(planned)["rejected_more"].GetUint(), 141u);
    planned.preemption = foreseen_preemption{"p/s/n/spot", 3, 2, 0.39};
    const auto document = shown(planned);
    const json_value& told = document["preemption"];
    EXPECT_STREQ(told["offer"].GetString(), "p/s/n/spot");
    EXPECT_EQ(told["runs"].GetUint(), 3u);
    EXPECT_EQ(told["tenants"].GetUint(), 2u);
    EXPECT_DOUBLE_EQ(told["charge_base"].GetDouble(), 0.39);
}

TEST(encode, empty_records_are_json_without_null) {
    EXPECT_FALSE(has_null(shown(workload{})));
    EXPECT_FALSE(has_null(shown(attempt{})));
    EXPECT_FALSE(has_null(shown(decision{})));
    EXPECT_FALSE(has_null(shown(plan_result{})));
    EXPECT_FALSE(has_null(shown(event{})));
    EXPECT_FALSE(has_null(shown(usage{})));
    EXPECT_FALSE(has_null(shown(charge{})));
    EXPECT_FALSE(has_null(shown(offer{}, instant())));
    EXPECT_FALSE(has_null(shown(tenant{})));
    EXPECT_FALSE(has_null(shown(api_key{})));
    EXPECT_FALSE(has_null(shown(orphan{})));
}

TEST(encode, workload_has_its_spec_and_how_it_ended) {
    maker make(1);
    auto spec = std::make_shared<workload_spec>();
    spec->name = "n";
    workload w;
    w.id = make.id<workload_id>();
    w.spec = spec;
    w.state = workload_state::failed;
    w.exit_code = 3;
    w.created_at = instant(milliseconds(1));
    w.waiting = {{"no_capacity", "All full."}};
    const auto v = shown(w);
    EXPECT_EQ(v["id"].GetString(), to_string(w.id));
    EXPECT_STREQ(v["state"].GetString(), "failed");
    EXPECT_STREQ(v["created_at"].GetString(), "1970-01-01T00:00:00.001Z");
    EXPECT_STREQ(v["spec"]["name"].GetString(), "n");
    EXPECT_STREQ(v["waiting"][0]["code"].GetString(), "no_capacity");
    EXPECT_EQ(v["exit_code"].GetInt(), 3);
    EXPECT_FALSE(v.HasMember("exit_signal"));
    EXPECT_FALSE(v.HasMember("current_attempt"));
}

TEST(encode, money_is_text_and_energy_exact) {
    charge c;
    c.price = {45'000'000, currency::usd};
    c.billed_micros = 7'800'000;
    const auto v = shown(c);
    EXPECT_STREQ(v["price"]["amount"].GetString(), "0.045000000");
    EXPECT_STREQ(v["billed_cost"]["amount"].GetString(), "7.800000");
    EXPECT_STREQ(v["billed_cost"]["currency"].GetString(), "USD");
    usage u;
    u.energy_microkwh = 1'234'567;
    u.carbon_mg = 0;
    u.carbon_source = "grid";
    const auto used = shown(u);
    EXPECT_EQ(used["energy_kwh"].GetDouble(), 1.234567);
    EXPECT_EQ(used["carbon_kg"].GetDouble(), 0);
    EXPECT_STREQ(used["carbon_source"].GetString(), "grid");
    EXPECT_FALSE(used.HasMember("non_green_kwh"));
    EXPECT_STREQ(used["carbon_scope"].GetString(), "scope_3_category_1");
    EXPECT_FALSE(shown(usage{}).HasMember("carbon_scope"));
}

TEST(encode, a_correction_says_what_it_corrects_and_by_what) {
    usage u;
    u.id.bytes[0] = 1;
    u.carbon_mg = -2'500'000;
    u.grid_zone = "CN-NX";
    EXPECT_FALSE(shown(u).HasMember("correction"));
    u.correction = carbon_correction{
        .of = u.id, .from_at = {}, .until_at = instant(seconds(1)), .g_per_kwh = 571.2, .year = 2026, .reason = "late"};
    const auto v = shown(u);
    EXPECT_EQ(v["carbon_kg"].GetDouble(), -2.5);
    EXPECT_STREQ(v["grid_zone"].GetString(), "CN-NX");
    EXPECT_EQ(v["correction"]["usage"].GetString(), to_string(u.id));
    EXPECT_EQ(v["correction"]["carbon_g_per_kwh"].GetDouble(), 571.2);
    EXPECT_EQ(v["correction"]["year"].GetInt(), 2026);
    EXPECT_STREQ(v["correction"]["end_at"].GetString(), "1970-01-01T00:00:01.000Z");
}

TEST(encode, unknown_numbers_are_left_out) {
    decision d;
    d.ranked.resize(1);
    d.ranked[0].rtt_ms = std::numeric_limits<double>::quiet_NaN();
    d.ranked[0].cost_base = std::numeric_limits<double>::infinity();
    const auto v = shown(d);
    EXPECT_FALSE(v["ranked"][0].HasMember("rtt_ms"));
    EXPECT_FALSE(v["ranked"][0].HasMember("cost_base"));
    EXPECT_TRUE(v.HasMember("explanation"));
}

TEST(encode, egress_and_staging_are_told_apart) {
    decision d;
    d.ranked.resize(1);
    d.ranked[0].cost_base = 6.2;
    d.ranked[0].egress_base = 5.2;
    EXPECT_THAT(to_json(d), testing::Not(testing::HasSubstr("cost_parts"))) << "of an older version";
    d.ranked[0].staging_base = 0.1;
    EXPECT_THAT(to_json(d), testing::HasSubstr(R"("cost_parts":{"compute":1.0,"egress":5.1,"staging":0.1})"));
}

TEST(encode, an_offers_hours_come_with_what_they_come_to) {
    offer o;
    o.price = unit_price{100'000'000, currency::cny};
    o.schedule = {480, {{price_window::every_day, 23 * 60, 7 * 60, 40'000'000}}};
    const instant evening = *parse_rfc3339("2026-11-28T14:59:59.000Z");  // 22:59:59 there
    EXPECT_THAT(to_json(o, evening),
                testing::HasSubstr(R"("hourly_price":{"now":{"amount":"0.100000000","currency":"CNY"},)"
                                   R"("until":"2026-11-28T15:00:00.000Z",)"
                                   R"("least":{"amount":"0.040000000","currency":"CNY"},)"
                                   R"("highest":{"amount":"0.100000000","currency":"CNY"},)"
                                   R"("mean":{"amount":"0.080000000","currency":"CNY"}})"));
    EXPECT_THAT(to_json(o, evening + std::chrono::seconds(1)),
                testing::HasSubstr(R"("now":{"amount":"0.040000000","currency":"CNY"},"until":"2026-11-28T23:00)"));
    offer_past past;
    past.price = o.price;
    past.schedule = o.schedule;
    EXPECT_THAT(to_json(past), testing::AllOf(testing::HasSubstr(R"("price_schedule":{"utc_offset":"+08:00")"),
                                              testing::HasSubstr(R"("hourly_price":{"least":)")));
    o.schedule = {};
    EXPECT_THAT(to_json(o, evening), testing::Not(testing::HasSubstr("hourly_price")));
}

TEST(encode, a_key_never_shows_its_hash) {
    api_key k;
    k.hash.fill(0xAB);
    EXPECT_EQ(to_json(k).find("abab"), std::string::npos);
    EXPECT_EQ(to_json(k).find("hash"), std::string::npos);
}

TEST(encode_problem, follows_rfc_9457) {
    error e = fail(errc::invalid, "the workload is not acceptable", "see the faults");
    e.faults = {{"", "must be an object", "write an object"}, {"/tasks", "is out of range", ""}};
    const auto document = parse_json(encode_problem(e, 400), 1 << 20);
    ASSERT_TRUE(document.has_value());
    const auto& v = *document;
    EXPECT_STREQ(v["type"].GetString(), "urn:westerly:problem:invalid");
    EXPECT_STREQ(v["title"].GetString(), "The request is not valid");
    EXPECT_EQ(v["status"].GetInt(), 400);
    EXPECT_STREQ(v["detail"].GetString(), "the workload is not acceptable");
    EXPECT_STREQ(v["remedy"].GetString(), "see the faults");
    ASSERT_EQ(v["errors"].Size(), 2u);
    EXPECT_STREQ(v["errors"][0]["pointer"].GetString(), "");
    EXPECT_STREQ(v["errors"][1]["pointer"].GetString(), "/tasks");
    EXPECT_FALSE(v["errors"][1].HasMember("remedy"));
}

TEST(encode_problem, every_code_has_a_type_of_its_own) {
    std::vector<std::string> types;
    for (int code = static_cast<int>(errc::invalid); code <= static_cast<int>(errc::internal); ++code) {
        const auto v = parse_json(encode_problem(fail(static_cast<errc>(code)), 500), 1 << 20).value();
        EXPECT_FALSE(v.HasMember("errors"));
        types.emplace_back(v["type"].GetString());
    }
    std::sort(types.begin(), types.end());
    EXPECT_EQ(std::adjacent_find(types.begin(), types.end()), types.end());
}

/// One switch price, no notes: as forms before 9 had it, which told neither its direction nor how widely it was sought.
std::string with_narrow_switches(const decision& made, char form) {
    std::string packed = pack_decision(made);
    packed.pop_back();
    const std::string end(3, '\0');  // notes, rivals, a start put off: none of any
    EXPECT_EQ(packed.substr(packed.size() - 4), '\0' + end);
    packed.erase(packed.size() - 4, 1);
    packed[0] = form;
    return packed;
}

TEST(unpack, reads_the_forms_before) {
    auto lease_of_form_5 = pack_lease(lease{});
    lease_of_form_5.resize(lease_of_form_5.size() - sizeof(double));  // utilisation
    lease_of_form_5[0] = 5;
    EXPECT_EQ(*unpack_lease(lease_of_form_5), lease{});
    auto lease_of_form_4 = lease_of_form_5;
    lease_of_form_4.resize(lease_of_form_4.size() - 2);  // prices by the hour
    lease_of_form_4[0] = 4;
    EXPECT_EQ(*unpack_lease(lease_of_form_4), lease{});
    auto lease_of_form_3 = lease_of_form_4;
    lease_of_form_3.resize(lease_of_form_3.size() - 3);  // how long the work takes, whether limited, the list price
    lease_of_form_3[0] = 3;
    EXPECT_EQ(*unpack_lease(lease_of_form_3), lease{});
    decision made;
    made.ranked.emplace_back().offer = "p/s/n/spot";
    made.switches = {{"p/s/n/spot", "carbon", 2.0}};
    made.narrow_switches = true;
    EXPECT_EQ(*unpack_decision(with_narrow_switches(made, 8)), made);
    // Without odds of the finish nothing differs but the number.
    EXPECT_EQ(*unpack_decision(with_narrow_switches(made, 6)), made);
    made.ranked.front().egress_base = 2;  // which form 7 kept without its parts
    EXPECT_EQ(*unpack_decision(with_narrow_switches(made, 7)), made);
    made.ranked.front().staging_base = 1;
    EXPECT_EQ(*unpack_decision(with_narrow_switches(made, 8)), made);
    EXPECT_FALSE(unpack_decision(with_narrow_switches(made, 7)).has_value()) << "damaged";
    // Form 9 differs from this by its number where no certificates were there.
    auto form_9 = pack_decision(made);
    form_9[0] = 9;
    EXPECT_EQ(*unpack_decision(form_9), made);
    made.ranked.front().certificates_microkwh = 3;
    EXPECT_EQ(*unpack_decision(pack_decision(made)), made);
    form_9 = pack_decision(made);
    form_9[0] = 9;
    EXPECT_FALSE(unpack_decision(form_9).has_value()) << "damaged";
}

}  // namespace
}  // namespace westerly
