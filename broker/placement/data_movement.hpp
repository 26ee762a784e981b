#pragma once

#include "broker/placement/decide.hpp"
#include "broker/placement/offer_book.hpp"

#include <span>
#include <vector>

namespace westerly {

inline constexpr double data_movement_max_s = 1e9;
inline constexpr double default_ingress_gbps = 1.0;  // assumed where a site states none; the decision says so

/// How long a service is taken to stay up where it does not say (work.runtime_s). What is paid once for its inputs
/// counts over that.
inline constexpr std::uint64_t service_stay_s = 30 * 86'400;
double service_stay_h(const workload_spec& spec) noexcept;

/// What has to be brought to wherever it is not.
struct brought_data {
    std::uint32_t region;  // where it is, by the book's names
    double gib;
    double paid_gib;     // as much of it as counts as money: all for a run, an hour's share of it for a service
    double egress_base;  // money for taking it out of there, likewise
};
/// Inputs, and a checkpoint that is gone on from.
std::vector<brought_data> brought_by(const offer_book& book, const workload_spec& spec, const decision_world& world);

/// Of bringing it to one site: egress there and staging here, in base currency; and how long it takes.
struct data_movement {
    double cost_base = 0;
    double seconds = 0;  // at most data_movement_max_s
};
data_movement movement_to(const offer_book::site_row& row, std::span<const brought_data> inputs,
                          const exchange_rates& rates) noexcept;

/// Of movement_to's cost what staging takes.
double staging_base(const offer_book& book, const workload_spec& spec, const decision_world& world,
                    const offer_book::site_row& row);

}  // namespace westerly
