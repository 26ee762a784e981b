#pragma once

#include "broker/domain/offer.hpp"

namespace westerly {

/// The version of a stack there; empty: not told.
std::string_view version_of(const software_facts& has, std::string_view stack) noexcept;

/// Whether the versions there are what the variant asks for; that its stack is there at all is asked elsewhere.
bool versions_fit(const software_facts& has, const variant& run);

inline bool asks_for_versions(const variant& run) noexcept {
    return !run.stack_version.empty() || !run.driver_version.empty();
}

/// The tenant's first way to run that the offer has the stack for, in a version that it takes; nullptr: none.
const variant* variant_for(const workload_spec& spec, const offer& on);

}  // namespace westerly
