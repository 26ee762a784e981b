#include "broker/engine/score_board.hpp"

#include <algorithm>

namespace westerly {
namespace {

bool failed(const std::vector<foreign_column>& columns) {
    return std::ranges::any_of(columns, [](const foreign_column& each) { return !each.failure.empty(); });
}

std::size_t quantities(const std::vector<foreign_column>& columns) {
    std::size_t sum = 0;
    for (const foreign_column& each : columns)
        sum += each.quantity.size();
    return sum;
}

seconds again_after(std::uint32_t failures) {
    const auto doubled = scores_again_first * (1u << std::min(failures, 8u));
    return std::min(std::chrono::duration_cast<seconds>(doubled), scores_again_last);
}

}  // namespace

void score_board::set_due(const demand_shape& shape, entry& e, std::optional<instant> at) {
    if (e.due)
        dues_.erase({*e.due, shape});
    e.due = at;
    if (at)
        dues_.emplace(*at, shape);
}

const std::vector<foreign_column>* score_board::heard(const demand_shape& shape, std::uint64_t book_version,
                                                      instant now) const {
    const auto at = entries_.find(shape);
    return at != entries_.end() && good(at->second, book_version, now) ? &at->second.columns : nullptr;
}

void score_board::want(const demand_shape& shape, instant now) {
    set_due(shape, entries_[shape], now + scores_kept);
    if (std::ranges::find(wanted_, shape) == wanted_.end())
        wanted_.push_back(shape);
}

std::optional<demand_shape> score_board::pop_wanted() {
    if (wanted_.empty() || !may_ask())
        return std::nullopt;
    const demand_shape first = wanted_.front();
    wanted_.pop_front();
    return first;
}

std::uint64_t score_board::ask(const demand_shape& shape, std::uint64_t book_version, std::size_t questions,
                               instant now) {
    entry& e = entries_[shape];
    kept_ -= quantities(e.columns);
    e.columns.clear();
    e.is = standing::asked;
    e.ticket = ++last_ticket_;
    e.book_version = book_version;
    e.awaited = questions;
    asked_.emplace(e.ticket, shape);
    set_due(shape, e, now + scores_lost_after);
    return e.ticket;
}

std::optional<demand_shape> score_board::take(offers_scored answer, instant now) {
    const auto of = asked_.find(answer.ticket);
    if (of == asked_.end())
        return std::nullopt;
    const demand_shape shape = of->second;
    entry& e = entries_.at(shape);
    kept_ += answer.column.quantity.size();
    e.columns.push_back(std::move(answer.column));
    if (--e.awaited > 0)
        return std::nullopt;
    asked_.erase(of);
    kept_ -= quantities(e.columns);
    tell(shape, std::exchange(e.columns, {}), e.book_version, now);
    return shape;
}

void score_board::tell(const demand_shape& shape, std::vector<foreign_column> columns, std::uint64_t book_version,
                       instant now) {
    entry& e = entries_[shape];
    e.is = standing::told;
    e.book_version = book_version;
    kept_ -= quantities(e.columns);
    e.columns = std::move(columns);
    e.kept.reset();
    kept_ += quantities(e.columns);
    const bool in_vain = failed(e.columns);
    set_due(shape, e, now + (in_vain ? again_after(e.failures) : scores_kept));
    e.failures = in_vain ? e.failures + 1 : 0;
    keep_few(shape);
}

/// What is told longest goes first; whoever needs it asks again.
void score_board::keep_few(const demand_shape& but) {
    for (auto at = dues_.begin(); at != dues_.end() && kept_ > scored_offers_max;) {
        const demand_shape shape = (at++)->second;
        const entry& e = entries_.at(shape);
        if (shape != but && e.is == standing::told && e.priorities.empty() && e.plans.empty())
            forget(shape);
    }
}

void score_board::forget(const demand_shape& shape) {
    entry& e = entries_.at(shape);
    kept_ -= quantities(e.columns);
    set_due(shape, e, std::nullopt);
    entries_.erase(shape);
}

std::optional<demand_shape> score_board::pop_due(instant now) {
    while (!dues_.empty() && dues_.begin()->first <= now) {
        const demand_shape shape = dues_.begin()->second;
        entry& e = entries_.at(shape);
        if (e.is == standing::asked)
            asked_.erase(e.ticket);
        if (e.priorities.empty() && e.plans.empty()) {
            forget(shape);
            continue;
        }
        kept_ -= quantities(e.columns);
        e.columns.clear();
        e.is = standing::wanted;
        set_due(shape, e, now + scores_kept);
        return shape;
    }
    return std::nullopt;
}

std::optional<instant> score_board::next_due() const {
    return dues_.empty() ? std::nullopt : std::optional(dues_.begin()->first);
}

std::vector<plan_workload> score_board::forget_all() {
    std::vector<plan_workload> plans;
    for (auto& [shape, e] : entries_)
        std::ranges::move(e.plans, std::back_inserter(plans));
    entries_.clear();
    asked_.clear();
    dues_.clear();
    wanted_.clear();
    kept_ = 0;
    return plans;
}

}  // namespace westerly
