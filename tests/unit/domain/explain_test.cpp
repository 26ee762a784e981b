#include "broker/domain/explain.hpp"

#include "broker/domain/phrases.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace westerly {
namespace {

/// The places {1}, {2}, … of a text.
std::set<char> places_of(std::string_view text) {
    std::set<char> places;
    for (std::size_t i = 0; i + 2 < text.size(); ++i)
        if (text[i] == '{' && text[i + 2] == '}')
            places.insert(text[i + 1]);
    return places;
}

bool has_chinese(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c >= 0xE3 && c <= 0xE9; });
}

/// Runs of digits and points, sorted: what no language may change.
std::vector<std::string> numbers_of(std::string_view text) {
    std::vector<std::string> numbers;
    std::string one;
    for (const char c : std::string(text) + " ")
        if ((c >= '0' && c <= '9') || (c == '.' && !one.empty())) {
            one += c;
        } else if (!one.empty()) {
            one.erase(one.find_last_not_of('.') + 1);
            numbers.push_back(std::exchange(one, {}));
        }
    std::ranges::sort(numbers);
    return numbers;
}

template <class Key>
void expect_same_places() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Key::count_); ++i) {
        const auto key = static_cast<Key>(i);
        EXPECT_EQ(places_of(english()[key]), places_of(chinese()[key])) << english()[key];
    }
}

TEST(phrases, say_the_same_things_in_every_language) {
    expect_same_places<phrase>();
    expect_same_places<note_kind>();
}

TEST(phrases, every_rejection_has_words_of_its_own_in_every_language) {
    for (const language spoken : languages) {
        std::set<std::string_view> words;
        for (std::size_t i = 0; i < static_cast<std::size_t>(rejection::count_); ++i) {
            const auto text = phrases_of(spoken)[static_cast<rejection>(i)];
            EXPECT_FALSE(text.empty());
            EXPECT_TRUE(words.insert(text).second) << text;
            EXPECT_EQ(has_chinese(text), spoken == language::zh) << text;
        }
    }
}

TEST(phrases, the_same_terms_have_words_in_every_language) {
    ASSERT_EQ(english().terms.size(), chinese().terms.size());
    for (std::size_t i = 0; i < english().terms.size(); ++i)
        EXPECT_EQ(english().terms[i].name, chinese().terms[i].name);
    EXPECT_EQ(chinese().words_of("green_power"), "绿电");
    EXPECT_EQ(chinese().words_of("preemption"), "抢占补偿");
    EXPECT_EQ(chinese().words_of("noise"), "noise") << "a term of somebody's own keeps its name";
    EXPECT_EQ(english().term("noise").gain, "better");
}

TEST(language, is_known_by_its_code) {
    for (const language spoken : languages)
        EXPECT_EQ(parse_language(to_string(spoken)), spoken);
    EXPECT_EQ(parse_language("fr"), std::nullopt);
    EXPECT_EQ(parse_language(""), std::nullopt);
}

