#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace westerly {

enum class log_level : std::uint8_t { debug, info, warning, error };

using log_value = std::variant<std::string, std::int64_t, double, bool>;
struct log_field {
    std::string_view key;
    log_value value;
};

/// Writes one JSON line to standard error: {"at", "level", "event", fields…}. `event` is a constant name such as
/// "provider.restarted"; units stand in the keys ("wait_ms"). Never a secret. Thread-safe.
void log_event(log_level level, std::string_view event, std::initializer_list<log_field> fields = {});

/// Lines below `level` are dropped; info at start.
void set_log_level(log_level level);

}  // namespace westerly
