#pragma once

#include "broker/support/result.hpp"

#include <cstdint>
#include <string>

namespace westerly {

/// What a cursor's number counts; a cursor of one list is refused by another.
enum class cursor_kind : std::uint8_t {
    workloads = 1,
    usage,
    charges,
    events_all,
    events_tenant,
    events_workload,
    decisions,
    correctable
};

/// Opaque text for a place in a list. It carries the generation: after a restore, numbers count other rows, and an old
/// cursor must not silently skip them.
std::string encode_cursor(cursor_kind kind, std::uint64_t generation, std::uint64_t place);

/// The place; `start` for empty text. Errors: invalid.
result<std::uint64_t> decode_cursor(cursor_kind kind, std::uint64_t generation, const std::string& text,
                                    std::uint64_t start);

}  // namespace westerly
