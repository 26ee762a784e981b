#pragma once

#include "broker/domain/offer_list.hpp"

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>

namespace westerly {

/// Dense numbers for the strings of the book (regions, providers, stacks, …), so that filters compare integers.
class name_table {
public:
    std::uint32_t intern(std::string_view name);
    /// The number of a name, or `absent` when the book has never borne it.
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

/// A point on the unit sphere; distances between such are one subtraction and one arc sine.
struct sphere_point {
    double x = 0, y = 0, z = 0;
    friend bool operator==(const sphere_point&, const sphere_point&) = default;
};
sphere_point on_sphere(std::pair<double, double> latitude_longitude) noexcept;

/// The offers the broker may place on now, stored by column. Offers share few sites and few shapes, so a column holds
/// the number of a row in `sites` and `shapes`, and whatever depends on those alone is worked out once per row.
///
/// Shape   every column has size() entries; entry i of each is the same offer. 10^5 expected, 10^6 supported.
/// Hosts   what is held at a host through one seller, no other seller has: see left_at_host().
/// Units   as in `offer`; unknown doubles are NaN, an unknown limit is UINT64_MAX; price in 10^-9 per unit-hour, -1:
///         none; of hourly prices the mean of the week.
/// Order   by offer id ascending, so equal inputs place equally on every run, and the offers of one site are
///         neighbours.
/// Owner   the engine thread. Free units move with holds; everything else by replace_provider only.
class offer_book {
public:
    /// Replaces one provider's offers and raises version(). What the other providers offer is not looked at again, only
    /// moved up or down.
    void replace_provider(const provider_id& provider, const offer_list& offers);
    void remove_provider(const provider_id& provider);
    /// What replace_part has changed.
    struct part_change {
        std::vector<offer_list::shared> changed;  // new, or other than before in more than their date; by id
        std::vector<offer_id> gone;
        bool redated = false, trusted = false;  // some have a new date only; some were distrusted
        instant lapsed_at = instant::max();     // of those with a new date, when the first would have lapsed
        std::size_t compared = 0;               // that were not the same objects as before
        bool anything() const noexcept { return !changed.empty() || !gone.empty(); }
    };
    /// `now`, by id, in place of the provider's offers with after < id <= upto (nullptr: no such bound). Nothing else
    /// is looked at, so a long list can be taken over a piece at a time. version() rises where something changed.
    part_change replace_part(const provider_id& provider, std::span<const offer_list::shared> now,
                             const offer_id* after, const offer_id* upto);
    /// Memory for so many more offers, so that taking them over piece by piece never has to move the book.
    void reserve(std::size_t more);
    /// Calls `look(i)` for each offer of a provider with from <= i < to, by offer id.
    template <class Look>
    void each_of(const provider_id& provider, Look look, std::size_t from = 0,
                 std::size_t to = std::numeric_limits<std::size_t>::max()) const {
        const auto number = names_.find(provider);
        for (const site_run& run : runs_)
            if (run.end > from && run.begin < to && sites_[run.site].provider == number)
                for (std::size_t i = std::max<std::size_t>(run.begin, from); i < std::min<std::size_t>(run.end, to);
                     ++i)
                    look(i);
    }
    /// Rises when offers come or go: indices mean other offers then.
    std::uint64_t layout() const noexcept { return layout_; }

    /// Sets what is placeable now: units_free + units_ours - `our_live_units`, not below 0.
    void set_our_live_units(const offer_id& id, std::uint64_t our_live_units);

    /// A launch was refused for want of capacity: nothing of this offer is placeable until its provider's next offers.
    void distrust(const offer_id& id);
    bool distrusts(const provider_id& provider) const noexcept;

    /// For a book of the past: when all offers of a provider were confirmed last, or those with an id up to `through`.
    void date_provider(const provider_id& provider, instant confirmed_at, const offer_id* through = nullptr);

    /// Offers of which less can be placed than their provider told (ours, or distrusted), by index, with what can.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> less_free() const;
    /// For a book of the past: so many units of offer i could be placed.
    void set_free_units(std::size_t i, std::uint64_t free);

