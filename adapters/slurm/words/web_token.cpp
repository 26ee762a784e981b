#include "adapters/slurm/words/web_token.hpp"

#include "broker/codec/writer.hpp"
#include "broker/support/bytes.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace westerly {
namespace {

std::string to_base64url(std::string_view bytes) {
    auto text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.resize(std::min(text.find('='), text.size()));
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    plain.append((4 - plain.size() % 4) % 4, '=');
    return from_base64(plain);
}

}  // namespace

std::optional<instant> token_end(std::string_view token) {
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos)
        return std::nullopt;
    const auto claims = from_base64url(token.substr(first + 1, second - first - 1));
    const auto document =
        claims ? parse_json(*claims, 64 << 10) : result<rapidjson::Document>(fail(errc::invalid, "not base64url"));
    if (!document || !document->IsObject())
        return std::nullopt;
    const auto end = document->FindMember("exp");
    if (end == document->MemberEnd() || !end->value.IsNumber())
        return std::nullopt;
    constexpr double year_2200 = 7'258'118'400;
    return instant(seconds(static_cast<std::int64_t>(std::clamp(end->value.GetDouble(), 0.0, year_2200))));
}

std::string sign_token(std::string_view key, std::string_view user, instant now, seconds lifetime) {
    const auto now_s = std::chrono::floor<seconds>(now.time_since_epoch());
    rapidjson::StringBuffer text;
    json_writer out(text);
    out.StartObject();
    put_signed(out, "exp", (now_s + lifetime).count());
    put_signed(out, "iat", now_s.count());
    put_text(out, "sun", user);
    out.EndObject();
    const auto signed_part =
        to_base64url(R"({"alg":"HS256","typ":"JWT"})") + '.' + to_base64url({text.GetString(), text.GetSize()});
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), mac, &size);
    return signed_part + '.' + to_base64url({reinterpret_cast<const char*>(mac), size});
}

std::string token_in(std::string_view text) {
    constexpr std::string_view name = "SLURM_JWT=";
    constexpr std::string_view white = " \t\r\n";
    if (const auto at = text.find(name); at != std::string_view::npos)
        text.remove_prefix(at + name.size());
    const auto begin = text.find_first_not_of(white);
    if (begin == std::string_view::npos)
        return {};
    text.remove_prefix(begin);
    return std::string(text.substr(0, text.find_first_of(white)));
}

}  // namespace westerly
