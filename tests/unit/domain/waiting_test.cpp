#include "broker/domain/waiting.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

TEST(waiting, is_told_in_every_language) {
    const auto why = reason_of("no_capacity", {{note_kind::wait_full, {}, {2}},
                                               {note_kind::wait_kept, {}, {1}},
                                               {note_kind::wait_passed_over, {"region", "price_missing"}, {3, 1}}});
    EXPECT_EQ(
        why.detail,
        "2 offers would fit but are full now; the workload starts when units are free again. What is free is kept "
        "for a larger workload whose turn comes first (offers: 1). Offers passed over for other reasons: 3 outside "
        "the regions asked for (region), 1 without a price (price_missing).");
    EXPECT_EQ(in_words(why, language::en), why.detail);
    EXPECT_EQ(in_words(why, language::zh),
              "有 2 个报价符合要求但目前已满；一有空闲单位任务即启动。空闲部分为轮次更靠前的较大任务保留（报价 1 "
              "个）。因其他原因未采用的报价：不在要求的地域（region）3 个、没有价格（price_missing）1 个。");
}

TEST(waiting, counts_of_all_offers_come_last) {
    const auto why = reason_of("no_feasible_offer", {{note_kind::wait_none_fits, {"region"}, {3, 5}}});
    EXPECT_EQ(why.detail,
              "None of the offers (5) can meet the request: 3 outside the regions asked for (region). Loosen the "
              "constraints, or wait for other offers.");
}

TEST(waiting, of_versions_without_pieces_stays_english) {
    EXPECT_EQ(in_words(wait_reason{"back_off", "It failed."}, language::zh), "It failed.");
}

TEST(waiting, tells_money_in_its_currency) {
    const auto why = reason_of("chosen_start", {{note_kind::put_off_saves_money, {}, {1.5}}}, currency::usd);
    EXPECT_NE(in_words(why, language::zh).find("1.50 USD"), std::string::npos);
}

}  // namespace
}  // namespace westerly
