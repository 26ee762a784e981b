#pragma once

#include "broker/domain/ids.hpp"

#include <span>
#include <string>
#include <vector>

namespace westerly {

/// How near generation and use must lie for a certificate to count.
enum class matching_period : std::uint8_t { month, year };

/// A batch of green-power certificates: so many whole MWh, generated in one month on one grid.
struct certificate {
    std::string id;
    std::string grid;          // must be the grid of the use
    instant generated_from{};  // a calendar month, [from, to)
    instant generated_to{};
    instant expires_at{};     // not given from then on
    std::string beneficiary;  // the tenant who alone may claim it; empty: whoever is given it first, a whole MWh each
    matching_period period = matching_period::month;
    std::int64_t mwh = 0;           // whole ones
    double contract_g_per_kwh = 0;  // of what it stands for, direct: 0 for wind and sun
    friend bool operator==(const certificate&, const certificate&) = default;
};

/// So much of a certificate, given to one use.
struct green_allocation {
    std::string certificate;
    std::int64_t microkwh = 0;
    friend bool operator==(const green_allocation&, const green_allocation&) = default;
};

/// What of a certificate was given to one beneficiary so far.
struct certificate_use {
    std::string certificate;
    std::string beneficiary;
    std::int64_t microkwh = 0;
    friend bool operator==(const certificate_use&, const certificate_use&) = default;
};

/// What one beneficiary could be given at some moment, of one batch or of several in a row that are alike.
struct allocable_power {
    std::string grid;
    instant generated_from{};  // within the calendar month
    instant expires_at{};
    matching_period period = matching_period::month;
    double contract_g_per_kwh = 0;
    std::int64_t microkwh = 0;
    friend bool operator==(const allocable_power&, const allocable_power&) = default;
};

/// A certificate and what is left of it, as operators see it.
struct certificate_status {
    certificate held;
    std::int64_t given_microkwh = 0;
};

std::chrono::year_month month_of(instant at) noexcept;
/// Whether what was generated then may be given to a use within one calendar month, of which `used` is a moment.
bool periods_match(matching_period period, instant generated, instant used) noexcept;

struct monthly_use {
    instant from{}, to{};
    std::int64_t microkwh = 0;
};
/// A use in parts of one calendar month each, by its time in them; their sum is exactly the whole. Nothing of one that
/// lasts no time. Times within years 1 to 9999.
std::vector<monthly_use> by_month(instant from, instant to, std::int64_t microkwh);

struct power_covered {
    std::int64_t microkwh = 0;
    double carbon_kg = 0;                 // by its contracts
    std::vector<std::size_t> taken_from;  // ascending
};
/// What of a use is covered when it is given at `given_at` what is `there`, in that order, each month by itself; at
/// most `microkwh`.
power_covered cover(std::span<const allocable_power> there, std::string_view grid, instant from, instant to,
                    std::int64_t microkwh, instant given_at);

}  // namespace westerly