    std::size_t size() const noexcept { return offers_.size(); }
    std::uint64_t version() const noexcept { return version_; }
    const offer& at(std::size_t i) const noexcept { return *offers_[i]; }
    const std::shared_ptr<const offer>& share(std::size_t i) const noexcept { return offers_[i]; }
    std::optional<std::size_t> find(const offer_id& id) const noexcept;
    static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
    /// Units that can be placed now; `unlimited`: no known limit.
    std::uint64_t free_units(std::size_t i) const noexcept { return columns_.free_units[i]; }
    /// Units the provider ever has for us: units_free + units_ours as told, and no more than its host has in all.
    std::uint64_t total_units(std::size_t i) const noexcept { return columns_.total_units[i]; }

    /// Facts of one site of one provider; strings are numbers in names().
    struct measured_row {
        std::uint32_t region = 0;  // of the origin
        double ms = 0;
        instant since{}, until{};  // it counts between them, inclusive
        friend bool operator==(const measured_row&, const measured_row&) = default;
    };
    struct site_row {
        std::uint32_t provider = 0, region = 0, jurisdiction = 0;
        std::uint32_t site = 0, grid_zone = 0;
        std::optional<sphere_point> place;
        std::vector<std::pair<std::uint32_t, double>> declared_rtt_ms;  // by origin region
        std::vector<measured_row> measured;                             // likewise
        double pue = 0, green_share = 0, carbon_g_per_kwh = 0, ingress_gbps = 0;
        std::optional<money> staging_per_gib;
        quality_class carbon_quality = quality_class::default_value;  // a signal of a worse class does not count
        std::vector<std::uint32_t> data_classes;  // cleared for; where the site states none, public data
        std::vector<std::uint32_t> licences;
    };
    /// Everything that offers of one kind have in common wherever they are, and in which jurisdiction that is: what
    /// rules of compliance speak of is told by a shape alone.
    struct shape_row {
        compute_class compute = compute_class::general;
        bool divisible = false, launchable = true, purchased = true;  // purchased: may be used by the run
        bool runs_gangs = true, takes_files = true;
        bool billed_from_allocation = false;  // else from the run's start
        std::uint32_t vcpus = 0;
        std::uint64_t memory_mib = 0, disk_mib = 0;
        std::uint32_t architecture = 0;
        std::optional<accelerator_facts> accelerators;
        std::vector<std::uint32_t> stacks;
        currency unit = currency::cny;
        std::uint32_t increment_s = 1, minimum_s = 0, queue_wait_s = 0, queue_wait_p90_s = 0;
        double idle_w = 0, max_w = 0;
        hazard_facts hazard;
        bool spot_untold = false;  // on spot terms, and how often it is taken back is not known
        std::uint64_t minimum_units = 1;
        std::uint32_t latency_headroom = 0;
        std::optional<instant> available_from;
        std::optional<instant> price_until;
        software_facts software;
        std::shared_ptr<const price_curve> prices;  // where they change with the hour; else the column has the price
        std::optional<unit_price> billed;           // where it is not the price that is compared: of owned reservations
        std::uint32_t jurisdiction = 0;
        std::uint32_t first_alike = 0;  // the first row that differs in the jurisdiction at most; it may be this one
    };
    struct columns {
        std::vector<std::uint32_t> site, shape;  // row numbers
        std::vector<std::int64_t> price_nanos;
        std::vector<double> price;  // the same, for the sieve; see prices_exact()
        std::vector<std::uint64_t> free_units, total_units;
        std::vector<std::uint32_t> free_narrow, total_narrow;  // the same, UINT32_MAX for all that is more
        std::vector<instant> dated_from;                       // as in site_run, of each

