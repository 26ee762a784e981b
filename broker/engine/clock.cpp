#include "broker/engine/core.hpp"

namespace westerly {

/// Time that passed is measured by the wall clock, so what is remembered of it moves when that clock is set: how long a
/// launch has been answered, an attempt unseen, a thing unknown; and what is due after a while stays due after it. What
/// a record shows as an instant (a deadline, a wait limit, the next try) keeps its meaning and does not move. A list
/// dated within a time that comes twice proves nothing: a find is asked instead.
void engine_core::on(turn& t, const clock_stepped& in) {
    if (in.by < milliseconds(0))
        lists_prove_after_ = std::max(lists_prove_after_, t.now - in.by);
    started_at_ += in.by;
    next_key_expiry_at_ += in.by;
    if (published_at_)
        *published_at_ += in.by;
    put_off_looked_at_ += in.by;
    hours_looked_at_ += in.by;
    fair_.move_with_clock(in.by);
    backfill_.move_with_clock(in.by);
    if (put_off_again_at_)
        *put_off_again_at_ += in.by;
    for (auto& [id, at] : providers_) {
        at.next_poll_at += in.by;
        at.next_list_at += in.by;
        at.gate.move(in.by);
        at.retries.move(in.by);
    }
    for (auto& [id, a] : attempts)
        move_with_clock(a, in.by);
    if (next_looks_at_)
        *next_looks_at_ += in.by;
    for (auto& [id, work] : archives_)
        if (work.due)
            timers_.set(timer_kind::archive, id.bytes, work.due, *work.due + in.by);
    for (auto& [name, known] : orphans_)
        known.thing.first_seen_at += in.by;
}

void engine_core::move_with_clock(live_attempt& a, milliseconds by) {
    const auto move = [&](timer_kind kind, std::optional<instant>& due) {
        if (due)
            timers_.set(kind, a.value.id.bytes, due, instant(*due + by));
    };
    move(timer_kind::find, a.find_due);
    move(timer_kind::cancel, a.cancel_due);
    move(timer_kind::overrun, a.overrun_due);
    move(timer_kind::give_up, a.give_up_due);
    if (const auto due = a.look_due) {
        look_no_more(a);
        a.look_due = *due + by;
        looks_.emplace(*a.look_due, a.value.id);
    }
    if (a.call_ended_at != instant::max())
        a.call_ended_at += by;
    if (a.find_asked_at)
        *a.find_asked_at += by;
    if (a.value.last_seen_at)
        *a.value.last_seen_at += by;
}

}  // namespace westerly
