#include "broker/domain/foreign_term.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace westerly {

std::size_t tidy(foreign_column& column) noexcept {
    std::size_t unknown = 0;
    for (double& quantity : column.quantity)
        if (!(quantity >= 0) || std::isinf(quantity)) {
            quantity = std::numeric_limits<double>::quiet_NaN();
            ++unknown;
        }
    column.gaps = unknown > 0;
    return unknown;
}

std::size_t foreign_runs::offers() const noexcept {
    std::size_t sum = 0;
    for (const auto& [count, quantity] : runs)
        sum += count;
    return sum;
}

std::optional<std::vector<foreign_runs>> runs_of(std::span<const foreign_column> columns) {
    std::vector<foreign_runs> kept;
    std::size_t all = 0;
    for (const foreign_column& column : columns) {
        foreign_runs& into = kept.emplace_back();
        into.term = column.term;
        into.tasks = column.tasks;
        into.failure = column.failure;
        for (const double quantity : column.quantity) {
            const bool same = !into.runs.empty() && std::bit_cast<std::uint64_t>(into.runs.back().second) ==
                                                        std::bit_cast<std::uint64_t>(quantity);
            if (same)
                ++into.runs.back().first;
            else if (++all > foreign_runs_max)
                return std::nullopt;
            else
                into.runs.emplace_back(1, quantity);
        }
    }
    return kept;
}

std::vector<foreign_column> columns_of(std::span<const foreign_runs> kept) {
    std::vector<foreign_column> columns;
    for (const foreign_runs& each : kept) {
        foreign_column& into = columns.emplace_back();
        into.term = each.term;
        into.tasks = each.tasks;
        into.failure = each.failure;
        into.quantity.reserve(each.offers());
        for (const auto& [count, quantity] : each.runs)
            into.quantity.insert(into.quantity.end(), count, quantity);
        into.gaps = std::ranges::any_of(into.quantity, [](double each_of_them) { return std::isnan(each_of_them); });
    }
    return columns;
}

}  // namespace westerly
