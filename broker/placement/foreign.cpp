// Terms of libraries: their rows in the table, and what a decision knows of them.
#include "broker/placement/demand.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::string_view not_asked = "its library was not asked";
constexpr std::string_view of_other_offers = "what its library said is of other offers";

/// Nobody weighs a column that is not there; should somebody, it is unknown and not what lies beyond.
void take_column(const term_context& context, std::span<double> out) {
    if (context.foreign.empty()) {
        std::ranges::fill(out, std::numeric_limits<double>::quiet_NaN());
        return;
    }
    for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = context.foreign[context.candidates[k]];
}

foreign_view view_of(const term& what, bool ignored_on_failure, const offer_book& book, std::uint32_t tasks,
                     std::span<const foreign_column> said, bool& gaps) {
    foreign_view view{.what = &what, .quantity = {}, .failure = {}, .ignored_on_failure = ignored_on_failure};
    const auto column = std::ranges::find_if(
        said, [&](const foreign_column& each) { return each.term == what.name && each.tasks == tasks; });
    if (column == said.end()) {
        view.failure = not_asked;
    } else if (!column->failure.empty()) {
        view.failure = column->failure;
    } else if (column->quantity.size() != book.size()) {
        view.failure = of_other_offers;
    } else {
        view.quantity = column->quantity;
        gaps |= column->gaps;
    }
    return view;
}

}  // namespace

term foreign_term(std::string_view name, std::string_view unit, std::string_view meaning) noexcept {
    return {.name = name,
            .unit = unit,
            .meaning = meaning,
            .reads = reads_nothing,
            .applies = [](const workload_spec&) { return true; },
            .fill = take_column,
            .priceable = true,
            .orderable = true,
            .foreign = true};
}

const foreign_view* demand::foreign_named(const term& what) const noexcept {
    const auto at = std::ranges::find(foreign, &what, &foreign_view::what);
    return at == foreign.end() ? nullptr : &*at;
}

std::span<const double> demand::said_of(const term& what) const noexcept {
    const foreign_view* of = what.foreign ? foreign_named(what) : nullptr;
    return of ? of->quantity : std::span<const double>();
}

bool demand::knows_foreign(std::size_t i) const noexcept {
    return std::ranges::none_of(
        foreign, [&](const foreign_view& each) { return each.failure.empty() && std::isnan(each.quantity[i]); });
}

void resolve_foreign(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                     const decision_world& world, demand& into) {
    into.foreign.clear();
    into.foreign_gaps = false;
    const auto add = [&](const std::string& name, bool ignored_on_failure) {
        const term* known = find_term(terms, name);
        if (known && known->foreign)
            into.foreign.push_back(
                view_of(*known, ignored_on_failure, book, spec.tasks, world.foreign, into.foreign_gaps));
    };
    for (const auto& price : policy.prices)
        add(price.term, price.ignored_on_failure);
    for (const auto& key : order_of(policy, spec))
        add(key.term, key.ignored_on_failure);
}

}  // namespace westerly
