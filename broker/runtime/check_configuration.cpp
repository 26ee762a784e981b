#include "broker/api/tls.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/codec/json.hpp"
#include "broker/placement/decide.hpp"
#include "broker/providers/adapter_command.hpp"
#include "broker/providers/config_check.hpp"
#include "broker/runtime/config_doubts.hpp"
#include "broker/runtime/home.hpp"
#include "broker/runtime/term_list.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/time.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds adapter_answers_within{10'000};
constexpr std::size_t certificates_listed_max = 50, doubts_listed_max = 10;

/// As execvp finds it.
bool can_be_started(const std::string& program) {
    if (program.find('/') != std::string::npos)
        return access(program.c_str(), X_OK) == 0;
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (access((fs::path(folder) / program).c_str(), X_OK) == 0)
            return true;
    return false;
}

/// A folder of its own that is gone with it.
class scratch_folder {
public:
    scratch_folder() {
        std::string name = (fs::temp_directory_path() / "westerly-check-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr)
            path_ = name;
    }
    ~scratch_folder() {
        std::error_code ignored;
        if (!path_.empty())
            fs::remove_all(path_, ignored);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    const fs::path& path() const noexcept { return path_; }

private:
    fs::path path_;
};

/// What each provider's adapter says of its config: warnings by provider, and in `all` the configs that are refused. A
/// missing adapter is no fault of the file: the provider is down until it is installed.
std::multimap<provider_id, std::string> ask_all(const std::vector<provider_config>& providers,
                                                const broker_options& options, error& all) {
    std::multimap<provider_id, std::string> warnings;
    std::vector<config_question> questions;
    for (const provider_config& p : providers) {
        if (p.kind == "catalogue")
            continue;
        auto command = adapter_command(p, std::array{options.libexec_dir});
        if (!command)
            warnings.emplace(p.id, command.error().detail + "; " + command.error().remedy);
        else if (!can_be_started(command->front()))
            warnings.emplace(p.id, "there is no program " + command->front() +
                                       "; install it, or name another one in adapter_command");
        else
            questions.push_back({p, std::move(*command)});
    }
    const scratch_folder scratch;
    const auto verdicts =
        ask_adapters(questions, options.libexec_dir / "westerly-spawn", scratch.path(), adapter_answers_within);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const auto& id = questions[i].of.id;
        if (verdicts[i].is == config_verdict::kind::refused)
            all.faults.push_back({(options.config_dir / "providers" / (id + ".json")).string() + " /config",
                                  "its adapter refuses it: " + verdicts[i].why,
                                  {}});
        else if (verdicts[i].is == config_verdict::kind::unknown)
            warnings.emplace(id, "its adapter does not tell whether it takes the config: " + verdicts[i].why);
        for (const std::string& unmet : verdicts[i].unmet_prices)
            warnings.emplace(id, unmet);
    }
    return warnings;
}

/// Regions that nobody else knows: names of one's own are fine, and misspelt ones look like them.
class region_doubts {
public:
    region_doubts(std::vector<region_place> facts, const std::vector<provider_config>& providers)
        : facts_(std::move(facts)) {
        for (const provider_config& p : providers)
            for (const site_facts& site : p.sites)
                of_sites_.insert(site.region);
    }

    std::vector<std::string> of(const provider_config& p) const {
        std::vector<std::string> doubts;
        for (std::size_t i = 0; i < p.sites.size(); ++i) {
            const site_facts& site = p.sites[i];
            const std::string at = "/sites/" + std::to_string(i);
            // A site may give its region a name; but one that is nearly a fact's is doubted.
            if (const auto near = near_fact(site.region).found(); !knows_region(facts_, site.region) && !near.empty())
                doubts.push_back(doubt(at + "/region", site.region, near));
            for (const auto& [region, ms] : site.rtt_ms)
                look_at(at + "/rtt_ms/" + region, region, doubts);
            for (std::size_t j = 0; j < site.rtt_measured.size(); ++j)
                look_at(at + "/rtt_measured/" + std::to_string(j) + "/region", site.rtt_measured[j].region, doubts);
        }
        look_at_probes(p, doubts);
        return doubts;
    }

private:
    static std::string doubt(const std::string& at, const std::string& region, const std::string& near) {
        return at + ": no fact and no site elsewhere knows the region \"" + region + "\"" +
               (near.empty() ? "" : "; did you mean \"" + near + "\"?");
    }

    nearest_region near_fact(std::string_view region) const {
        nearest_region near(region);
        for (const region_place& fact : facts_)
            near.look_at(fact.region);
        return near;
    }

    std::string meant_by(const std::string& region) const {
        nearest_region near = near_fact(region);
        for (const std::string& known : of_sites_)
            near.look_at(known);
        return near.found();
    }

    void look_at(const std::string& at, const std::string& region, std::vector<std::string>& doubts) const {
        if (!knows_region(facts_, region) && !of_sites_.contains(region))
            doubts.push_back(doubt(at, region, meant_by(region)));
    }

    /// The local adapter's config names regions, too.
    void look_at_probes(const provider_config& p, std::vector<std::string>& doubts) const {
        const auto config = parse_json(p.config_json, std::max<std::size_t>(p.config_json.size(), 1));
        if (p.kind != "local" || !config || !config->IsObject() || !config->HasMember("probes") ||
            !(*config)["probes"].IsArray())
            return;
        std::size_t i = 0;
        for (const json_value& probe : (*config)["probes"].GetArray()) {
            if (probe.IsObject() && probe.HasMember("region") && probe["region"].IsString())
                look_at("/config/probes/" + std::to_string(i) + "/region", probe["region"].GetString(), doubts);
            ++i;
        }
    }

