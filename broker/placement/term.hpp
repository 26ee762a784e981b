#pragma once

#include "broker/placement/offer_book.hpp"

namespace westerly {

/// What the terms may read of one decision besides the book. Columns are parallel to `candidates`.
struct term_context {
    const offer_book& book;
    const workload_spec& spec;
    instant now{};
    std::span<const std::uint32_t> candidates;  // indices into the book, ascending
    std::span<const double> cost_base;          // C in base currency
    std::span<const double> rtt_ms;             // NaN: unknown
    std::span<const double> data_movement_s;
    std::span<const double> non_green_kwh;  // NaN: unknown
    std::span<const double> carbon_kg;      // NaN: unknown
    std::span<const double> finish_hours;   // finish - earliest start
    std::uint64_t runtime_s = 0;
};

/// A soft term: fills `out` (parallel to candidates) with its quantity in its own unit; J grows by price x quantity. An
/// unknown quantity is NaN and makes the offer unrankable for a policy that prices it. Pure. Later out-of-tree terms
/// fill the same columns through policies/sdk.
struct term {
    std::string_view name;     // as policy files write it
    std::string_view unit;     // "ms·replica-h", "kWh", "kg", "h", …
    std::string_view meaning;  // one sentence for docs and errors
    bool (*applies)(const workload_spec& spec);
    void (*fill)(const term_context& context, std::span<double> out);
    bool priceable;  // may stand under "prices"
    bool orderable;  // may stand under "order"
};

/// The table of built-in terms; defined in policies/, passed in by main.
using term_table = std::span<const term>;
const term* find_term(term_table terms, std::string_view name) noexcept;

}  // namespace westerly
