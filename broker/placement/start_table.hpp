#pragma once

#include "broker/domain/energy.hpp"
#include "broker/placement/risk.hpp"
#include "broker/placement/signal_book.hpp"

#include <array>

namespace westerly {

/// One start that a run may have at a site, and what the grid is over the whole run then.
struct start_option {
    std::int64_t delay_ms = 0;    // against starting at once
    double carbon_g_per_kwh = 0;  // mean over the run; NaN: unknown
    double green_share = 0;       // likewise
    double risk = 0;              // P(late or lost), where that is weighed and grows with the wait
};

/// What a policy makes of waiting; quantities that do not change with the start are left out.
struct start_rule {
    enum class quantity : std::uint8_t { non_green, carbon, finish, cost, risk };  // cost: of hourly prices only
    struct key {
        quantity of = quantity::carbon;
        double step = 0;
    };
    bool ordered = false;
    double per_kg = 0, per_non_green_kwh = 0, per_hour = 0, per_risk = 0;  // priced, in base currency
    std::vector<key> keys;                                                 // ordered
    std::int64_t earliest_ms = 0;                                          // of the workload: finish counts from it
    std::optional<std::int64_t> target_ms;  // per_hour counts from it; nullopt: from the earliest start
    std::optional<double> max_carbon_kg;    // later starts may meet it where the first does not

    bool weighs(quantity what) const noexcept;
    /// Hours of a finish past the target; without one since 1970, to be compared only.
    double hours_until(std::int64_t finish_ms) const noexcept;
    bool counts_past_target() const noexcept { return target_ms && per_hour > 0; }
    /// The start of a run of that length whose finish meets the target, where its price bends; nullopt: nowhere.
    std::optional<std::int64_t> bend(std::int64_t run_ms) const noexcept;
};

/// The quantity of a built-in term; any other term is taken at the start that these choose.
std::optional<start_rule::quantity> start_quantity_of(std::string_view term) noexcept;

/// For each site and each length of run: when to start there.
///
/// Work    Options of a (site, run) pair are found when they are first asked for: one pass over the edges of the zone's
///         curves. An offer then costs a search among the few of them that may win: with prices, energy x intensity +
///         time x delay is least at a corner of the lower hull of (delay, intensity), and which corner depends on the
///         energy alone. Under a carbon limit, and where the order looks at the finish first, all are compared, and
///         between each two the starts at which the limit or a step is just met.
/// Honesty Only runs that one hourly source covers wholly are compared (see best_start); what a series does not cover
///         counts as the site's own factor, flat, and then there is one option: at once.
/// Owner   one decision at a time; the curves must outlive it.
class start_table {
public:
    /// What a site has to say. `annual` factors are the provider file's; NaN: unknown.
    struct site {
        const zone_signal* carbon = nullptr;
        const zone_signal* green = nullptr;
        double annual_carbon = 0, annual_share = 0, pue = 1;
        std::int64_t data_movement_ms = 0;
        bool counts = true;  // false: its offers are rejected anyway
    };
    /// Shapes that start and last alike.
    struct run {
        std::int64_t start_ms = 0;  // at once, before data movement
        std::int64_t run_ms = 0;
        std::int64_t late_ms = 0;  // kept free before the deadline
        run_risk risk = {};        // where the policy weighs it and it grows with the wait
        friend bool operator==(const run&, const run&) = default;
    };

    /// Begins a decision. `slack_until_ms`: no start after it; nullopt: at once only.
    void begin(start_rule rule, std::optional<std::int64_t> slack_until_ms, std::optional<std::int64_t> deadline_ms);
    void end() noexcept { active_ = false; }
    const site& site_at(std::size_t number) const noexcept { return sites_[number]; }
    std::vector<site>& sites() noexcept { return sites_; }  // filled by the caller between begin and ready
    void forget_runs() noexcept;
    std::uint16_t number_of(const run& one);  // likewise
    void ready();

