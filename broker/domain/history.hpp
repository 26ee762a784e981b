#pragma once

#include "broker/domain/certificate.hpp"
#include "broker/domain/decision.hpp"
#include "broker/domain/foreign_term.hpp"
#include "broker/domain/measured_speed.hpp"
#include "broker/domain/offer_list.hpp"
#include "broker/domain/progress.hpp"
#include "broker/domain/region.hpp"
#include "broker/domain/signal.hpp"

namespace westerly {

/// What is kept of what libraries of terms had said to a decision.
struct heard_terms {
    enum class kept : std::uint8_t {
        untold,   // it was made by a version that kept nothing of it
        nothing,  // it had heard none
        whole,    // the history's entry `seq` has it
        too_much  // more than foreign_runs_max
    };
    kept how = kept::untold;
    std::uint64_t seq = 0;
    friend bool operator==(const heard_terms&, const heard_terms&) = default;
};

/// What a decision depended on besides its workload, its policy, and what providers offered: with these and the history
/// below it can be made again, bit for bit. Kept beside the decision; few bytes, because every submit pays for them.
struct decision_basis {
    struct taken {
        std::uint32_t index = 0;  // into all offers by id
        std::uint64_t free = 0;   // units that could be placed
        friend bool operator==(const taken&, const taken&) = default;
    };
    /// The offers of a provider up to `through`, by id, had a date already of a listing that was being taken over.
    struct part_confirmed {
        provider_id provider;
        instant at{};
        offer_id through;
        friend bool operator==(const part_confirmed&, const part_confirmed&) = default;
    };
    decision_id of;
    std::uint64_t history_seq = 0;     // the last entry that it saw, of offers or of signals
    std::vector<provider_id> blocked;  // took no new work
    std::optional<money> budget_left;
    bool with_signals = false;  // it saw signals of the grids
    /// When the choice among the signals was made that it saw. Nullopt with_signals: by a version that kept none of
    /// them.
    std::optional<instant> signals_chosen_at;
    std::optional<instant> asked_at;       // when the workload came, where its slack counts from then
    heard_terms heard;                     // from libraries
    std::vector<measured_speed> measured;  // what runs before it had shown
    std::vector<taken> less_free;          // offers of which less could be placed than their provider told, by index
    std::optional<run_progress> progress;  // of its workload's earlier attempts
    /// When adapters had confirmed all their offers: what has a new date only makes no entry of the history.
    std::vector<std::pair<provider_id, instant>> confirmed;
    std::vector<part_confirmed> confirming;          // after those, in this order
    std::vector<allocable_power> certificates = {};  // that it counted as what could be given
    friend bool operator==(const decision_basis&, const decision_basis&) = default;
};

/// What a version of the broker knows of the world.
struct facts_past {
    std::vector<region_place> regions;
    std::string accelerators;  // the text of schema/facts/accelerators.json
    friend bool operator==(const facts_past&, const facts_past&) = default;
};

/// One change of what decisions are made from. Without a provider: the broker began anew with no offers and these
/// facts. With one: its offers, all of them or those that changed.
struct history_entry {
    std::uint64_t seq = 0;  // rises over restarts
    instant at{};
    provider_id provider;
    facts_past facts;
    bool whole = true;
    offer_list offers;           // by id
    std::vector<offer_id> gone;  // of a change
    friend bool operator==(const history_entry&, const history_entry&) = default;
};

/// What one feed tells of signals from then on: all of it, or what differs from `before`, which it told until then. A
/// feed that is gone tells nothing. After a start of the broker no feed has told anything. Numbered with the entries of
/// offers.
struct signal_entry {
    std::uint64_t seq = 0;
    instant at{};
    std::string feed;
    bool whole = true;
    signal_list before;  // of a change
    signal_list now;
};

/// What libraries said to decisions of one kind, numbered with the others.
struct terms_entry {
    std::uint64_t seq = 0;
    instant at{};
    std::vector<foreign_runs> said;
};

/// A policy's file as it was when it came into use, by name and version.
struct policy_text {
    std::string name, version, text;
    friend bool operator==(const policy_text&, const policy_text&) = default;
};

/// All that could be chosen from at one entry of the history.
struct market_past {
    std::uint64_t seq = 0;
    facts_past facts;
    std::vector<std::pair<provider_id, offer_list>> offers;
    std::vector<std::pair<std::string, signal_list>> signals;  // by feed
};

/// One offer as its provider told it, from then on until the next.
struct offer_past {
    instant at{};         // when the broker heard of it
    bool offered = true;  // false: it was withdrawn
    std::optional<unit_price> price;
    std::optional<std::uint64_t> units_free;  // nullopt: without a known limit
    std::string price_source;
    instant as_of{};
    price_schedule schedule = {};  // hours at which another price holds
    friend bool operator==(const offer_past&, const offer_past&) = default;
};

/// A decision as it is stored, with what it was made from; no basis: a version that kept none made it.
struct recorded_decision {
    std::string packed;
    std::optional<decision_basis> basis;
};

/// How long what decisions were made from is kept: so long they can be replayed.
inline constexpr auto history_kept = std::chrono::days{90};

}  // namespace westerly
