#include "broker/engine/core.hpp"
#include "broker/placement/move.hpp"

namespace westerly {

/// Ends a run so that its workload goes on elsewhere or later: gracefully, as a cancel does. Why is kept with the
/// attempt until its end, over restarts. False: it may not be displaced, because somebody has asked for its end already
/// or its workload does not depend on it any more; nothing has happened then.
bool engine_core::displace(turn& t, live_attempt& a, displacement why, const std::string& words) {
    live_workload& w = workloads.at(a.value.workload);
    const bool may = live(a.value.state) && !a.value.cancel_wanted && !a.value.given_up_at && !w.value.cancel_wanted &&
                     w.value.current == a.value.id && !terminal(w.value.state);
    if (!may)
        return false;
    record(t, w, &a.value, "workload.displaced", words);
    apply(t, a, {.on = attempt_event::cancel, .message = words, .displaced_for = why});
    return true;
}

/// The end of a displaced attempt: no back-off, and no wait limit any more, because the wait was over once.
void engine_core::place_displaced_anew(turn& t, live_workload& w, const std::string& words) {
    ++w.value.attempts_displaced;
    requeue(t, w, std::nullopt, "displaced", words + ": placed anew at once; this attempt does not count.");
}

/// What the attempt has brought into checkpoints that any successor can read.
void engine_core::count_progress(live_workload& w, const attempt& ended) const {
    w.value.work_done = saved_share(*w.value.spec, ended, w.value.work_done, ended.ended_at.value_or(ended.updated_at));
}

/// nullopt: nothing is saved that another place could read.
std::optional<run_progress> engine_core::progress_of(const live_workload& w) const {
    if (w.value.work_done <= 0)
        return std::nullopt;
    return run_progress{.work_left = 1 - w.value.work_done, .restores = true};
}

}  // namespace westerly
