#pragma once

#include "broker/domain/certificate.hpp"
#include "broker/domain/offer.hpp"

#include <map>
#include <span>

namespace westerly {

/// Energy that asks for certificates: what one run used in a part of a month.
struct green_demand {
    std::string grid;
    std::string beneficiary;
    instant from{}, to{};  // of the use, within one calendar month
    std::int64_t microkwh = 0;
};

inline constexpr std::int64_t microkwh_per_mwh = 1'000'000'000;

/// What is held and what was given. No kWh is given twice, and no MWh to two beneficiaries: an open certificate's MWh
/// is bound to whom its first kWh is given. What expires first is given first. Pure.
class certificate_ledger {
public:
    certificate_ledger() = default;
    certificate_ledger(const certificate_ledger&) = delete;
    certificate_ledger& operator=(const certificate_ledger&) = delete;

    /// False: one of that id is held, or it is not made of whole MWh of one span of time.
    bool hold(certificate added);
    /// The certificates there are from now on. What was given stays given, also of those that are held no more: should
    /// one come back, it is not given again.
    void replace(std::vector<certificate> all);
    /// Something was given, as earlier runs of the broker have.
    void enter(const certificate_use& given);

    /// As much of the demand as can be covered at `now`, given for good.
    std::vector<green_allocation> allocate(const green_demand& wanted, instant now);
    /// What of these grids, each named once, `allocate` could give to uses within [from, to), of each in the order in
    /// which it does: for `cover`.
    std::vector<allocable_power> allocable(std::string_view beneficiary, std::span<const std::string> grids,
                                           instant from, instant to) const;

    std::int64_t given(std::string_view certificate) const noexcept;
    std::vector<certificate_status> statuses() const;
    std::span<const certificate> held() const noexcept { return held_; }

private:
    /// Of one id, whether it is held or not.
    struct account {
        std::map<std::string, std::int64_t, std::less<>> used;  // microkWh, by beneficiary
        std::int64_t bound_mwh = 0;                             // those that these uses have begun
        std::int64_t given_microkwh = 0;
    };
    struct place {
        std::size_t held;
        account* in;
    };
    bool keep(certificate added);
    void arrange();
    std::span<const place> of_grid(std::string_view grid) const;
    std::vector<place> fitting(const green_demand& wanted, instant now) const;
    std::int64_t reach(const place& of, std::string_view beneficiary) const;

    std::vector<certificate> held_;                         // in order of their ids
    std::map<std::string, account, std::less<>> accounts_;  // of all that are held, and of all that were given
    std::map<std::string, std::vector<place>, std::less<>> by_grid_;  // what expires first before the rest, then by id
};

/// The market-based number of a use of power (GHG Protocol, Scope 2): what certificates cover counts by their contract,
/// the rest by the residual mix, else by the grid average, and says which.
struct market_based {
    std::optional<double> kg;  // nullopt: neither residual mix nor grid average is known for the rest
    double covered_kwh = 0;
    std::string rest_by;  // "certificates", "residual mix (…)", "grid average (…): no residual mix is known", "unknown"
    bool by_grid = false;  // the rest counts by the grid average
    friend bool operator==(const market_based&, const market_based&) = default;
};
/// `facility_kwh` has PUE in it and is what no contract of the site covers. `given` are allocations of this ledger.
market_based market_based_of(double facility_kwh, std::span<const green_allocation> given,
                             const certificate_ledger& ledger, const std::optional<sourced>& residual_g_per_kwh,
                             const std::optional<sourced>& grid_g_per_kwh);

}  // namespace westerly
