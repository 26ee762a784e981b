#include "broker/lifecycle/step.hpp"

#include <cassert>

namespace westerly {
namespace {

constexpr std::int64_t back_off_max_s = 3600;

/// Even a tenant who asks for no delay must not make the broker hammer a provider that refuses.
constexpr std::uint32_t never_started_back_off_min_s = 1;

std::string words_for(const attempt& ended) {
    std::string words = "attempt " + std::to_string(ended.number) + " " + std::string(to_string(ended.outcome));
    if (!ended.message.empty())
        words += ": " + ended.message;
    return words;
}

std::optional<retry_cause> cause_of(attempt_outcome outcome) {
    switch (outcome) {
        case attempt_outcome::failed:
            return retry_cause::failed;
        case attempt_outcome::preempted:
            return retry_cause::preempted;
        case attempt_outcome::vanished:
            return retry_cause::provider_lost;
        default:
            return std::nullopt;
    }
}

/// What a workload cannot be blamed for: the provider had not what it offered, or does not trust the broker.
bool forgiven(adapter_error why) {
    return why == adapter_error::no_capacity || why == adapter_error::quota_exceeded ||
           why == adapter_error::rate_limited || why == adapter_error::unauthorised;
}

settlement settle_forgiven(const workload& of, const attempt& ended, instant now, random_source& random,
                           adapter_error why) {
    const std::uint32_t times = of.attempts_forgiven + 1;
    settlement out{.on = workload_event::requeued, .counts = false, .forgiven = true, .message = words_for(ended)};
    if (why == adapter_error::rate_limited || times > forgiven_at_once)
        out.not_before = now + back_off(std::max(of.spec->retry.backoff_s, never_started_back_off_min_s),
                                        times > forgiven_at_once ? times - forgiven_at_once : 1, random);
    return out;
}

settlement settle_never_started(const workload& of, const attempt& ended, instant now, random_source& random) {
    const std::uint32_t others = of.attempts_counted + of.attempts_forgiven + of.attempts_displaced;
    const std::uint32_t failures = of.attempts - std::min(of.attempts, others);
    if (failures >= never_started_max)
        return {.on = workload_event::failed,
                .counts = false,
                .message = "given up after " + std::to_string(failures) +
                           " launches that came to nothing; the last: " + words_for(ended)};
    const std::uint32_t base_s = std::max(of.spec->retry.backoff_s, never_started_back_off_min_s);
    return {.on = workload_event::requeued,
            .counts = false,
            .not_before = now + back_off(base_s, failures, random),
            .message = words_for(ended)};
}

settlement settle_by_rule(const workload& of, const attempt& ended, instant now, random_source& random) {
    const retry_rule& rule = of.spec->retry;
    const auto cause = cause_of(ended.outcome);
    if (!cause || std::ranges::find(rule.on, *cause) == rule.on.end())
        return {.on = workload_event::failed, .message = words_for(ended)};
    const std::uint32_t counted = of.attempts_counted + 1;
    if (counted >= rule.attempts_max)
        return {.on = workload_event::failed,
                .message = words_for(ended) + "; it was the last of " + std::to_string(rule.attempts_max)};
    return {.on = workload_event::requeued,
            .not_before = now + back_off(rule.backoff_s, counted, random),
            .message = words_for(ended)};
}

}  // namespace

settlement settle(const workload& of, const attempt& ended, instant now, random_source& random, adapter_error why) {
    assert(!live(ended.state) && of.spec);
    const bool counts = ended.outcome != attempt_outcome::never_started;
    if (ended.outcome == attempt_outcome::succeeded)
        return {.on = workload_event::succeeded, .counts = counts};
    if (of.cancel_wanted)
        return {.on = workload_event::cancelled, .counts = counts, .message = words_for(ended)};
    if (ended.deadline_cancel || ended.outcome == attempt_outcome::timed_out)
        return {.on = workload_event::expired, .counts = counts, .message = words_for(ended)};
    if (ended.displaced_for != displacement::none)
        return {.on = workload_event::requeued, .counts = false, .displaced = true, .message = words_for(ended)};
    if (!counts && forgiven(why))
        return settle_forgiven(of, ended, now, random, why);
    if (!counts)
        return settle_never_started(of, ended, now, random);
    return settle_by_rule(of, ended, now, random);
}

milliseconds back_off(std::uint32_t base_s, std::uint32_t failures, random_source& random) {
    // 2^12 seconds are past the maximum already, so a larger shift changes nothing.
    constexpr std::uint32_t doublings_max = 12;
    const std::uint32_t doublings = std::min(failures > 0 ? failures - 1 : 0, doublings_max);
    const std::int64_t delay_s = std::min(std::int64_t{base_s} << doublings, back_off_max_s);
    const milliseconds delay = seconds(delay_s);
    const milliseconds half = delay / 2;
    return half + milliseconds(static_cast<std::int64_t>(random.unit() * static_cast<double>((delay - half).count())));
}

}  // namespace westerly
