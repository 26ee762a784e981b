#include "broker/domain/protocol.hpp"
#include "broker/domain/provider.hpp"
#include "broker/domain/records.hpp"
#include "broker/domain/transitions.hpp"

#include <gtest/gtest.h>

#include <set>

namespace westerly {
namespace {

template <class Enum>
void expect_distinct_names(Enum last) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i) {
        const auto name = to_string(static_cast<Enum>(i));
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos) << name;
    }
    EXPECT_THROW(to_string(static_cast<Enum>(static_cast<std::size_t>(last) + 1)), std::out_of_range);
}

TEST(names, every_enumerator_has_its_own) {
    expect_distinct_names(workload_state::expired);
    expect_distinct_names(attempt_state::ended);
    expect_distinct_names(attempt_outcome::vanished);
    expect_distinct_names(attempt_event::given_up);
    expect_distinct_names(attempt_effect::finish);
    expect_distinct_names(workload_event::given_up);
    expect_distinct_names(adapter_error::internal);
    expect_distinct_names(provider_state::down);
    expect_distinct_names(role::operator_);
    expect_distinct_names(rejection::too_far_from_least);
}

TEST(names, first_last_and_middle_stand_at_their_enumerators) {
    EXPECT_EQ(to_string(workload_state::queued), "queued");
    EXPECT_EQ(to_string(workload_state::succeeded), "succeeded");
    EXPECT_EQ(to_string(attempt_state::unknown), "unknown");
    EXPECT_EQ(to_string(attempt_state::ended), "ended");
    EXPECT_EQ(to_string(attempt_outcome::timed_out), "timed_out");
    EXPECT_EQ(to_string(attempt_outcome::vanished), "vanished");
    EXPECT_EQ(to_string(attempt_event::proved_absent), "proved_absent");
    EXPECT_EQ(to_string(attempt_effect::finish), "finish");
    EXPECT_EQ(to_string(workload_event::requeued), "requeued");
    EXPECT_EQ(to_string(adapter_error::unauthorised), "unauthorised");
    EXPECT_EQ(to_string(adapter_error::internal), "internal");
    EXPECT_EQ(to_string(provider_state::degraded), "degraded");
    EXPECT_EQ(to_string(role::operator_), "operator");
    EXPECT_EQ(to_string(rejection::green_power_share), "green_power_share");
    EXPECT_EQ(to_string(rejection::quantity_unknown), "quantity_unknown");
    EXPECT_EQ(to_string(rejection::too_dear_for_policy), "too_dear_for_policy");
}

TEST(names, states_and_errors_are_read_back) {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(workload_state::expired); ++i) {
        const auto state = static_cast<workload_state>(i);
        EXPECT_EQ(parse_workload_state(to_string(state)), state);
    }
    for (std::size_t i = 1; i <= static_cast<std::size_t>(adapter_error::internal); ++i) {
        const auto kind = static_cast<adapter_error>(i);
        EXPECT_EQ(parse_adapter_error(to_string(kind)), kind);
    }
    EXPECT_EQ(parse_workload_state("running"), std::nullopt);
    EXPECT_EQ(parse_workload_state(""), std::nullopt);
    EXPECT_EQ(parse_adapter_error("none"), std::nullopt);
    EXPECT_EQ(parse_adapter_error("NO_CAPACITY"), std::nullopt);
}

}  // namespace
}  // namespace westerly
