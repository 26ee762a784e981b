#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace westerly {

/// Terms of libraries (policies/sdk) as values: what they are asked, and what they say. The engine asks by an effect
/// and takes the answer as an input, so that a slow or broken library never holds it up.

/// What does not depend on a workload: the offers of one version of the book, by column. Rows of `site` and `shape` are
/// those of the book. Unknown figures are NaN. Immutable once made, and shared.
struct score_table {
    std::uint64_t book_version = 0;
    std::vector<std::string> names;  // everything below that is a number of a name
    struct site_columns {
        std::vector<std::uint32_t> provider, site, region, jurisdiction, grid_zone;
        std::vector<double> latitude, longitude;  // degrees
        std::vector<double> pue, green_share;
    } sites;
    struct shape_columns {
        std::vector<std::uint32_t> architecture, accelerator;         // the card's model; "": none
        std::vector<double> vcpus, memory_gib, cards, idle_w, max_w;  // of a unit
    } shapes;
    struct offer_columns {
        std::vector<std::uint32_t> site, shape;  // rows
        std::vector<double> price_per_h;         // base currency per unit-hour
        std::vector<double> units_total;         // infinity: without a known limit
    } offers;
};

/// What does: by row of the table's sites and shapes. It says nothing that two workloads which are decided alike may
/// differ in.
struct score_request {
    bool service = false, interactive = false;
    std::uint32_t tasks = 1;
    std::vector<double> rtt_ms, data_movement_s;       // by site
    std::vector<double> carbon_g_per_kwh;              // by site: as it counts now
    std::vector<double> units, run_hours, energy_kwh;  // by shape; IT energy of the run, an hour of a service
};

/// Ask the libraries of these terms; each answers with offers_scored.
struct score_offers {
    std::uint64_t ticket = 0;
    std::shared_ptr<const score_table> table;
    struct question {
        std::string term;
        std::shared_ptr<const score_request> request;
    };
    std::vector<question> questions;
};

/// What a term says of every offer of one version of the book, for a gang of `tasks`.
struct foreign_column {
    std::string term;
    std::uint32_t tasks = 1;
    std::vector<double> quantity;  // by index into the book, >= 0; NaN: unknown
    bool gaps = false;             // some are unknown
    std::string failure;           // why there is nothing: a clause for people; empty: there is
};

/// Makes what a library wrote a column: what is no finite number of 0 or more is unknown. Gives how many those are.
std::size_t tidy(foreign_column& column) noexcept;

/// A column as it is kept for replays: offers of one site follow each other and often have one quantity.
struct foreign_runs {
    std::string term;
    std::uint32_t tasks = 1;
    std::string failure;
    std::vector<std::pair<std::uint32_t, double>> runs;  // so many offers, of that quantity each
    std::size_t offers() const noexcept;
};
/// Of all columns that one decision saw. More are not kept: some 150 KB.
inline constexpr std::size_t foreign_runs_max = 16'384;

/// nullopt: more runs than that.
std::optional<std::vector<foreign_runs>> runs_of(std::span<const foreign_column> columns);
/// To the last bit.
std::vector<foreign_column> columns_of(std::span<const foreign_runs> kept);

}  // namespace westerly
