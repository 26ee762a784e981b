#include "broker/domain/freshness.hpp"
#include "broker/placement/bill.hpp"
#include "broker/placement/rank.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

bool better(const standing& a, const standing& b, std::size_t keys) noexcept {
    for (std::size_t k = 0; k < keys; ++k)
        if (a.keys[k] != b.keys[k])
            return a.keys[k] < b.keys[k];
    if (a.launchable != b.launchable)
        return a.launchable;
    if (a.stale != b.stale)
        return b.stale;
    if (a.finish_ms != b.finish_ms)
        return a.finish_ms < b.finish_ms;
    if (a.non_green_kwh != b.non_green_kwh)
        return a.non_green_kwh < b.non_green_kwh;
    if (a.rtt_ms != b.rtt_ms)
        return a.rtt_ms < b.rtt_ms;
    if (a.preference != b.preference)
        return a.preference < b.preference;
    return a.index < b.index;
}

standing standing_of(const offer_book& book, const demand& want, std::uint32_t index) {
    const site_view& site = want.sites[book.cols().site[index]];
    const shape_view& shape = want.shapes[book.cols().shape[index]];
    const start_option start = start_of(want, site, shape);
    standing s{.index = index,
               .launchable = shape.launchable,
               .stale = site.dated && stale_from(book.at(index)) <= want.request.now,
               .finish_ms = earliest_finish_ms(site, shape) + start.delay_ms,
               .preference = shape.preference};
    const facility_energy used = facility_at(site, shape, start);
    s.non_green_kwh = std::isnan(used.non_green_kwh) ? infinity : used.non_green_kwh;
    if (want.request.waits_at_it)
        s.rtt_ms = std::isnan(site.rtt_ms) ? infinity : site.rtt_ms;
    return s;
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
    if (size_ == places_ && keys_ > 0)
        limit_ = entries_[size_ - 1].keys[0];
}

bool may_start_at_once(const offer_book& book, const demand& want, std::size_t i) {
    const shape_view& shape = want.shapes[book.cols().shape[i]];
    if (!shape.alone)
        return true;
    const std::uint8_t first = hourly_at_once(want, want.sites[book.cols().site[i]], shape).code;
    return first == passes || first == static_cast<std::uint8_t>(rejection::too_dear_for_policy);
}

double cost_of(const offer_book& book, const demand& want, std::size_t i, bool at_once) {
    const site_view& site = want.sites[book.cols().site[i]];
    const shape_view& shape = want.shapes[book.cols().shape[i]];
    if (shape.hourly)
        return at_once ? hourly_at_once(want, site, shape).cost_base : hourly_best(want, site, shape).cost_base;
    return cost_base_at(want, site, shape, book.cols().price[i]) + site.egress_base;
}

}  // namespace westerly
