#pragma once

#include "broker/domain/attempt.hpp"
#include "broker/placement/decide.hpp"

namespace westerly {

/// The share of a workload's work that is in portable checkpoints when this attempt of it ends at `until`, where
/// `before` of it was in them already. Reckoned from how long it ran: a checkpoint is complete after each interval of
/// work and the time of writing it. Never all of it, because an estimate is no proof. 0 where nothing is portable.
double saved_share(const workload_spec& spec, const attempt& of, double before, instant until) noexcept;

/// Whether the workload's own word and its kind let it be moved while it runs.
bool movable(const workload_spec& spec) noexcept;

/// A run that goes on, to be held against the market.
struct running_here {
    const attempt& of;
    const offer& on;       // what it runs on, as offered now; the price is that of the lease
    double work_done = 0;  // of the whole work, by earlier attempts
};

/// What a look has found. `made` is the decision for what would be left after a stop; its winner is the better place.
struct move_look {
    decision made;
    decision_world seen;  // what it was made from
    bool moves = false;
    std::string words;  // for people: the arithmetic
};

/// Decides again as if the run were queued with what is left of its work, and holds the best offer against staying.
///
///   gain = J(stay, all that is not done) - J(elsewhere, all that is not saved, with restore, transfer and wait)
///          - what is paid here until the stop is done, with the begun increment and the minimum
///
/// It moves when the gain exceeds min_gain of J(stay) and min_gain_amount. Ordered policies move when a key gains more
/// than min_gain and none before it loses; money counts with the stop. It never moves for what the intervals of speeds
/// leave open. `book` has to show the run's own units as free. Services are weighed for at_most_every_s.
move_look look_for_move(const offer_book& book, const policy& rules, term_table terms, const workload_spec& spec,
                        const running_here& run, const decision_world& world);

}  // namespace westerly
