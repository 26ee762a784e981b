#pragma once

#include "broker/domain/accelerator.hpp"

namespace westerly {

/// How long work takes on one kind of offer: decision-model §2, with its symbols. Pure.

/// The links between n cards of one gang, GB/s of one card, both ways. b_up 0: not known.
struct card_links {
    double b_up = 0;           // inside a scale-up domain
    double b_out = 0;          // between domains; 0: not known, counted as one level
    std::uint32_t domain = 1;  // d: cards in one, >= 1; of a reference, 0: not known
};
card_links links_of(const accelerator_facts& cards) noexcept;

/// g(n): seconds that each card needs to exchange one GB with all others. 0 for one card; NaN: links not known.
double exchange_time(double cards, const card_links& by) noexcept;

/// η: what communication leaves of the speed of n cards. `exchange`: g(n) / g0. c = 0 or n = 1: 1. NaN: not known.
double scaling_efficiency(double communication, double speed, double cards, double reference_cards,
                          double batch_exponent, double exchange) noexcept;

/// A card's speed against the reference card, and where that figure comes from.
struct card_speed {
    interval r;  // all 0: not known
    std::string_view method;
};
/// `precision`: what is derived is so from peaks at it, where both cards tell one, and what was measured at FP16 counts
/// for FP16 and BF16 only; decoding goes by the bandwidth of memory at any.
card_speed speed_of(const work_estimate& work, work_class kind, std::optional<number_precision> precision,
                    const accelerator_facts& card, const accelerator_model& reference, const accelerator_table& known);

/// The parts of `work` that do not depend on the offer, worked out once a decision.
struct work_view {
    const work_estimate* told = nullptr;
    const accelerator_model* reference = nullptr;  // nullptr: the work is told in seconds, or nowhere
    work_class kind = work_class::training;
    card_links reference_links;    // those of g0
    double accelerator_hours = 0;  // W
};
/// `reference` null although the work names one: that card is not in the table.
work_view view_of(const workload_spec& spec, const accelerator_table& known);

/// g(n) / g0. What is not known of the reference's network between domains, the offer's own stands for: the work was
/// measured on such a network. But where that made a better network count for less, both count without one, so that
/// more bandwidth never lowers η. NaN: links not known, or the reference is one card, which exchanges nothing.
double exchange_against_reference(const work_view& work, double cards, const card_links& by) noexcept;

/// T, η and X of `cards` cards at speed r. seconds NaN: links not known.
struct throughput {
    double seconds = 0;
    double efficiency = 1;
    double effective_cards = 0;
};
throughput throughput_of(const work_view& work, double cards, double r, const card_links& links) noexcept;

/// λ of a whole gang, per hour. What the offer does not tell of its hardware is assumed for cards
/// (assumed_hardware_per_h) once that makes assumed_from interruptions a run: below, it would be precision that nobody
/// has.
struct gang_hazard {
    double per_h = 0;
    bool assumed = false;
};
inline constexpr double assumed_hardware_per_card_h =
    2.0e-5;  // 419 in 54 days on 16 384 H100: arXiv 2407.21783, table 5
inline constexpr double assumed_from = 0.1;
gang_hazard hazard_of(const hazard_facts& offered, bool has_cards, double count, double hours) noexcept;

/// What interruptions make of `work_s` seconds: E[billed], E[wall] and their number. Each loses what came after the
/// last checkpoint, and costs the restore and, unbilled, `wait_s`. Infinite when the work outgrows
/// never_finishes_factor.
struct expected_run {
    double billed_s = 0;
    double wall_s = 0;
    double interruptions = 0;
};
inline constexpr double never_finishes_factor = 20;
/// P(`work_s` seconds are interrupted at least once and there is no checkpoint to go on from). `saved`: an earlier run
/// left one.
double chance_of_loss(double work_s, double hazard_per_h, const std::optional<checkpoint_rule>& saves,
                      bool saved) noexcept;
/// Work that is done within `limit_s` of running without interruptions, what is written in it taken off.
double work_within(double limit_s, const std::optional<checkpoint_rule>& saves) noexcept;
expected_run expect_run(double work_s, double hazard_per_h, const std::optional<checkpoint_rule>& saves,
                        double wait_s) noexcept;

}  // namespace westerly
