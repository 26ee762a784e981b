#pragma once

#include "broker/placement/demand.hpp"

#include <array>

namespace westerly {

/// The first sieve: per offer the least of the site's code, the shape's code and the capacity codes. Rejections are
/// numbered in filter order, so the least is the first that fails.
struct sieve {
    std::span<const std::uint32_t> free_narrow, total_narrow;  // columns of the book
    std::span<const std::uint8_t> shape_codes;                 // the codes that shapes can have here
};
/// Offers [begin, end) of one site. `packed` holds code and units of their shapes, one each, see demand; `site_code` is
/// a code before price_missing, or `passes`.
struct sieve_range {
    std::uint32_t begin, end;
    const std::uint32_t* packed;
    std::uint8_t site_code;
};

/// Counts the codes of the rejected offers and writes the indices of the others to `out`, ascending; `out` has room for
/// the whole range. Returns how many.
using sieve_run = std::size_t (*)(const sieve& by, const sieve_range& range, std::uint32_t* out,
                                  std::array<std::uint32_t, 256>& counts);

std::size_t sieve_plain(const sieve& by, const sieve_range& range, std::uint32_t* out,
                        std::array<std::uint32_t, 256>& counts);

/// The fastest one that this processor has; all give the same results. Asked once.
sieve_run best_sieve() noexcept;

}  // namespace westerly
