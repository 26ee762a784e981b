#include "broker/placement/policy_choice.hpp"

#include "broker/domain/wording.hpp"
#include "broker/placement/overrides.hpp"

#include <algorithm>

namespace westerly {
namespace {

using groups = std::vector<workload_group>;

/// The most that a group of `list` says which holds the workload; nullopt: none holds it.
std::optional<std::size_t> most_said(const groups& list, std::string_view tenant, const workload_spec& spec) {
    std::optional<std::size_t> most;
    for (const workload_group& group : list)
        if (holds(group, tenant, spec))
            most = std::max(most.value_or(0), says_more(group));
    return most;
}

const policy* said_for(const policy_table& all, groups policy::*list, std::string_view tenant,
                       const workload_spec& spec) {
    const policy* found = nullptr;
    std::size_t most = 0;
    for (const auto& [name, rules] : all) {
        const auto said = most_said(rules.*list, tenant, spec);
        if (said && (!found || *said > most)) {
            found = &rules;
            most = *said;
        }
    }
    return found;
}

bool may_use(const policy& rules, std::string_view tenant, const workload_spec& spec) {
    return rules.applies_to.empty() || most_said(rules.applies_to, tenant, spec) ||
           most_said(rules.default_for, tenant, spec) || most_said(rules.forced_for, tenant, spec);
}

error invalid_at(std::string pointer, std::string message, std::string remedy) {
    error e{errc::invalid, message, remedy, {}};
    e.faults.push_back({std::move(pointer), std::move(message), std::move(remedy)});
    return e;
}

std::string name_pointer(const workload_spec& spec) {
    return spec.overrides.any() ? "/policy/name" : "/policy";
}

std::string usable_names(const policy_table& all, std::string_view tenant, const workload_spec& spec) {
    std::string known;
    for (const auto& [name, rules] : all)
        if (may_use(rules, tenant, spec))
            known += (known.empty() ? "" : ", ") + name;
    return known.empty() ? "No policy is loaded for it: ask the operator." : "Use one of: " + known + ".";
}

/// A policy that is for other tenants only does not exist for this one.
error not_usable(const policy_table& all, const policy* named, const std::string& name, std::string_view tenant,
                 const workload_spec& spec) {
    const auto seen = named ? as_seen_by(*named, tenant) : std::nullopt;
    if (!seen)
        return invalid_at(name_pointer(spec), "There is no policy \"" + name + "\".", usable_names(all, tenant, spec));
    std::vector<std::string> whose;
    for (const auto& group : seen->applies_to)
        whose.push_back(in_words(group));
    return invalid_at(name_pointer(spec), "The policy \"" + name + "\" is only for " + joined(whose) + ".",
                      usable_names(all, tenant, spec));
}

void hold_apart(const std::string& name, const char* list, const groups& later, const groups& earlier,
                const std::string& earlier_name, std::vector<std::pair<std::string, fault>>& faults) {
    for (std::size_t i = 0; i < later.size(); ++i)
        for (const workload_group& other : earlier)
            if (says_more(later[i]) == says_more(other) && overlap(later[i], other)) {
                faults.push_back({name,
                                  {"/" + std::string(list) + "/" + std::to_string(i),
                                   "Some workloads would be in \"" + earlier_name + "\"'s " + list + " as well (" +
                                       in_words(other) + "), which says as much",
                                   "Leave one of the two out, or name more tenants or labels in one."}});
                break;
            }
}

}  // namespace

result<const policy*> policy_for(const policy_table& all, std::string_view tenant, const workload_spec& spec) {
    if (const policy* forced = said_for(all, &policy::forced_for, tenant, spec))
        return forced;
    if (spec.policy.empty())
        if (const policy* usual = said_for(all, &policy::default_for, tenant, spec))
            return usual;
    const std::string name = spec.policy.empty() ? std::string(usual_policy) : spec.policy;
    const auto named = all.find(name);
    if (named != all.end() && may_use(named->second, tenant, spec))
        return &named->second;
    return not_usable(all, named == all.end() ? nullptr : &named->second, name, tenant, spec);
}

std::optional<error> refuse_policy(const policy_table& all, std::string_view tenant, const workload_spec& spec) {
    const auto rules = policy_for(all, tenant, spec);
    if (!rules)
        return rules.error();
    const policy& use = **rules;
    if (!spec.policy.empty() && spec.policy != use.name)
        return invalid_at(name_pointer(spec), "This workload runs under the policy \"" + use.name + "\" only.",
                          "Leave the policy out, or name that one; the operator's file forces it.");
    if (auto allowed = check_overrides(use, spec); !allowed)
        return allowed.error();
    return std::nullopt;
}

std::optional<note> why_chosen(const policy& rules, const workload_spec& spec) {
    if (spec.policy == rules.name)
        return std::nullopt;
    if (!spec.policy.empty())
        return note{note_kind::policy_forced, {rules.name, spec.policy}, {}};
    return note{note_kind::policy_by_default, {rules.name}, {}};
}

std::vector<std::pair<std::string, fault>> check_groups(const policy_table& all) {
    std::vector<std::pair<std::string, fault>> faults;
    for (auto later = all.begin(); later != all.end(); ++later)
        for (auto earlier = all.begin(); earlier != later; ++earlier) {
            const auto& [name, rules] = *later;
            const auto& [other, its] = *earlier;
            hold_apart(name, "default_for", rules.default_for, its.default_for, other, faults);
            hold_apart(name, "forced_for", rules.forced_for, its.forced_for, other, faults);
        }
    return faults;
}

bool same_groups(const policy_table& a, const policy_table& b) {
    const auto none = [](const policy& p) {
        return p.applies_to.empty() && p.default_for.empty() && p.forced_for.empty();
    };
    const auto told_by = [&](const policy_table& by, const policy_table& other) {
        return std::ranges::all_of(by, [&](const auto& entry) {
            const auto at = other.find(entry.first);
            if (at == other.end())
                return none(entry.second);
            return entry.second.applies_to == at->second.applies_to &&
                   entry.second.default_for == at->second.default_for &&
                   entry.second.forced_for == at->second.forced_for;
        });
    };
    return told_by(a, b) && told_by(b, a);
}

}  // namespace westerly
