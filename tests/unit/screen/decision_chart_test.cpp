#include "tools/westerly/screen/decision_chart.hpp"

#include "broker/codec/views_json.hpp"
#include "broker/support/time.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

appraisal of_offer(const std::string& id, double cost, double carbon_kg, std::int64_t run_s) {
    appraisal a;
    a.offer = id;
    a.cost_base = a.j = cost;
    a.rtt_ms = 28.4;
    a.carbon_kg = carbon_kg;
    a.finish_at = instant(std::chrono::seconds(run_s));
    return a;
}

/// West is cheaper and slower; its terms tell who wins.
decision two_ranked() {
    decision d;
    d.policy = "balanced";
    d.rates.base = currency::cny;
    d.ranked = {of_offer("west/zhongwei/core/on_demand", 6, 0.0123, 7200),
                of_offer("east/shaoguan/core/on_demand", 11, 2.5, 90)};
    d.ranked[0].terms = {{"green_power", 1}, {"time", 5}};
    d.ranked[0].j = 12;
    d.ranked[1].terms = {{"green_power", 6}, {"time", 0}};
    d.ranked[1].j = 17;
    d.ranked[1].rtt_ms.reset();
    d.notes = {{note_kind::ranked_by_sum, {"green_power", "kWh", "time", "h"}, {0.61, 5}}};
    return d;
}

std::string drawn(const decision& d, language spoken, bool utf8 = true) {
    const auto parsed = parse_json(to_json(d), 1 << 20);
    const auto chart = chart_of(*parsed, spoken);
    return chart ? draw(*chart, {.width = 80, .utf8 = utf8}) : "";
}

TEST(decision_chart, stacks_cost_and_priced_terms) {
    EXPECT_EQ(drawn(two_ranked(), language::en, false),
              "What each costs with all that is counted, in CNY\n"
              "# cost  + green power  = time\n"
              "                                                     CNY     CO2e    RTT  FINISH\n"
              "1 west/zhongwei/core/on_demand  ######+=====       12.00   12.3 g  28 ms   2.0 h\n"
              "2 east/shaoguan/core/on_demand  ###########++++++  17.00  2.50 kg      -    90 s\n");
}

TEST(decision_chart, is_told_in_chinese_and_lines_up) {
    EXPECT_EQ(drawn(two_ranked(), language::zh),
              "各报价全部计入后的费用（CNY）\n"
              "█ 费用  ▓ 绿电  ▒ 时间\n"
              "                                                      CNY     CO2e    RTT   完成\n"
              "1 west/zhongwei/core/on_demand  ██████▓▒▒▒▒▒▒       12.00   12.3 g  28 ms  2.0 h\n"
              "2 east/shaoguan/core/on_demand  ████████████▓▓▓▓▓▓  17.00  2.50 kg      -   90 s\n");
}

TEST(decision_chart, of_an_order_shows_the_first_key_that_tells_them_apart) {
    decision d = two_ranked();
    d.notes = {
        {note_kind::ranked_in_order, {"rtt", "ms", "non_green_energy", "kWh", "cost", "currency unit"}, {1, 0.1, 0}}};
    for (auto& a : d.ranked)
        a.terms.clear();
    d.ranked[0].keys = {29, 20, 6};  // steps of 1 ms and 0.1 kWh
    d.ranked[1].keys = {29, 40, 10};
    const auto text = drawn(d, language::en);
    EXPECT_TRUE(
        text.starts_with("In the order of RTT, then non-green energy, then cost; bars: key 2, non-green "
                         "energy, in kWh\n"))
        << text;
    EXPECT_NE(text.find("kWh"), std::string::npos);
    EXPECT_NE(text.find("2.0000"), std::string::npos) << text;
    EXPECT_NE(text.find("4.0000"), std::string::npos) << text;
    d.ranked[1].keys = {29, 20, 10};
    EXPECT_NE(drawn(d, language::zh).find("条形为第 3 项：费用（CNY）"), std::string::npos);
}

TEST(decision_chart, of_cost_alone_has_one_part_and_of_nothing_there_is_none) {
    decision d = two_ranked();
    d.notes.clear();
    for (auto& a : d.ranked)
        a.terms.clear();
    EXPECT_TRUE(drawn(d, language::en).starts_with("What each costs, in CNY\n "));
    d.ranked.clear();
    EXPECT_EQ(drawn(d, language::en), "");
}

}  // namespace
}  // namespace westerly
