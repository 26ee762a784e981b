#include "broker/placement/rank.hpp"

#include "broker/domain/energy.hpp"
#include "broker/placement/rounding.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t block_max = 64;  // candidates worked on together: few, so that the J of the best spares the rest
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double rounding_slack = 1e-9;  // a floor is summed in another order than J: it must stay below

using column = std::array<double, block_max>;

/// A block of candidates with the columns that the terms read.
struct block {
    std::array<std::uint32_t, block_max> index;
    column cost, rtt, rtt_p95, data_movement, non_green, carbon, finish, run_hours, risk, quantity, j;
    std::size_t size = 0;

    /// Those that `reads` names. `every_shape` stands for the shape of every candidate when it is given, and then the
    /// best of every start counts: that bounds the rest. `starts`: one for each candidate; nullptr: the best ones.
    void fill_columns(const offer_book& book, const demand& want, std::uint8_t reads,
                      const shape_view* every_shape = nullptr, const start_option* starts = nullptr);
    term_context context(const offer_book& book, const demand& want, const workload_spec& spec, instant now,
                         const term& what) const;
};

void block::fill_columns(const offer_book& book, const demand& want, std::uint8_t reads, const shape_view* every_shape,
                         const start_option* starts) {
    const auto& cols = book.cols();
    const auto site_at = [&](std::size_t k) -> const site_view& {
        return want.sites[cols.site[index[k]]];
    };
    const auto shape_at = [&](std::size_t k) -> const shape_view& {
        return every_shape ? *every_shape : want.shapes[cols.shape[index[k]]];
    };
    if (reads & reads_rtt)
        for (std::size_t k = 0; k < size; ++k)
            rtt[k] = site_at(k).rtt_ms;
    if (reads & reads_rtt_p95)
        for (std::size_t k = 0; k < size; ++k)
            rtt_p95[k] = site_at(k).rtt_p95_ms;
    if (reads & reads_run_hours)
        for (std::size_t k = 0; k < size; ++k)
            run_hours[k] = static_cast<double>(shape_at(k).run_ms) / 3'600'000.0;
    if (reads & reads_data_movement)
        for (std::size_t k = 0; k < size; ++k)
            data_movement[k] = site_at(k).data_movement_s;
    if (reads & reads_finish)
        for (std::size_t k = 0; k < size; ++k) {
            const std::int64_t ends_ms = every_shape ? earliest_finish_ms(site_at(k), *every_shape)
                                         : starts    ? earliest_finish_ms(site_at(k), shape_at(k)) + starts[k].delay_ms
                                                     : finish_ms(want, site_at(k), shape_at(k));
            const std::int64_t after = ends_ms - want.request.earliest_ms;
            finish[k] = static_cast<double>(after) / 3'600'000.0;
        }
    if (reads & reads_risk)
        for (std::size_t k = 0; k < size; ++k)
            risk[k] = every_shape ? want.least_lost  // every passing shape may be in time
                      : starts
                          ? risk_at(want, site_at(k), shape_at(k), starts[k].delay_ms)
                          : risk_at(want, site_at(k), shape_at(k), start_of(want, site_at(k), shape_at(k)).delay_ms);
    if (reads & (reads_energy | reads_carbon))
        for (std::size_t k = 0; k < size; ++k) {
            const facility_energy used =
                every_shape && want.starts.active()
                    ? facility_at(site_at(k), *every_shape, want.starts.bound(number_of(want, site_at(k))))
                : starts ? facility_at(site_at(k), shape_at(k), starts[k])
                         : facility_at(want, site_at(k), shape_at(k));
            non_green[k] = used.non_green_kwh;
            carbon[k] = used.carbon_kg;
        }
}

term_context block::context(const offer_book& book, const demand& want, const workload_spec& spec, instant now,
                            const term& what) const {
    const auto view = [this](const column& c) {
        return std::span<const double>(c.data(), size);
    };
    return {.book = book,
            .spec = spec,
            .now = now,
            .candidates = {index.data(), size},
            .cost_base = view(cost),
            .rtt_ms = view(rtt),
            .rtt_p95_ms = view(rtt_p95),
            .data_movement_s = view(data_movement),
            .non_green_kwh = view(non_green),
            .carbon_kg = view(carbon),
            .finish_hours = view(finish),
            .run_hours = view(run_hours),
            .risk = view(risk),
            .free_hours = want.request.free_hours,
            .foreign = want.said_of(what)};
}

}  // namespace

