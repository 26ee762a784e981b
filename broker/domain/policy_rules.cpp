#include "broker/domain/policy.hpp"

#include <algorithm>

namespace westerly {
namespace {

bool has(const std::vector<std::string>& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

std::string listed(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : std::string(between)) + word;
    return text;
}

bool share_one(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::ranges::any_of(a, [&](const auto& text) { return has(b, text); });
}

constexpr std::size_t labels_max = 64;  // of one workload: more cannot all hold

}  // namespace

bool concerns(const workload_group& group, std::string_view tenant) {
    return group.tenants.empty() || has(group.tenants, tenant);
}

bool holds(const workload_group& group, std::string_view tenant, const workload_spec& spec) {
    return concerns(group, tenant) && std::ranges::all_of(group.labels, [&](const auto& wanted) {
               const auto at = std::ranges::find(spec.labels, wanted.first, [](const auto& l) { return l.first; });
               return at != spec.labels.end() && has(wanted.second, at->second);
           });
}

bool overlap(const workload_group& a, const workload_group& b) {
    if (!a.tenants.empty() && !b.tenants.empty() && !share_one(a.tenants, b.tenants))
        return false;
    return std::ranges::all_of(a.labels, [&](const auto& wanted) {
        const auto at = std::ranges::find(b.labels, wanted.first, [](const auto& l) { return l.first; });
        return at == b.labels.end() || share_one(wanted.second, at->second);
    });
}

std::size_t says_more(const workload_group& group) noexcept {
    return (group.tenants.empty() ? 0 : labels_max + 1) + group.labels.size();
}

std::string in_words(const workload_group& group) {
    if (group == workload_group{})
        return "all workloads";
    std::string text = "workloads";
    if (!group.tenants.empty())
        text += " of tenant " + listed(group.tenants, " or ");
    std::vector<std::string> labels;
    for (const auto& [key, values] : group.labels)
        labels.push_back(key + "=" + listed(values, "|"));
    return labels.empty() ? text : text + " labelled " + listed(labels, " and ");
}

std::optional<policy> as_seen_by(policy p, std::string_view tenant) {
    const bool everybodys = p.applies_to.empty();
    bool mine = everybodys;
    for (auto* groups : {&p.applies_to, &p.default_for, &p.forced_for}) {
        std::erase_if(*groups, [&](const workload_group& group) { return !concerns(group, tenant); });
        mine = mine || !groups->empty();
        for (workload_group& group : *groups)
            if (!group.tenants.empty())
                group.tenants = {std::string(tenant)};
    }
    if (!mine)
        return std::nullopt;
    if (!everybodys && p.applies_to.empty()) {
        p.applies_to = p.default_for;
        p.applies_to.insert(p.applies_to.end(), p.forced_for.begin(), p.forced_for.end());
    }
    return p;
}

}  // namespace westerly
