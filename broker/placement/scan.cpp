#include "broker/placement/scan.hpp"

#include "broker/domain/energy.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::uint8_t code(rejection why) noexcept {
    return static_cast<std::uint8_t>(why);
}

facility_energy energy_at(const site_view& site, const shape_view& shape) noexcept {
    return facility_of(
        shape.it_kwh,
        {.pue = site.pue, .green_power_share = site.green_share, .carbon_g_per_kwh = site.carbon_g_per_kwh});
}

/// The first failing filter of an offer. Rejections are numbered in filter order, so the first is the least.
inline std::uint8_t code_of(const offer_book::columns& cols, const demand& want, const site_view& site,
                            const shape_view& shape, std::size_t i) noexcept {
    std::uint8_t first = std::min(site.code, shape.code);
    if (cols.free_units[i] < shape.units)
        first = std::min(
            first, cols.total_units[i] < shape.units ? code(rejection::capacity_never) : code(rejection::capacity_now));
    const std::int64_t price = cols.price_nanos[i];
    if (price < 0)
        first = std::min(first, code(rejection::price_missing));
    if (price > shape.price_max)
        first = std::min(first, code(rejection::max_price));
    if (price > shape.budget_max)
        first = std::min(first, code(rejection::budget));
    if (want.request.deadline_ms && finish_ms(want, site, shape) > *want.request.deadline_ms)
        first = std::min(first, code(rejection::deadline));
    if (want.request.max_carbon_kg && !(energy_at(site, shape).carbon_kg <= *want.request.max_carbon_kg))
        first = std::min(first, code(rejection::max_carbon));
    return first;
}

/// Keeps the cheapest, launchable ones before others.
class cheapest {
public:
    explicit cheapest(const offer_book& book, const demand& want) : book_(book), want_(want) {}
    double limit() const noexcept { return limit_; }
    void look_at(std::uint32_t index, double cost) noexcept {
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

}  // namespace

bool better(const standing& a, const standing& b, std::size_t keys) noexcept {
    for (std::size_t k = 0; k < keys; ++k)
        if (a.keys[k] != b.keys[k])
            return a.keys[k] < b.keys[k];
    if (a.launchable != b.launchable)
        return a.launchable;
    if (a.finish_ms != b.finish_ms)
        return a.finish_ms < b.finish_ms;
    if (a.non_green_kwh != b.non_green_kwh)
        return a.non_green_kwh < b.non_green_kwh;
    if (a.rtt_ms != b.rtt_ms)
        return a.rtt_ms < b.rtt_ms;
    return a.index < b.index;
}

void podium::clear(std::size_t keys) noexcept {
    size_ = 0;
    keys_ = keys;
    limit_ = infinity;
}

void podium::offer_place(const standing& s) noexcept {
    std::size_t at = size_;
    while (at > 0 && better(s, entries_[at - 1], keys_))
        --at;
    if (at >= places_)
        return;
    const std::size_t last = std::min(size_, places_ - 1);
    for (std::size_t i = last; i > at; --i)
        entries_[i] = entries_[i - 1];
    entries_[at] = s;
    size_ = std::min(size_ + 1, places_);
    if (size_ == places_)
        limit_ = keys_ > 0 ? entries_[size_ - 1].keys[0] : infinity;
}

standing standing_of(const offer_book& book, const demand& want, std::uint32_t index) noexcept {
    const site_view& site = want.sites[book.cols().site[index]];
    const shape_view& shape = want.shapes[book.cols().shape[index]];
    standing s{.index = index, .launchable = shape.launchable, .finish_ms = finish_ms(want, site, shape)};
    const double non_green = energy_at(site, shape).non_green_kwh;
    s.non_green_kwh = std::isnan(non_green) ? infinity : non_green;
    if (want.request.waits_at_it)
        s.rtt_ms = std::isnan(site.rtt_ms) ? infinity : site.rtt_ms;
    return s;
}

std::uint8_t verdict(const offer_book& book, const demand& want, std::size_t i) noexcept {
    const auto& cols = book.cols();
    return code_of(cols, want, want.sites[cols.site[i]], want.shapes[cols.shape[i]], i);
}

void filter_book(const offer_book& book, const demand& want, survivors& into) {
    const auto& cols = book.cols();
    into.index.resize(std::max(into.index.size(), book.size()));
    into.cost_base.resize(into.index.size());
    into.counts.fill(0);
    cheapest base(book, want);
    std::size_t kept = 0;
    for (const auto& run : book.runs()) {
        const site_view& site = want.sites[run.site];
        if (site.code <= want.earliest_shape_code && site.code < code(rejection::capacity_never)) {
            into.counts[site.code] += run.end - run.begin;
            continue;
        }
        for (std::uint32_t i = run.begin; i < run.end; ++i) {
            const shape_view& shape = want.shapes[cols.shape[i]];
            const std::uint8_t first = code_of(cols, want, site, shape, i);
            if (first != passes) {
                ++into.counts[first];
                continue;
            }
            const double cost = static_cast<double>(cols.price_nanos[i]) * shape.cost_per_nano;
            into.index[kept] = i;
            into.cost_base[kept] = cost;
            ++kept;
            if (cost <= base.limit())
                base.look_at(i, cost);
        }
    }
    into.size = kept;
    into.baseline = base.best();
    into.baseline_cost = into.baseline ? into.baseline->keys[0] : 0;
}

void keep_within(double limit, survivors& among) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < among.size; ++k) {
        among.index[kept] = among.index[k];
        among.cost_base[kept] = among.cost_base[k];
        kept += among.cost_base[k] <= limit;
    }
    among.counts[code(rejection::too_dear_for_policy)] += static_cast<std::uint32_t>(among.size - kept);
    among.size = kept;
}

std::int64_t finish_ms(const demand& want, const site_view& site, const shape_view& shape) noexcept {
    return shape.start_ms + site.data_movement_ms + static_cast<std::int64_t>(want.request.runtime_s) * 1000;
}

double cost_of(const offer_book& book, const demand& want, std::size_t i) noexcept {
    return static_cast<double>(book.cols().price_nanos[i]) * want.shapes[book.cols().shape[i]].cost_per_nano;
}

double in_steps(double quantity, double step) noexcept {
    return step > 0 ? std::ceil(quantity / step) : quantity;
}

}  // namespace westerly
