#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// How many units of one offer there are, counted from the top.
class room_of_one {
public:
    room_of_one(const world& w, const offer& o) : w_(w), o_(o) {}

    /// What its seller ever has, or its host where that is less; infinity: no limit.
    double in_all() const;
    double free() const;

private:
    bool sells_of_same_host(const offer& o) const;
    /// What the host has left for this offer: everything that anybody sells of it is looked at.
    std::uint64_t at_host() const;

    const world& w_;
    const offer& o_;
};

}  // namespace westerly::laws
