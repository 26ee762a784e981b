#pragma once

#include "broker/domain/energy.hpp"
#include "broker/placement/demand.hpp"

#include <array>
#include <memory>

namespace westerly {

inline constexpr std::size_t order_keys_max = 8;  // of an ordered policy; check_policy refuses more

/// What an offer is compared by: J or the keys of the order, then the ties of decision-model §6.
struct standing {
    std::uint32_t index = 0;  // into the book; the last tie, because the book is sorted by offer id
    std::array<double, order_keys_max> keys{};
    bool launchable = true;
    bool stale = false;
    std::int64_t finish_ms = 0;
    double non_green_kwh = 0;      // unknown: infinity
    double rtt_ms = 0;             // 0 where RTT does not count; unknown: infinity
    std::uint32_t preference = 0;  // which of the workload's alternatives its cards are
};
bool better(const standing& a, const standing& b, std::size_t keys) noexcept;

/// An offer's place in the comparison, all but its keys.
standing standing_of(const offer_book& book, const demand& want, std::uint32_t index);

/// The best few, best first.
class podium {
public:
    explicit podium(std::size_t places) : places_(places) {}
    void clear(std::size_t keys) noexcept;
    void offer_place(const standing& s) noexcept;
    std::span<const standing> ranked() const noexcept { return {entries_.data(), size_}; }
    /// The last place's first key: nothing with a larger one can enter. Infinity while places are free.
    double limit() const noexcept { return limit_; }

private:
    std::array<standing, ranked_max + 1> entries_{};
    std::size_t places_;
    std::size_t size_ = 0;
    std::size_t keys_ = 1;
    double limit_ = 0;
};

/// How a policy ranks: by J = C + Σ price x quantity, or by the order's keys.
struct ranking_rule {
    struct part {
        const term* what = nullptr;
        double factor = 0;    // priced: price per unit; ordered: the step
        bool applies = true;  // to this workload; else it counts as 0
    };
    std::vector<part> parts;
    bool ordered = false;
    const term* bounded = nullptr;  // whose quantity is held near the least; nullptr: none's
};

/// The rule in terms of the table; false when the policy names a term that the table does not have (check_policy
/// refuses such a policy at load), or one of a library that failed and may not be ignored.
bool resolve_rule(const policy& rules, term_table terms, const workload_spec& spec, const demand& want,
                  ranking_rule& into);

/// One quantity at one offer, by the same code that ranks; for the few that are explained.
double quantity_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index, bool at_once = false);
/// The same at starts that are given, with C at each; `out` is parallel to them.
void quantities_at(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index, const priced_starts& starts, std::span<double> out);

/// The same of many, ascending, whose C is known: a block at a time.
void quantities_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::span<const std::uint32_t> index, std::span<const double> cost_base, std::span<double> out);

/// C of one offer in base currency, unrounded; meaningless where verdict() is price_missing. At its best start, or
/// started at once.
double cost_of(const offer_book& book, const demand& want, std::size_t i, bool at_once = false);
/// Whether no limit that depends on its price forbids a start at once; true where the price does not depend on it.
bool may_start_at_once(const offer_book& book, const demand& want, std::size_t i);

/// Energy of the run at a site on a shape, under the grid of a start.
inline facility_energy facility_at(const site_view& site, const shape_view& shape, const start_option& start) noexcept {
    return facility_of(
        shape.it_kwh,
        {.pue = site.pue, .green_power_share = start.green_share, .carbon_g_per_kwh = start.carbon_g_per_kwh});
}
inline facility_energy facility_at(const demand& want, const site_view& site, const shape_view& shape,
                                   bool at_once = false) {
    return facility_at(site, shape, start_of(want, site, shape, at_once));
}
/// Carbon at the cleanest start there, in kg; NaN: unknown.
inline double least_carbon_kg(const demand& want, const site_view& site, const shape_view& shape) {
    return want.starts.active() ? want.starts.least_carbon_kg(number_of(want, site), shape.start_run, shape.it_kwh)
                                : facility_at(want, site, shape).carbon_kg;
}

/// When a run there would end if it started at once, in ms since 1970.
inline std::int64_t earliest_finish_ms(const site_view& site, const shape_view& shape) noexcept {
    return shape.start_ms + site.data_movement_ms + shape.run_ms;
}
/// When it would end at the start that is best there.
inline std::int64_t finish_ms(const demand& want, const site_view& site, const shape_view& shape,
                              bool at_once = false) {
    return earliest_finish_ms(site, shape) + start_of(want, site, shape, at_once).delay_ms;
}

/// Keeps the best of what it is shown. Candidates gather in a block, and each term fills a column for the whole block;
/// whoever cannot win any more is dropped before the next term, or before entering the block: terms only add.
class ranker {
public:
    ranker();
    ~ranker();
    ranker(const ranker&) = delete;
    ranker& operator=(const ranker&) = delete;

    /// Begins a decision; the arguments must live until the last call. `best` and `best_launchable` are cleared.
    void begin(const offer_book& book, const demand& want, const workload_spec& spec, const ranking_rule& rule,
               instant now, podium& best, podium& best_launchable);
    /// The candidates that follow are of this site: the run's number in book.runs().
    void begin_run(std::size_t run) noexcept;
    /// Costs above it cannot win in this run.
    double admitted_cost() const noexcept { return admitted_cost_; }
    /// Ascending by index over all calls.
    void add(std::uint32_t index, double cost_base) {
        if (cost_base <= admitted_cost_)
            keep(index, cost_base);
    }
    /// One that stands alone: by where its start lies it may cost less of other things than bounds know.
    void add_alone(std::uint32_t index, double cost_base) { keep(index, cost_base); }
    /// After the last candidate.
    void finish();

private:
    void keep(std::uint32_t index, double cost_base);

    struct work;
    std::unique_ptr<work> work_;
    double admitted_cost_ = 0;
};

}  // namespace westerly
