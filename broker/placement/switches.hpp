#pragma once

#include "broker/placement/compare.hpp"

namespace westerly {

/// Of the ε-forms, over all sizes.
struct switch_limits {
    std::optional<double> dearest;  // C
    std::optional<double> most;     // of the term that the policy bounds
};

/// At which prices of a term another offer would be ahead of the winner. At another price both would choose their
/// starts, and their sizes where the workload gives a range, anew: J of an offer is the least of many lines over the
/// price, one for each start and size, and the prices are those where two such curves cross.
///
/// Told    for each other offer and term at most two: the nearest price above the present one from which the offer is
///         ahead, and the nearest one below which it is.
/// Honesty Nothing is told of a term that is not known at one of the two, of an order, nor where the policy refers to
///         the cheapest and prices change with the hour, or to the least of a term and runs may wait: what may be
///         ranked then depends on the price itself.
class switch_search {
public:
    /// `offers`: indices into the book, the winner first.
    switch_search(const policy& rules, term_table terms, std::vector<std::uint32_t> offers);
    /// What the offers come to in one size of the gang; those that do not pass in it, or are beyond a limit, are left
    /// out.
    void add(const comparison& by, const switch_limits& limits = {});
    /// By offer, in the order given, and by term, in the table's.
    std::vector<switch_price> found(const offer_book& book) const;

    /// J over the price of one term, all else as it is.
    struct line {
        double at_zero = 0;
        double slope = 0;  // the amount of the term
        double at(double price) const noexcept { return at_zero + slope * price; }
    };

private:
    void add_offer(const comparison& by, std::size_t number);
    std::vector<line>& lines(std::size_t number, std::size_t term) { return lines_[number * terms_.size() + term]; }

    const policy& rules_;
    const term_table terms_;
    const std::vector<std::uint32_t> offers_;
    std::vector<std::vector<line>> lines_;  // by offer and term
};

}  // namespace westerly
