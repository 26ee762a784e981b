#pragma once

#include "broker/support/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace westerly {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A moment in UTC, to the millisecond. `*_at` fields hold these; `*_s` fields hold seconds.
using instant = std::chrono::sys_time<milliseconds>;

/// RFC 3339 in UTC with milliseconds: "2026-01-31T08:00:00.000Z".
std::string format_rfc3339(instant at);

/// Accepts any RFC 3339 offset and 0-9 fractional digits (cut to milliseconds); years 1970-2262. Errors: invalid.
result<instant> parse_rfc3339(std::string_view text);

/// Where time comes from at the edges; nothing inside the pure rooms may have one. Thread-safe.
class wall_clock {
public:
    virtual ~wall_clock() = default;
    virtual instant now() const = 0;
};

/// The machine's clock: the one place that reads it.
const wall_clock& system_wall_clock();

}  // namespace westerly
