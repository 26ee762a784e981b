#include "broker/domain/region.hpp"

#include <algorithm>
#include <numeric>

namespace westerly {
namespace {

constexpr std::size_t typos_max = 2;

/// Letters put in, left out, changed or exchanged with their neighbour.
std::size_t typos_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

/// "us-east-1" and "us-east-2" are two names, not one and a typo.
bool differ_in_digits_only(std::string_view a, std::string_view b) {
    const auto letters = [](std::string_view of) {
        std::string kept(of);
        std::erase_if(kept, [](char c) { return c >= '0' && c <= '9'; });
        return kept;
    };
    return letters(a) == letters(b);
}

}  // namespace

bool knows_region(std::span<const region_place> places, std::string_view region) noexcept {
    const auto at = std::ranges::lower_bound(places, region, {},
                                             [](const region_place& p) -> std::string_view { return p.region; });
    return at != places.end() && at->region == region;
}

void nearest_region::look_at(std::string_view known) {
    const std::size_t apart =
        known.size() > meant_.size() ? known.size() - meant_.size() : meant_.size() - known.size();
    if (apart > typos_max)
        return;
    const std::size_t typos = typos_between(meant_, known);
    // Of a short name half the letters would be typos.
    if (typos > typos_max || typos * 3 > meant_.size() || differ_in_digits_only(meant_, known))
        return;
    if (found_.empty() || std::pair(typos, known) < std::pair(typos_, std::string_view(found_))) {
        typos_ = typos;
        found_ = known;
    }
}

}  // namespace westerly
