#include "broker/codec/config_json.hpp"
#include "broker/codec/writer.hpp"
#include "broker/support/files.hpp"
#include "tools/catalogue/catalogue_text.hpp"
#include "tools/catalogue/provider_file.hpp"
#include "tools/westerly/commands.hpp"

#include <sys/stat.h>

#include <cstdio>

namespace westerly {
namespace {

namespace fs = std::filesystem;

/// When the file was last written: the best that is known of its prices' date.
std::optional<instant> written_at(const std::string& file) {
    struct stat facts {};
    if (stat(file.c_str(), &facts) != 0)
        return std::nullopt;
    return instant(seconds(facts.st_mtim.tv_sec));
}

struct written_file {
    std::string provider, path;
    std::size_t sites = 0, offers = 0;
    bool launchable = false;
};

/// Everything that was found, one JSON object a line, in the order of the rows.
std::string report_of(const finding_log& findings, const std::vector<std::string>& files) {
    std::string text;
    for (const finding& one : findings.all()) {
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        out.StartObject();
        put_text(out, "file", files[one.file]);
        if (one.line > 0)
            put_whole(out, "line", one.line);
        put_text(out, "kind", to_string(one.kind));
        put_flag(out, "left_out", leaves_out(one.kind));
        put_text(out, "detail", one.detail);
        out.EndObject();
        text.append(buffer.GetString(), buffer.GetSize());
        text += '\n';
    }
    return text;
}

std::string places(const finding_log& findings, const finding_log::tally& of, const std::vector<std::string>& files) {
    std::string text;
    for (const auto at : of.firsts) {
        const finding& one = findings.all()[at];
        text += (text.empty() ? "" : ", ") + (files.size() > 1 ? files[one.file] + ":" : std::string()) +
                std::to_string(one.line);
    }
    return text + (of.count > of.firsts.size() ? ", …" : "");
}

void print_people(const catalogue_import& from, const finding_log& findings, const std::vector<written_file>& written,
                  const std::vector<std::string>& files) {
    for (const auto& one : written)
        std::printf("%s: %zu %s at %zu sites\n", one.path.c_str(), one.offers,
                    one.launchable ? "prices laid over the adapter's offers" : "offers, for plans only,", one.sites);
    std::printf("%llu rows read, %llu became offers\n", static_cast<unsigned long long>(from.rows()),
                static_cast<unsigned long long>(from.rows_used()));
    if (from.rows_of_others() > 0)
        std::printf("%llu rows of other providers passed over, as asked\n",
                    static_cast<unsigned long long>(from.rows_of_others()));
    for (const auto& name : from.columns_ignored())
        std::printf("column %s is not read\n", name.c_str());
    for (std::size_t k = 0; k < finding_kinds; ++k) {
        const auto kind = static_cast<finding_kind>(k);
        const auto& tally = findings.of(kind);
        if (tally.count == 0)
            continue;
        std::printf("%8llu %-21s %s\n         %-21s line%s %s, such as: %s\n",
                    static_cast<unsigned long long>(tally.count), std::string(to_string(kind)).c_str(),
                    std::string(rule_of(kind)).c_str(), "", tally.count == 1 ? "" : "s",
                    places(findings, tally, files).c_str(), findings.all()[tally.firsts.front()].detail.c_str());
    }
}

void print_programs(const catalogue_import& from, const finding_log& findings, const std::vector<written_file>& written,
                    const std::vector<std::string>& files) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_whole(out, "rows", from.rows());
    put_whole(out, "rows_used", from.rows_used());
    put_whole(out, "rows_of_other_providers", from.rows_of_others());
    put_key(out, "written");
    out.StartArray();
    for (const auto& one : written) {
        out.StartObject();
        put_text(out, "provider", one.provider);
        put_text(out, "file", one.path);
        put_whole(out, "sites", one.sites);
        put_whole(out, "offers", one.offers);
        put_flag(out, "launchable", one.launchable);
        out.EndObject();
    }
    out.EndArray();
    put_key(out, "findings");
    out.StartArray();
    for (std::size_t k = 0; k < finding_kinds; ++k) {
        const auto kind = static_cast<finding_kind>(k);
        const auto& tally = findings.of(kind);
        if (tally.count == 0)
            continue;
        out.StartObject();
        put_text(out, "kind", to_string(kind));
        put_text(out, "rule", rule_of(kind));
        put_flag(out, "left_out", leaves_out(kind));
        put_whole(out, "count", tally.count);
        put_key(out, "first");
        out.StartArray();
        for (const auto at : tally.firsts) {
            const finding& one = findings.all()[at];
            out.StartObject();
            put_text(out, "file", files[one.file]);
            put_whole(out, "line", one.line);
            put_text(out, "detail", one.detail);
            out.EndObject();
        }
        out.EndArray();
        out.EndObject();
    }
    out.EndArray();
    out.EndObject();
    std::printf("%s\n", buffer.GetString());
}

/// Told before anything is read: a large catalogue takes seconds.
result<void> folder_exists(const fs::path& folder, const char* option) {
    if (folder.empty() || fs::is_directory(folder))
        return {};
    return fail(errc::not_found, std::string(option) + ": there is no folder " + folder.string(),
                "make it (mkdir -p " + folder.string() + "), or name another; nothing was written");
}

result<void> can_be_written(const import_command& said) {
    const fs::path out = said.out;
    if (auto there = folder_exists(said.out.ends_with(".json") ? out.parent_path() : out, "--out"); !there)
        return there;
    return folder_exists(fs::path(said.report).parent_path(), "--report");
}

result<written_file> write_catalogue(const imported_provider& from, const std::string& out) {
    const bool one_file = out.ends_with(".json");
    const fs::path path = one_file ? fs::path(out) : fs::path(out.empty() ? "." : out) / (from.id + ".json");
    const auto text = catalogue_file(from);
    if (const auto sound = decode_provider(from.id, text); !sound)  // what the broker would refuse is our fault
        return sound.error();
    if (const auto done = write_file_atomically(path, text); !done)
        return done.error();
    return written_file{from.id, path.string(), from.sites.size(), from.offers.size(), false};
}

result<written_file> write_overlay(const imported_provider& from, const import_command& said, finding_log& findings) {
    const auto id = fs::path(said.launchable_through).stem().string();
    const auto before = read_file(said.launchable_through, provider_json_max);
    if (!before)
        return missing_file(before.error());
    auto laid = overlay_prices(id, *before, from);
    if (!laid)
        return laid.error();
    for (auto& [kind, detail] : laid->missed)
        findings.add({kind, 0, 0, std::move(detail)});
    const std::string path = said.out.empty() ? said.launchable_through : said.out;
    if (const auto done = write_file_atomically(path, laid->file); !done)
        return done.error();
    return written_file{id, path, from.sites.size(), laid->prices, true};
}

}  // namespace