        template <class Do>
        void each(const Do& action) {
            action(site);
            action(shape);
            action(price_nanos);
            action(price);
            action(free_units);
            action(total_units);
            action(free_narrow);
            action(total_narrow);
            action(dated_from);
        }
    };
    /// Neighbouring offers of one site: [begin, end) of the columns. Sites that offer the same shapes in the same
    /// order, as the regions of a cloud do, share their part of sequences(): their shapes begin there at `sequence`.
    struct site_run {
        std::uint32_t begin, end, site, sequence;
        instant dated_from;  // from then on time alone has changed what one of them counts as (domain/freshness.hpp)
    };
    const columns& cols() const noexcept { return columns_; }
    /// Some price may change with the hour.
    bool prices_by_hour() const noexcept { return prices_by_hour_; }
    /// Some price may be quoted until a time.
    bool prices_quoted() const noexcept { return prices_quoted_; }
    /// No price is too large for a double to hold it to the last digit (9 million a unit-hour).
    bool prices_exact() const noexcept { return prices_exact_; }
    std::span<const site_run> runs() const noexcept { return runs_; }
    std::span<const std::uint32_t> sequences() const noexcept { return sequences_; }
    std::span<const site_row> sites() const noexcept { return sites_; }
    std::span<const shape_row> shapes() const noexcept { return shapes_; }
    const name_table& names() const noexcept { return names_; }

private:
    struct kept_offer {
        std::shared_ptr<const offer> what;
        std::uint32_t site, shape;
    };
    /// What is sold of one host and of one kind of card (or processor), in cards (vCPUs where there are none).
    using host_key = std::pair<std::string, std::string>;
    struct host_pool {
        std::set<offer_id> offers;
        std::map<provider_id, std::uint64_t> held_through;  // by our live units
        std::uint64_t held = 0;                             // through all of them
        std::uint64_t most = 0;                             // what it has in all; unlimited: not known
        bool most_is_stated = false;                        // else it is the most that a seller tells
    };
    static std::optional<host_key> pool_of(const offer& o);
    /// The offers of this provider, and those of the others; the book has none of them any more until rebuild().
    std::pair<std::vector<kept_offer>, std::vector<kept_offer>> take_apart(const provider_id& provider);
    void rebuild(std::vector<kept_offer> all);
    void forget_unused_rows(std::vector<kept_offer>& all);
    std::uint32_t site_of(const offer& o);
    std::uint32_t shape_of(const offer& o);
    std::uint32_t first_alike(std::uint32_t shape) const;
    void place_price(std::size_t i);
    void place_limits(std::size_t i);
    void find_runs();
    // offer_book_update.cpp
    std::vector<std::uint32_t> within(const provider_id& provider, const offer_id* after, const offer_id* upto) const;
    bool take_over(std::uint32_t i, const offer_list::shared& now, part_change& made);
    void splice(std::span<const std::uint32_t> gone, std::span<const offer_list::shared> added);
    void take_out(std::span<const std::uint32_t> gone);
    std::vector<std::uint32_t> put_in(std::span<const offer_list::shared> added);
    template <class Do>
    void each_column(const Do& action) {
        action(offers_);
        columns_.each(action);
    }
    std::size_t first_not_before(const offer_id& id, std::size_t from) const noexcept;
    void forget_rows();
    void place_date(std::size_t i);
    void date_run(site_run& run) const;
    void date_runs(const provider_id& provider);
    static std::uint64_t units_ever(const offer& o) noexcept;
    // host_pools.cpp
    void find_hosts();
    void join_pool(const offer& o);
    void leave_pool(const offer& o);
    void settle_pools();
    void reckon(host_pool& pool) const;
    std::uint64_t units_in_all(const offer& o) const;
    std::uint64_t left_at_host(const offer& o) const;

    std::vector<std::shared_ptr<const offer>> offers_;  // shared with copies of the book
    columns columns_;
    bool prices_exact_ = true;
    bool prices_by_hour_ = false, prices_quoted_ = false;  // of any row, in use or not
    std::vector<site_run> runs_;
    std::vector<std::uint32_t> sequences_;
    std::vector<site_row> sites_;
    std::vector<shape_row> shapes_;
    std::unordered_multimap<std::size_t, std::uint32_t> site_numbers_, shape_numbers_;  // by hash of the row
    name_table names_;
    std::unordered_map<offer_id, std::uint64_t> our_live_units_;
    std::map<host_key, host_pool> host_pools_;
    std::set<host_key> pools_touched_;            // whose members have changed
    std::map<offer_id, provider_id> distrusted_;  // few
    std::set<std::uint32_t> less_free_;           // indices
    std::size_t rows_in_use_ = 0;                 // sites and shapes, when the book was last rebuilt
    std::size_t rows_left_ = 0;                   // by offers since: of which some may be used by others
    std::uint64_t version_ = 0, layout_ = 0;
};

/// True when at most the date differs.
bool same_but_date(const offer& a, const offer& b);

}  // namespace westerly
