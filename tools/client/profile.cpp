#include "tools/client/profile.hpp"

#include "broker/codec/reader.hpp"
#include "broker/support/files.hpp"

#include <cstdlib>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t profile_bytes_max = 64 * 1024;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

result<void> read_file_into(profile& p) {
    const auto path = profile_file();
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        return {};
    const auto text = read_file(path, profile_bytes_max);
    if (!text)
        return text.error();
    const auto document = parse_json(*text, profile_bytes_max);
    fault_list faults;
    constexpr text_rule any{.length_min = 1, .length_max = 4096};
    const bool read = document && object_reader::read_object(*document, json_path(), faults, [&](object_reader& from) {
                          from.text("url", p.url, any);
                          from.text("key", p.key, any);
                          from.text("fingerprint", p.fingerprint, any);
                          from.text("ca_file", p.ca_file, any);
                      });
    if (!read || !faults.empty())
        return fail(errc::invalid, path.string() + " is damaged", "log in again: westerly login");
    return {};
}

}  // namespace

fs::path profile_file() {
    if (const auto named = environment("WESTERLY_PROFILE"); !named.empty())
        return named;
    const auto configured = environment("XDG_CONFIG_HOME");
    const fs::path base = configured.empty() ? fs::path(environment("HOME")) / ".config" : fs::path(configured);
    return base / "westerly" / "profile.json";
}

result<profile> load_profile() {
    profile p;
    if (auto read = read_file_into(p); !read)
        return read.error();
    for (const auto& [name, field] : {std::pair{"WESTERLY_URL", &profile::url},
                                      {"WESTERLY_KEY", &profile::key},
                                      {"WESTERLY_FINGERPRINT", &profile::fingerprint},
                                      {"WESTERLY_CA", &profile::ca_file}})
        if (auto value = environment(name); !value.empty())
            p.*field = std::move(value);
    if (p.key.empty())
        return fail(errc::unauthenticated, "no API key is known",
                    "westerly login https://HOST:PORT --key KEY, or set WESTERLY_URL, WESTERLY_KEY and "
                    "WESTERLY_FINGERPRINT");
    return p;
}

result<void> save_profile(const profile& p) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    for (const auto& [name, value] :
         {std::pair{"url", &p.url}, {"key", &p.key}, {"fingerprint", &p.fingerprint}, {"ca_file", &p.ca_file}})
        if (!value->empty()) {
            out.Key(name);
            out.String(*value);
        }
    out.EndObject();
    const auto path = profile_file();
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    return write_file_atomically(path, std::string(buffer.GetString(), buffer.GetSize()) + "\n", 0600);
}

result<http_client> connect(const profile& p) {
    auto to = parse_endpoint(p.url);
    if (!to)
        return to.error();
    to->fingerprint = p.fingerprint;
    to->ca_file = p.ca_file;
    return http_client(std::move(*to), p.key);
}

}  // namespace westerly
