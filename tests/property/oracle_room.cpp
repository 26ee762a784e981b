#include "tests/property/oracle_room.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace westerly::laws {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::uint64_t size_of(const offer& o) {
    return o.accelerators ? o.accelerators->count : o.vcpus;
}

}  // namespace

double room_of_one::in_all() const {
    double least = o_.units_free ? static_cast<double>(*o_.units_free) + static_cast<double>(o_.units_ours) : infinity;
    if (o_.supply.host.empty())
        return least;
    double host_parts = 0;
    for (const auto& o : w_.offers)
        if (o_.launchable ? sells_of_same_host(o) : o.id == o_.id)
            host_parts = std::max(host_parts, static_cast<double>(o.supply.host_units.value_or(0) * size_of(o)));
    return host_parts > 0 ? std::min(least, std::floor(host_parts / static_cast<double>(size_of(o_)))) : least;
}

bool room_of_one::sells_of_same_host(const offer& o) const {
    return o.supply.host == o_.supply.host && o.launchable && o_.launchable &&
           o.accelerators.has_value() == o_.accelerators.has_value() &&
           (o.accelerators ? o.accelerators->model == o_.accelerators->model : o.architecture == o_.architecture);
}

double room_of_one::free() const {
    double ours = 0;
    for (const auto& [id, n] : w_.live)
        if (id == o_.id)
            ours = static_cast<double>(n);  // the last word counts
    return std::min(std::max(0.0, in_all() - ours), static_cast<double>(at_host()));
}

std::uint64_t room_of_one::at_host() const {
    constexpr std::uint64_t plenty = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t stated = 0, most = 0, held_by_all = 0, held_by_others = 0;
    bool several = false, no_limit = false;
    for (const auto& o : w_.offers) {
        if (o_.supply.host.empty() || !sells_of_same_host(o))
            continue;
        several |= o.provider != o_.provider;
        no_limit |= !o.units_free;
        stated = std::max(stated, o.supply.host_units.value_or(0) * size_of(o));
        most = std::max(most, (o.units_free.value_or(0) + o.units_ours) * size_of(o));
        std::uint64_t held = 0;
        for (const auto& [id, n] : w_.live)
            if (id == o.id)
                held = n * size_of(o);
        held_by_all += held;
        held_by_others += o.provider != o_.provider ? held : 0;
    }
    if (stated > 0)
        return (stated - std::min(stated, held_by_all)) / size_of(o_);
    if (!several || no_limit)
        return plenty;
    return (most - std::min(most, held_by_others)) / size_of(o_);
}

}  // namespace westerly::laws
