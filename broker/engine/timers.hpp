#pragma once

#include "broker/support/ids.hpp"

#include <optional>
#include <set>
#include <tuple>

namespace westerly {

enum class timer_kind : std::uint8_t {
    place,    // a workload's back-off or earliest start has passed
    expire,   // a queued workload has waited too long
    find,     // ask a provider about an attempt
    cancel,   // ask a provider (again) to end an attempt
    overrun,  // an attempt should have been ended by its provider by now
    give_up,  // nothing was known of an attempt for as long as its tenant waits
    archive   // keep an ended attempt's logs, again
};

/// What is due when, for things with ids. The due time is kept in a slot of the thing itself, so that a thing has at
/// most one timer of a kind and can drop it. Order: time, kind, id, so that equal inputs run equally.
class timer_queue {
public:
    struct due {
        timer_kind kind;
        uuid_bytes id;
    };

    void set(timer_kind kind, const uuid_bytes& id, std::optional<instant>& slot, instant at) {
        clear(kind, id, slot);
        slot = at;
        entries_.emplace(at, kind, id);
    }
    void clear(timer_kind kind, const uuid_bytes& id, std::optional<instant>& slot) {
        if (slot)
            entries_.erase({*slot, kind, id});
        slot.reset();
    }
    /// The earliest that is due, taken out; its owner resets the slot.
    std::optional<due> pop(instant now) {
        if (entries_.empty() || std::get<0>(*entries_.begin()) > now)
            return std::nullopt;
        const auto [at, kind, id] = *entries_.begin();
        entries_.erase(entries_.begin());
        return due{kind, id};
    }
    std::optional<instant> next() const {
        return entries_.empty() ? std::nullopt : std::optional(std::get<0>(*entries_.begin()));
    }

private:
    std::set<std::tuple<instant, timer_kind, uuid_bytes>> entries_;
};

}  // namespace westerly
