#include "broker/support/log.hpp"

#include "broker/support/bytes.hpp"
#include "broker/support/time.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <charconv>
#include <cmath>
#include <memory>

namespace westerly {
namespace {

/// Never destroyed, so that a thread which outlives main's statics may still log.
spdlog::logger& logger() {
    static auto& instance = *[] {
        auto* made = new spdlog::logger("westerly", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%v");
        made->set_level(spdlog::level::info);
        return made;
    }();
    return instance;
}

spdlog::level::level_enum to_spdlog(log_level level) {
    switch (level) {
        case log_level::debug:
            return spdlog::level::debug;
        case log_level::info:
            return spdlog::level::info;
        case log_level::warning:
            return spdlog::level::warn;
        case log_level::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::string_view name_of(log_level level) {
    constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(level)];
}

/// Bytes that are not UTF-8 (a program's output, a path) become '?': a log line must stay JSON.
void append_string(std::string& line, std::string_view text) {
    const bool clean = is_utf8(text);
    line += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            line += "\\u00";
            line += to_hex(std::array{std::uint8_t{byte}});
        } else {
            line += byte < 0x80 || clean ? c : '?';
        }
    }
    line += '"';
}

void append_value(std::string& line, const log_value& value) {
    if (const auto* text = std::get_if<std::string>(&value))
        return append_string(line, *text);
    if (const auto* truth = std::get_if<bool>(&value)) {
        line += *truth ? "true" : "false";
        return;
    }
    std::array<char, 32> digits;
    std::to_chars_result end{};
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        end = std::to_chars(digits.begin(), digits.end(), *whole);
    } else {
        const double number = std::get<double>(value);
        if (!std::isfinite(number)) {
            line += "null";
            return;
        }
        end = std::to_chars(digits.begin(), digits.end(), number);
    }
    line.append(digits.data(), end.ptr);
}

}  // namespace

void log_event(log_level level, std::string_view event, std::initializer_list<log_field> fields) {
    auto& out = logger();
    if (!out.should_log(to_spdlog(level)))
        return;
    std::string line = "{\"at\":\"" + format_rfc3339(system_wall_clock().now()) + "\",\"level\":\"";
    line += name_of(level);
    line += "\",\"event\":";
    append_string(line, event);
    for (const auto& [key, value] : fields) {
        line += ',';
        append_string(line, key);
        line += ':';
        append_value(line, value);
    }
    line += '}';
    out.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void set_log_level(log_level level) {
    logger().set_level(to_spdlog(level));
}

}  // namespace westerly