int import_offers(const import_command& said, bool json) {
    if (const auto ready = can_be_written(said); !ready)
        return complain(ready.error());
    std::vector<cloud_region> own;
    if (!said.regions.empty()) {
        const auto text = read_file(said.regions, 4 << 20);
        auto read = text ? decode_cloud_regions(*text) : result<std::vector<cloud_region>>(missing_file(text.error()));
        if (!read)
            return complain(read.error());
        own = std::move(*read);
    }
    auto facts = shipped_import_facts(std::move(own));
    if (!facts)
        return complain(facts.error());
    import_options options{.provider = said.provider, .source = said.source, .as_of = std::nullopt};
    if (!said.as_of.empty()) {
        const auto at = parse_rfc3339(said.as_of);
        if (!at)
            return complain(
                fail(errc::invalid, "--as-of " + said.as_of + " is not a time", "give it as 2026-05-20T00:00:00Z"));
        options.as_of = *at;
    } else {
        options.as_of = written_at(said.files.front());
    }
    catalogue_import from(std::move(*facts), options);
    for (std::size_t i = 0; i < said.files.size(); ++i) {
        const auto text = read_catalogue(said.files[i]);
        if (!text)
            return complain(missing_file(text.error()));
        const auto name = fs::path(said.files[i]).filename().string();
        if (const auto added = from.add(*text, static_cast<std::uint32_t>(i), name); !added)
            return complain(added.error());
    }
    const auto& providers = from.providers();
    if (providers.size() > 1 && (said.out.ends_with(".json") || !said.launchable_through.empty()))
        return complain(fail(errc::invalid,
                             "the catalogue has prices of " + std::to_string(providers.size()) +
                                 " providers, and each has a file of its own",
                             "give a folder as --out, or name one with --provider"));
    finding_log findings = from.findings();
    std::vector<written_file> written;
    for (const auto& [id, one] : providers) {
        if (one.offers.empty())
            continue;
        auto file =
            said.launchable_through.empty() ? write_catalogue(one, said.out) : write_overlay(one, said, findings);
        if (!file)
            return complain(file.error());
        written.push_back(std::move(*file));
    }
    if (!said.report.empty())
        if (const auto done = write_file_atomically(said.report, report_of(findings, said.files)); !done)
            return complain(done.error());
    if (json)
        print_programs(from, findings, written, said.files);
    else
        print_people(from, findings, written, said.files);
    if (written.empty())
        return complain(fail(errc::invalid, "no row gave an offer, so nothing was written", "see the rules above"));
    for (std::size_t k = 0; k < finding_kinds; ++k)
        if (const auto kind = static_cast<finding_kind>(k); leaves_out(kind) && findings.of(kind).count > 0)
            return 1;
    return 0;
}

}  // namespace westerly
