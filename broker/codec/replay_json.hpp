#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/replay.hpp"

namespace westerly {

void encode(json_writer& out, const replay_report& r);
void encode(json_writer& out, const policy_comparison& c);

/// {"before": CHOICE, "after": CHOICE, "last"?, "since"?} with CHOICE {"name", "version"?, "text"?}. Errors: invalid,
/// too_large.
result<policy_comparison_request> decode_comparison_request(std::string_view json);

}  // namespace westerly