/// One note of each kind, whole.
std::vector<note> every_note() {
    return {{note_kind::sentence, {"An older sentence."}, {}},
            {note_kind::ranked_by_cost, {}, {}},
            {note_kind::ranked_by_sum, {"green_power", "kWh", "time", "h", "noise", "dB"}, {0.61, 5, 1}},
            {note_kind::ranked_in_order, {"non_green_energy", "kWh", "cost", "currency unit"}, {0.1, 0}},
            {note_kind::costs_per_hour, {}, {}},
            {note_kind::runtime_assumed, {}, {3600}},
            {note_kind::reference_unknown, {"Nobody's card"}, {}},
            {note_kind::origin_missing, {}, {}},
            {note_kind::term_missing, {"noise"}, {}},
            {note_kind::within_of_cheapest, {"p/a/n/on_demand"}, {0.5, 12.5}},
            {note_kind::power_unknown, {"p/a/n/on_demand"}, {}},
            {note_kind::pue_assumed, {"zhongwei"}, {1.5}},
            {note_kind::green_share_unknown, {"zhongwei"}, {}},
            {note_kind::ingress_assumed, {"zhongwei"}, {10}},
            {note_kind::only_catalogue, {"p/a/n/on_demand"}, {}},
            {note_kind::green_not_low_carbon, {"p/b/n/on_demand", "p/a/n/on_demand"}, {0, 0.12, 0.077, 0.0528}},
            {note_kind::not_robust, {"p/b/n/on_demand", "p/c/n/on_demand"}, {}},
            {note_kind::spot_hazard_unknown, {"p/a/n/spot"}, {}},
            {note_kind::gang_chosen, {}, {16, 4, 32, 4}},
            {note_kind::policy_forced, {"house", "cheapest"}, {}},
            {note_kind::policy_by_default, {"balanced"}, {}},
            {note_kind::policy_overridden, {"prices.latency: 0.1 → 0.5"}, {}},
            {note_kind::carbon_source, {"zhongwei", "grid", "measured by the hour"}, {}},
            {note_kind::carbon_source_partly, {"zhongwei", "grid", "measured by the hour"}, {0.25}},
            {note_kind::put_off, {"2026-03-01T08:00:00Z", "zhongwei"}, {}},
            {note_kind::put_off_intensity, {"grid"}, {120, 480.5}},
            {note_kind::put_off_saves_carbon, {}, {1.5}},
            {note_kind::put_off_saves_energy, {}, {2.5}},
            {note_kind::put_off_saves_money, {}, {0.3}},
            {note_kind::put_off_on_baseline, {"p/b/n/on_demand"}, {1.25, 0.5}},
            {note_kind::speed_measured, {"Ascend 910B"}, {3}},
            {note_kind::work_left, {}, {0.4}},
            {note_kind::moved, {"p/a/n/on_demand", "p/b/n/on_demand"}, {12.5, 8, 0.25, 4.25}},
            {note_kind::moved_in_order, {"p/a/n/on_demand", "p/b/n/on_demand", "cost"}, {12.5, 8}},
            {note_kind::assigned_together, {"p/b/n/on_demand"}, {3, 1.25}},
            {note_kind::offer_stale, {"p/s/n/spot"}, {48.5, 24}},
            {note_kind::quote_until, {"p/s/n/spot", "2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::owned_reservation, {"p/s/n/reserved", "1.00 CNY"}, {0.5}},
            {note_kind::finish_spread, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::finish_in_time, {"2027-01-15T08:00:00.000Z"}, {0.97, 0.95}},
            {note_kind::term_failed, {"water", "it did not answer within 100 ms"}, {}},
            {note_kind::term_ignored, {"water", "it did not answer within 100 ms"}, {}},
            {note_kind::rtt_measured, {"zhongwei", "cn-east", "2027-01-15T08:00:00.000Z"}, {27.4, 5}},
            {note_kind::rtt_measured_old, {"zhongwei", "cn-east", "declared"}, {30.5, 24}},
            {note_kind::price_by_hour, {"p/b/n/on_demand"}, {0.55, 0.3, 1.1}},
            {note_kind::put_off_price, {"2026-03-01T14:00:00.000Z", "zhongwei"}, {0.3, 1.1}},
            {note_kind::put_off_costs_less, {"p/b/n/on_demand"}, {1.6}},
            {note_kind::region_unknown, {"hall", "/constraints/regions/0"}, {}},
            {note_kind::region_misspelt, {"cn-esat", "/constraints/origin/region", "cn-east"}, {}},
            {note_kind::wait_full_one, {}, {}},
            {note_kind::wait_full, {}, {2}},
            {note_kind::wait_kept, {}, {2}},
            {note_kind::wait_passed_over, {"region", "capacity_now"}, {3, 1}},
            {note_kind::wait_blocked_one, {"west: the operator has it take no new work"}, {}},
            {note_kind::wait_blocked, {"west: the operator has it take no new work"}, {2}},
            {note_kind::wait_nothing_offered, {}, {}},
            {note_kind::wait_none_fits, {"region", "price_missing"}, {3, 2, 5}},
            {note_kind::wait_asked_again, {}, {}},
            {note_kind::wait_policy_missing, {"house"}, {}},
            {note_kind::wait_policy_refused, {"It allows 0 to 0.25."}, {}},
            {note_kind::wait_not_before, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::wait_tried_again_at, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::wait_stopping_one, {"p/a/n/spot"}, {}},
            {note_kind::wait_stopping, {"p/a/n/spot"}, {2}},
            {note_kind::wait_outcome_unknown, {"2027-01-15T08:00:00.000Z", "west", "zhongwei"}, {1}},
            {note_kind::wait_lost_running, {"2027-01-15T08:00:00.000Z", "west", "zhongwei"}, {1}},
            {note_kind::wait_lost_pending, {"2027-01-15T08:00:00.000Z", "west", "zhongwei"}, {1}},
            {note_kind::wait_last_seen, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::wait_asked_for, {}, {}},
            {note_kind::wait_stopped_if_found, {}, {}},
            {note_kind::wait_choices, {"train-small"}, {}},
            {note_kind::wait_given_up_at, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::waited, {"no_capacity", "provider_unhealthy"}, {320}},
            {note_kind::would_preempt, {"p/b/n/spot"}, {3, 2, 0.39}},
            {note_kind::room_ahead, {"2027-01-15T08:00:00.000Z", "p/b/n/on_demand"}, {9.9}},
            {note_kind::risk_weighed, {}, {0.0298, 0.02, 0.01}},
            {note_kind::within_of_least, {"p/a/n/on_demand", "carbon", "kg"}, {0.1, 0.0528}},
            {note_kind::target_met, {"2027-01-15T08:00:00.000Z", "2027-01-15T07:00:00.000Z"}, {}},
            {note_kind::target_missed, {"2027-01-15T08:00:00.000Z", "2027-01-15T09:30:00.000Z"}, {1.5}},
            {note_kind::value_of_time, {}, {20}},
            {note_kind::put_off_available, {"p/a/n/on_demand", "2026-03-01T08:00:00Z"}, {}},
            {note_kind::put_off_forbidden, {"p/a/n/on_demand", "2026-03-01T08:00:00Z"}, {}},
            {note_kind::wait_none_fits_yet, {"compliance", "price_missing"}, {3, 2, 5}},
            {note_kind::wait_forbidden_until, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::wait_available_from, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::brought_along, {}, {5120, 720}},
            {note_kind::carbon_source_of_part, {"zhongwei", "grid", "measured by the hour"}, {0.25}},
            {note_kind::carbon_own_factor, {"zhongwei", "grid", "measured by the hour"}, {}},
            {note_kind::carbon_source_besides, {"zhongwei", "grid", "measured by the hour"}, {}},
            {note_kind::finish_never, {}, {}},
            {note_kind::runtime_limited, {}, {7200, 3600}},
            {note_kind::put_off_cheaper_too, {"p/b/n/on_demand"}, {1.25, 0.5}},
            {note_kind::put_off_best, {"2026-03-01T08:00:00Z", "zhongwei"}, {}},
            {note_kind::deadline_passed, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::architecture_any, {"p/a/n/on_demand", "arm64"}, {}},
            {note_kind::quantities_read, {"reads_rtt", "reads_hazard"}, {}},
            {note_kind::rule_forbids, {"october-2022", "A100"}, {}},
            {note_kind::rule_unknown, {"october-2022", "A100", "interconnect_gb_s"}, {}},
            {note_kind::class_of_cards, {"intelligent", "general"}, {}},
            {note_kind::target_unpriced, {"2027-01-15T08:00:00.000Z"}, {}},
            {note_kind::of_batch_only, {"timing.target_at", "timing.max_delay_s"}, {}},
            {note_kind::deadline_unreachable, {"2027-01-15T08:00:00.000Z", "2027-01-15T09:30:00.000Z"}, {}},
            {note_kind::brought_beside, {"p/b/n/on_demand"}, {5120}},
            {note_kind::put_off_adds_carbon, {}, {168.8102}},
            {note_kind::put_off_adds_energy, {}, {2.5}},
            {note_kind::put_off_adds_money, {}, {5}},
            {note_kind::billed_while_brought, {"p/far/n/on_demand"}, {2.4434}},
            {note_kind::rule_forbids_in, {"export", "A100, H100", "JP, US"}, {}},
            {note_kind::rule_forbids_bare, {"residency", "JP, US"}, {}},
            {note_kind::rule_unknown_bare, {"residency", "jurisdiction"}, {}}};
}

TEST(notes, every_kind_is_a_sentence_in_every_language) {
    const auto all = every_note();
    ASSERT_EQ(all.size(), static_cast<std::size_t>(note_kind::count_));
    for (std::size_t i = 0; i < all.size(); ++i) {
        ASSERT_EQ(static_cast<std::size_t>(all[i].kind), i);
        const auto in_english = in_words(all[i], currency::cny, language::en);
        const auto in_chinese = in_words(all[i], currency::cny, language::zh);
        for (const auto& text : {in_english, in_chinese}) {
            EXPECT_EQ(text.find_first_of("{}?"), std::string::npos) << text;
            for (const auto& word : all[i].words)
                EXPECT_TRUE(word.find('/') == std::string::npos || text.find(word) != std::string::npos) << text;
        }
        EXPECT_TRUE(in_english.ends_with(".")) << in_english;
        EXPECT_EQ(numbers_of(in_english), numbers_of(in_chinese)) << in_chinese;
        if (all[i].kind != note_kind::sentence) {
            EXPECT_TRUE(has_chinese(in_chinese) && in_chinese.ends_with("。")) << in_chinese;
        }
    }
}

TEST(phrases, chinese_has_no_blanks_between_its_own_signs) {
    const auto filled = [](const char* text, std::initializer_list<std::string> with) {
        return fill(text, with);
    };
    EXPECT_EQ(filled("每 {1} 计价", {"小时"}), "每小时计价");
    EXPECT_EQ(filled("每 {1} 计价", {"ms·副本小时"}), "每 ms·副本小时计价");
    EXPECT_EQ(filled("每 {1} {2} 为一档", {"0.5", "小时"}), "每 0.5 小时为一档");
    EXPECT_EQ(filled("{1} {2}", {"小时", "计价"}), "小时计价");
    EXPECT_EQ(filled("每 {1} 计 {2}", {"kWh", "1.00 CNY"}), "每 kWh 计 1.00 CNY");
    EXPECT_EQ(filled("{1} of {2} ", {"one", "two"}), "one of two ");
}

TEST(notes, tell_units_in_the_language) {
    const note told{note_kind::ranked_by_sum, {"latency", "ms·replica-h", "risk", "run"}, {0.1, 100}};
    EXPECT_EQ(in_words(told, currency::cny, language::zh),
              "按费用加上以下各项排序：延迟（每 ms·副本小时计 0.10 CNY）、风险（每次运行计 100.00 CNY）。");
    EXPECT_EQ(in_words(told, currency::cny, language::en),
              "Ranked by cost plus latency at 0.10 CNY per ms·replica-h and risk at 100.00 CNY per run.");
}

TEST(notes, read_as_they_should) {
    const auto all = every_note();
    const auto told = [&](note_kind kind, language spoken) {
        return in_words(all[static_cast<std::size_t>(kind)], currency::cny, spoken);
    };
    EXPECT_EQ(told(note_kind::ranked_by_sum, language::en),
              "Ranked by cost plus green power at 0.61 CNY per kWh, time at 5.00 CNY per h and noise at 1.00 CNY per "
              "dB.");
    EXPECT_EQ(told(note_kind::ranked_by_sum, language::zh),
              "按费用加上以下各项排序：绿电（每 kWh 计 0.61 CNY）、时间（每小时计 5.00 CNY）、noise（每 dB 计 1.00 "
              "CNY）。");
    EXPECT_EQ(told(note_kind::ranked_in_order, language::en),
              "Ranked by non-green energy in steps of 0.1 kWh, then cost.");
    EXPECT_EQ(told(note_kind::ranked_in_order, language::zh),
              "依次按以下各项排序：非绿电能耗（每 0.1 kWh 为一档），其次费用。");
    EXPECT_EQ(told(note_kind::within_of_cheapest, language::en),
              "Only offers within 50 % over the cheapest started at once (12.50 CNY, p/a/n/on_demand) were ranked.");
    EXPECT_EQ(told(note_kind::within_of_cheapest, language::zh),
              "只对比立即开始的最便宜者（p/a/n/on_demand，12.50 CNY）贵不超过 50 % 的报价排序。");
    EXPECT_EQ(told(note_kind::waited, language::en),
              "It had waited 320 s for its start, in the end because all that fits was full and providers took no new "
              "work.");
    EXPECT_EQ(told(note_kind::waited, language::zh),
              "启动前等待了 320 s，最后的原因是：符合要求的报价都已满、算力提供方不接新任务。");
    EXPECT_EQ(told(note_kind::not_robust, language::en),
              "Not robust: within the ranges of the cards' speeds p/b/n/on_demand and p/c/n/on_demand would win.");
}

TEST(notes, of_a_record_that_lacks_words_are_told_without_them) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(note_kind::count_); ++i)
        for (const language spoken : languages)
            EXPECT_FALSE(in_words({static_cast<note_kind>(i), {}, {}}, currency::cny, spoken).empty());
    EXPECT_EQ(in_words({note_kind::term_missing, {}, {}}, currency::cny),
              "The policy names the term \"?\", which this broker does not have.");
    EXPECT_EQ(in_words({note_kind::ranked_by_sum, {"carbon"}, {1}}, currency::cny), "Ranked by cost plus .");
}

