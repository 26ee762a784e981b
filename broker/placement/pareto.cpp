#include "broker/placement/compare.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bool before(const pareto_point& a, const pareto_point& b) noexcept {
    if (a.respects != b.respects)
        return a.respects < b.respects;
    return std::pair(a.index, a.tasks) < std::pair(b.index, b.tasks);
}

double or_infinity(double value) noexcept {
    return std::isnan(value) ? infinity : value;
}

pareto_point place_of(const offer_book& book, const demand& want, std::uint32_t index, double cost) {
    const site_view& site = want.sites[book.cols().site[index]];
    const shape_view& shape = want.shapes[book.cols().shape[index]];
    const start_option start = start_of(want, site, shape);
    return {{cost, want.request.waits_at_it ? or_infinity(site.rtt_ms) : 0.0,
             or_infinity(facility_at(site, shape, start).carbon_kg),
             std::isnan(start.green_share) ? infinity : -start.green_share,
             static_cast<double>(earliest_finish_ms(site, shape) + start.delay_ms)},
            index};
}

/// `other` beats it, or is equal to it and stands for it.
bool left_out_for(const pareto_point& other, const pareto_point& one) noexcept {
    for (std::size_t k = 0; k < one.respects.size(); ++k)
        if (other.respects[k] > one.respects[k])
            return false;
    return !one.won || other.respects != one.respects;
}

/// Of one site at one start, what tells its offers apart: in all else they are alike. Carbon rises with the energy.
struct unlike {
    double cost = infinity, it_kwh = infinity, finish_ms = infinity;
};

/// The site's offers that came first and were not beaten: most of the others are beaten by one of these few, before
/// anything is worked out about them.
class forerunners {
public:
    void clear() noexcept { size_ = next_ = 0; }
    bool beat(const unlike& one) noexcept {
        for (std::size_t i = 0; i < size_; ++i)
            if (few_[i].cost <= one.cost && few_[i].it_kwh <= one.it_kwh && few_[i].finish_ms <= one.finish_ms)
                return true;
        few_[next_] = one;
        next_ = (next_ + 1) % few_.size();
        size_ = std::min(size_ + 1, few_.size());
        return false;
    }

private:
    std::array<unlike, 8> few_{};
    std::size_t size_ = 0, next_ = 0;
};

}  // namespace

void keep_undominated(std::vector<pareto_point>& all) {
    // Sorted, whoever beats another stands before it: one pass against those that are left is enough.
    std::sort(all.begin(), all.end(), before);
    std::size_t kept = 0;
    for (const pareto_point& one : all)
        if (std::none_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept),
                         [&](const pareto_point& other) { return left_out_for(other, one); }))
            all[kept++] = one;
    all.resize(kept);
}

void keep_first(std::vector<pareto_point>& all, std::size_t most) {
    if (all.size() <= most)
        return;
    const auto won = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(most), all.end(),
                                  [](const pareto_point& one) { return one.won; });
    if (won != all.end())
        all[most - 1] = *won;
    all.resize(most);
}

std::vector<pareto_point> pareto_front(const offer_book& book, const demand& want, std::uint32_t tasks,
                                       std::optional<std::uint32_t> winner) {
    static thread_local survivors left;
    filter_book(book, want, nullptr, left);
    // Site by site first: few of one site's offers are left, and those of all sites are then few.
    std::vector<pareto_point> all, here;
    forerunners first;
    const bool at_once = !want.starts.active();  // else a site's offers may start under unlike grids
    for (std::size_t k = 0, run = 0; k < left.size; ++run) {
        const std::uint32_t end = book.runs()[run].end;
        here.clear();
        first.clear();
        for (; k < left.size && left.index[k] < end; ++k) {
            const shape_view& shape = want.shapes[book.cols().shape[left.index[k]]];
            const bool won = left.index[k] == winner;
            if (at_once && !shape.alone && !won &&
                first.beat(
                    {left.cost_base[k], or_infinity(shape.it_kwh), static_cast<double>(shape.start_ms + shape.run_ms)}))
                continue;
            here.push_back(place_of(book, want, left.index[k], left.cost_base[k]));
            here.back().won = won;
        }
        keep_undominated(here);
        all.insert(all.end(), here.begin(), here.end());
    }
    keep_undominated(all);
    for (pareto_point& one : all)
        one.tasks = tasks;
    return all;
}

}  // namespace westerly
