#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/provider.hpp"
#include "broker/domain/region.hpp"

namespace westerly {

inline constexpr std::size_t config_json_max = 1 << 20;  // of one policy file
/// A catalogue of a large cloud has a hundred thousand offers: 57 000 types and zones, most of them twice.
inline constexpr std::size_t provider_json_max = 96 << 20;
inline constexpr std::size_t provider_sites_max = 1024;
inline constexpr std::size_t catalogue_offers_max = 250'000;

/// Policy file (schema/policy.schema.json). Faults carry "line L, column C" beside the pointer. `name` is the file's
/// name without .json; the version is made from the bytes. Refuses pricing carbon and green power both unless
/// "counted_twice_meant" is true. Weights become prices: pi_i = (w_i / w_price) * (ref_price / ref_i).
/// Terms' names and units ("per") are only read: placement's check_policy holds them against the table of terms, and
/// with_places (positions.hpp) gives its faults their line and column. Errors: invalid, too_large.
result<policy> decode_policy(std::string_view name, std::string_view json);
/// {"name", "version", "description"?, "terms": [{"term", "price", "per"?, "price_per_tonne"?, "weight"?,
/// "reference"?}], "order"?, "within_of_cheapest"?, "within_of_least"?, "filters"?, "overrides"?, "applies_to"?,
/// "default_for"?, "forced_for"?, "default_runtime_s", "counted_twice_meant"?}: what the broker made of the file.
void encode_policy(json_writer& out, const policy& p);

/// Provider file (schema/provider.schema.json); `id` is the file's name without .json. Every site of "prices"
/// and "offers" must be among "sites"; only kind "catalogue" may (and must) have "offers". A site without coordinates
/// stands where `regions` (sorted by name) has its region. Errors as above.
result<provider_config> decode_provider(std::string_view id, std::string_view json,
                                        std::span<const region_place> regions = {});
void encode_provider(json_writer& out,
                     const provider_config& p);  // without the adapter's command and config: they may hold secrets

}  // namespace westerly