appraisal of_offer(const std::string& site, std::int64_t micros) {
    appraisal a;
    a.offer = "p/" + site + "/n/on_demand";
    a.site = site;
    a.units = 8;
    a.cost = {micros, currency::cny};
    a.cost_base = a.j = static_cast<double>(micros) / 1e6;
    a.billed_s = 7200;
    a.rtt_ms = 28.04;
    a.rtt_method = "estimated from coordinates (median error 3 ms)";
    a.energy_kwh = 4.5;
    a.non_green_kwh = 1.5;
    a.carbon_kg = 2.25;
    a.green_power_share = 0.6667;
    a.pue = 1.2;
    return a;
}

/// Three ranked, with every kind of sentence.
decision full_decision() {
    decision d;
    d.policy = "balanced";
    d.rates.base = currency::cny;
    d.considered = 12;
    d.rejections = {{rejection::region, 2}, {rejection::price_missing, 7}};
    appraisal catalogue = of_offer("catalogue", 9'000'000), won = of_offer("west", 10'000'000),
              second = of_offer("east", 12'000'000);
    catalogue.launchable = false;
    won.egress_base = 0.5;
    won.run = run_estimate{.cards = 8,
                           .speed = {0.8, 0.74, 0.86},
                           .speed_method = "stated",
                           .efficiency = 0.92,
                           .effective_cards = 5.9,
                           .interruptions = 0.25,
                           .hazard_per_h = 0.01,
                           .hazard_assumed = true};
    won.terms = {{"green_power", 0.915}};
    won.j = 10.915;
    second.j = 12.5;
    second.green_power_share.reset();
    second.carbon_kg.reset();
    d.ranked = {catalogue, won, second};
    d.baseline = of_offer("cheapest", 8'000'000);
    d.baseline->non_green_kwh = 2;
    d.baseline->carbon_kg = 2;
    d.pareto = {won.offer, second.offer};
    d.switches = {{second.offer, "latency", 0.11}, {second.offer, "green_power", 0.185, true}};
    d.notes = every_note();
    return d;
}

