#include "broker/lifecycle/step.hpp"

namespace westerly {
namespace {

std::string what_is_not_known(const attempt& of) {
    const std::string name = "attempt " + std::to_string(of.number);
    const std::string place = of.provider + ", site " + of.site;
    if (of.state == attempt_state::unknown)
        return "it is not known whether " + name + " exists at " + place +
               ": the provider has not said what became of its launch";
    const std::string seen = of.last_seen_at ? "; it was last seen at " + format_rfc3339(*of.last_seen_at) : "";
    return "it is not known whether " + name + " still " + (of.started_at ? "runs" : "waits") + " at " + place + seen;
}

std::string what_may_be_chosen(const workload& for_whom, std::optional<instant> at) {
    if (for_whom.cancel_wanted)
        return " It is stopped as soon as it turns up.";
    std::string text = " You may wait, cancel, or accept that two copies may run: westerly retry " +
                       to_string(for_whom.id) + " --accept-second-copy.";
    if (at)
        text += " By its retry rule it is given up at " + format_rfc3339(*at) + ".";
    return text;
}

}  // namespace

wait_reason uncertainty(const attempt& of, const workload& for_whom, std::optional<instant> at) {
    const auto since = of.uncertain_since.value_or(of.updated_at);
    return {of.state == attempt_state::unknown ? "outcome_unknown" : "attempt_lost",
            "Since " + format_rfc3339(since) + " " + what_is_not_known(of) +
                ". The provider is asked again, once a minute at least while it can be reached, and nothing is "
                "launched in its place." +
                what_may_be_chosen(for_whom, at)};
}

}  // namespace westerly
