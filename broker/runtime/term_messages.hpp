#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace westerly::term_protocol {

/// What the broker and westerly-termhost say to each other: packets of fixed size over a socket pair, columns in shared
/// memory. Both are built together: there are no versions of this (of the library's C ABI there are).
///
///   host → broker  greeting, once, when the library is loaded and has taken its options (or has not)
///   broker → host  question; with two descriptors where the memory is new: the columns, which the host can only read,
///                  and the quantities, which it writes
///   host → broker  reply, once a question
///
/// The broker writes to the memory only while no question is under way. A host whose socket ends ends itself.
inline constexpr std::uint32_t magic = 0x57545231;
inline constexpr std::size_t text_max = 256;
using text = std::array<char, text_max>;  // UTF-8, ended by a NUL

enum class greeting_outcome : std::uint32_t { fine, not_loaded, not_a_term, wrong_abi, options_refused };
struct greeting {
    std::uint32_t magic_number = magic;
    greeting_outcome outcome = greeting_outcome::fine;
    std::uint32_t abi = 0;  // the library's
    text unit{}, meaning{};
    text fault{};  // what went wrong
};

/// How much of each there is; where it lies follows from that.
struct counts {
    std::uint64_t names = 0, name_bytes = 0, sites = 0, shapes = 0, offers = 0;
};
struct question {
    std::uint32_t magic_number = magic;
    std::uint32_t service = 0, interactive = 0, tasks = 1;
    std::uint64_t number = 0;
    std::uint64_t table = 0;  // of another number than the last one: names are to be looked at anew
    counts have;
};
struct reply {
    std::uint32_t magic_number = magic;
    std::int32_t result = 0;  // the library's; not 0: it has failed
    std::uint64_t number = 0;
};

/// The columns' places in the shared memory, as offsets in bytes. Doubles first, so that all are aligned; then numbers
/// of 32 bits; then the names, each ended by a NUL.
inline constexpr std::size_t site_doubles = 7, shape_doubles = 8, offer_doubles = 2;
inline constexpr std::size_t site_numbers = 5, shape_numbers = 2, offer_numbers = 2;
struct layout {
    std::size_t sites_real, shapes_real, offers_real, sites_number, shapes_number, offers_number, names, end;
};
constexpr layout layout_of(const counts& have) noexcept {
    layout at{};
    std::size_t next = 0;
    const auto take = [&next](std::size_t count, std::size_t width) {
        const std::size_t from = next;
        next += count * width;
        return from;
    };
    at.sites_real = take(site_doubles * have.sites, sizeof(double));
    at.shapes_real = take(shape_doubles * have.shapes, sizeof(double));
    at.offers_real = take(offer_doubles * have.offers, sizeof(double));
    at.sites_number = take(site_numbers * have.sites, sizeof(std::uint32_t));
    at.shapes_number = take(shape_numbers * have.shapes, sizeof(std::uint32_t));
    at.offers_number = take(offer_numbers * have.offers, sizeof(std::uint32_t));
    at.names = take(have.name_bytes, 1);
    at.end = next;
    return at;
}

}  // namespace westerly::term_protocol
