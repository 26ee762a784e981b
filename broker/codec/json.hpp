#pragma once

#include "broker/support/result.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>
#include <string_view>

namespace westerly {

inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t json_faults_max = 64;

/// Strict JSON: UTF-8 checked, duplicate keys refused (with the pointer of the second), depth and size bounded, no
/// trailing text, no comments, no NaN. Parsed iteratively, so depth cannot overflow the stack. Errors: invalid (with
/// line and column in the message), too_large.
result<rapidjson::Document> parse_json(std::string_view text, std::size_t bytes_max);

using json_value = rapidjson::Value;
using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

}  // namespace westerly
