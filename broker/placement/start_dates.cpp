#include "broker/placement/start_dates.hpp"

#include <algorithm>

namespace westerly {

namespace {

bool meets(const start_dates::time_span& forbidden, std::int64_t launch_ms, std::int64_t start_ms) noexcept {
    return forbidden.first <= start_ms && launch_ms < forbidden.second;
}

}  // namespace

bool start_dates::lawful(std::int64_t delay_ms, std::int64_t start_ms, std::int64_t spare_ms) const noexcept {
    return std::ranges::none_of(
        forbidden, [&](const time_span& each) { return meets(each, launch_ms + delay_ms, start_ms + spare_ms); });
}

void start_dates::add_edges(std::int64_t first_ms, std::int64_t last_ms, std::vector<std::int64_t>& into) const {
    const auto add = [&](std::int64_t start_ms) {
        if (start_ms > first_ms && start_ms <= last_ms)
            into.push_back(start_ms);
    };
    for (const auto& [from, until] : forbidden) {
        if (from > first_ms)
            add(from - date_margin_ms - 1);
        if (until != never)
            add(first_ms + (until - launch_ms));
    }
    if (priced_until_ms != never)
        add(first_ms + (priced_until_ms - date_margin_ms - 1 - launch_ms));
}

std::optional<std::int64_t> first_lawful_delay(std::span<const start_dates::time_span> forbidden,
                                               std::int64_t launch_ms, std::int64_t to_start_ms) noexcept {
    std::int64_t at = launch_ms;
    const auto in_the_way = [&](const start_dates::time_span& each) {
        return meets(each, at, at + to_start_ms);
    };
    for (auto next = std::ranges::find_if(forbidden, in_the_way); next != forbidden.end();
         next = std::ranges::find_if(forbidden, in_the_way)) {
        if (next->second == start_dates::never)
            return std::nullopt;
        at = next->second;
    }
    return at - launch_ms;
}

}  // namespace westerly
