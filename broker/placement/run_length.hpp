#pragma once

#include "broker/domain/decision.hpp"
#include "broker/placement/measured_speed.hpp"
#include "broker/placement/offer_book.hpp"
#include "broker/placement/risk.hpp"

namespace westerly {

inline constexpr std::uint64_t runtime_max_s = 10'000'000'000;  // 317 years: keeps every product in range

/// Which end of a speed's interval a run is reckoned with.
enum class speed_end : std::uint8_t { value, slow, fast };

/// How long one workload's run on one shape takes, and how that came about. Quantities as in run_estimate.
struct run_length {
    std::optional<rejection> why_not;  // no length can be told, or none that ends
    double run_s = 0;                  // E[billed]: what draws power; exact where nothing is estimated
    std::uint64_t billed_s = 0;        // after the offer's increment and minimum; where data are there already
    std::uint64_t work_s = 0, wall_s = 0;
    bool estimated = false;  // by throughput or interruptions, and not just the runtime as stated
    double cards = 0;
    card_speed speed;
    double efficiency = 1, effective_cards = 0, interruptions = 0;
    gang_hazard hazard;
    run_risk risk;
    bool billed_from_allocation = false;  // and its increment and minimum: as the offer's; never of services
    std::uint32_t increment_s = 1, minimum_s = 0;

    /// The same where data have to be brought first, for so long, which counts once however often it is interrupted.
    std::uint64_t billed_after(std::int64_t movement_ms) const noexcept;
};

/// What a run's length depends on besides the offer, worked out once a decision.
struct run_question {
    const workload_spec* spec = nullptr;
    const accelerator_table* known = nullptr;
    work_view work;
    std::span<const measured_speed> measured;
    std::uint64_t runtime_s = 0;  // as stated or assumed, where the work names no reference
    double work_left = 1;         // of it all
    double restore_s = 0;         // before it goes on
    bool saved = false;           // an earlier run left a checkpoint to go on from
};

/// `cards`: of one task, by the alternative that was met; 0: none are asked for. `units`: that the gang takes, whatever
/// is billed at least.
run_length run_on(const offer_book::shape_row& row, std::uint64_t cards, std::uint64_t units, const run_question& asked,
                  speed_end at);

/// The wall clock time that is billed for a run: up to the increment, at least the minimum.
std::uint64_t billed_seconds(std::uint64_t run_s, std::uint32_t increment_s, std::uint32_t minimum_s) noexcept;

}  // namespace westerly