constexpr std::string_view in_chinese_text =
    "策略 balanced 选择 p/west/n/on_demand：8 个单位、计费 7200 s，费用 10.00 CNY，含输入数据的流出与暂存费共 10.00 "
    "CNY，8 "
    "张卡，每张速度为基准卡的 0.800 倍（0.740 至 0.860，租户给出），并行效率 92.0 %，相当于 5.9 张基准卡，预计中断 "
    "0.25 次（硬件故障率为假定值），RTT 28.0 ms（由坐标估计，误差中位数 3 ms），绿电占比 67 %，能耗 4.5000 "
    "kWh，碳排放 2250.0 gCO2e（基于位置）。\n"
    "其绿电折合 0.915 CNY。\n"
    "排名在前但仅供规划：p/catalogue/n/on_demand，9.00 CNY。\n"
    "次选为 p/east/n/on_demand：8 个单位、计费 7200 s，费用 12.00 CNY，RTT 28.0 ms（由坐标估计，误差中位数 3 "
    "ms），绿电占比未知，能耗 4.5000 kWh，碳排放未知；全部计入后贵 1.585 CNY。\n"
    "与立即开始的最便宜可行报价 p/cheapest/n/on_demand（8.00 CNY）相比，多花 2.00 CNY，减少 0.5000 kWh 非绿电（每单位 "
    "4.00 "
    "CNY），增加 0.2500 kg CO2e。\n"
    "没有其他入选报价在各方面（费用、延迟、碳排放、绿电占比、完成时间）都优于：p/west/n/on_demand、p/east/n/"
    "on_demand。\n"
    "p/east/n/on_demand（延迟更低）：每 ms·副本小时计价从 0.11 CNY 起将胜出。\n"
    "p/east/n/on_demand：每 kWh 非绿电计价低于 0.185 CNY 时将胜出。\n"
    "12 个报价中有 9 个被排除：不在要求的地域（region）2 个、没有价格（price_missing）7 个。\n";

