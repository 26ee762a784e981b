#include "broker/placement/run_length.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

/// Whole seconds, up; what a division left behind the ninth digit is no second of its own.
std::uint64_t whole_seconds(double s) noexcept {
    return static_cast<std::uint64_t>(std::ceil(s * (1 - 1e-12)));
}

double at_end(const interval& of, speed_end at) noexcept {
    return at == speed_end::slow ? of.low : at == speed_end::fast ? of.high : of.value;
}

run_length impossible(run_length made, rejection why) {
    made.why_not = why;
    return made;
}

/// T from the reference, or the runtime as it stands. False: it cannot be told.
bool one_pass(const offer_book::shape_row& row, const run_question& asked, speed_end at, double& work_s,
              run_length& into) {
    if (!asked.spec->work.reference) {
        work_s = static_cast<double>(asked.runtime_s);
        return true;
    }
    into.estimated = true;
    if (!asked.work.reference || !row.accelerators || into.cards < 1)
        return false;
    into.speed = with_runs(speed_of(asked.spec->work, asked.work.kind, asked.spec->resources.precision,
                                    *row.accelerators, *asked.work.reference, *asked.known),
                           asked.measured, *row.accelerators, *asked.known);
    if (!into.speed.r.known())
        return false;
    const throughput made =
        throughput_of(asked.work, into.cards, at_end(into.speed.r, at), links_of(*row.accelerators));
    into.efficiency = made.efficiency;
    into.effective_cards = made.effective_cards;
    work_s = made.seconds;
    return !std::isnan(work_s);
}

/// Of the whole gang: what may fail is a card and what feeds it, or a unit where there are none.
gang_hazard hazard_in(const offer_book::shape_row& row, double cards, std::uint64_t units, double work_s) noexcept {
    return hazard_of(row.hazard, cards > 0, cards > 0 ? cards : static_cast<double>(units), work_s / 3600.0);
}

/// What risk of loss goes by; NaN: on spot terms that do not tell how often they end. A checkpoint makes up for that.
double known_hazard(const offer_book::shape_row& row, const gang_hazard& in) noexcept {
    return row.spot_untold ? std::numeric_limits<double>::quiet_NaN() : in.per_h;
}

/// What a run writes counts against max_runtime_s, too. One told in seconds is stopped there; one told by a reference
/// has to end: false where it does not.
bool within_limit(const workload_spec& spec, std::uint64_t& work_s) noexcept {
    if (!spec.when.max_runtime_s)
        return true;
    const auto limit_s = static_cast<double>(*spec.when.max_runtime_s);
    if (expect_run(static_cast<double>(work_s), 0, spec.checkpoint, 0).billed_s <= limit_s)
        return true;
    work_s = static_cast<std::uint64_t>(work_within(limit_s, spec.checkpoint));
    return !spec.work.reference;
}

}  // namespace

std::uint64_t billed_seconds(std::uint64_t run_s, std::uint32_t increment_s, std::uint32_t minimum_s) noexcept {
    const std::uint64_t increment = std::max(1u, increment_s);
    const std::uint64_t steps = run_s / increment + (run_s % increment != 0);
    return std::max<std::uint64_t>(steps * increment, minimum_s);
}

std::uint64_t run_length::billed_after(std::int64_t movement_ms) const noexcept {
    if (!billed_from_allocation)
        return billed_s;
    return billed_seconds(whole_seconds(run_s + static_cast<double>(movement_ms) / 1000.0), increment_s, minimum_s);
}

run_length run_on(const offer_book::shape_row& row, std::uint64_t cards, std::uint64_t units, const run_question& asked,
                  speed_end at) {
    const workload_spec& spec = *asked.spec;
    run_length made;
    if (spec.kind == workload_kind::service) {  // has no end: judged by the hour
        made.work_s = made.wall_s = made.billed_s = asked.runtime_s;
        made.run_s = static_cast<double>(asked.runtime_s);
        const gang_hazard hazard = hazard_in(row, static_cast<double>(cards) * spec.tasks, units, made.run_s);
        made.risk.lost = chance_of_loss(made.run_s, known_hazard(row, hazard), {}, false);
        return made;
    }
    made.cards = static_cast<double>(cards) * spec.tasks;
    double work_s = 0;
    if (!one_pass(row, asked, at, work_s, made))
        return impossible(std::move(made), rejection::throughput_unknown);
    work_s = work_s * asked.work_left + asked.restore_s;
    if (!(work_s <= static_cast<double>(runtime_max_s)))
        return impossible(std::move(made), rejection::never_finishes);
    made.work_s = whole_seconds(work_s);
    if (!within_limit(spec, made.work_s))
        return impossible(std::move(made), rejection::runtime_limit);
    made.hazard = hazard_in(row, made.cards, units, work_s);
    const expected_run run =
        expect_run(static_cast<double>(made.work_s), made.hazard.per_h, spec.checkpoint, row.queue_wait_s);
    if (!(run.wall_s <= static_cast<double>(runtime_max_s)))
        return impossible(std::move(made), rejection::never_finishes);
    made.estimated |= made.hazard.per_h > 0 || spec.checkpoint.has_value();
    made.interruptions = run.interruptions;
    made.risk.lost =
        chance_of_loss(static_cast<double>(made.work_s), known_hazard(row, made.hazard), spec.checkpoint, asked.saved);
    made.run_s = run.billed_s;
    made.billed_from_allocation = row.billed_from_allocation;
    made.increment_s = row.increment_s;
    made.minimum_s = row.minimum_s;
    made.billed_s = billed_seconds(whole_seconds(run.billed_s), row.increment_s, row.minimum_s);
    made.wall_s = whole_seconds(run.wall_s);
    return made;
}

}  // namespace westerly
