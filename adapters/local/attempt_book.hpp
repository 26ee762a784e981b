#pragma once

#include "adapters/local/config.hpp"
#include "broker/domain/protocol.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace westerly {

/// What the adapter keeps in memory of one attempt; all of it can be read from the attempt's folder.
struct attempt_entry {
    std::string token;
    std::string owner;
    std::string site;
    std::string workload;
    std::uint32_t tasks = 1;
    std::uint64_t units = 0;
    std::uint32_t uid = 0;   // 0: none of its own. Given by the book, before anything runs
    std::uint16_t port = 0;  // WESTERLY_MASTER_PORT; likewise

    /// Held by whoever changes the attempt's files: launch, cancel, settling, purging. Always taken before the book's
    /// lock.
    std::mutex work;
    // What the broker was last told; changed under `work`.
    std::atomic<observation::phase> told = observation::phase::pending;

    // Under the book's lock.
    bool ended = false;
    instant ended_at{};
};
using entry_ptr = std::shared_ptr<attempt_entry>;

/// All attempts of this state directory, and the capacity that the live ones hold. Thread-safe.
class attempt_book {
public:
    void configure(std::vector<local_site> sites);

    struct claim {
        entry_ptr entry;
        bool made = false;    // by this call: the caller now launches it
        std::string no_room;  // not empty: there is no entry, because the site is full
    };
    /// The entry of this token, or a new one that holds `fresh->units` at its site. A new one's `work` is locked.
    claim take(const entry_ptr& fresh);
    /// At start: puts back what the disk tells.
    void restore(const entry_ptr& entry);

    entry_ptr find(const std::string& token) const;
    /// Up to `count` of this owner after `cursor`, by token; `more` tells whether others follow.
    std::vector<entry_ptr> page(const std::string& owner, const std::string& cursor, std::size_t count,
                                bool& more) const;
    std::vector<entry_ptr> live() const;
    std::vector<entry_ptr> ended_before(instant limit) const;

    /// Gives its units back. False: it had ended before.
    bool end(const entry_ptr& entry, instant at);
    void forget(const entry_ptr& entry);

    struct site_use {
        local_site site;
        std::uint64_t units_free = 0;
        std::uint64_t units_held = 0;
    };
    std::vector<site_use> use() const;
    const local_site* site(const std::string& name) const;
    /// Makes it the attempt's WESTERLY_MASTER_PORT. False: a live attempt has it.
    bool claim_port(attempt_entry& entry, std::uint16_t port);
    bool workload_known(const std::string& workload) const;

    /// Gives the attempt a uid of the range [base, base + count) that no live attempt has and `busy` does not report,
    /// the others first before one comes again. False: all are taken.
    template <class Busy>
    bool claim_uid(attempt_entry& entry, std::uint32_t base, std::uint32_t count, Busy busy) {
        const std::lock_guard hold(lock_);
        for (std::uint32_t tries = 0; tries < count; ++tries) {
            const auto uid = base + next_uid_++ % count;
            if (uids_.contains(uid) || busy(uid))
                continue;
            uids_.insert(uid);
            entry.uid = uid;
            return true;
        }
        return false;
    }

private:
    std::uint64_t held(const std::string& site) const;

    mutable std::mutex lock_;
    std::vector<local_site> sites_;
    std::map<std::string, entry_ptr> entries_;   // by token
    std::map<std::string, std::uint64_t> held_;  // units by site
    std::set<std::uint32_t> uids_;               // of live attempts
    std::uint32_t next_uid_ = 0;
};

}  // namespace westerly