struct ranker::work {
    const offer_book* book = nullptr;
    const demand* want = nullptr;
    const workload_spec* spec = nullptr;
    const ranking_rule* rule = nullptr;
    instant now{};
    podium* best = nullptr;
    podium* launchable = nullptr;
    block some;
    std::array<column, order_keys_max> keys;
    std::vector<double> floors;  // by run: what every J (or first key) there is at least, costs apart
    std::size_t run = 0;

    /// Nothing beyond it can enter either podium.
    double limit() const noexcept { return std::max(best->limit(), launchable->limit()); }

    void fill(const term& what, std::span<double> out, const shape_view* every_shape = nullptr) {
        some.fill_columns(*book, *want, what.reads, every_shape);
        what.fill(some.context(*book, *want, *spec, now, what), out);
    }

    /// Drops the candidates whose `by` is beyond the limit; the first `columns` keys stay parallel.
    void drop_losers(std::size_t columns) {
        const double bound = limit();
        std::size_t kept = 0;
        for (std::size_t k = 0; k < some.size; ++k) {
            some.index[kept] = some.index[k];
            some.cost[kept] = some.cost[k];
            for (std::size_t c = 0; c < columns; ++c)
                keys[c][kept] = keys[c][k];
            kept += keys[0][k] <= bound;
        }
        some.size = kept;
    }

    void enter(std::size_t columns) {
        for (std::size_t k = 0; k < some.size; ++k) {
            if (columns > 0 && keys[0][k] > limit())
                continue;  // the podium has filled since the last drop
            standing s = standing_of(*book, *want, some.index[k]);
            for (std::size_t c = 0; c < columns; ++c)
                s.keys[c] = keys[c][k];
            best->offer_place(s);
            if (s.launchable)
                launchable->offer_place(s);
        }
    }

    void by_price() {
        std::copy_n(some.cost.begin(), some.size, keys[0].begin());
        for (const auto& part : rule->parts) {
            if (!part.applies)
                continue;
            fill(*part.what, {some.quantity.data(), some.size});
            for (std::size_t k = 0; k < some.size; ++k)
                keys[0][k] += part.factor * some.quantity[k];
            drop_losers(1);
        }
        drop_losers(1);
        enter(1);
    }

    void by_order() {
        for (std::size_t p = 0; p < rule->parts.size(); ++p) {
            key_column(p);
            if (p == 0)
                drop_losers(1);
        }
        enter(rule->parts.size());
    }

    void key_column(std::size_t part) {
        const auto& key = rule->parts[part];
        if (!key.applies) {
            std::fill_n(keys[part].begin(), some.size, 0.0);
            return;
        }
        fill(*key.what, {keys[part].data(), some.size});
        for (std::size_t k = 0; k < some.size; ++k)
            keys[part][k] = in_steps(keys[part][k], key.factor);
    }

    void look() {
        if (rule->ordered)
            by_order();
        else
            by_price();
        some.size = 0;
    }

    /// What a part adds at every offer of each run at least, added to `floors`: terms grow with what they read, so the
    /// site's facts with the least shape give it.
    void add_floor(const ranking_rule::part& part) {
        const auto runs = book->runs();
        for (std::size_t from = 0; from < runs.size(); from += block_max) {
            some.size = std::min(block_max, runs.size() - from);
            for (std::size_t k = 0; k < some.size; ++k) {
                some.index[k] = runs[from + k].begin;
                some.cost[k] = 0;
            }
            fill(*part.what, {some.quantity.data(), some.size}, &want->least);
            for (std::size_t k = 0; k < some.size; ++k)
                floors[from + k] += rule->ordered ? in_steps(some.quantity[k], part.factor)
                                                  : part.factor * some.quantity[k] * (1.0 - rounding_slack);
        }
        some.size = 0;
    }

    void find_floors() {
        floors.assign(book->runs().size(), 0.0);
        const std::size_t counted = rule->ordered ? std::min<std::size_t>(rule->parts.size(), 1) : rule->parts.size();
        for (std::size_t p = 0; p < counted; ++p)  // of an order only the first key decides alone
            if (rule->parts[p].applies && !rule->parts[p].what->foreign)  // a library's may be 0 anywhere
                add_floor(rule->parts[p]);
    }

