#pragma once

#include "broker/domain/waiting.hpp"
#include "broker/placement/decide.hpp"
#include "broker/placement/next_dates.hpp"
#include "broker/placement/policy_choice.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace westerly {

/// Why a decision in which nothing can be started now leaves the workload waiting; never empty. `kept`: offers whose
/// free units are kept for somebody whose turn is before.
std::vector<wait_reason> reasons_of(const decision& made, std::span<const provider_block> blocks, std::size_t kept,
                                    const lifting_dates& dates);
/// It was taken under a policy that is gone, or that the operator's files no longer let it use so.
wait_reason policy_reason(const policy_table& known, const workload_spec& spec, const error& why);
/// Of wake_on: what can lift them.
std::uint8_t what_lifts(const std::vector<wait_reason>& reasons);

/// How many offers a decision rejected for that.
std::uint32_t count_of(const decision& made, rejection why) noexcept;

}  // namespace westerly
