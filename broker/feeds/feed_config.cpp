#include "broker/feeds/feed_config.hpp"

#include "broker/codec/positions.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/feeds/signal_forms.hpp"
#include "broker/support/files.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace westerly {

namespace fs = std::filesystem;

template <>
struct enum_names<feed_form> {
    static constexpr std::string_view list[] = {"westerly", "electricity_maps", "carbon_aware"};
};

namespace {

constexpr std::size_t zones_max = 200;
constexpr std::size_t files_max = 1024;
constexpr text_rule zone_rule{1, signal_zone_bytes_max};
constexpr text_rule path_rule{1, 4096};

bool is_web_address(std::string_view text) noexcept {
    const auto rest = text.starts_with("https://")  ? text.substr(8)
                      : text.starts_with("http://") ? text.substr(7)
                                                    : std::string_view();
    return !rest.empty() && rest.front() != '/' && rest.front() != ':' &&
           std::ranges::none_of(text, [](char c) { return c <= ' ' || c == '@' || c == '#' || c > '~'; });
}
constexpr text_rule url_rule{9, 2000, is_web_address,
                             "an address such as https://api.example.org/v3, without a user name in it"};

void read_file_name(object_reader& o, std::string_view name, const fs::path& folder, fs::path& into) {
    std::string text;
    if (o.text(name, text, path_rule))
        into = folder / text;
}

std::string_view service_of(feed_form form) {
    return form == feed_form::electricity_maps ? "Electricity Maps"
           : form == feed_form::carbon_aware   ? "Carbon Aware SDK"
                                               : "feed";
}

void read_feed(object_reader& o, const fs::path& folder, feed_config& into) {
    o.require({"form", "url"});
    const bool form_known = o.choice("form", into.form);
    o.text("url", into.url, url_rule);
    while (into.url.size() > 8 && into.url.back() == '/')
        into.url.pop_back();
    o.text_map("zones", into.zones, zones_max, zone_rule, zone_rule);
    o.text("source", into.source, note_rule);
    if (into.source.empty())
        into.source = service_of(into.form);
    o.choice("method", into.method);
    o.choice("scope", into.scope);
    o.choice("quality", into.quality);
    read_file_name(o, "token_file", folder, into.token_file);
    read_file_name(o, "ca_file", folder, into.ca_file);
    o.whole("poll_s", into.poll_s, 10, 86'400);
    o.whole("timeout_s", into.timeout_s, 1, 120);
    o.whole("max_age_s", into.max_age_s, 60, 366 * 86'400);
    const bool foreign = into.form != feed_form::westerly;
    if (foreign && into.zones.empty())
        o.faults().invalid(o.at("zones"), "names no zone", "give {\"OUR-ZONE\": \"what the service calls it\"}");
    if (form_known && !foreign)
        for (const std::string_view name : {"zones", "method", "scope", "quality"})
            if (o.has(name))
                o.faults().invalid(o.at(name), "does not go with the form westerly: its answers say it themselves",
                                   "leave it out");
    if (into.form == feed_form::carbon_aware && !o.has("method"))
        o.faults().invalid(o.at("method"), "is missing: the SDK's answers do not say it",
                           "marginal with WattTime behind it, average with Electricity Maps");
    if (!into.token_file.empty() && into.url.starts_with("http://"))
        o.faults().invalid(o.at("url"), "would send the token in the clear", "use https");
}

instant modified_at(const fs::path& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0)
        return {};
    return instant(
        milliseconds(static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1000 + facts.st_mtim.tv_nsec / 1'000'000));
}

void note(const fs::path& file, const error& why, std::vector<fault>& faults) {
    if (why.faults.empty())
        faults.push_back({file.string(), why.detail, why.remedy});
    for (const fault& f : why.faults)
        faults.push_back({file.string() + (f.pointer.empty() ? "" : " " + f.pointer), f.message, f.remedy});
}

template <class T>
bool keep(result<T> read, const fs::path& file, std::vector<fault>& faults, T& into) {
    if (read)
        into = std::move(*read);
    else
        note(file, read.error(), faults);
    return read.has_value();
}

}  // namespace

bool tells_of_feed(std::string_view json) {
    const auto document = parse_json(json, signal_text_max);
    return document && document->IsObject() && document->HasMember("feed");
}

result<feed_config> decode_feed(std::string name, std::string_view json, const fs::path& folder) {
    const auto document = parse_json(json, signal_text_max);
    if (!document)
        return document.error();
    feed_config read;
    read.name = std::move(name);
    fault_list faults;
    object_reader::read_object(*document, json_path(), faults, [&](object_reader& o) {
        std::string description;
        o.require({"feed"});
        o.text("description", description, note_rule);
        o.object("feed", [&](object_reader& feed) { read_feed(feed, folder, read); });
    });
    if (!faults.empty())
        return with_places(faults.to_error("the feed"), json);
    return read;
}

signal_sources read_signals(const fs::path& folder, std::vector<fault>& faults, std::vector<std::string>& ignored) {
    signal_sources all;
    std::vector<fs::directory_entry> entries;
    if (!keep(list_folder(folder), folder, faults, entries))
        return all;
    std::vector<fs::path> paths;
    std::error_code failed;
    for (const auto& entry : entries) {
        const auto ending = entry.path().extension();
        const auto name = entry.path().filename().string();
        if ((ending == ".json" || ending == ".csv") && paths.size() < files_max)
            paths.push_back(entry.path());
        else if (!name.starts_with('.') && entry.path().stem() != "README" && entry.is_regular_file(failed))
            ignored.push_back(entry.path().string());
    }
    std::ranges::sort(paths);
    for (const auto& path : paths) {
        std::string text;
        const std::string name = "signals/" + path.filename().string();
        if (!keep(read_file(path, signal_text_max), path, faults, text))
            continue;
        if (path.extension() == ".csv" || !tells_of_feed(text)) {
            signal_sources::file one{name, {}};
            auto series = path.extension() == ".csv" ? decode_signals_csv(text, modified_at(path))
                                                     : decode_signals(text, modified_at(path));
            if (keep(std::move(series), path, faults, one.series))
                all.files.push_back(std::move(one));
        } else {
            feed_config one;
            if (keep(decode_feed(name, text, folder), path, faults, one))
                all.feeds.push_back(std::move(one));
        }
    }
    return all;
}

}  // namespace westerly
