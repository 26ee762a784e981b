#include "broker/placement/next_dates.hpp"

#include "broker/placement/compliance.hpp"

#include <algorithm>

namespace westerly {

namespace {

void take_first(std::optional<instant>& first, instant at) {
    if (!first || at < *first)
        first = at;
}

bool rejects(const decision& made, rejection why) {
    return std::ranges::any_of(made.rejections, [&](const auto& one) { return one.first == why; });
}

}  // namespace

std::optional<instant> lifting_dates::first() const noexcept {
    if (!lawful_at || !available_at)
        return lawful_at ? lawful_at : available_at;
    return std::min(*lawful_at, *available_at);
}

std::vector<note> lifting_dates::told() const {
    std::vector<note> pieces;
    const auto add = [&](note_kind kind, const std::optional<instant>& at) {
        if (at)
            pieces.push_back({kind, {format_rfc3339(*at)}, {}});
    };
    add(note_kind::wait_forbidden_until, lawful_at);
    add(note_kind::wait_available_from, available_at);
    add(note_kind::wait_tried_again_at, first());
    return pieces;
}

lifting_dates next_dates(const offer_book& book, const policy& rules, const workload_spec& spec,
                         const accelerator_table& known, const decision& made, bool plan_only_too) {
    const bool forbidden = rejects(made, rejection::compliance), later = rejects(made, rejection::available_later);
    lifting_dates found;
    if (!forbidden && !later)
        return found;
    std::vector<start_dates::time_span> spans;
    for (const auto& row : book.shapes()) {
        if ((!row.launchable && !plan_only_too) || row.compute != spec.compute)
            continue;
        const instant launch = std::max(made.at, row.available_from.value_or(made.at));
        if (later && launch > made.at)
            take_first(found.available_at, launch);
        if (!forbidden)
            continue;
        const std::int64_t launch_ms = launch.time_since_epoch().count();
        find_forbidden({rules.compliance, spec.limits.compliance}, facts_of(row, book.names()), known, launch_ms,
                       spans);
        if (const auto delay = first_lawful_delay(spans, launch_ms, 0); delay && *delay > 0)
            take_first(found.lawful_at, launch + milliseconds(*delay));
    }
    return found;
}

}  // namespace westerly
