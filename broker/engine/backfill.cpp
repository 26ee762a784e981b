#include "broker/engine/backfill.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// What is past its expected end may end at any moment; how long is not known better than this.
constexpr seconds any_moment{60};

}  // namespace

void backfill::occupy(const offer_id& on, const attempt_id& who, std::uint64_t units, instant from, run_bounds takes) {
    running_[on][who] = {units, from, takes};
}

void backfill::began(const offer_id& on, const attempt_id& who, instant at) {
    if (const auto here = running_.find(on); here != running_.end())
        if (const auto one = here->second.find(who); one != here->second.end())
            one->second.from = at;
}

void backfill::vacate(const offer_id& on, const attempt_id& who) {
    const auto here = running_.find(on);
    if (here == running_.end())
        return;
    here->second.erase(who);
    if (here->second.empty())
        running_.erase(here);
}

instant backfill::end_of(const occupant& one, instant now, bool firm) {
    auto takes = one.takes.limit;
    if (!firm && one.takes.expected)
        takes = takes ? std::min(*takes, *one.takes.expected) : *one.takes.expected;
    return takes ? std::max(one.from + *takes, now + any_moment) : instant::max();
}

std::optional<instant> backfill::free_at(const offer_id& on, std::uint64_t units, std::uint64_t free, instant now,
                                         bool firm) const {
    if (free >= units)
        return now;
    std::vector<std::pair<instant, std::uint64_t>> ends;
    if (const auto here = running_.find(on); here != running_.end())
        for (const auto& [who, one] : here->second)
            if (const instant end = end_of(one, now, firm); end != instant::max())
                ends.emplace_back(end, one.units);
    std::ranges::sort(ends);
    for (const auto& [end, more] : ends) {
        free += more;
        if (free >= units)
            return end;
    }
    return std::nullopt;
}

bool backfill::reserve(const workload_id& who, std::span<const choice> ways, std::span<const workload_id> behind,
                       instant now, bool firm) {
    const reservation* held = of(who);
    const std::optional<reservation> own = firm && held && held->firm ? std::optional(*held) : std::nullopt;
    release(who);
    if (!may_gather_more() && behind.empty())
        return false;
    const bool gathers =
        own && own->at == instant::max() && std::ranges::find(ways, own->offer, &choice::on) != ways.end();
    const choice* best = nullptr;
    instant soonest = instant::max();
    for (const choice& way : ways) {
        if (const auto* other = on(way.on); other && std::ranges::find(behind, other->holder) == behind.end())
            continue;
        const bool here = own && way.on == own->offer;
        const auto at = free_at(way.on, way.units, way.free, now, firm);
        if (at && *at < soonest && (here || !gathers || *at - now <= now - own->since)) {
            best = &way;
            soonest = *at;
        } else if (firm && soonest == instant::max() && (here || !best)) {
            best = &way;
        }
    }
    if (!best)
        return false;
    if (const auto* other = on(best->on))
        release(workload_id(other->holder));
    else if (!may_gather_more())
        release(behind.front());
    held_.push_back({.holder = who,
                     .offer = best->on,
                     .units = best->units,
                     .at = soonest,
                     .firm = firm,
                     .since = own && own->offer == best->on ? own->since : now});
    return true;
}

bool backfill::keep(const workload_id& who, const choice& place, instant until) {
    const auto* other = on(place.on);
    if ((other && other->pinned && other->holder != who) || !may_keep_more())
        return false;
    if (other)
        release(workload_id(other->holder));
    release(who);
    held_.push_back({.holder = who,
                     .offer = place.on,
                     .units = place.units,
                     .at = instant::max(),
                     .firm = true,
                     .pinned = true,
                     .until = until});
    return true;
}

std::size_t backfill::kept() const {
    return static_cast<std::size_t>(std::ranges::count(held_, true, &reservation::pinned));
}

const reservation* backfill::first_to_end() const {
    const auto first = std::ranges::min_element(held_, {}, &reservation::until);
    return first == held_.end() || !first->pinned ? nullptr : &*first;
}

void backfill::move_with_clock(milliseconds by) {
    for (reservation& kept : held_) {
        kept.since += by;
        if (kept.pinned)
            kept.until += by;
    }
}

bool backfill::release(const workload_id& who) {
    return std::erase_if(held_, [&](const reservation& kept) { return kept.holder == who; }) != 0;
}

const reservation* backfill::on(const offer_id& id) const {
    const auto at = std::ranges::find(held_, id, &reservation::offer);
    return at == held_.end() ? nullptr : &*at;
}

const reservation* backfill::of(const workload_id& who) const {
    const auto at = std::ranges::find(held_, who, &reservation::holder);
    return at == held_.end() ? nullptr : &*at;
}

std::uint64_t backfill::spare(const reservation& kept, std::uint64_t free, instant now, run_bounds takes) const {
    const bool known = kept.at != instant::max();
    if (known && end_of({0, now, takes}, now, kept.firm) <= kept.at)
        return free;
    // What is free by then and not needed.
    std::uint64_t by_then = free;
    if (const auto here = running_.find(kept.offer); known && here != running_.end())
        for (const auto& [who, one] : here->second)
            if (end_of(one, now, kept.firm) <= kept.at)
                by_then += one.units;
    return by_then > kept.units ? std::min(free, by_then - kept.units) : 0;
}

}  // namespace westerly
