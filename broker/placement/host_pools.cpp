// Several sellers sell what one host has: capacity sold twice counts once.
#include "broker/placement/offer_book.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::uint64_t unlimited = offer_book::unlimited;

/// What of a host one unit takes: cards, or vCPUs where it has none.
std::uint64_t parts_of(const offer& o) noexcept {
    return o.accelerators ? o.accelerators->count : o.vcpus;
}

std::uint64_t times(std::uint64_t units, std::uint64_t parts) noexcept {
    return parts > 0 && units > unlimited / parts ? unlimited : units * parts;
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) noexcept {
    return a > unlimited - b ? unlimited : a + b;
}

}  // namespace

std::uint64_t offer_book::units_ever(const offer& o) noexcept {
    if (!o.units_free)
        return unlimited;
    const std::uint64_t told = std::min(*o.units_free, unlimited - 1);
    return told + std::min(o.units_ours, unlimited - 1 - told);
}

/// No more than its host has, where that is stated. Offers that are only planned with are in no pool: they go by what
/// they state themselves.
std::uint64_t offer_book::units_in_all(const offer& o) const {
    const std::uint64_t told = units_ever(o);
    if (o.supply.host.empty())
        return told;
    if (!o.launchable)
        return std::min(told, o.supply.host_units.value_or(unlimited));
    const auto key = pool_of(o);
    const auto at = key ? host_pools_.find(*key) : host_pools_.end();
    const bool stated = at != host_pools_.end() && at->second.most_is_stated;
    return stated ? std::min(told, at->second.most / parts_of(o)) : told;
}

/// A pool is what is sold of one host and of one kind of card (or processor).
std::optional<offer_book::host_key> offer_book::pool_of(const offer& o) {
    if (o.supply.host.empty() || !o.launchable || parts_of(o) == 0)
        return std::nullopt;
    return host_key(o.supply.host, o.accelerators ? o.accelerators->model : o.architecture);
}

void offer_book::find_hosts() {
    host_pools_.clear();
    pools_touched_.clear();
    for (const auto& o : offers_)
        join_pool(*o);
    for (auto& [key, pool] : host_pools_)
        reckon(pool);
    pools_touched_.clear();
}

void offer_book::join_pool(const offer& o) {
    const auto key = pool_of(o);
    if (!key)
        return;
    host_pools_[*key].offers.insert(o.id);
    pools_touched_.insert(*key);
}

void offer_book::leave_pool(const offer& o) {
    const auto key = pool_of(o);
    if (!key)
        return;
    if (const auto pool = host_pools_.find(*key); pool != host_pools_.end())
        pool->second.offers.erase(o.id);
    pools_touched_.insert(*key);
}

/// What is left for each member of the pools that have changed.
void offer_book::settle_pools() {
    for (const host_key& key : pools_touched_) {
        const auto pool = host_pools_.find(key);
        if (pool == host_pools_.end())
            continue;
        reckon(pool->second);
        for (const offer_id& id : pool->second.offers)
            if (const auto i = find(id))
                place_limits(*i);
        if (pool->second.offers.empty())
            host_pools_.erase(pool);
    }
    pools_touched_.clear();
}

/// What a pool has, and what of it we hold through whom.
void offer_book::reckon(host_pool& pool) const {
    std::uint64_t stated = 0, told = 0;
    pool.held_through.clear();
    pool.held = 0;
    for (const offer_id& id : pool.offers) {
        const auto i = find(id);
        if (!i)
            continue;
        const offer& o = *offers_[*i];
        if (o.supply.host_units)
            stated = std::max(stated, times(*o.supply.host_units, parts_of(o)));
        told = std::max(told, times(units_ever(o), parts_of(o)));
        std::uint64_t& through = pool.held_through[o.provider];
        if (const auto ours = our_live_units_.find(id); ours != our_live_units_.end()) {
            const auto held = times(ours->second, parts_of(o));
            through = plus(through, held);
            pool.held = plus(pool.held, held);
        }
    }
    pool.most_is_stated = stated > 0;
    pool.most = pool.most_is_stated ? stated : told;
}

/// Whole units that the host has left for this offer. A seller's own listing knows what we hold through it, so that
/// counts here only where the host's capacity is stated.
std::uint64_t offer_book::left_at_host(const offer& o) const {
    const auto key = o.supply.host.empty() ? std::nullopt : pool_of(o);
    const auto at = key ? host_pools_.find(*key) : host_pools_.end();
    if (at == host_pools_.end())
        return unlimited;
    const host_pool& pool = at->second;
    if (pool.most == unlimited || (pool.held_through.size() == 1 && !pool.most_is_stated))
        return unlimited;
    std::uint64_t gone = pool.held;
    if (const auto own = pool.held_through.find(o.provider); !pool.most_is_stated && own != pool.held_through.end())
        gone -= own->second;
    return (pool.most - std::min(pool.most, gone)) / parts_of(o);
}

}  // namespace westerly
