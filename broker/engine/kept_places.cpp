// Places kept from everybody else while others are being stopped there, or while their own run is being stopped
// elsewhere.
#include "broker/engine/core.hpp"

namespace westerly {

namespace {

/// What a provider may take to end a run and to tell of it, beside the run's grace and one poll. Slurm and Kubernetes
/// take seconds; a place that is kept for longer than this is kept for a stop that hangs.
constexpr seconds stop_margin{300};

}  // namespace

/// Until it starts or is over; at the most until all that are being stopped for it should be gone: the longest of their
/// graces, a poll of their provider, and the margin.
void engine_core::keep_place(const live_workload& w, const offer_id& on, std::uint64_t units, instant now) {
    const auto at = book_.find(on);
    if (!at || book_.free_units(*at) == offer_book::unlimited)
        return;
    instant until = now;
    const auto wait_for = [&](const attempt& a) {
        if (!live(a.state) || a.displaced_for == displacement::none)
            return;
        const auto home = providers_.find(a.provider);
        const bool known = home != providers_.end() && home->second.config;
        const std::uint64_t poll_s = known ? home->second.config->poll_s : 0;
        until = std::max(until, later(now, workloads.at(a.workload).value.spec->grace_s + poll_s));
    };
    backfill_.each_on(on, [&](const attempt_id& id, std::uint64_t) { wait_for(attempts.at(id).value); });
    if (w.value.current)
        if (const auto own = attempts.find(*w.value.current); own != attempts.end())
            wait_for(own->second.value);
    backfill_.keep(w.value.id, {on, units, book_.free_units(*at), 0}, until + stop_margin);
}

/// Who waits for a stop that hangs waits as anybody does from now on; nobody else is stopped for it.
void engine_core::give_back_places(turn& t) {
    for (const auto* kept = backfill_.first_to_end(); kept && kept->until <= t.now; kept = backfill_.first_to_end()) {
        live_workload& w = workloads.at(kept->holder);
        const std::string gone =
            "What was to leave for it has not left in time: its place at " + kept->offer + " is not kept any more.";
        release_place(w.value.id);
        if (w.value.state == workload_state::queued && w.preempts)
            show_reasons(t, w,
                         {{std::string(stop_overdue),
                           gone + " It starts where units are free in its turn; nobody else is stopped for it."}});
        else
            record(t, w, nullptr, "workload.place_given_back", gone);
    }
}

/// After a start, before anybody is placed: the time counts anew, because stops are sent anew.
void engine_core::keep_again(instant now) {
    for (const kept_place& each : std::exchange(kept_before_, {})) {
        const auto of = workloads.find(each.holder);
        const auto at = book_.find(each.offer);
        if (of == workloads.end() || !at)
            continue;
        const live_workload& w = of->second;
        const auto own = w.value.current ? attempts.find(*w.value.current) : attempts.end();
        if (keeps_a_place(w.value, own == attempts.end() ? nullptr : &own->second.value) == each.decision)
            keep_place(w, each.offer, each.units + (w.preempts ? headroom_for(w, *at) : 0), now);
    }
}

}  // namespace westerly
