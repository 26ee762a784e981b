#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/records.hpp"

namespace westerly {

inline constexpr std::size_t workload_json_max = 1 << 20;

/// A service can be planned in this version, and not run. What is stored was accepted before, maybe by an earlier
/// version that refused less.
enum class workload_use : std::uint8_t { run, plan, stored };

/// Checks a workload against schema/workload.schema.json and rules that a schema cannot say. Every fault has its JSON
/// Pointer and a remedy; what this version does not act on is refused as errc::unsupported ("not supported yet").
/// Errors: invalid, unsupported, too_large.
result<workload_spec> decode_workload(std::string_view json, workload_use use = workload_use::run);

/// The spec in the form decode_workload reads, canonical: decode(encode(x)) == x. Times RFC 3339, money as strings.
void encode_workload_spec(json_writer& out, const workload_spec& spec);
std::string encode_workload_spec(const workload_spec& spec);

/// The spec of a workload that came with it or with its text only. Errors: those of decode_workload.
result<std::shared_ptr<const workload_spec>> spec_of(const workload& w);

/// YAML (a safe subset: maps, lists, scalars; no anchors, tags or duplicates) to the JSON text of the same thing, for
/// files that people write. JSON passes through. Errors: invalid with line and column.
result<std::string> yaml_to_json(std::string_view text);

}  // namespace westerly
