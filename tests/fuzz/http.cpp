#include "broker/api/request_reader.hpp"
#include "broker/api/target.hpp"

// A connection's bytes as they come in: the first byte says how large the pieces are. Whatever comes, the reader takes
// what it is given within its limits, and the same bytes in other pieces are the same request.
namespace {

using namespace westerly;

struct outcome {
    bool head = false, whole = false, refused = false;
    std::string target, body;
    friend bool operator==(const outcome&, const outcome&) = default;
};

outcome read(std::string_view bytes, std::size_t piece) {
    constexpr std::size_t body_max = 4096;
    request_reader reader;
    outcome out;
    std::string waiting;
    bool allowed = false;
    for (std::size_t at = 0; at < bytes.size() && !out.refused && !reader.done();) {
        const auto next = bytes.substr(at, piece);
        at += next.size();
        waiting += next;
        while (!waiting.empty() && !reader.done()) {
            if (reader.head_done() && !std::exchange(allowed, true))
                reader.allow_body(body_max);
            auto fed = reader.feed(waiting);
            waiting.erase(0, fed.used);
            out.refused = fed.refused.has_value();
            if (out.refused || (fed.used == 0 && reader.head_done() == allowed))
                break;
        }
    }
    out.head = reader.head_done();
    out.whole = reader.done();
    if (out.head && !out.refused) {
        request to;
        reader.describe(to);
        out.target = to.target;
        if (const auto parts = parse_target(to.target))
            for (const auto& [name, value] : parts->query)
                (void)parse_unsigned(value);
        (void)accepts(to.accept, "application/json");
        (void)is_media_type(to.content_type, "application/json");
        (void)etag_listed(to.if_none_match, "\"1\"");
        (void)revision_of_etag(to.if_match);
        (void)reader.content_length();
        (void)reader.has_one_host();
    }
    if (out.whole)
        out.body = reader.body();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto whole = read(bytes, bytes.size() + 1);
    const auto pieces = read(bytes, std::size_t{data[0]} + 1);
    if (whole.whole && pieces.whole && !(whole == pieces))
        __builtin_trap();
    return 0;
}
