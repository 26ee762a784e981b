#pragma once

#include "broker/domain/offer.hpp"

#include <span>
#include <unordered_map>

namespace westerly {

/// Dense numbers for the strings of the book (regions, providers, stacks, …), so that filters compare integers.
class name_table {
public:
    std::uint32_t intern(std::string_view name);
    /// The number of a name, or `absent` when no offer bears it.
    std::uint32_t find(std::string_view name) const noexcept;
    std::string_view name(std::uint32_t number) const noexcept { return names_[number]; }
    static constexpr std::uint32_t absent = 0xFFFFFFFF;

private:
    struct text_hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::vector<std::string> names_;
    std::unordered_map<std::string, std::uint32_t, text_hash, std::equal_to<>> numbers_;
};

/// The offers the broker may place on now, one column per attribute that a filter or term reads.
///
/// Shape   every column has size() entries; entry i of each is the same offer. 10^5 expected, 10^6 supported.
/// Units   as in `offer`; unknown doubles are NaN, an unknown limit is UINT64_MAX; price in 10^-9 per unit-hour, -1:
/// none. Order   by offer id ascending, so equal inputs place equally on every run. Owner   the engine thread.
/// `free_units` moves with holds; everything else by replace_provider only.
class offer_book {
public:
    /// Replaces one provider's offers; sorts the book anew and raises version().
    void replace_provider(const provider_id& provider, std::vector<offer> offers);
    void remove_provider(const provider_id& provider);

    /// Sets what is placeable now: units_free + units_ours - `our_live_units`, not below 0.
    void set_our_live_units(const offer_id& id, std::uint64_t our_live_units);

    std::size_t size() const noexcept { return offers_.size(); }
    std::uint64_t version() const noexcept { return version_; }
    const offer& at(std::size_t i) const noexcept { return offers_[i]; }
    std::optional<std::size_t> find(const offer_id& id) const noexcept;
    /// Units that can be placed now; UINT64_MAX: no known limit.
    std::uint64_t free_units(std::size_t i) const noexcept { return columns_.free_units[i]; }
    /// Units the provider ever has for us: units_free + units_ours as told.
    std::uint64_t total_units(std::size_t i) const noexcept { return columns_.total_units[i]; }

    struct columns {
        std::vector<std::uint32_t> provider, site, region, jurisdiction, architecture;  // numbers in `names`
        std::vector<std::uint8_t> compute, flags;                                       // flags: see below
        std::vector<std::uint32_t> vcpus;
        std::vector<std::uint64_t> memory_mib, disk_mib, free_units, total_units;
        std::vector<std::int64_t> price_nanos;
        std::vector<std::uint8_t> price_currency;
        std::vector<double> pue, green_share, carbon_g_per_kwh, idle_w, max_w;
    };
    enum flag : std::uint8_t { divisible = 1, launchable = 2, has_accelerators = 4, stack_none = 8 };
    const columns& cols() const noexcept { return columns_; }
    const name_table& names() const noexcept { return names_; }

private:
    void rebuild();
    std::vector<offer> offers_;
    columns columns_;
    name_table names_;
    std::unordered_map<offer_id, std::uint64_t> our_live_units_;
    std::uint64_t version_ = 0;
};

}  // namespace westerly
