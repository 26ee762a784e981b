#include "broker/engine/launch_gate.hpp"

#include "broker/lifecycle/step.hpp"

#include <algorithm>

namespace westerly {

std::uint32_t launch_gate::most(std::uint32_t calls_max) const noexcept {
    return std::min(window_, std::max(calls_max, 1u) * launches_per_call);
}

void launch_gate::launched(std::uint32_t calls_max) noexcept {
    ++under_way_;
    full_ = full_ || (ramping_ && under_way_ >= most(calls_max));
}

/// Open again only when half of the window is free, so that not every answer wakes all who wait.
void launch_gate::answered(std::uint32_t calls_max) noexcept {
    under_way_ -= under_way_ != 0 ? 1 : 0;
    if (under_way_ <= most(calls_max) / 2)
        full_ = false;
}

void launch_gate::nobody_waits() noexcept {
    if (quarantine_)
        return;
    ramping_ = full_ = false;
}

void launch_gate::ramp_from(std::uint32_t window) noexcept {
    ramping_ = true;
    window_ = window;
    full_ = under_way_ >= window_;
}

void launch_gate::went_well() noexcept {
    constexpr std::uint32_t wide_enough = 1 << 20;
    window_ = std::min(window_ + 1, wide_enough);
    remember(std::nullopt);
    failures_ = 0;
    times_ = 0;
    trying_ = false;
    if (quarantine_)
        forget_failures();
    quarantine_.reset();
}

void launch_gate::went_badly(const workload_id& of, std::string why, instant now, random_source& random) {
    window_ = std::max(window_ / 2, 1u);
    remember(of);
    ++failures_;
    if (quarantine_ && !trying_)
        return;  // of a launch made before
    const auto in_a_row = bad_of(failures_), of_all = bad_of(recent_.size());
    if (trying_)
        shut(quarantine_ && quarantine_->unauthorised, std::move(why), now, random);
    else if (in_a_row.launches >= bad_in_a_row && in_a_row.workloads >= bad_workloads_min)
        shut(false, std::to_string(failures_) + " launches in a row came to nothing, the last: " + why, now, random);
    else if (of_all.launches >= bad_of_recent && of_all.workloads >= bad_workloads_min)
        shut(false,
             std::to_string(of_all.launches) + " of the last " + std::to_string(recent_.size()) +
                 " launches came to nothing, the last: " + why,
             now, random);
}

void launch_gate::remember(std::optional<workload_id> bad) noexcept {
    std::ranges::move_backward(recent_.begin(), recent_.end() - 1, recent_.end());
    recent_.front() = bad;
}

launch_gate::bad_ones launch_gate::bad_of(std::size_t latest) const noexcept {
    bad_ones found;
    const auto end = recent_.begin() + static_cast<std::ptrdiff_t>(std::min(latest, recent_.size()));
    for (auto at = recent_.begin(); at != end; ++at) {
        found.launches += at->has_value() ? 1 : 0;
        found.workloads += at->has_value() && std::find(recent_.begin(), at, *at) == at ? 1 : 0;
    }
    return found;
}

void launch_gate::unauthorised(std::string why, instant now, random_source& random) {
    window_ = 1;
    ++failures_;
    if (!quarantine_ || trying_ || !quarantine_->unauthorised)
        shut(true, std::move(why), now, random);
}

void launch_gate::shut(bool unauthorised, std::string why, instant now, random_source& random) {
    const auto since = quarantine_ ? quarantine_->since : now;
    const auto lasts = back_off(quarantine_first_s * 2, ++times_, random);  // jitter in [d/2, d]: a minute at least
    quarantine_ = quarantine{{}, unauthorised, since, now + lasts, failures_, std::move(why)};
    trying_ = false;
    window_ = 1;
}

void launch_gate::outage(instant now) noexcept {
    const bool of_it = quarantine_ && !quarantine_->unauthorised && now - quarantine_->since <= outage_belongs;
    if (of_it)
        lift();
    else if (!quarantine_)
        forget_failures();
}

void launch_gate::back(bool many_wait) noexcept {
    if (quarantine_ && quarantine_->unauthorised)
        return try_one();
    ramping_ = full_ = false;
    if (quarantine_ || many_wait)
        ramp_from(quarantine_ ? 1 : launches_at_first);
}

void launch_gate::lift() noexcept {
    quarantine_.reset();
    trying_ = false;
    times_ = 0;
    forget_failures();
    ramp_from(launches_at_first);
}

void launch_gate::forget_failures() noexcept {
    failures_ = 0;
    recent_.fill(std::nullopt);
}

std::string launch_gate::why_closed() const {
    if (quarantine_ && !trying_)
        return (quarantine_->unauthorised ? "it refuses the broker's credentials, and is tried again at "
                                          : "launches failed there: it is quarantined until ") +
               format_rfc3339(quarantine_->until);
    if (trying_)
        return "it is tried with one launch after a quarantine";
    return std::to_string(under_way_) + " launches are under way there, as many as it is given at once now";
}

std::optional<instant> launch_gate::due() const noexcept {
    return quarantine_ && !trying_ ? std::optional(quarantine_->until) : std::nullopt;
}

void launch_gate::try_one() noexcept {
    trying_ = true;
    ramp_from(1);
}

void launch_gate::move(milliseconds by) noexcept {
    if (!quarantine_)
        return;
    quarantine_->since += by;
    quarantine_->until += by;
}

}  // namespace westerly
