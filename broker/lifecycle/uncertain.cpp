#include "broker/domain/waiting.hpp"
#include "broker/lifecycle/step.hpp"

namespace westerly {
namespace {

note what_is_not_known(const attempt& of) {
    const auto since = of.uncertain_since.value_or(of.updated_at);
    const note_kind kind = of.state == attempt_state::unknown ? note_kind::wait_outcome_unknown
                           : of.started_at                    ? note_kind::wait_lost_running
                                                              : note_kind::wait_lost_pending;
    return {kind, {format_rfc3339(since), of.provider, of.site}, {static_cast<double>(of.number)}};
}

}  // namespace

wait_reason uncertainty(const attempt& of, const workload& for_whom, std::optional<instant> at) {
    std::vector<note> pieces{what_is_not_known(of)};
    if (of.state != attempt_state::unknown && of.last_seen_at)
        pieces.push_back({note_kind::wait_last_seen, {format_rfc3339(*of.last_seen_at)}, {}});
    pieces.push_back({note_kind::wait_asked_for, {}, {}});
    if (for_whom.cancel_wanted) {
        pieces.push_back({note_kind::wait_stopped_if_found, {}, {}});
    } else {
        pieces.push_back({note_kind::wait_choices, {to_string(for_whom.id)}, {}});
        if (at)
            pieces.push_back({note_kind::wait_given_up_at, {format_rfc3339(*at)}, {}});
    }
    return reason_of(of.state == attempt_state::unknown ? "outcome_unknown" : "attempt_lost", std::move(pieces));
}

}  // namespace westerly
