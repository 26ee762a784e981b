#pragma once

#include "broker/api/message.hpp"

#include <optional>

namespace westerly {

inline constexpr std::size_t query_parameters_max = 64;
inline constexpr std::size_t target_bytes_max = 8 * 1024;

/// A request's target taken apart: path segments and query parameters, percent-decoded.
struct target_parts {
    std::vector<std::string> segments;  // "/v1/workloads" gives {"v1", "workloads"}
    query_parameters query;             // in order, names may repeat
};

/// Errors: invalid for a target that is not an absolute path, has a bad percent escape, a zero byte, an empty, "." or
/// ".." segment, an escaped '/', or is not UTF-8.
result<target_parts> parse_target(std::string_view target);

/// True when an Accept header admits `type` ("application/json"); an empty header admits everything.
bool accepts(std::string_view accept, std::string_view type);

/// True when the header names `type` itself, not by a wildcard.
bool accepts_exactly(std::string_view accept, std::string_view type);

/// "application/json; charset=utf-8" is of type "application/json".
bool is_media_type(std::string_view content_type, std::string_view type);

/// True when an If-Match or If-None-Match list holds `etag` (with quotes) or is "*".
bool etag_listed(std::string_view list, std::string_view etag);

/// The number of a strong ETag such as "\"42\""; nullopt when it is none of ours.
std::optional<std::uint64_t> revision_of_etag(std::string_view etag);

/// Decimal digits only, within the type's range.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

}  // namespace westerly
