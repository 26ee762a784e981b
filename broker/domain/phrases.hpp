#pragma once

#include "broker/domain/decision.hpp"
#include "broker/domain/language.hpp"

#include <initializer_list>
#include <span>

namespace westerly {

/// The pieces that explanations are made of. What stands at {1}, {2}, … is said at each.
enum class phrase : std::uint8_t {
    no_offer,          // policy, offers considered
    chosen,            // policy, offer, facts
    plan_only,         // offer
    gang_of,           // offer, tasks
    term_counts,       // term, money
    plan_only_before,  // plan-only offer ranked before the winner, its cost
    runner_up,         // offer, facts, difference
    dearer_by,         // money
    loses_on_key,      // number of the key
    loses_on_tie,
    is_cheapest,
    against_cheapest,       // offer, its cost, money more, what is avoided or caused
    against_cheapest_less,  // likewise, money less
    avoids,                 // quantity, its unit, money each
    avoids_too,             // quantity, its unit
    causes,                 // quantity, its unit
    sooner,                 // h, money each
    sooner_too,             // h
    later,                  // h
    nearer,                 // ms, money each
    nearer_too,             // ms
    farther,                // ms
    pareto,                 // offers
    switch_at,              // offer, what it is better in, money, unit
    switch_below,           // offer, money, unit
    rejected,               // rejected, considered, counts
    rejected_for,           // count, words, name
    // Facts of an offer.
    cost_of_run,  // cost, units, s billed
    one_unit,
    units,                 // number
    with_egress,           // money
    with_what_is_brought,  // money, egress, staging
    run,                   // cards, speed, method, efficiency, effective cards
    one_card,
    cards,          // number
    speed_range,    // low, high, method
    interruptions,  // number
    hazard_assumed,
    rtt,          // ms, method
    green_power,  // per cent
    green_power_unknown,
    energy,  // kWh
    energy_unknown,
    carbon,  // g
    carbon_unknown,
    carbon_market_residual,  // g
    carbon_market_grid,      // g
    carbon_market_covered,   // g
    certificates,            // kWh
    finish,                  // time
    // Of spreads.
    spread_none,  // sites at most
    spread_not_ranked,
    spread_library,
    spread_near_least,
    spread_in_one,
    spread_over,               // sites, sites at most
    spread_part,               // offer, replicas, cost, origins
    spread_part_with_brought,  // likewise, and the cost with what is brought
    spread_serves,             // origin, per cent of the demand, ms, method
    spread_serves_next,        // the same, where nearer ones are full
    spread_sums,               // money, ms, ms
    spread_term,               // term, money
    spread_alone,              // offer, money, ms, money less
    spread_alone_in_order,     // offer, money, ms
    spread_alone_never,
    spread_every_set,  // offers weighed, that fit, sets tried
    spread_search,     // likewise
    spread_bound,      // money, money
    // Of lists.
    between_facts,
    between,
    before_last,
    between_keys,
    non_green_kwh,
    carbon_kg,
    priced_term,   // term, money, unit
    stepped_term,  // term, step, unit
    count_         // not a phrase: the number of them
};

/// A term of policies in words. `per` is the unit as it stands behind "per".
struct term_words {
    std::string_view name, words, gain, per;
};

/// One language's table; rows stand in the order of their keys.
struct phrases {
    template <class Key>
    struct row {
        Key key;
        std::string_view text;
    };
    std::span<const row<phrase>> said;
    std::span<const row<note_kind>> notes;
    std::span<const row<rejection>> rejections;
    std::span<const term_words> terms;  // the last, without a name, is for all others
    std::span<const std::pair<std::string_view, std::string_view>> methods;  // ways to a figure, reasons; others stay
    std::span<const std::pair<std::string_view, std::string_view>> units = {};  // of terms; others stay

    std::string_view operator[](phrase what) const { return said[static_cast<std::size_t>(what)].text; }
    std::string_view operator[](note_kind what) const { return notes[static_cast<std::size_t>(what)].text; }
    std::string_view operator[](rejection what) const { return rejections[static_cast<std::size_t>(what)].text; }
    const term_words& term(std::string_view name) const noexcept;
    /// The term's words, or its name where it is not one of ours.
    std::string_view words_of(std::string_view term_name) const noexcept;
    std::string_view method(std::string_view told) const noexcept;
    std::string_view unit(std::string_view told) const noexcept;
};

const phrases& english() noexcept;
const phrases& chinese() noexcept;
const phrases& phrases_of(language spoken) noexcept;

/// Every enumerator below count_ has its row, at its place.
template <class Key, std::size_t N>
constexpr bool complete(const phrases::row<Key> (&rows)[N]) {
    for (std::size_t i = 0; i < N; ++i)
        if (static_cast<std::size_t>(rows[i].key) != i || rows[i].text.empty())
            return false;
    return N == static_cast<std::size_t>(Key::count_);
}

/// The text with {1}, {2}, … replaced; "?" for one that is not given (a damaged record). A blank that the text has
/// beside a place, for words in Latin letters, is left out between two Chinese signs.
std::string fill(std::string_view text, std::span<const std::string> with);
inline std::string fill(std::string_view text, std::initializer_list<std::string> with) {
    return fill(text, std::span(with.begin(), with.size()));
}

}  // namespace westerly
