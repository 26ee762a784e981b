#pragma once

#include "tests/property/world.hpp"

namespace westerly::laws {

/// Whether the world's workload fits on one offer, and on how much of it.
class fit_of_one {
public:
    fit_of_one(const world& w, const offer& o) : w_(w), o_(o), s_(w.spec) {}

    /// Of the stack and the driver that the variant asks for.
    bool has_version(const variant& v) const;
    bool precise() const;
    bool any_card_fits() const;
    /// That are billed; 0: it does not fit.
    double units() const;
    /// That the gang stands on, however many are billed at least.
    double units_taken() const;
    /// The first alternative that the cards meet; as many as there are: none.
    std::size_t preference() const;
    /// Of the whole gang.
    std::uint64_t cards() const;

private:
    bool cards_meet(const accelerator_need& n) const;
    /// Tries every number of units until the gang fits; the slow and plain way.
    double units_with(std::uint32_t cards) const;

    const world& w_;
    const offer& o_;
    const workload_spec& s_;
};

}  // namespace westerly::laws
