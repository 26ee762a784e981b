#include "broker/codec/deflate.hpp"

#include <zlib.h>

namespace westerly {
namespace {

constexpr std::size_t size_bytes = 8;
constexpr std::uint64_t ratio_max = 1032;  // of deflate

}  // namespace

std::string deflated(std::string_view bytes) {
    uLongf length = compressBound(static_cast<uLong>(bytes.size()));
    std::string packed(size_bytes + length, '\0');
    for (std::size_t i = 0; i < size_bytes; ++i)
        packed[i] = static_cast<char>(static_cast<std::uint64_t>(bytes.size()) >> (8 * i) & 0xFF);
    const int done =
        compress2(reinterpret_cast<Bytef*>(packed.data() + size_bytes), &length,
                  reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()), Z_BEST_SPEED);
    if (done != Z_OK)
        throw std::bad_alloc();  // the only failure left: there is room for any result
    packed.resize(size_bytes + length);
    return packed;
}

result<std::string> inflated(std::string_view packed) {
    const auto damaged = [] {
        return fail(errc::internal, "a stored record is damaged", "restore the database from a backup");
    };
    if (packed.size() < size_bytes)
        return damaged();
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < size_bytes; ++i)
        size |= static_cast<std::uint64_t>(static_cast<unsigned char>(packed[i])) << (8 * i);
    if (size > inflated_max || size > ratio_max * packed.size())
        return damaged();
    std::string bytes(static_cast<std::size_t>(size), '\0');
    uLongf length = static_cast<uLongf>(size);
    const int done = uncompress(reinterpret_cast<Bytef*>(bytes.data()), &length,
                                reinterpret_cast<const Bytef*>(packed.data() + size_bytes),
                                static_cast<uLong>(packed.size() - size_bytes));
    if (done != Z_OK || length != size)
        return damaged();
    return bytes;
}

}  // namespace westerly
