#pragma once

#include "broker/domain/ids.hpp"
#include "broker/domain/provider.hpp"
#include "broker/support/random.hpp"

#include <array>

namespace westerly {

/// A provider that comes back to many who wait, or from a quarantine, is given so many launches at once, and one more
/// for each that went well, up to launches_per_call for each call it takes at once: twice what it has just shown that
/// it can take, and no more. The ramp ends when nobody waits any more; where nobody had waited there is none.
inline constexpr std::uint32_t launches_at_first = 8;
inline constexpr std::uint32_t launches_per_call = 16;

/// Distrust: so many bad launches in a row, or among the last 16, of several workloads, while the provider says that it
/// is well. It lasts a minute at first and doubles up to an hour, each time until one launch goes well.
inline constexpr std::uint32_t bad_in_a_row = 5;
inline constexpr std::size_t recent_launches = 16;
inline constexpr std::uint32_t bad_of_recent = 8;
inline constexpr std::uint32_t bad_workloads_min = 3;
inline constexpr std::uint32_t quarantine_first_s = 60;
inline constexpr milliseconds outage_belongs{10'000};  // failures so shortly before its adapter ended are of that

/// Whether a provider is given launches now: a ramp and a quarantine. Pure; the engine tells it what happens.
///
/// open → (bad launches) → quarantined → (time) → trying: one launch → open again from one launch on, or quarantined
/// for twice as long. The end of the adapter's process is no reason for distrust: its supervisor starts it again.
class launch_gate {
public:
    void launched(std::uint32_t calls_max) noexcept;
    /// The launch's call has ended, whatever it said.
    void answered(std::uint32_t calls_max) noexcept;

    void went_well() noexcept;
    void went_badly(const workload_id& of, std::string why, instant now, random_source& random);
    void unauthorised(std::string why, instant now, random_source& random);

    /// Its adapter is started again: what failed just before is excused.
    void outage(instant now) noexcept;
    /// It can be asked again: the ramp begins anew.
    void back(bool many_wait) noexcept;
    /// No workload waits for a place.
    void nobody_waits() noexcept;
    /// The operator's word, or a changed file: trusted at once, from the beginning of the ramp.
    void lift() noexcept;

    /// No launch may go there now.
    bool closed() const noexcept { return full_ || (quarantine_ && !trying_); }
    /// It counts its launches: each more or less may open or close it.
    bool counts() const noexcept { return ramping_ || trying_; }
    /// Closed for the moment only: some of its launches will be answered.
    bool merely_full() const noexcept { return full_ && !quarantine_; }
    /// Why, for tenants: what the provider said is the operator's business, and in distrusted().
    std::string why_closed() const;
    const std::optional<quarantine>& distrusted() const noexcept { return quarantine_; }
    /// When a quarantine's time is over; `try_one` begins its end.
    std::optional<instant> due() const noexcept;
    void try_one() noexcept;
    void move(milliseconds by) noexcept;  // with the clock

private:
    std::uint32_t most(std::uint32_t calls_max) const noexcept;
    void ramp_from(std::uint32_t window) noexcept;
    void shut(bool unauthorised, std::string why, instant now, random_source& random);
    void forget_failures() noexcept;
    void remember(std::optional<workload_id> bad) noexcept;
    struct bad_ones {
        std::uint32_t launches = 0, workloads = 0;
    };
    bad_ones bad_of(std::size_t latest) const noexcept;

    bool ramping_ = false;
    std::uint32_t window_ = launches_at_first;  // while ramping
    std::uint32_t under_way_ = 0;
    bool full_ = false;  // from a full window until half of it is free
    bool trying_ = false;
    std::array<std::optional<workload_id>, recent_launches> recent_{};  // the latest first; whose, where it was bad
    std::uint32_t failures_ = 0;                                        // in a row
    std::uint32_t times_ = 0;                                           // quarantined without a good launch between
    std::optional<quarantine> quarantine_;
};

}  // namespace westerly