TEST(explain, nothing_is_saved_against_what_was_assumed) {
    decision d = full_decision();
    EXPECT_NE(explain(d).find("avoids 0.5000 non-green kWh"), std::string::npos);
    d.baseline->green_power_share.reset();
    EXPECT_EQ(explain(d).find("avoids"), std::string::npos);
    EXPECT_NE(explain(d).find("causes 0.2500 kg CO2e"), std::string::npos) << "what the grid emits is known";
    d.baseline->pue.reset();
    EXPECT_EQ(explain(d).find("causes 0.2500 kg CO2e"), std::string::npos);
}

/// Its winner ends 2.5 h before the cheapest and is 8 ms nearer, for 2 CNY more; of what never ends nothing is told.
TEST(explain, tells_what_is_bought_in_time_and_distance) {
    decision d = full_decision();
    d.notes.clear();
    d.ranked[1].finish_at = instant(std::chrono::hours(2));
    d.ranked[1].terms = {{"latency", 0.3}};
    d.baseline->finish_at = instant(std::chrono::minutes(270));
    d.baseline->rtt_ms = 36.04;
    const auto told = [&](std::string_view words) {
        return explain(d).find(words) != std::string::npos;
    };
    EXPECT_TRUE(told(" and ends 2.50 h sooner (0.80 CNY an hour) and is 8.0 ms nearer (0.25 CNY each).")) << explain(d);
    d.ranked[1].cost_base = 7;
    EXPECT_TRUE(told("1.00 CNY less")) << explain(d);
    d.ranked[1].terms.clear();
    EXPECT_TRUE(told(" and ends 2.50 h sooner.")) << "nobody waits at it";
    d.ranked[1].rtt_p95_ms = 30;
    d.baseline->rtt_p95_ms = 42;
    d.notes = {{note_kind::ranked_in_order, {"data_movement", "s", "rtt", "ms", "cost", "currency unit"}, {60, 1, 0}}};
    EXPECT_TRUE(told(" and ends 2.50 h sooner and is 12.0 ms nearer.")) << explain(d);
    std::swap(d.ranked[1].finish_at, d.baseline->finish_at);
    d.ranked[1].rtt_p95_ms = 50;
    EXPECT_TRUE(told(" and ends 2.50 h later and is 8.0 ms farther.")) << explain(d);
    d.baseline->finish_at = instant(2 * practically_never);
    EXPECT_FALSE(told("later"));
    EXPECT_FALSE(told("sooner"));
}

