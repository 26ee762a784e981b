#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/provider.hpp"

namespace westerly {

/// Policy file (schema/policy.schema.json). Faults carry "line L, column C" beside the pointer. `name` is the file's
/// name without .json; the version is made from the bytes. Refuses pricing carbon and green power both unless
/// "counted_twice_meant" is true. Weights become prices: pi_i = (w_i / w_price) * (ref_price / ref_i).
/// Errors: invalid, unsupported.
result<policy> decode_policy(std::string_view name, std::string_view json);
void encode_policy(json_writer& out, const policy& p);

/// Provider file (schema/provider.schema.json); `id` is the file's name without .json. Errors as above.
result<provider_config> decode_provider(std::string_view id, std::string_view json);
void encode_provider(json_writer& out, const provider_config& p);  // without the adapter's config: it may hold secrets

}  // namespace westerly
