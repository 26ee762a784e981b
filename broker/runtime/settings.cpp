#include "broker/runtime/settings.hpp"

#include "broker/codec/reader.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/support/files.hpp"

#include <cmath>
#include <sstream>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t settings_bytes_max = 256 * 1024;
constexpr std::size_t tenants_named_max = 10'000;
constexpr text_rule any_text{.length_min = 1, .length_max = 4096};

void read_path(object_reader& from, std::string_view name, const fs::path& base, fs::path& target) {
    std::string text;
    if (from.text(name, text, any_text))
        target = base / text;  // an absolute path stands by itself
}

void read_tls(object_reader& from, const fs::path& base, broker_options& options) {
    read_path(from, "certificate", base, options.certificate);
    read_path(from, "private_key", base, options.private_key);
    from.texts("names", options.certificate_names, 0, 64, {.length_min = 1, .length_max = 253});
    if (from.has("certificate") != from.has("private_key"))
        from.faults().invalid(from.path(), "certificate and private_key belong together", "give both or neither");
}

void read_share(object_reader& from, fair_share_rules& into) {
    std::string name;
    tenant_share share;
    from.require({"name"});
    const bool named = from.text("name", name, any_text);
    from.number("weight", share.weight, {.low = 0.001, .high = 1000});
    double guaranteed_per_h = 0;
    if (from.number("guaranteed_per_h", guaranteed_per_h, {.low = 0, .high = 9e6}))
        share.guaranteed_micros_per_h = std::llround(guaranteed_per_h * 1e6);
    if (named && !into.tenants.emplace(name, share).second)
        from.faults().invalid(from.at("name"), "this tenant has an entry already", "give each tenant one entry");
}

void read_fair_share(object_reader& from, fair_share_rules& into) {
    std::int64_t overdue_after_s = into.overdue_after.count();
    if (from.whole("overdue_after_s", overdue_after_s, 60, 366 * 86'400))
        into.overdue_after = seconds(overdue_after_s);
    from.objects("tenants", 0, tenants_named_max, [&](object_reader& one, std::size_t) { read_share(one, into); });
}

constexpr std::size_t terms_max = 16, term_options_max = 256;
constexpr text_rule option_key_rule{1, 255, [](std::string_view text) { return text.find('=') == text.npos; },
                                    "any text without '='"};

void read_term(object_reader& from, const fs::path& base, term_settings& into) {
    from.require({"name", "library"});
    from.text("name", into.name, term_name_rule);
    read_path(from, "library", base, into.library);
    from.whole("deadline_ms", into.deadline_ms, 1, 10'000);
    from.text_map("options", into.options, term_options_max, option_key_rule, {.length_min = 0, .length_max = 4096});
}

/// Comments and blank lines only, as the shipped example is until something in it is changed.
bool says_nothing(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (const auto first = line.find_first_not_of(" \t\r"); first != std::string::npos && line[first] != '#')
            return false;
    return true;
}

}  // namespace

result<void> read_settings(const fs::path& file, broker_options& options) {
    const auto text = read_file(file, settings_bytes_max);
    if (!text)
        return text.error();
    if (says_nothing(*text))
        return {};
    const auto json = yaml_to_json(*text);
    if (!json)
        return fail(errc::invalid, file.string() + ": " + json.error().detail, json.error().remedy);
    const auto document = parse_json(*json, settings_bytes_max);
    if (!document)
        return document.error();
    std::error_code ignored;
    const auto base = fs::absolute(file, ignored).parent_path();
    fault_list faults;
    object_reader::read_object(*document, json_path(), faults, [&](object_reader& from) {
        read_path(from, "home", base, options.home);
        read_path(from, "config_dir", base, options.config_dir);
        read_path(from, "libexec_dir", base, options.libexec_dir);
        from.text("listen_address", options.listen_address, any_text);
        from.whole("port", options.port, 0, 65535);
        from.whole("io_threads", options.io_threads, 1, 64);
        from.whole("requests_per_s_per_key", options.requests_per_s_per_key, 0, 1'000'000);
        from.whole("log_archive_mib", options.log_archive_mib, 1, 1024);
        from.text("cny_per_usd", options.usd_rate, any_text);
        from.text("cny_per_usd_source", options.usd_rate_source, any_text);
        from.object("fair_share", [&](object_reader& share) { read_fair_share(share, options.fair_share); });
        from.objects("terms", 0, terms_max, [&](object_reader& term, std::size_t /*index*/) {
            read_term(term, base, options.terms.emplace_back());
        });
        from.object("tls", [&](object_reader& tls) { read_tls(tls, base, options); });
    });
    if (!faults.empty())
        return faults.to_error(file.string());
    return {};
}

}  // namespace westerly
