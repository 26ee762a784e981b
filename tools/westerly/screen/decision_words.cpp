#include "tools/westerly/screen/decision_words.hpp"

namespace westerly {

const decision_words& decision_words_of(language spoken) {
    static const decision_words english{.offer_headings = {"#", "OFFER", "REGION", "UNITS", "COST", "ALL COUNTED",
                                                           "RTT", "GREEN", "ENERGY", "CO2e", "FINISH", ""},
                                        .rejection_headings = {"REJECTED OFFER", "REASON", ""},
                                        .figure_headings = {"{1}", "CO2e", "RTT", "FINISH"},
                                        .plan_only = "plan only",
                                        .bars_of_cost = "What each costs, in {1}",
                                        .bars_of_terms = "What each costs with all that is counted, in {1}",
                                        .bars_of_key = "In the order of {1}; bars: key {2}, {3}, in {4}",
                                        .more_rejected = "and {1} more; -o json lists them",
                                        .some_rejected = "and {1} more; -o json lists the first {2}",
                                        .decided = "decision of {1} under {2} {3}:"};
    static const decision_words chinese{.offer_headings = {"#", "报价", "地域", "单位数", "费用", "全部计入", "RTT",
                                                           "绿电占比", "能耗", "CO2e", "完成时间", ""},
                                        .rejection_headings = {"被排除的报价", "原因", ""},
                                        .figure_headings = {"{1}", "CO2e", "RTT", "完成"},
                                        .plan_only = "仅供规划",
                                        .bars_of_cost = "各报价的费用（{1}）",
                                        .bars_of_terms = "各报价全部计入后的费用（{1}）",
                                        .bars_of_key = "依次比较：{1}；条形为第 {2} 项：{3}（{4}）",
                                        .more_rejected = "另有 {1} 个；-o json 列出全部",
                                        .some_rejected = "另有 {1} 个；-o json 列出前 {2} 个",
                                        .decided = "{1} 的决策，策略 {2} {3}："};
    return spoken == language::zh ? chinese : english;
}

}  // namespace westerly
