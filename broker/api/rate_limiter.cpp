#include "broker/api/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

rate_limiter::verdict rate_limiter::take(const key_id& key, moment now) {
    auto& part = parts_[std::hash<key_id>{}(key) % parts_.size()];
    const std::lock_guard guard(part.lock);
    const double most = per_s_;
    auto [at, fresh] = part.buckets.try_emplace(key, bucket{most, now});
    auto& mine = at->second;
    if (!fresh && now > mine.filled_at) {
        const double passed_s = std::chrono::duration<double>(now - mine.filled_at).count();
        mine.tokens = std::min(most, mine.tokens + passed_s * most);
        mine.filled_at = now;
    }
    verdict said;
    said.allowed = mine.tokens >= 1;
    if (said.allowed)
        mine.tokens -= 1;
    said.limit = per_s_;
    said.remaining = static_cast<std::uint32_t>(mine.tokens);
    said.reset_s = static_cast<std::uint32_t>(std::ceil((most - mine.tokens) / most));
    return said;
}

}  // namespace westerly
