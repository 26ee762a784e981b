#pragma once

#include "tools/simulate/core/report.hpp"
#include "tools/simulate/core/run.hpp"

namespace westerly {

/// What the command line says.
struct simulate_options {
    std::string trace, carbon, rtt, certificates, csv, html, title, story;
    std::vector<std::string> offers;     // files and folders
    std::vector<std::string> policies;   // shipped names or files
    std::vector<std::string> baselines;  // first-fit, …
    std::vector<double> sweep;           // prices of carbon, CNY per kg
    std::string begin;                   // empty until settle_begin()
    trace_rules traced;
    std::string origin_region;
    catalogue_rules catalogue;
    std::uint32_t tick_s = 900, horizon = 32;
    double max_wait_h = 24;
    std::string through = "both";
    bool turns = false;  // policies in price form by turns (fair share) too
    double usd_cny = 7.1;
};

/// False: ends now with `code` (help, or a wrong word, which has been said).
bool read_options(int argc, char** argv, simulate_options& into, int& code);

/// Where none is stated: when the first workload of our own list was created, else the first day of 2021. Errors: as
/// opening the trace.
result<void> settle_begin(simulate_options& use);
/// Errors, all three: what a file says that it must not, with its name and line.
result<void> read_supply(const simulate_options& use, supply& into);
result<std::vector<run_setup>> runs_of(const simulate_options& use);
run_setup setup_of(const simulate_options& use, const policy& rules, tick_rule how);
/// Cost, time as in `balanced`, and carbon at this price.
policy sweep_policy(const simulate_options& use, double price);

report_head head_of(const simulate_options& use, const supply& from,
                    const std::map<std::string, std::size_t>& left_out);

}  // namespace westerly
