#pragma once

#include "broker/domain/ids.hpp"
#include "broker/domain/offer.hpp"
#include "broker/support/time.hpp"

#include <map>
#include <span>
#include <unordered_map>
#include <vector>

namespace westerly {

/// How long a run is known to take from its start: as estimated, and at most, by a limit that its provider enforces.
struct run_bounds {
    std::optional<milliseconds> expected, limit;
};

/// A place that is kept for a workload which cannot start yet: nobody behind it may start there in a way that puts it
/// off.
struct reservation {
    workload_id holder;
    offer_id offer;
    std::uint64_t units = 0;
    instant at{};         // when they will be free; instant::max(): not known, nobody behind it may take any of them
    bool firm = false;    // its holder has waited too long: only limits are believed, no estimates
    instant since{};      // of a firm one: from when on it has gathered here
    bool pinned = false;  // others are stopped for its holder there: it is kept from everybody else,
    instant until = instant::max();  // for so long: a stop may hang
};

/// Places held at once for those who gather units, each on another offer. A full market has a thousand who wait, and
/// each that may hold one costs a look at what runs: 1 000 unlike gangs cost an input 1 ms with 8 and 10 ms with 64.
inline constexpr std::size_t reservations_max = 8;
/// Places kept from everybody else at once, of which nobody needs to look for a better one.
inline constexpr std::size_t kept_places_max = 64;

/// What runs on offers that have a limit and when it ends; and the places kept for those who wait, so that small work
/// may fill gaps but delays nobody (EASY backfill). Pure.
class backfill {
public:
    void occupy(const offer_id& on, const attempt_id& who, std::uint64_t units, instant from, run_bounds takes);
    /// It has started: its time counts from then.
    void began(const offer_id& on, const attempt_id& who, instant at);
    void vacate(const offer_id& on, const attempt_id& who);

    /// When so many units of an offer are free, where `free` are free now; nullopt: what is known to end is not enough.
    std::optional<instant> free_at(const offer_id& on, std::uint64_t units, std::uint64_t free, instant now,
                                   bool firm) const;

    struct choice {
        offer_id on;
        std::uint64_t units = 0, free = 0;
        double j = 0;  // of ordered policies C
    };
    /// Calls `look(attempt, units)` for each run on an offer, by id.
    template <class Look>
    void each_on(const offer_id& id, Look look) const {
        if (const auto here = running_.find(id); here != running_.end())
            for (const auto& [who, one] : here->second)
                look(who, one.units);
    }
    /// Keeps the place of `ways` (best first) that will be free soonest; where none is known to become free and `firm`,
    /// the best one until it does. Once it gathers at such a place it leaves it only for one that takes no longer than
    /// it has gathered already: what it leaves is filled by others at once. What it held before is given up, and so is
    /// what one of those `behind` it holds there. False: it holds none.
    bool reserve(const workload_id& who, std::span<const choice> ways, std::span<const workload_id> behind, instant now,
                 bool firm);
    /// Nobody else takes any of what its holder gathers there until then, whatever is known of ends and whoever comes
    /// first. What it held before is given up, and so is what another gathers there. False: it is kept so for another,
    /// or as many are as may be.
    bool keep(const workload_id& who, const choice& place, instant until);
    bool may_keep_more() const { return kept() < kept_places_max; }
    bool may_gather_more() const { return held_.size() - kept() < reservations_max; }
    /// The place that is kept from everybody else for the shortest time yet, or nullptr.
    const reservation* first_to_end() const;
    void move_with_clock(milliseconds by);
    /// True when there was one.
    bool release(const workload_id& who);
    const reservation* on(const offer_id& id) const;
    const reservation* of(const workload_id& who) const;
    std::span<const reservation> all() const noexcept { return held_; }

    /// How many of `free` units somebody behind the reservation may take for a run of such bounds.
    std::uint64_t spare(const reservation& kept, std::uint64_t free, instant now, run_bounds takes) const;

private:
    struct occupant {
        std::uint64_t units = 0;
        instant from{};
        run_bounds takes;
    };
    static instant end_of(const occupant& one, instant now, bool firm);
    std::size_t kept() const;

    std::unordered_map<offer_id, std::map<attempt_id, occupant>> running_;
    std::vector<reservation> held_;
};

}  // namespace westerly
