#include "broker/placement/gang_sizes.hpp"

#include "broker/domain/explain.hpp"
#include "broker/placement/compare.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace westerly {
namespace {

constexpr std::uint32_t tried_singly_max = 16;
constexpr double infinity = std::numeric_limits<double>::infinity();

bool better(const appraisal& a, const appraisal& b, bool waited_for, const preferences& preference) {
    const auto place = [&](const appraisal& of) {
        const double rtt = waited_for ? of.rtt_ms.value_or(infinity) : 0;
        return std::tuple(!of.launchable, of.finish_at, of.non_green_kwh.value_or(infinity), rtt, preference(of.offer),
                          std::string_view(of.offer), of.tasks);
    };
    if (a.keys != b.keys)
        return a.keys < b.keys;
    return a.keys.empty() && a.j != b.j ? a.j < b.j : place(a) < place(b);
}

/// The best few; one that can be launched is among them where there is any.
void keep_best(std::vector<appraisal>& ranked) {
    if (ranked.size() <= ranked_max)
        return;
    const auto launchable = std::ranges::find_if(ranked, &appraisal::launchable);
    if (launchable - ranked.begin() >= static_cast<std::ptrdiff_t>(ranked_max) && launchable != ranked.end())
        std::swap(ranked[ranked_max - 1], *launchable);
    ranked.resize(ranked_max);
}

/// What a size told against its own baseline, told against that of all sizes.
void retell_baseline(decision& made) {
    const appraisal& base = *made.baseline;
    const appraisal* const won = winner_of(made);
    std::vector<note> kept;
    for (note& told : made.notes) {
        if (told.kind == note_kind::within_of_cheapest)
            told = {told.kind, {base.offer}, {told.figures.front(), base.cost_base}};
        if (!tells_wait_on_baseline(told)) {
            kept.push_back(std::move(told));
            continue;
        }
        const auto anew = wait_on_baseline(base, *won, told.kind == note_kind::put_off_costs_less);
        if (made.put_off) {
            const std::string before = " " + in_words(told, made.rates.base, language::en);
            if (const auto at = made.put_off->why.find(before); at != std::string::npos)
                made.put_off->why.replace(at, before.size(),
                                          anew ? " " + in_words(*anew, made.rates.base, language::en) : "");
        }
        if (anew)
            kept.push_back(*anew);
    }
    made.notes = std::move(kept);
}

note sizes_told(std::size_t tried, std::uint32_t chosen, const workload_spec& spec) {
    return {note_kind::gang_chosen,
            {},
            {static_cast<double>(chosen), static_cast<double>(spec.tasks), static_cast<double>(spec.tasks_max),
             static_cast<double>(tried)}};
}

}  // namespace

std::vector<std::uint32_t> gang_sizes(std::uint32_t least, std::uint32_t most) {
    std::vector<std::uint32_t> sizes;
    const bool singly = most - least < tried_singly_max;
    for (std::uint64_t size = least; size < most; size = singly ? size + 1 : size * 2)
        sizes.push_back(static_cast<std::uint32_t>(size));
    sizes.push_back(most);
    return sizes;
}

std::vector<appraisal> best_at_any_size(std::vector<appraisal> all, bool waited_for, const preferences& preference) {
    std::ranges::sort(all, [&](const auto& a, const auto& b) { return better(a, b, waited_for, preference); });
    std::vector<appraisal> ranked;
    for (auto& each : all)
        if (std::ranges::find(ranked, each.offer, &appraisal::offer) == ranked.end())
            ranked.push_back(std::move(each));
    return ranked;
}

decision best_of_sizes(std::vector<decision> of, const workload_spec& spec, const preferences& preference) {
    const bool waited_for = spec.kind == workload_kind::service || spec.interactive;
    std::vector<appraisal> ranked;
    for (const auto& each : of)
        ranked.insert(ranked.end(), each.ranked.begin(), each.ranked.end());
    ranked = best_at_any_size(std::move(ranked), waited_for, preference);
    keep_best(ranked);
    if (ranked.empty()) {
        const auto unreachable = [](const note& told) {
            return told.kind == note_kind::deadline_unreachable;
        };
        if (!std::ranges::all_of(of,
                                 [&](const decision& each) { return std::ranges::any_of(each.notes, unreachable); }))
            std::erase_if(of.front().notes, unreachable);
        return std::move(of.front());
    }
    const auto first = std::ranges::find_if(ranked, &appraisal::launchable);
    const std::uint32_t chosen = (first == ranked.end() ? ranked.front() : *first).tasks;
    std::optional<appraisal> baseline;
    for (const auto& each : of)
        if (each.baseline && (!baseline || std::pair(!each.baseline->launchable, each.baseline->cost_base) <
                                               std::pair(!baseline->launchable, baseline->cost_base)))
            baseline = each.baseline;
    note told = sizes_told(of.size(), chosen, spec);
    const auto at = std::ranges::find_if(
        of, [&](const decision& each) { return !each.ranked.empty() && each.ranked.front().tasks == chosen; });
    decision made = std::move(*at);
    made.ranked = std::move(ranked);
    made.baseline = std::move(baseline);
    made.pareto = pareto_set(made.ranked, waited_for);
    if (made.baseline)
        retell_baseline(made);
    made.notes.insert(made.notes.begin() + 1, std::move(told));
    return made;
}

}  // namespace westerly
