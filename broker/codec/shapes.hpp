#pragma once

#include "broker/codec/reader.hpp"
#include "broker/domain/offer.hpp"

namespace westerly {

// The forms of texts that several documents share; the schemas state the same as patterns.

bool is_slug(std::string_view text) noexcept;           // ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$
bool is_workload_name(std::string_view text) noexcept;  // ^[a-z0-9-]+$
bool is_provider_id(std::string_view text) noexcept;    // ^[a-z][a-z0-9-]*$
bool is_label_key(std::string_view text) noexcept;      // ^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$
bool is_model_name(std::string_view text) noexcept;     // ^[A-Za-z0-9][A-Za-z0-9 ._+-]*$
bool is_country_code(std::string_view text) noexcept;   // ^[A-Z]{2}$
bool is_bundle_digest(std::string_view text) noexcept;  // ^sha256:[0-9a-f]{64}$
bool is_variable_name(std::string_view text) noexcept;  // ^[A-Za-z_][A-Za-z0-9_]*$ and not WESTERLY_*
bool is_amount(std::string_view text) noexcept;         // ^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$
bool is_price_amount(std::string_view text) noexcept;   // ^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$

bool is_policy_name(std::string_view text) noexcept;  // as a slug, and '_' within it
inline constexpr text_rule policy_name_rule{1, 63, is_policy_name,
                                            "lower-case letters, digits, '-' and '_', which neither begin nor end it"};
bool is_term_name(std::string_view text) noexcept;  // ^[a-z][a-z0-9_]*$
inline constexpr text_rule term_name_rule{1, 63, is_term_name, "a term's name: lower-case letters, digits and '_'"};
inline constexpr text_rule slug_rule{1, 63, is_slug, "lower-case letters, digits and '-', no '-' at either end"};
inline constexpr text_rule provider_rule{1, 63, is_provider_id,
                                         "a lower-case letter, then lower-case letters, digits and '-'"};
inline constexpr text_rule stack_rule{1, 32, is_slug, "a stack's name such as none, cuda, cann or rocm"};
inline constexpr text_rule model_rule{1, 63, is_model_name, "letters, digits, spaces and . _ + -"};
inline constexpr text_rule country_rule{2, 2, is_country_code, "two capital letters (ISO 3166-1), such as CN"};
inline constexpr text_rule note_rule{1, 255};           // any text for people
bool is_version(std::string_view text) noexcept;        // dotted numbers: 12.4
bool is_version_range(std::string_view text) noexcept;  // comparisons of them: >=12.1,<13
inline constexpr text_rule version_rule{1, 63, is_version, "dotted numbers such as 12.4"};
inline constexpr text_rule version_range_rule{1, 63, is_version_range,
                                              "comparisons with dotted numbers, such as >=12.1,<13"};

inline constexpr std::string_view architectures[] = {"x86_64", "arm64", "loongarch64"};
bool is_architecture(std::string_view text) noexcept;  // one of them
inline constexpr text_rule architecture_rule{1, 16, is_architecture, "x86_64, arm64 or loongarch64"};

/// {"amount": "7.80", "currency": "CNY"}, not negative, at most six decimals.
bool read_money(object_reader& o, std::string_view name, std::optional<money>& target);
/// The same with nine decimals, per unit-hour.
bool read_price(object_reader& o, std::string_view name, std::optional<unit_price>& target);
/// "stack_versions" and "driver_version" of `o` itself.
void read_software(object_reader& o, software_facts& into);
/// {"value", "source", "quality"}.
bool read_sourced(object_reader& o, std::string_view name, std::optional<sourced>& target, number_range range);
/// "latitude" and "longitude" of `o` itself: both or neither.
void read_place(object_reader& o, std::optional<std::pair<double, double>>& target);

}  // namespace westerly
