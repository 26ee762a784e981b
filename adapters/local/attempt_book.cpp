#include "adapters/local/attempt_book.hpp"

#include <algorithm>

namespace westerly {

void attempt_book::configure(std::vector<local_site> sites) {
    const std::lock_guard hold(lock_);
    sites_ = std::move(sites);
}

std::uint64_t attempt_book::held(const std::string& site) const {
    const auto found = held_.find(site);
    return found == held_.end() ? 0 : found->second;
}

attempt_book::claim attempt_book::take(const entry_ptr& fresh) {
    std::unique_lock launching(fresh->work);
    const std::lock_guard hold(lock_);
    if (const auto found = entries_.find(fresh->token); found != entries_.end())
        return {found->second, false, {}};
    const auto* where = site(fresh->site);
    const std::uint64_t used = held(fresh->site);
    const std::uint64_t free = where != nullptr && where->vcpus > used ? where->vcpus - used : 0;
    if (fresh->units > free)
        return {nullptr, false,
                std::to_string(fresh->units) + " units are wanted at " + fresh->site + ", " + std::to_string(free) +
                    " are free"};
    held_[fresh->site] += fresh->units;
    entries_.emplace(fresh->token, fresh);
    launching.release();  // stays locked, for the caller
    return {fresh, true, {}};
}

void attempt_book::restore(const entry_ptr& entry) {
    const std::lock_guard hold(lock_);
    entries_.emplace(entry->token, entry);
    if (entry->ended)
        return;
    held_[entry->site] += entry->units;
    if (entry->uid != 0)
        uids_.insert(entry->uid);
}

entry_ptr attempt_book::find(const std::string& token) const {
    const std::lock_guard hold(lock_);
    const auto found = entries_.find(token);
    return found == entries_.end() ? nullptr : found->second;
}

std::vector<entry_ptr> attempt_book::page(const std::string& owner, const std::string& cursor, std::size_t count,
                                          bool& more) const {
    const std::lock_guard hold(lock_);
    std::vector<entry_ptr> out;
    more = false;
    for (auto at = entries_.upper_bound(cursor); at != entries_.end() && !more; ++at) {
        if (at->second->owner != owner)
            continue;
        if (out.size() < count)
            out.push_back(at->second);
        else
            more = true;
    }
    return out;
}

std::vector<entry_ptr> attempt_book::live() const {
    const std::lock_guard hold(lock_);
    std::vector<entry_ptr> out;
    for (const auto& [token, entry] : entries_)
        if (!entry->ended)
            out.push_back(entry);
    return out;
}

std::vector<entry_ptr> attempt_book::ended_before(instant limit) const {
    const std::lock_guard hold(lock_);
    std::vector<entry_ptr> out;
    for (const auto& [token, entry] : entries_)
        if (entry->ended && entry->ended_at < limit)
            out.push_back(entry);
    return out;
}

bool attempt_book::end(const entry_ptr& entry, instant at) {
    const std::lock_guard hold(lock_);
    if (entry->ended)
        return false;
    entry->ended = true;
    entry->ended_at = at;
    auto& units = held_[entry->site];
    units -= std::min(units, entry->units);
    uids_.erase(entry->uid);
    return true;
}

void attempt_book::forget(const entry_ptr& entry) {
    const std::lock_guard hold(lock_);
    entries_.erase(entry->token);
}

std::vector<attempt_book::site_use> attempt_book::use() const {
    const std::lock_guard hold(lock_);
    std::vector<site_use> out;
    for (const auto& where : sites_) {
        const auto used = held(where.site);
        out.push_back({where, where.vcpus > used ? where.vcpus - used : 0, used});
    }
    return out;
}

const local_site* attempt_book::site(const std::string& name) const {
    const auto found = std::ranges::find(sites_, name, &local_site::site);
    return found == sites_.end() ? nullptr : &*found;
}

bool attempt_book::claim_port(attempt_entry& entry, std::uint16_t port) {
    const std::lock_guard hold(lock_);
    if (std::ranges::any_of(entries_, [&](const auto& e) { return !e.second->ended && e.second->port == port; }))
        return false;
    entry.port = port;
    return true;
}

bool attempt_book::workload_known(const std::string& workload) const {
    const std::lock_guard hold(lock_);
    return std::ranges::any_of(entries_, [&](const auto& e) { return e.second->workload == workload; });
}

}  // namespace westerly
