#pragma once

#include "broker/placement/offer_book.hpp"

namespace westerly {

/// What the terms may read of one decision besides the book: a block of candidates at a time, so that everything stays
/// in the nearest cache. Columns are parallel to `candidates`; one that no term of the policy `reads` is empty.
struct term_context {
    const offer_book& book;
    const workload_spec& spec;
    instant now{};
    std::span<const std::uint32_t> candidates;  // indices into the book, ascending
    std::span<const double> cost_base;          // C in base currency
    std::span<const double> rtt_ms;             // demand-weighted mean over the origins
    std::span<const double> rtt_p95_ms;         // … and 95th percentile
    std::span<const double> data_movement_s;
    std::span<const double> non_green_kwh;
    std::span<const double> carbon_kg;
    std::span<const double> finish_hours;  // finish - earliest start
    std::span<const double> run_hours;     // expected, from start to finish; 1 for services: their costs are per hour
    std::span<const double> risk;          // P(late or lost)
    double free_hours = 0;                 // of finish_hours: until the target that the workload states
    std::span<const double> foreign = {};  // what the term's library said, by index into the book (not the candidates)
};

/// The columns a term reads, as a mask.
enum term_input : std::uint8_t {
    reads_nothing = 0,
    reads_rtt = 1,
    reads_data_movement = 2,
    reads_energy = 4,
    reads_carbon = 8,
    reads_finish = 16,
    reads_run_hours = 32,
    reads_rtt_p95 = 64,
    reads_risk = 128
};

/// A soft term: fills `out` (parallel to candidates) with its quantity in its own unit, >= 0 and finite, never falling
/// when a column that it reads rises; J grows by price x quantity. An offer where a column that the term reads is not
/// known is rejected before (quantity_unknown), so the columns hold no NaN. Pure.
struct term {
    std::string_view name;                       // as policy files write it
    std::string_view unit;                       // "ms·replica-h", "kWh", "kg", "h", …
    std::string_view meaning;                    // one sentence for docs and errors
    std::uint8_t reads;                          // of term_input
    bool (*applies)(const workload_spec& spec);  // false: counts as 0 for every offer
    void (*fill)(const term_context& context, std::span<double> out);
    bool priceable;        // may stand under "prices"
    bool orderable;        // may stand under "order"
    bool foreign = false;  // of a library (policies/sdk): its column is part of the decision's world
};

/// A row for a term of a library. `name`, `unit` and `meaning` must outlive it.
term foreign_term(std::string_view name, std::string_view unit, std::string_view meaning) noexcept;

/// The table of built-in terms; defined in policies/, passed in by main.
using term_table = std::span<const term>;
const term* find_term(term_table terms, std::string_view name) noexcept;

}  // namespace westerly