    std::vector<region_place> facts_;
    std::set<std::string> of_sites_;
};

/// The first few, and how many more there are.
void tell_doubts(const std::vector<std::string>& doubts, const char* before, std::string& report) {
    for (std::size_t i = 0; i < std::min(doubts.size(), doubts_listed_max); ++i)
        report += before + ("warning: " + doubts[i]) + "\n";
    if (doubts.size() > doubts_listed_max)
        report += before + ("and " + std::to_string(doubts.size() - doubts_listed_max)) + " more of the kind\n";
}

void tell_providers(const configuration& read, const std::multimap<provider_id, std::string>& warnings,
                    std::string& report) {
    auto facts = decode_regions(embedded_file("schema/facts/regions.json").value_or("{}"));
    const region_doubts doubted(facts ? std::move(*facts) : std::vector<region_place>{}, read.providers);
    for (const provider_config& p : read.providers) {
        report += "provider " + p.id + " (" + p.kind + "), " + std::to_string(p.sites.size()) + " site(s)\n";
        for (auto [at, end] = warnings.equal_range(p.id); at != end; ++at)
            report += "  warning: " + at->second + "\n";
        tell_doubts(doubted.of(p), "  ", report);
        tell_doubts(doubts_about_prices(p), "  ", report);
        tell_doubts(doubts_about_software(p), "  ", report);
    }
}

void tell_policies(const configuration& read, term_table terms, std::string& report) {
    for (const policy& p : read.policies) {
        report += "policy " + p.name + " " + p.version + "\n";
        for (const priced_term& t : p.prices)
            if (t.weight > 0)
                report += "  weight of " + t.term + " implies " + std::to_string(t.per_unit) + " CNY per " +
                          std::string(find_term(terms, t.term)->unit) + "\n";
    }
}

void tell_certificates(const std::vector<certificate>& all, std::string& report) {
    const auto day = [](instant at) {
        return format_rfc3339(at).substr(0, 10);
    };
    std::int64_t mwh = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const certificate& c = all[i];
        mwh += c.mwh;
        if (i < certificates_listed_max)
            report += "certificate " + c.id + ", " + std::to_string(c.mwh) + " MWh of " + c.grid + ", generated " +
                      day(c.generated_from).substr(0, 7) + ", expires " + day(c.expires_at) +
                      (c.expires_at <= system_wall_clock().now() ? " (is past)" : "") +
                      (c.beneficiary.empty() ? "" : ", for " + c.beneficiary) + "\n";
    }
    if (!all.empty())
        report +=
            std::to_string(all.size()) + " certificate(s) of green power, " + std::to_string(mwh) + " MWh in all\n";
}

}  // namespace

result<void> check_configuration(const broker_options& options, term_table built_in, std::string& report) {
    if (options.config_dir_stated && !fs::is_directory(options.config_dir))
        return fail(errc::invalid, "there is no folder " + options.config_dir.string(),
                    "make it, or correct config_dir or --config-dir");
    if (const auto sound = check_home(options.home); !sound)
        return sound.error();
    const auto known = term_list::load(built_in, options);
    if (!known)
        return known.error();
    const term_table terms = (*known)->all();
    const auto read = load_configuration(options, terms);
    if (!read)
        return read.error();
    if (!options.certificate.empty())
        if (const auto pair = make_tls_context(options.certificate, options.private_key); !pair)
            return pair.error();
    error refused =
        fail(errc::invalid, "adapters refuse their configuration", "mend it; their providers would be down");
    const auto warnings = ask_all(read->providers, options, refused);
    if (!refused.faults.empty())
        return refused;
    report += options.settings.empty() ? "no settings file: flags, WESTERLY_* variables and defaults only\n"
                                       : "settings in " + options.settings.string() + "\n";
    report += "home " + options.home.string() + (fs::exists(options.home) ? "" : " (the first start makes it)") + "\n";
    report += "policies and providers in " + options.config_dir.string() +
              (!fs::exists(options.config_dir) ? " (warning: there is no such folder)"
               : !fs::exists(options.config_dir / "policies") && !fs::exists(options.config_dir / "providers")
                   ? " (warning: it has neither a folder policies nor a folder providers)"
                   : "") +
              "\n";
    for (const auto& of : (*known)->libraries())
        report += "term " + of.name + ", in " + of.unit + ", of " + of.library.string() + ": " + of.meaning + "\n";
    tell_policies(*read, terms, report);
    tell_providers(*read, warnings, report);
    for (const auto& file : read->signals.files)
        report += file.name + ", " + std::to_string(file.series.size()) + " series of signals\n";
    for (const feed_config& feed : read->signals.feeds)
        report += feed.name + ", asks " + feed.url + " every " + std::to_string(feed.poll_s) + " s\n";
    tell_doubts(doubts_about_signals(*read), "", report);
    tell_certificates(read->certificates, report);
    tell_doubts(doubts_about_certificates(*read), "", report);
    for (const std::string& file : read->ignored)
        report += "warning: " + file + " is not read, because of how its name ends\n";
    return {};
}

}  // namespace westerly