    /// False: no signals were there, and sites' own factors hold at any time.
    bool active() const noexcept { return active_; }
    bool weighs_risk() const noexcept { return rule_.weighs(start_rule::quantity::risk); }
    /// Some run may be put off.
    bool waits() const noexcept { return active_ && slack_until_ms_; }
    const start_rule& rule() const noexcept { return rule_; }
    start_option at_once(std::size_t site, std::uint16_t run) const { return options_[entry_of(site, run).first]; }
    start_option best(std::size_t site, std::uint16_t run, double it_kwh) const;
    /// A start that is put off by so much, whether it is among those that best() looks at or not.
    start_option at(std::size_t site, std::uint16_t run, std::int64_t delay_ms) const;
    /// The starts that signals give reason to try under a rule, ascending, the one at once first. Returns the last
    /// start that may be compared with it: by the slack, the deadline, and how far the signals that count reach.
    std::int64_t find_starts(std::size_t site, std::uint16_t run, const start_rule& rule,
                             std::vector<std::int64_t>& into) const {
        return find_starts(sites_[site], runs_[run], rule, into);
    }
    /// What best() chooses from under such a rule, but for starts at which a limit or a step is just met.
    void find_options(std::size_t site, std::uint16_t run, const start_rule& rule,
                      std::vector<start_option>& into) const;
    /// Puts among them, where they belong, the starts at which a run of that energy just meets the carbon limit.
    void add_just_met(std::size_t site, std::uint16_t run, double it_kwh, std::vector<start_option>& into) const;
    /// The least carbon intensity and the most green power that any start there can have, for bounds.
    start_option bound(std::size_t site) const;
    /// Carbon of the cleanest start; NaN: unknown.
    double least_carbon_kg(std::size_t site, std::uint16_t run, double it_kwh) const;
    /// How much of the run the carbon signal covers; the rest counts as the site's own factor.
    std::int64_t covered_ms(std::size_t site, std::uint16_t run, std::int64_t delay_ms) const;

private:
    struct entry {
        std::uint32_t generation = 0;
        std::uint32_t first = 0, last = 0;                // of options_
        std::uint32_t corner_first = 0, corner_last = 0;  // of corners_
        double least_carbon = 0;
    };
    /// An option that may win, from a certain energy on.
    struct corner {
        std::uint32_t option;
        double from_kwh;  // of IT energy
    };

    /// The limits that a start fails, then J or the keys of an order, without what does not change with it.
    using start_keys = std::array<double, 5>;

    const entry& entry_of(std::size_t site, std::uint16_t run) const;
    static facility_energy energy_at(const start_option& o, const site& of, double it_kwh) noexcept;
    start_option option_at(const site& of, const run& run, std::int64_t delay_ms) const;
    double excess_kg(const start_option& o, const site& of, double it_kwh) const noexcept;
    double quantity(start_rule::quantity what, const start_option& o, const site& of, const run& run,
                    double it_kwh) const noexcept;
    start_keys keys_of(const start_option& o, const site& of, const run& run, double it_kwh) const noexcept;
    /// Whether between two starts with such keys there may be a better one.
    bool may_be_between(const start_keys& a, const start_keys& b) const noexcept;
    template <class Visit>
    void visit_between(const start_option& before, const start_option& after, const site& of, const run& run,
                       double it_kwh, const Visit& visit) const;
    std::int64_t find_starts(const site& of, const run& run, const start_rule& rule,
                             std::vector<std::int64_t>& into) const;
    void append_options(const site& of, const run& run, const start_rule& rule, std::vector<start_option>& into) const;
    void fill(entry& into, const site& of, const run& run) const;
    void find_corners(entry& into, const site& of) const;
    double measure(const start_option& o, const site& of) const noexcept;
    start_option best_of_all(const entry& in, const site& of, const run& run, double it_kwh) const;
    start_option best_in_order(const entry& in, const site& of, const run& run, double it_kwh) const;

    bool active_ = false;
    start_rule rule_;
    std::optional<std::int64_t> slack_until_ms_, deadline_ms_;
    std::vector<site> sites_;
    std::vector<run> runs_;
    std::uint32_t generation_ = 0;
    // Found as they are asked for.
    mutable std::vector<entry> entries_;
    mutable std::vector<start_option> options_;
    mutable std::vector<corner> corners_;
    mutable std::vector<std::int64_t> starts_;
};

/// No start is put off by less: what is won so is less than what a second decision costs.
inline constexpr std::int64_t start_delay_least_ms = 60'000;

/// The mean over [from, from + run) of a curve; where it does not reach, `annual`, or, where that is not known, the
/// mean of what it does cover of the run, or at all.
double mean_with_fallback(const signal_curve& curve, std::int64_t from_ms, std::int64_t run_ms, double annual) noexcept;

}  // namespace westerly
