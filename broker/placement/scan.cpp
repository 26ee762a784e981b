#include "broker/placement/scan.hpp"

#include "broker/domain/freshness.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/sieve.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr std::uint8_t code(rejection why) noexcept {
    return static_cast<std::uint8_t>(why);
}

/// A code as the sieve takes it: from price_missing on it waits for later_code.
std::uint8_t early(std::uint8_t c) noexcept {
    return c < code(rejection::price_missing) ? c : passes;
}

/// What time alone has made of an offer.
std::uint8_t dated_code(const offer& o, instant now) {
    if (o.supply.price_until && *o.supply.price_until <= now)
        return code(rejection::quote_expired);
    return o.launchable && lapses_at(o) <= now ? code(rejection::offer_stale) : passes;
}

/// Past the sieve: the filters from price_missing on.
inline std::uint8_t later_code(const offer_book& book, const demand& want, std::size_t i) {
    const std::int64_t price = book.cols().price_nanos[i];
    const std::uint32_t number = book.cols().shape[i];
    const site_view& site = want.sites[book.cols().site[i]];
    const shape_view& shape = want.shapes[number];
    if (price < 0)
        return code(rejection::price_missing);
    if (shape.dated)
        if (const std::uint8_t dated = date_code(want, site, shape); dated != passes)
            return dated;
    if (site.dated)
        if (const std::uint8_t dated = dated_code(book.at(i), want.request.now); dated != passes)
            return dated;
    const std::uint8_t first = std::min(site.code, shape.code);
    const auto unless_unsaid = [&]() -> std::uint8_t {
        if (want.foreign_gaps && first > code(rejection::quantity_unknown) && !want.knows_foreign(i))
            return code(rejection::quantity_unknown);
        return first;
    };
    const auto at_its_start = [&]() -> std::uint8_t {
        const std::uint8_t best = hourly_best(want, site, shape).code;
        return best != passes && best < first ? best : unless_unsaid();
    };
    if (shape.hourly)
        return at_its_start();
    if (price > shape.price_max)
        return code(rejection::max_price);
    if (past_budget(want, site, shape, price))
        return code(rejection::budget);
    if (shape.alone)
        return at_its_start();
    if (want.request.deadline_ms &&
        earliest_finish_ms(site, shape) + want.aside[number].late_ms > *want.request.deadline_ms)
        return code(rejection::deadline);
    if (want.request.max_carbon_kg && !(least_carbon_kg(want, site, shape) <= *want.request.max_carbon_kg))
        return code(rejection::max_carbon);
    return unless_unsaid();
}

/// Keeps the cheapest, launchable ones before others.
class cheapest {
public:
    explicit cheapest(const offer_book& book, const demand& want) : book_(book), want_(want) {}
    double limit() const noexcept { return limit_; }
    void look_at(std::uint32_t index, double cost) {
        standing s = standing_of(book_, want_, index);
        s.keys[0] = cost;
        if (best_ && (best_->launchable != s.launchable ? best_->launchable : !better(s, *best_, 1)))
            return;
        best_ = s;
        limit_ = s.launchable ? cost : infinity;
    }
    const std::optional<standing>& best() const noexcept { return best_; }

private:
    const offer_book& book_;
    const demand& want_;
    std::optional<standing> best_;
    double limit_ = infinity;
};

/// One decision's pass over the book.
class filtering {
public:
    filtering(const offer_book& book, const demand& want, ranker* ranks, survivors& into)
        : book_(book), want_(want), ranks_(ranks), into_(into), base_(book, want) {
        into_.index.resize(std::max(into_.index.size(), book.size()));
        into_.cost_base.resize(into_.index.size());
        into_.counts.fill(0);
        into_.size = into_.passed = 0;
        into_.along.resize(book.sequences().size());
        into_.asked.assign(book.sequences().size(), 0);
    }

