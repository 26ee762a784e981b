#include "tests/sim/world.hpp"

namespace westerly::sim {

namespace {

/// From the word that a provider is back to the calls that waited for it: a tick, a commit, and room for many of them.
constexpr seconds asked_within{1};

bool is_open(attempt_state state) {
    return state == attempt_state::unknown || state == attempt_state::lost;
}

}  // namespace

/// Whether a provider can be asked, as the broker has been told.
void world::watch_outage(const input& in) {
    const auto* told = std::get_if<provider_reported>(&in);
    if (!told)
        return;
    const auto number = numbers_.at(told->health.id);
    if (!configured_[number])
        return;  // a late word
    if (told->health.state != provider_state::ready)
        away_since_[number] = time_.now;
    else if (away_since_[number])
        provider_returned(number);
}

/// What began to wait while it was away could not be asked, and nothing else is due for it: its return is the moment.
/// What was asked before is asked again by its back-off.
void world::provider_returned(std::size_t number) {
    const instant since = *std::exchange(away_since_[number], std::nullopt);
    std::vector<std::pair<attempt_id, attempt_state>> waited;
    for (const auto& [id, stored] : store_.attempts) {
        const auto* mine = stored.provider == plan_.providers[number].config.id ? core_->find(id) : nullptr;
        if (!mine || !(is_open(mine->state) || mine->state == attempt_state::stopping))
            continue;
        const auto began = has_waited_since_.find(id);
        if (since == process_since_ || (began != has_waited_since_.end() && began->second >= since))
            waited.emplace_back(id, mine->state);
    }
    if (waited.empty())
        return;
    time_.after(asked_within, [this, number, process = process_, waited = std::move(waited)] {
        if (process_ == process && core_ && !away_since_[number])
            check_return(number, waited);
    });
}

/// L4 in time: nobody waits for a list, or for ever, because the provider was away for a moment.
void world::check_return(std::size_t number, const std::vector<std::pair<attempt_id, attempt_state>>& waited) {
    const instant returned_at = time_.now - asked_within;
    for (const auto& [id, state] : waited) {
        const auto* mine = core_->find(id);
        if (!mine || mine->state != state)
            continue;
        const auto& done = deeds_[launch_token(id)];
        const auto& at = plan_.providers[number].config.id;
        if (is_open(state) && done.asked_at < returned_at)
            fault("L4: " + at + " is back, and what became unknown meanwhile is not asked about");
        if (state == attempt_state::stopping && done.stopped_at < returned_at)
            fault("L4: " + at + " is back, and what is to be stopped there is not stopped");
    }
}

}  // namespace westerly::sim
