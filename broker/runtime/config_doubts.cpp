#include "broker/runtime/config_doubts.hpp"

#include "broker/domain/region.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

namespace westerly {
namespace {

/// Zones that sites name, and "PROVIDER/SITE" of each.
class zones_in_use {
public:
    explicit zones_in_use(const std::vector<provider_config>& providers) {
        for (const provider_config& p : providers)
            for (const site_facts& site : p.sites) {
                grids_.insert(site.grid_zone);
                sites_.insert(p.id + "/" + site.site);
            }
    }

    /// "" of a zone that counts somewhere.
    std::string doubt(const std::string& zone, signal_kind kind) const {
        const bool of_grid = kind == signal_kind::carbon_intensity;
        const auto& known = of_grid ? grids_ : sites_;
        if (known.contains(zone))
            return {};
        nearest_region meant(zone);
        for (const std::string& name : known)
            meant.look_at(name);
        return (of_grid ? "no site's grid_zone is \"" : "there is no provider and site \"") + zone + '"' +
               (meant.found().empty() ? "" : "; did you mean \"" + meant.found() + "\"?");
    }

private:
    std::set<std::string> grids_, sites_;
};

}  // namespace

std::vector<std::string> doubts_about_signals(const configuration& read) {
    const zones_in_use zones(read.providers);
    std::set<std::string> told;  // a zone has many series
    std::vector<std::string> doubts;
    const auto look_at = [&](const std::string& file, const std::string& zone, signal_kind kind) {
        if (const auto doubt = zones.doubt(zone, kind); !doubt.empty() && told.insert(file + zone).second)
            doubts.push_back(file + ": " + doubt);
    };
    for (const auto& file : read.signals.files)
        for (const signal_series& series : file.series)
            look_at(file.name, series.zone, series.kind);
    for (const feed_config& feed : read.signals.feeds) {
        for (const auto& zone : feed.zones)
            look_at(feed.name, zone.first, signal_kind::carbon_intensity);
        for (const auto& [field, path] : {std::pair("token_file", &feed.token_file), {"ca_file", &feed.ca_file}})
            if (!path->empty() && access(path->c_str(), R_OK) != 0)
                doubts.push_back(feed.name + ": the " + field + " " + path->string() + " cannot be read");
    }
    return doubts;
}

std::vector<std::string> doubts_about_certificates(const configuration& read) {
    const zones_in_use zones(read.providers);
    std::set<std::string> told;  // one batch of a zone stands for all
    std::vector<std::string> doubts;
    for (const certificate& c : read.certificates) {
        const std::string which = "certificate " + c.id + ": ";
        if (const auto doubt = zones.doubt(c.grid, signal_kind::carbon_intensity);
            !doubt.empty() && told.insert(c.grid).second)
            doubts.push_back(which + "it covers no run until its grid_zone, or a site's, is corrected: " + doubt);
        if (c.expires_at < c.generated_to)
            doubts.push_back(which + "it expires " +
                             (c.expires_at <= c.generated_from ? "before its power is generated"
                                                               : "within the month in which its power is generated") +
                             "; correct generated or expires_at");
    }
    return doubts;
}

std::vector<std::string> doubts_about_prices(const provider_config& of) {
    std::map<std::pair<std::string, std::string>, std::size_t> first;
    std::vector<std::string> doubts;
    for (std::size_t i = 0; i < of.prices.size(); ++i)
        if (const auto [at, fresh] = first.emplace(std::pair(of.prices[i].site, of.prices[i].offer), i); !fresh)
            doubts.push_back("/prices/" + std::to_string(i) + " never counts: /prices/" + std::to_string(at->second) +
                             " is for the same site and offer; remove one of the two");
    return doubts;
}

std::vector<std::string> doubts_about_software(const provider_config& of) {
    std::vector<std::string> doubts;
    for (const offer& o : of.offers)
        for (const auto& version : o.software.stack_versions)
            if (std::ranges::find(o.stacks, version.first) == o.stacks.end())
                doubts.push_back("offer " + o.id + ": stack_versions names \"" + version.first +
                                 "\", which is not among its stacks");
    return doubts;
}

}  // namespace westerly
