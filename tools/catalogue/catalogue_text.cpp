#include "tools/catalogue/catalogue_text.hpp"

#include "broker/support/files.hpp"

#include <zlib.h>

#include <array>

namespace westerly {
namespace {

/// Frees what inflateInit2 took.
struct inflater {
    z_stream stream{};
    bool ready = false;
    inflater() { ready = inflateInit2(&stream, 15 + 16) == Z_OK; }  // 16: gzip's frame, nothing else
    ~inflater() {
        if (ready)
            inflateEnd(&stream);
    }
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
};

result<std::string> unpacked(const std::string& packed, const std::string& name) {
    const auto damaged = fail(errc::invalid, name + " is packed by gzip and damaged", "fetch it again");
    inflater from;
    if (!from.ready)
        return fail(errc::internal, "there is no memory to unpack " + name);
    std::string text;
    std::array<char, 64 * 1024> piece{};
    from.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib does not write there
    from.stream.avail_in = static_cast<uInt>(packed.size());
    for (;;) {
        from.stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        from.stream.avail_out = piece.size();
        const int how = inflate(&from.stream, Z_NO_FLUSH);
        if (how != Z_OK && how != Z_STREAM_END)
            return damaged;
        text.append(piece.data(), piece.size() - from.stream.avail_out);
        if (text.size() > catalogue_bytes_max)
            return fail(errc::too_large, name + " unpacks to more than 256 MiB", "split it by provider");
        if (how == Z_STREAM_END && from.stream.avail_in == 0)
            return text;
        if (how == Z_STREAM_END && inflateReset(&from.stream) != Z_OK)  // another member follows
            return damaged;
    }
}

}  // namespace

result<std::string> read_catalogue(const std::filesystem::path& path) {
    auto bytes = read_file(path, catalogue_bytes_max);
    if (!bytes || !bytes->starts_with("\x1F\x8B"))
        return bytes;
    return unpacked(*bytes, path.string());
}

}  // namespace westerly
