#include "broker/domain/change_set.hpp"

namespace westerly {

std::optional<decision_id> keeps_a_place(const workload& w, const attempt* current) {
    if (terminal(w.state))
        return std::nullopt;
    const bool stops_others =
        w.state == workload_state::queued && !w.waiting.empty() && w.waiting.front().code == waits_for_stopped;
    const bool moves = current && current->displaced_for == displacement::better_place && !current->given_up_at;
    return stops_others || moves ? w.last_decision : std::nullopt;
}

}  // namespace westerly
