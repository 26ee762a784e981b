#pragma once

#include "broker/domain/note.hpp"
#include "broker/domain/policy.hpp"

#include <map>

namespace westerly {

using policy_table = std::map<std::string, policy>;

/// What a workload that names no policy runs under when no file says otherwise.
inline constexpr std::string_view usual_policy = "balanced";

/// The policy that a workload of this tenant runs under: the one that is forced for it, else the one that it names,
/// else its default, else the usual one. Of several groups that hold it, the one that says more decides.
/// Errors: invalid, with a fault at /policy (/policy/name beside overrides): unknown, or not for this workload.
result<const policy*> policy_for(const policy_table& all, std::string_view tenant, const workload_spec& spec);

/// Why a workload asks in vain now, or nullopt: policy_for's errors, another policy named than the forced one, and
/// what check_overrides refuses.
std::optional<error> refuse_policy(const policy_table& all, std::string_view tenant, const workload_spec& spec);

/// Why a workload runs under a policy that it did not name, nullopt: it named this one.
std::optional<note> why_chosen(const policy& rules, const workload_spec& spec);

/// Which of two files a workload would get by default, or by force, must not depend on their names: groups that say
/// equally much and overlap are refused. A fault each for the later file by name, with its JSON Pointer.
std::vector<std::pair<std::string, fault>> check_groups(const policy_table& all);

/// Both say the same of which workloads a policy is for.
bool same_groups(const policy_table& a, const policy_table& b);

}  // namespace westerly
