#include "broker/runtime/configuration.hpp"

#include "broker/codec/certificate_json.hpp"
#include "broker/codec/config_json.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/codec/positions.hpp"
#include "broker/placement/decide.hpp"
#include "broker/placement/policy_choice.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/files.hpp"

#include <algorithm>
#include <map>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes_max = provider_json_max + 1;  // what is larger is refused by its decoder
constexpr std::size_t files_max = 4096;

struct config_file {
    std::string where;  // for messages
    std::string name;   // without folder and .json
    std::string text;
};

void note(error& all, const std::string& where, const error& e) {
    if (e.faults.empty())
        all.faults.push_back({where, e.detail, e.remedy});
    for (const fault& f : e.faults)
        all.faults.push_back({where + (f.pointer.empty() ? "" : " " + f.pointer), f.message, f.remedy});
}

/// Names of files that are not meant: hidden ones, and the READMEs of a folder.
bool expected_beside(const fs::path& path) {
    const auto name = path.filename().string();
    return name.starts_with('.') || path.stem() == "README";
}

std::vector<config_file> read_folder(const fs::path& folder, error& all, std::vector<std::string>& ignored) {
    const auto entries = list_folder(folder);
    if (!entries) {
        note(all, folder.string(), entries.error());
        return {};
    }
    std::vector<fs::path> paths;
    for (const auto& entry : *entries) {
        if (entry.path().extension() == ".json" && paths.size() < files_max)
            paths.push_back(entry.path());
        else if (!expected_beside(entry.path()))
            ignored.push_back(entry.path().string());
    }
    std::ranges::sort(paths);
    std::vector<config_file> files;
    for (const auto& path : paths) {
        auto text = read_file(path, file_bytes_max);
        if (text)
            files.push_back({path.string(), path.stem().string(), std::move(*text)});
        else
            note(all, path.string(), text.error());
    }
    return files;
}

std::vector<config_file> shipped_policies() {
    std::vector<config_file> files;
    for (const auto name : embedded_names("policies/"))
        files.push_back({"shipped " + std::string(name), fs::path(name).stem().string(),
                         std::string(embedded_file(name).value_or(""))});
    return files;
}

std::vector<policy> read_policies(const fs::path& folder, term_table terms, error& all,
                                  std::vector<std::string>& ignored) {
    policy_table by_name;
    std::map<std::string, const config_file*> in_use;
    auto files = shipped_policies();
    for (auto& file : read_folder(folder, all, ignored))
        files.push_back(std::move(file));
    for (const auto& file : files) {
        auto read = decode_policy(file.name, file.text);
        if (!read) {
            note(all, file.where, with_units(read.error(), terms));
            continue;
        }
        if (const auto sound = check_policy(*read, terms); !sound)
            note(all, file.where, with_places(sound.error(), file.text));
        complete_units(*read, terms);
        by_name[file.name] = std::move(*read);
        in_use[file.name] = &file;
    }
    for (auto& [name, doubt] : check_groups(by_name)) {
        error refused = fail(errc::invalid, doubt.message);
        refused.faults.push_back(std::move(doubt));
        note(all, in_use.at(name)->where, with_places(std::move(refused), in_use.at(name)->text));
    }
    std::vector<policy> policies;
    for (auto& [name, p] : by_name)
        policies.push_back(std::move(p));
    return policies;
}

std::vector<provider_config> read_providers(const fs::path& folder, error& all, std::vector<std::string>& ignored) {
    std::vector<provider_config> providers;
    const auto regions = decode_regions(embedded_file("schema/facts/regions.json").value_or("{}"));
    for (const auto& file : read_folder(folder, all, ignored)) {
        auto read = decode_provider(file.name, file.text, regions ? *regions : std::span<const region_place>{});
        if (read)
            providers.push_back(std::move(*read));
        else
            note(all, file.where, read.error());
    }
    return providers;
}

std::vector<certificate> read_certificates(const fs::path& folder, error& all, std::vector<std::string>& ignored) {
    std::vector<certificate> certificates;
    std::map<std::string, std::string> file_of;
    for (const auto& file : read_folder(folder, all, ignored)) {
        auto read = decode_certificates(file.text);
        if (!read) {
            note(all, file.where, read.error());
            continue;
        }
        for (certificate& each : *read) {
            const auto [earlier, fresh] = file_of.emplace(each.id, file.where);
            if (fresh)
                certificates.push_back(std::move(each));
            else
                all.faults.push_back({file.where,
                                      "the certificate \"" + each.id + "\" is in " + earlier->second + " too",
                                      "hold each certificate in one file"});
        }
    }
    return certificates;
}

exchange_rates read_rates(const broker_options& options, error& all) {
    exchange_rates rates;
    if (options.usd_rate.empty())
        return rates;
    const auto nanos = parse_nanos(options.usd_rate);
    if (!nanos || *nanos <= 0)
        note(all, options.settings.empty() ? "cny_per_usd" : options.settings.string() + " /cny_per_usd",
             fail(errc::invalid, "\"" + options.usd_rate + "\" is not a rate",
                  "give CNY per USD as a decimal number, such as 7.10"));
    else
        rates = {currency::cny, *nanos, options.usd_rate_source.empty() ? "configured" : options.usd_rate_source};
    return rates;
}

}  // namespace

result<configuration> load_configuration(const broker_options& options, term_table terms) {
    error all = fail(errc::invalid, "the configuration has faults", "mend them; nothing of it is in use");
    std::vector<std::string> ignored;
    configuration read{.policies = read_policies(options.config_dir / "policies", terms, all, ignored),
                       .providers = read_providers(options.config_dir / "providers", all, ignored),
                       .rates = read_rates(options, all),
                       .signals = read_signals(options.config_dir / "signals", all.faults, ignored),
                       .certificates = read_certificates(options.config_dir / "certificates", all, ignored),
                       .ignored = {}};
    std::ranges::sort(ignored);
    read.ignored = std::move(ignored);
    if (!all.faults.empty())
        return all;
    return read;
}

}  // namespace westerly
