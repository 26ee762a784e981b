// A part of one provider's offers taken over while the rest of the book stays where it is.
#include "broker/domain/freshness.hpp"
#include "broker/placement/offer_book.hpp"

#include <algorithm>
#include <utility>

namespace westerly {
namespace {

/// Rows that nothing uses any more are left until there may be so many as were in use, and some: a new row of a book
/// that grows is no such row.
constexpr std::size_t rows_spare_min = 256;

}  // namespace

bool same_but_date(const offer& a, const offer& b) {
    if (&a == &b || a == b)
        return true;
    offer dated = a;
    dated.as_of = b.as_of;
    return dated == b;
}

std::vector<std::uint32_t> offer_book::within(const provider_id& provider, const offer_id* after,
                                              const offer_id* upto) const {
    std::vector<std::uint32_t> found;
    const auto number = names_.find(provider);
    for (const site_run& run : runs_) {
        if (sites_[run.site].provider != number || (after && offers_[run.end - 1]->id <= *after) ||
            (upto && *upto < offers_[run.begin]->id))
            continue;
        for (std::uint32_t i = run.begin; i < run.end; ++i)
            if (!(after && offers_[i]->id <= *after) && !(upto && *upto < offers_[i]->id))
                found.push_back(i);
    }
    return found;
}

offer_book::part_change offer_book::replace_part(const provider_id& provider, std::span<const offer_list::shared> now,
                                                 const offer_id* after, const offer_id* upto) {
    part_change made;
    std::vector<std::uint32_t> gone;
    std::vector<offer_list::shared> added;
    bool other_rows = false;
    auto next = now.begin();
    for (const std::uint32_t i : within(provider, after, upto)) {
        for (; next != now.end() && (*next)->id < offers_[i]->id; ++next)
            added.push_back(*next);
        if (next == now.end() || (*next)->id != offers_[i]->id) {
            gone.push_back(i);
            made.gone.push_back(offers_[i]->id);
            leave_pool(*offers_[i]);
            distrusted_.erase(offers_[i]->id);
            ++rows_left_;
            continue;
        }
        other_rows |= take_over(i, *next++, made);
    }
    added.insert(added.end(), next, now.end());
    for (const auto& one : added)
        join_pool(*one);
    if (!gone.empty() || !added.empty())
        splice(gone, added);
    else if (other_rows)
        find_runs();
    else if (made.redated || !made.changed.empty())
        date_runs(provider);
    settle_pools();
    made.changed.insert(made.changed.end(), added.begin(), added.end());
    if (made.anything())
        ++version_;
    if (rows_left_ > rows_spare_min && sites_.size() + shapes_.size() > 2 * rows_in_use_ + rows_spare_min)
        forget_rows();
    return made;
}

/// The same offer as its provider tells it now. True: its site or shape is another.
bool offer_book::take_over(std::uint32_t i, const offer_list::shared& now, part_change& made) {
    if (!distrusted_.empty() && distrusted_.erase(now->id) > 0) {
        place_limits(i);
        made.trusted = true;
    }
    if (now == offers_[i])
        return false;
    ++made.compared;
    const bool same = same_but_date(*now, *offers_[i]);
    const std::uint32_t site = same || now->site == offers_[i]->site ? columns_.site[i] : site_of(*now);
    const auto before = std::exchange(offers_[i], now);
    place_date(i);
    if (same) {
        made.redated = true;
        made.lapsed_at = std::min(made.lapsed_at, lapses_at(*before));
        return false;
    }
    leave_pool(*before);
    join_pool(*now);
    const std::uint32_t shape = shape_of(*now);
    const bool other_rows = site != columns_.site[i] || shape != columns_.shape[i];
    rows_left_ += other_rows ? 1 : 0;
    columns_.site[i] = site;
    columns_.shape[i] = shape;
    place_price(i);
    place_limits(i);
    made.changed.push_back(now);
    return other_rows;
}

/// Takes out what is gone and puts in what is added, both in order; the rest is moved, not worked out anew.
void offer_book::splice(std::span<const std::uint32_t> gone, std::span<const offer_list::shared> added) {
    ++layout_;
    take_out(gone);
    const auto fresh = put_in(added);
    less_free_.clear();
    for (std::uint32_t i = 0; i < size(); ++i)
        if (columns_.free_units[i] != columns_.total_units[i])
            less_free_.insert(less_free_.end(), i);
    for (const std::uint32_t i : fresh) {
        const bool beside =
            i > 0 && offers_[i - 1]->provider == offers_[i]->provider && offers_[i - 1]->site == offers_[i]->site;
        columns_.site[i] = beside ? columns_.site[i - 1] : site_of(*offers_[i]);
        columns_.shape[i] = shape_of(*offers_[i]);
        place_price(i);
        place_date(i);
        place_limits(i);
    }
    find_runs();
}

/// What stands behind moves up, in the memory that is there.
void offer_book::take_out(std::span<const std::uint32_t> gone) {
    if (gone.empty())
        return;
    each_column([&](auto& column) {
        auto to = column.begin() + gone[0];
        for (std::size_t g = 0; g < gone.size(); ++g) {
            const auto end = g + 1 < gone.size() ? column.begin() + gone[g + 1] : column.end();
            to = std::move(column.begin() + gone[g] + 1, end, to);
        }
        column.erase(to, column.end());
    });
}

/// From the last one on, so that each offer moves down once; where they stand now. Columns are filled in later.
std::vector<std::uint32_t> offer_book::put_in(std::span<const offer_list::shared> added) {
    std::vector<std::uint32_t> before, fresh;  // which offer each stands before; where it will stand
    for (const auto& one : added) {
        before.push_back(static_cast<std::uint32_t>(first_not_before(one->id, before.empty() ? 0 : before.back())));
        fresh.push_back(before.back() + static_cast<std::uint32_t>(fresh.size()));
    }
    each_column([&](auto& column) {
        auto end = static_cast<std::ptrdiff_t>(column.size());
        column.resize(column.size() + added.size());
        for (std::size_t a = added.size(); a-- > 0;) {
            const auto from = static_cast<std::ptrdiff_t>(before[a]);
            std::move_backward(column.begin() + from, column.begin() + end,
                               column.begin() + end + static_cast<std::ptrdiff_t>(a) + 1);
            end = from;
        }
    });
    for (std::size_t a = 0; a < added.size(); ++a)
        offers_[fresh[a]] = added[a];
    return fresh;
}

void offer_book::reserve(std::size_t more) {
    const std::size_t wanted = size() + more;
    if (wanted > offers_.capacity())
        each_column([&](auto& column) { column.reserve(wanted); });
}

/// The first offer from `from` on whose id is not less.
std::size_t offer_book::first_not_before(const offer_id& id, std::size_t from) const noexcept {
    const auto at = std::lower_bound(offers_.begin() + static_cast<std::ptrdiff_t>(from), offers_.end(), id,
                                     [](const auto& o, const offer_id& wanted) { return o->id < wanted; });
    return static_cast<std::size_t>(at - offers_.begin());
}

void offer_book::date_provider(const provider_id& provider, instant confirmed_at, const offer_id* through) {
    each_of(provider, [&](std::size_t i) {
        if (offers_[i]->as_of == confirmed_at || (through && *through < offers_[i]->id))
            return;
        offer dated = *offers_[i];
        dated.as_of = confirmed_at;
        offers_[i] = std::make_shared<const offer>(std::move(dated));
        place_date(i);
    });
    date_runs(provider);
}

void offer_book::place_date(std::size_t i) {
    columns_.dated_from[i] = dated_from(*offers_[i]);
}

void offer_book::date_runs(const provider_id& provider) {
    const auto number = names_.find(provider);
    for (site_run& run : runs_)
        if (sites_[run.site].provider == number)
            date_run(run);
}

void offer_book::date_run(site_run& run) const {
    run.dated_from = instant::max();
    for (std::uint32_t i = run.begin; i < run.end; ++i)
        run.dated_from = std::min(run.dated_from, columns_.dated_from[i]);
}

void offer_book::forget_rows() {
    std::vector<kept_offer> all;
    all.reserve(size());
    for (std::size_t i = 0; i < size(); ++i)
        all.push_back({std::move(offers_[i]), columns_.site[i], columns_.shape[i]});
    rebuild(std::move(all));
}

}  // namespace westerly
