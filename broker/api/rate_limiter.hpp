#pragma once

#include "broker/domain/ids.hpp"

#include <array>
#include <chrono>
#include <mutex>
#include <unordered_map>

namespace westerly {

/// A token bucket per key: `per_s` tokens come a second, up to one second's worth may be saved. Only authenticated keys
/// get a bucket, so the map is as large as the set of keys. Thread-safe.
class rate_limiter {
public:
    using moment = std::chrono::steady_clock::time_point;
    explicit rate_limiter(std::uint32_t per_s) : per_s_(per_s) {}

    bool enabled() const noexcept { return per_s_ != 0; }

    struct verdict {
        bool allowed = true;
        std::uint32_t limit = 0;
        std::uint32_t remaining = 0;  // whole requests that may follow at once
        std::uint32_t reset_s = 0;    // until the bucket is full again, rounded up
    };
    verdict take(const key_id& key, moment now);

private:
    struct bucket {
        double tokens = 0;
        moment filled_at;
    };
    struct part {
        std::mutex lock;
        std::unordered_map<key_id, bucket> buckets;
    };
    const std::uint32_t per_s_;
    std::array<part, 16> parts_;
};

}  // namespace westerly
