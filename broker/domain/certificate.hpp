#pragma once

#include "broker/domain/ids.hpp"

#include <string>

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

/// A certificate and what is left of it, as operators see it.
struct certificate_status {
    certificate held;
    std::int64_t given_microkwh = 0;
};

}  // namespace westerly