    void whole_book() {
        const std::uint8_t first_shape_code = want_.shape_codes.empty() ? passes : want_.shape_codes.front();
        for (std::size_t r = 0; r < book_.runs().size(); ++r) {
            const auto& run = book_.runs()[r];
            const site_view& site = want_.sites[run.site];
            if (site.code < code(rejection::capacity_never) && site.code <= first_shape_code) {
                into_.counts[site.code] += run.end - run.begin;
                continue;
            }
            if (ranks_)
                ranks_->begin_run(r);
            one_run(run, site);
        }
        into_.baseline = base_.best();
        into_.baseline_cost = into_.baseline ? into_.baseline->keys[0] : 0;
    }

private:
    /// In pieces, because what is found in one lets more of the next be passed over.
    void one_run(const offer_book::site_run& run, const site_view& site) {
        constexpr std::uint32_t piece = 256;
        const bool all = !ranks_ || looked_at_singly(site);
        for (std::uint32_t begin = run.begin; begin < run.end; begin += piece) {
            const std::uint32_t end = std::min(run.end, begin + piece);
            const double wanted =
                all ? infinity : before_egress(std::max(ranks_->admitted_cost(), base_.limit()), site);
            std::uint32_t* out = into_.index.data() + into_.size;
            const sieved left =
                want_.sieves && !site.dated ? sift(run, begin, end, site, wanted, out) : sift_singly(begin, end, out);
            into_.passed += left.passed;
            admit(site, out, left.kept);
        }
    }

    /// What a price may come to so that the cost with egress stays within `limit`; a rounding error is let through.
    static double before_egress(double limit, const site_view& site) noexcept {
        return site.egress_base > 0 ? limit - site.egress_base + (limit + site.egress_base) * 1e-12 : limit;
    }

    /// The site's offers may fail a filter that the sieve does not know.
    bool looked_at_singly(const site_view& site) const {
        const request_view& asked = want_.request;
        return site.dated || want_.foreign_gaps ||
               (site.code != passes && site.code >= code(rejection::capacity_never)) ||
               (asked.budget_base && site.egress_base > 0) ||
               (asked.deadline_ms && earliest_finish_ms(site, want_.most) + want_.most_late_ms > *asked.deadline_ms) ||
               (asked.max_carbon_kg &&
                (want_.starts.active() || !(facility_at(want_, site, want_.most).carbon_kg <= *asked.max_carbon_kg)));
    }

    sieved sift(const offer_book::site_run& run, std::uint32_t begin, std::uint32_t end, const site_view& site,
                double wanted, std::uint32_t* out) {
        fill_along(run);
        const auto& cols = book_.cols();
        const sieve by{cols.free_narrow, cols.total_narrow, cols.price, want_.shape_codes};
        const sieve_words shapes = into_.along.from(run.sequence + (begin - run.begin));
        return best_sieve()(by, {begin, end, shapes, early(site.code), wanted}, out, into_.counts);
    }

    /// Once a sequence: runs that share it share this.
    void fill_along(const offer_book::site_run& run) {
        if (into_.asked[run.sequence])
            return;
        into_.asked[run.sequence] = 1;
        const sieve_columns& by_shape = want_.for_sieve;
        for (std::size_t k = run.sequence; k < run.sequence + (run.end - run.begin); ++k) {
            const std::uint32_t shape = book_.sequences()[k];
            into_.along.packed[k] = by_shape.packed[shape];
            into_.along.cost_per_nano[k] = by_shape.cost_per_nano[shape];
            into_.along.price_max[k] = by_shape.price_max[shape];
            into_.along.cap[k] = by_shape.cap[shape];
        }
    }

    /// Where units or prices are beyond what the sieve takes: the same, one offer at a time.
    sieved sift_singly(std::uint32_t begin, std::uint32_t end, std::uint32_t* out) {
        sieved left;
        for (std::uint32_t i = begin; i < end; ++i) {
            const std::uint8_t first = verdict(book_, want_, i);
            if (first == passes)
                out[left.kept++] = i;
            else
                ++into_.counts[first];
        }
        left.passed = left.kept;
        return left;
    }

    /// The later filters, and what passes with its cost. In place: `sieved` is read ahead of where it is written.
    void admit(const site_view& site, const std::uint32_t* sieved, std::size_t count) {
        const auto& cols = book_.cols();
        for (std::size_t k = 0; k < count; ++k) {
            const std::uint32_t i = sieved[k];
            const shape_view& shape = want_.shapes[cols.shape[i]];
            const std::uint8_t first = later_code(book_, want_, i);
            if (first != passes) {
                ++into_.counts[first];
                --into_.passed;
                continue;
            }
            if (shape.hourly) {
                admit_hourly(i, site, shape);
                continue;
            }
            const double cost = cost_base_at(want_, site, shape, cols.price[i]) + site.egress_base;
            if (cost <= base_.limit())
                base_.look_at(i, cost);
            if (ranks_) {
                shape.alone ? ranks_->add_alone(i, cost) : ranks_->add(i, cost);
            } else {
                into_.index[into_.size] = i;
                into_.cost_base[into_.size++] = cost;
            }
        }
    }

