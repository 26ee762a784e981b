#pragma once

#include "broker/placement/demand.hpp"

#include <array>

namespace westerly {

/// The first sieve: what most offers fail by, and what they cost. Rejections are numbered in filter order, so of site,
/// shape and capacity codes the least is the first that fails; prices are judged after them.
struct sieve {
    std::span<const std::uint32_t> free_narrow, total_narrow;  // columns of the book
    std::span<const double> price;                             // too; below 0: none
    std::span<const std::uint8_t> shape_codes;                 // the codes that shapes can have here
};
/// Offers [begin, end) of one site. `site_code` is a code before price_missing, or `passes`.
struct sieve_range {
    std::uint32_t begin, end;
    sieve_words shapes;  // of their shapes, one each
    std::uint8_t site_code;
    double cost_max;  // dearer ones pass, but are not written: nothing asks for them
};
struct sieved {
    std::size_t kept = 0;    // written
    std::size_t passed = 0;  // all that are not counted as rejected
};

/// Counts the codes of the rejected offers and writes the indices of the others to `out`, ascending: those that cost at
/// most cost_max, and those whose cost_per_nano is NaN. `out` has room for the whole range.
using sieve_run = sieved (*)(const sieve& by, const sieve_range& range, std::uint32_t* out,
                             std::array<std::uint32_t, 256>& counts);

sieved sieve_plain(const sieve& by, const sieve_range& range, std::uint32_t* out,
                   std::array<std::uint32_t, 256>& counts);

/// The fastest one that this processor has; all give the same results. Asked once.
sieve_run best_sieve() noexcept;

}  // namespace westerly
