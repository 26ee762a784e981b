#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace westerly {

/// What runs on each offer, by the tick in which it ends.
class run_pools {
public:
    static constexpr std::uint64_t no_limit = ~std::uint64_t{0};

    explicit run_pools(std::vector<std::uint64_t> totals) : pools_(totals.size()) {
        for (std::size_t i = 0; i < totals.size(); ++i)
            pools_[i].total = totals[i];
    }
    std::uint64_t total(std::uint32_t pool) const noexcept { return pools_[pool].total; }
    std::uint64_t free(std::uint32_t pool) const noexcept {
        const state& p = pools_[pool];
        return p.total == no_limit ? no_limit : p.total - p.busy;
    }
    void start(std::uint32_t pool, std::uint64_t units, std::uint64_t ends_tick) {
        state& p = pools_[pool];
        p.busy += units;
        p.ends[ends_tick] += units;
        p.used = true;
        p.was_full |= p.busy >= p.total;
    }
    /// Gives back what ends in `tick` or before.
    void advance(std::uint64_t tick) {
        for (state& p : pools_)
            while (!p.ends.empty() && p.ends.begin()->first <= tick) {
                p.busy -= p.ends.begin()->second;
                p.ends.erase(p.ends.begin());
            }
    }
    /// What is free in each of the next `count` ticks if nothing more starts.
    template <class Call>
    void ahead(std::uint32_t pool, std::uint64_t tick, std::uint32_t count, const Call& call) const {
        std::uint64_t free_now = free(pool);
        auto end = pools_[pool].ends.begin();
        for (std::uint32_t t = 0; t < count; ++t) {
            for (; end != pools_[pool].ends.end() && end->first <= tick + t; ++end)
                free_now += free_now == no_limit ? 0 : end->second;
            call(free_now);
        }
    }
    bool was_full(std::uint32_t pool) const noexcept { return pools_[pool].was_full; }
    bool used(std::uint32_t pool) const noexcept { return pools_[pool].used; }
    std::size_t size() const noexcept { return pools_.size(); }

private:
    struct state {
        std::uint64_t total = 0, busy = 0;
        std::map<std::uint64_t, std::uint64_t> ends;
        bool used = false, was_full = false;
    };
    std::vector<state> pools_;
};

}  // namespace westerly