    /// The baseline is what starts at once, where it may; what ranks is the best start.
    void admit_hourly(std::uint32_t i, const site_view& site, const shape_view& shape) {
        const double cost = hourly_best(want_, site, shape).cost_base;
        base_.look_at(i, cost_of(book_, want_, i, may_start_at_once(book_, want_, i)));
        if (ranks_) {
            ranks_->add_alone(i, cost);
        } else {
            into_.index[into_.size] = i;
            into_.cost_base[into_.size++] = cost;
        }
    }

    const offer_book& book_;
    const demand& want_;
    ranker* ranks_;
    survivors& into_;
    cheapest base_;
};

}  // namespace

void filter_book(const offer_book& book, const demand& want, ranker* ranks, survivors& into) {
    filtering(book, want, ranks, into).whole_book();
}

namespace {

/// Tells the ranker of each run before `each` number of what was kept.
template <class Each>
void by_runs(const offer_book& book, ranker& ranks, const survivors& among, Each each) {
    const auto runs = book.runs();
    std::size_t run = 0;
    std::uint32_t run_end = 0;
    for (std::size_t k = 0; k < among.size; ++k) {
        const std::uint32_t i = among.index[k];
        if (i >= run_end) {
            while (runs[run].end <= i)
                ++run;
            run_end = runs[run].end;
            ranks.begin_run(run);
        }
        each(k, i);
    }
}

}  // namespace

void rank_within(double limit, const offer_book& book, const demand& want, ranker& ranks, survivors& among) {
    by_runs(book, ranks, among, [&](std::size_t k, std::uint32_t i) {
        const shape_view& shape = want.shapes[book.cols().shape[i]];
        const hourly_choice* const by_hour =
            shape.hourly ? &hourly_best(want, want.sites[book.cols().site[i]], shape) : nullptr;
        if (by_hour && by_hour->code == passes)
            ranks.add_alone(i, by_hour->cost_base);
        else if (!by_hour && among.cost_base[k] <= limit)
            shape.alone ? ranks.add_alone(i, among.cost_base[k]) : ranks.add(i, among.cost_base[k]);
        else
            ++among.counts[code(rejection::too_dear_for_policy)];
    });
}

std::optional<std::uint32_t> find_least(const offer_book& book, const demand& want, const workload_spec& spec,
                                        const term& what, survivors& among) {
    among.quantity.resize(std::max(among.quantity.size(), among.size));
    quantities_of(book, want, spec, want.request.now, what, {among.index.data(), among.size},
                  {among.cost_base.data(), among.size}, {among.quantity.data(), among.size});
    std::optional<std::size_t> least;
    const auto place = [&](std::size_t k) {
        return std::pair(!want.shapes[book.cols().shape[among.index[k]]].launchable, among.quantity[k]);
    };
    for (std::size_t k = 0; k < among.size; ++k)
        if (!least || place(k) < place(*least))
            least = k;
    return least ? std::optional(among.index[*least]) : std::nullopt;
}

void rank_near_least(double most, const offer_book& book, const demand& want, ranker& ranks, survivors& among) {
    by_runs(book, ranks, among, [&](std::size_t k, std::uint32_t i) {
        if (!(among.quantity[k] <= most))
            ++among.counts[code(rejection::too_far_from_least)];
        else if (want.shapes[book.cols().shape[i]].alone)
            ranks.add_alone(i, among.cost_base[k]);
        else
            ranks.add(i, among.cost_base[k]);
    });
}

std::uint8_t verdict(const offer_book& book, const demand& want, std::size_t i) {
    const auto& cols = book.cols();
    const site_view& site = want.sites[cols.site[i]];
    const shape_view& shape = want.shapes[cols.shape[i]];
    std::uint8_t first = early(std::min(site.code, shape.code));
    if (shape.dated && first > code(rejection::compliance) && !lawful_delay(want, site, shape))
        first = code(rejection::compliance);
    if (cols.free_units[i] < shape.room())
        first = std::min(
            first, code(cols.total_units[i] < shape.room() ? rejection::capacity_never : rejection::capacity_now));
    return first != passes ? first : later_code(book, want, i);
}

}  // namespace westerly
