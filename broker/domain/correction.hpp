#pragma once

#include "broker/domain/records.hpp"
#include "broker/domain/signal.hpp"

#include <array>

namespace westerly {

/// A factor of a grid zone (or of one site) that was published after runs had been metered by an earlier one. Average,
/// direct, g/kWh.
struct carbon_publication {
    std::string zone;  // the runs that it is about: of this grid zone …
    provider_id provider;
    std::string site;       // … or, where that is empty, of this provider's site
    std::string source;     // with year and factors it makes a publication what it is
    std::int32_t year = 0;  // that the factor is of
    quality_class quality = quality_class::default_value;
    std::string reason;                    // for people: what was published, and when
    std::vector<signal_interval> factors;  // in order and without a gap; at least one

    instant from() const { return factors.front().start_at; }
    instant until() const { return factors.back().end_at; }
};

/// A metered row and the corrections that were made of it, oldest first.
struct correctable {
    usage metered;
    std::vector<usage> corrections;
    friend bool operator==(const correctable&, const correctable&) = default;
};
struct correctable_page {
    std::vector<correctable> rows;
    std::string next_cursor;        // opaque; empty on the last page
    std::uint64_t corrections = 0;  // the highest number of a correction when this was read
};

/// What a publication means for one metered row.
enum class correction_outcome : std::uint8_t {
    corrected,
    unchanged,      // it already counts as much
    repeated,       // it was counted before, whatever was published since
    better_known,   // what it counts by is of a better quality class
    without_number  // no carbon was ever counted, since energy or factor was not known
};
inline constexpr std::size_t correction_outcomes = 5;

/// What one page of a publication came to.
struct corrections_made {
    std::vector<usage> rows;                                  // the new ones; of a dry run those that would be made
    std::array<std::uint64_t, correction_outcomes> counts{};  // of metered rows, by outcome
    std::string next_cursor;                                  // of correctable_page
    bool dry_run = false;
};

}  // namespace westerly
