#pragma once

#include "tools/simulate/core/run.hpp"

namespace westerly {

/// What a page and a table say of all runs together.
struct report_head {
    std::string title;
    std::vector<std::string> facts;    // what was simulated, from which files, with which assumptions
    std::vector<std::string> sources;  // of data, a line each
};

/// One point of a price sweep: the price, what it cost and what it emitted.
struct sweep_point {
    double price = 0;  // base currency per kg, location-based
    double money = 0, location_kg = 0;
};

/// Aligned columns for a terminal.
std::string as_table(const std::vector<outcome>& runs);
/// One row a run, a header with units in the names; absent numbers are empty.
std::string as_csv(const std::vector<outcome>& runs);
/// The beginning of every page here, up to its heading.
std::string page_head(std::string_view title);
/// One page with everything in it: tables, charts as SVG, sources. No scripts, nothing is fetched.
std::string as_page(const report_head& head, const std::vector<outcome>& runs, const std::vector<sweep_point>& sweep);

}  // namespace westerly
