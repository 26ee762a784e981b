#pragma once

#include "broker/domain/policy.hpp"

namespace westerly {

/// Holds overrides, and the value of time, which sets the price of the term "time", against what the policy's file
/// allows: a fault each, which names the bound. Errors: invalid.
result<void> check_overrides(const policy& rules, const workload_spec& spec);

/// The policy with a workload's figures in place of its own. Its version is the file's, "+overrides:" and 12 hex digits
/// of what was asked: the same figures give the same version. Terms that the file does not price come last.
/// An order weighs no prices: a value of time, which it does not allow, leaves it as it is.
policy effective_policy(const policy& rules, const workload_spec& spec);

}  // namespace westerly