TEST(explain, a_service_has_no_finish) {
    decision d = full_decision();
    d.baseline->finish_at = instant(std::chrono::hours(2));
    d.notes = {{note_kind::costs_per_hour, {}, {}}};
    EXPECT_EQ(explain(d).find("finish 1970"), std::string::npos);
    EXPECT_EQ(explain(d).find("sooner"), std::string::npos);
    d.notes.clear();
    EXPECT_NE(explain(d).find("finish 1970"), std::string::npos);
    EXPECT_NE(explain(d).find("ends 2.00 h sooner"), std::string::npos);
}

TEST(explain, tells_a_whole_decision_in_chinese) {
    const std::string text = explain(full_decision(), language::zh);
    EXPECT_EQ(text.substr(0, in_chinese_text.size()), in_chinese_text);
}

TEST(explain, has_the_same_numbers_and_as_many_sentences_in_every_language) {
    const auto made = full_decision();
    const auto in_english = explain(made), in_chinese = explain(made, language::zh);
    EXPECT_EQ(numbers_of(in_english), numbers_of(in_chinese));
    EXPECT_EQ(std::ranges::count(in_english, '\n'), std::ranges::count(in_chinese, '\n'));
    EXPECT_EQ(in_english, explain(made, language::en)) << "English where nothing is asked for";
}

TEST(explain, tells_an_order_and_that_nothing_fits_in_chinese) {
    decision made = full_decision();
    for (auto& a : made.ranked)
        a.keys = {1, a.j};
    EXPECT_NE(explain(made, language::zh).find("；在排序的第 2 项上落后。"), std::string::npos);
    made.ranked.clear();
    EXPECT_TRUE(explain(made, language::zh).starts_with("在策略 balanced 下，所考虑的 12 个报价目前都不可行。\n"));
}

}  // namespace
}  // namespace westerly
