#include "broker/placement/market_based.hpp"

#include <algorithm>
#include <set>

namespace westerly {
namespace {

const std::string& grid_of(const offer_book& book, const appraisal& a) {
    return book.at(*book.find(a.offer)).site.grid_zone;
}

}  // namespace

std::vector<appraisal*> told_of_offers(decision& made) {
    std::vector<appraisal*> told;
    for (appraisal& each : made.ranked)
        told.push_back(&each);
    if (made.baseline)
        told.push_back(&*made.baseline);
    return told;
}

certificate_scope certificate_scope_of(const offer_book& book, std::span<appraisal* const> told) {
    certificate_scope scope;
    for (const appraisal* each : told) {
        const std::string& grid = grid_of(book, *each);
        if (!each->non_green_kwh || grid.empty())
            continue;
        scope.from = scope.grids.empty() ? each->start_at : std::min(scope.from, each->start_at);
        scope.to = scope.grids.empty() ? each->finish_at : std::max(scope.to, each->finish_at);
        if (std::ranges::find(scope.grids, grid) == scope.grids.end())
            scope.grids.push_back(grid);
    }
    return scope;
}

std::vector<allocable_power> count_certificates(const offer_book& book, std::span<const allocable_power> there,
                                                std::span<appraisal* const> told) {
    std::set<std::size_t> counted;
    for (appraisal* each : told) {
        const auto wanted = non_green_microkwh(*each);
        if (!wanted)
            continue;
        const power_covered given =
            cover(there, grid_of(book, *each), each->start_at, each->finish_at, *wanted, each->finish_at);
        if (given.microkwh == 0)
            continue;
        counted.insert(given.taken_from.begin(), given.taken_from.end());
        each->certificates_microkwh = given.microkwh;
        const double rest = static_cast<double>(*wanted - given.microkwh) / static_cast<double>(*wanted);
        if (rest == 0)
            each->carbon_market_kg = given.carbon_kg;
        else if (each->carbon_market_kg)
            *each->carbon_market_kg = given.carbon_kg + *each->carbon_market_kg * rest;
    }
    std::vector<allocable_power> some;
    for (const std::size_t i : counted)
        some.push_back(there[i]);
    return some;
}

}  // namespace westerly
