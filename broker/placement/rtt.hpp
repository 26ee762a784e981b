#pragma once

#include "broker/placement/decide.hpp"

namespace westerly {

/// How an RTT is known, best first. Of several origins the weakest labels the whole.
enum class rtt_source : std::uint8_t { measured, declared, estimated, unknown };

/// An origin that RTTs are counted to, with its share of the demand.
struct origin_view {
    std::uint32_t region = name_table::absent;
    std::optional<sphere_point> place;
    double share = 1;
};
/// The workload's origins in its order, their shares summing to 1; none where none is stated.
std::vector<origin_view> origins_of(const offer_book& book, const workload_spec& spec, const decision_world& world);

struct told_rtt {
    double ms = std::numeric_limits<double>::quiet_NaN();
    rtt_source source = rtt_source::unknown;
};
/// What was measured and is not older than the site's limit, else what the site declares, else an estimate.
told_rtt rtt_between(const origin_view& from, const offer_book::site_row& row, instant now) noexcept;

/// The least RTT that 95 % of the demand stays within, of RTTs with their shares; NaN where one of them is not known.
double p95_of(std::vector<std::pair<double, double>>& ms_and_share) noexcept;

/// Where the workload's users or data sit, if coordinates can be had: its own, the facts', or a site's in that region.
std::optional<sphere_point> origin_place(const offer_book& book, const origin& from,
                                         std::span<const region_place> regions);

double estimate_rtt_ms(const sphere_point& from, const sphere_point& to) noexcept;

/// As decisions tell it: "measured", "declared", "estimated from coordinates (median error 3 ms)", "unknown".
std::string in_words(rtt_source source, double ms);

}  // namespace westerly
