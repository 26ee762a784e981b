#pragma once

#include "broker/domain/offer.hpp"

#include <map>
#include <span>

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
    std::string beneficiary;  // who alone may claim it; empty: whoever is given it first, a whole MWh at a time
    matching_period period = matching_period::month;
    std::int64_t mwh = 0;           // whole ones
    double contract_g_per_kwh = 0;  // of what it stands for, direct: 0 for wind and sun
    friend bool operator==(const certificate&, const certificate&) = default;
};

/// Energy that asks for certificates: what one run used in a part of a month.
struct green_demand {
    std::string grid;
    std::string beneficiary;
    instant from{}, to{};  // of the use, within one calendar month
    std::int64_t microkwh = 0;
};

struct green_allocation {
    std::string certificate;
    std::int64_t microkwh = 0;
    friend bool operator==(const green_allocation&, const green_allocation&) = default;
};

inline constexpr std::int64_t microkwh_per_mwh = 1'000'000'000;

/// What is held and what was given. No kWh is given twice, and no MWh to two beneficiaries: an open certificate's MWh
/// is bound to whom its first kWh is given. What expires first is given first. Pure.
class certificate_ledger {
public:
    /// False: one of that id is held, or it is not made of whole MWh of one span of time.
    bool hold(certificate added);

    /// As much of the demand as can be covered at `now`, given for good.
    std::vector<green_allocation> allocate(const green_demand& wanted, instant now);
    /// What `allocate` would give in all.
    std::int64_t allocable(const green_demand& wanted, instant now) const;

    std::int64_t given(std::string_view certificate) const noexcept;
    std::span<const certificate> held() const noexcept { return held_; }

private:
    struct account {
        std::int64_t free_mwh = 0;                                       // bound to nobody
        std::map<std::string, std::int64_t, std::less<>> open_microkwh;  // of MWh that are bound, by beneficiary
        std::int64_t given_microkwh = 0;
    };
    std::vector<std::size_t> fitting(const green_demand& wanted, instant now) const;
    std::int64_t reach(std::size_t which, const green_demand& wanted) const;

    std::vector<certificate> held_;
    std::vector<account> accounts_;  // parallel
};

/// The market-based number of a use of power (GHG Protocol, Scope 2): what certificates cover counts by their contract,
/// the rest by the residual mix, else by the grid average, and says which.
struct market_based {
    std::optional<double> kg;  // nullopt: neither residual mix nor grid average is known for the rest
    double covered_kwh = 0;
    std::string rest_by;  // "certificates", "residual mix (…)", "grid average (…): no residual mix is known", "unknown"
    friend bool operator==(const market_based&, const market_based&) = default;
};
/// `facility_kwh` has PUE in it. `given` are allocations of this ledger.
market_based market_based_of(double facility_kwh, std::span<const green_allocation> given,
                             const certificate_ledger& ledger, const std::optional<sourced>& residual_g_per_kwh,
                             const std::optional<sourced>& grid_g_per_kwh);

}  // namespace westerly