    double admitted_cost() const noexcept {
        const double bound = limit();
        if (rule->ordered)
            return floors[run] > bound ? -infinity : infinity;
        return (bound - floors[run]) * (1.0 + rounding_slack);
    }
};

ranker::ranker() : work_(std::make_unique<work>()) {}
ranker::~ranker() = default;

void ranker::begin(const offer_book& book, const demand& want, const workload_spec& spec, const ranking_rule& rule,
                   instant now, podium& best, podium& best_launchable) {
    const std::size_t keys = rule.ordered ? rule.parts.size() : 1;
    best.clear(keys);
    best_launchable.clear(keys);
    work& w = *work_;
    w.book = &book;
    w.want = &want;
    w.spec = &spec;
    w.rule = &rule;
    w.now = now;
    w.best = &best;
    w.launchable = &best_launchable;
    w.some.size = 0;
    w.find_floors();
}

void ranker::begin_run(std::size_t run) noexcept {
    work_->run = run;
    admitted_cost_ = work_->admitted_cost();
}

void ranker::keep(std::uint32_t index, double cost_base) {
    work& w = *work_;
    w.some.index[w.some.size] = index;
    w.some.cost[w.some.size] = cost_base;
    if (++w.some.size < block_max)
        return;
    w.look();
    admitted_cost_ = w.admitted_cost();
}

void ranker::finish() {
    work_->look();
}

double quantity_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index, bool at_once) {
    static thread_local block one;
    one.size = 1;
    one.index[0] = index;
    one.cost[0] = cost_of(book, want, index, at_once);
    start_option start;
    if (what.reads & (reads_energy | reads_carbon | reads_finish | reads_risk))
        start = start_of(want, want.sites[book.cols().site[index]], want.shapes[book.cols().shape[index]], at_once);
    one.fill_columns(book, want, what.reads, nullptr, &start);
    double quantity = 0;
    what.fill(one.context(book, want, spec, now, what), {&quantity, 1});
    return quantity;
}

void quantities_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::span<const std::uint32_t> index, std::span<const double> cost_base, std::span<double> out) {
    static thread_local block some;
    for (std::size_t from = 0; from < index.size(); from += block_max) {
        some.size = std::min(block_max, index.size() - from);
        std::copy_n(index.begin() + static_cast<std::ptrdiff_t>(from), some.size, some.index.begin());
        std::copy_n(cost_base.begin() + static_cast<std::ptrdiff_t>(from), some.size, some.cost.begin());
        some.fill_columns(book, want, what.reads);
        what.fill(some.context(book, want, spec, now, what), out.subspan(from, some.size));
    }
}

void quantities_at(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index, const priced_starts& starts, std::span<double> out) {
    static thread_local block some;
    for (std::size_t from = 0; from < out.size(); from += block_max) {
        some.size = std::min(block_max, out.size() - from);
        std::fill_n(some.index.begin(), some.size, index);
        std::copy_n(starts.cost_base.begin() + static_cast<std::ptrdiff_t>(from), some.size, some.cost.begin());
        some.fill_columns(book, want, what.reads, nullptr, starts.at.data() + from);
        what.fill(some.context(book, want, spec, now, what), out.subspan(from, some.size));
    }
}

bool resolve_rule(const policy& rules, term_table terms, const workload_spec& spec, const demand& want,
                  ranking_rule& into) {
    into.parts.clear();
    into.ordered = rules.ordered();
    const auto add = [&](const std::string& name, double factor) {
        const term* known = find_term(terms, name);
        if (!known)
            return false;
        const foreign_view* of_library = want.foreign_named(*known);
        const bool failed = of_library && !of_library->failure.empty();
        into.parts.push_back({known, factor, !failed && known->applies(spec)});
        return !failed || of_library->ignored_on_failure;
    };
    bool all_known = true;
    if (into.ordered)
        for (const auto& key : order_of(rules, spec))
            all_known &= into.parts.size() < order_keys_max && add(key.term, key.step);
    else
        for (const auto& price : rules.prices)
            all_known &= add(price.term, price.per_unit);
    into.bounded = nullptr;
    if (rules.within_of_least) {
        const term* bounded = find_term(terms, rules.within_of_least->term);
        all_known &= bounded && !bounded->foreign;
        if (all_known && bounded->applies(spec))
            into.bounded = bounded;
    }
    return all_known;
}

}  // namespace westerly
