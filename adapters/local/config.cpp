#include "adapters/local/config.hpp"

#include "broker/codec/reader.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace westerly {

template <>
struct enum_names<isolation_choice> {
    static constexpr std::string_view list[] = {"auto", "uid", "bubblewrap", "unsafe_same_user"};
};

namespace {

constexpr std::size_t rtt_probes_max = 16;
constexpr std::size_t config_bytes_max = 256 * 1024;
constexpr text_rule site_rule{.length_min = 1, .length_max = 63};

void read_site(object_reader& in, local_site& site, const std::vector<std::string>& known) {
    in.require({"site", "vcpus", "memory_mib"});
    if (in.text("site", site.site, site_rule) && !known.empty() && std::ranges::find(known, site.site) == known.end())
        in.faults().invalid(in.at("site"), "is not a site of the provider file", "name one of the file's sites");
    in.whole("vcpus", site.vcpus, 1, 1 << 20);
    in.whole("memory_mib", site.memory_mib, 1, std::int64_t{1} << 40);
    in.whole("disk_mib", site.disk_mib, 0, std::int64_t{1} << 40);
    in.number("idle_w", site.idle_w, {});
    in.number("max_w", site.max_w, {});
    if (site.memory_mib > 0 && site.unit_memory_mib() == 0)
        in.faults().invalid(in.at("memory_mib"), "is less than 1 MiB a vcpu", "give more memory or fewer vcpus");
}

/// "127.0.0.1:443" or "[::1]:443": numbers only, so that no resolver's time is measured, or waited for.
bool read_endpoint(std::string_view text, rtt_probe& into) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return false;
    std::string_view address = text.substr(0, colon), port = text.substr(colon + 1);
    const bool six = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (six)
        address = address.substr(1, address.size() - 2);
    into.address = address;
    in6_addr parsed{};
    const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), into.port);
    return ::inet_pton(six ? AF_INET6 : AF_INET, into.address.c_str(), &parsed) == 1 && bad == std::errc() &&
           end == port.data() + port.size() && into.port > 0;
}

void read_probe(object_reader& in, local_config& config) {
    rtt_probe probe;
    std::string endpoint;
    in.require({"region", "endpoint"});
    in.text("region", probe.region, site_rule);
    if (in.text("endpoint", endpoint, {.length_min = 1, .length_max = 64}) && !read_endpoint(endpoint, probe))
        in.faults().invalid(in.at("endpoint"), "is not a numeric address with a port",
                            "write 192.0.2.1:443 or [2001:db8::1]:443");
    if (std::ranges::find(config.probes, probe.region, &rtt_probe::region) != config.probes.end())
        in.faults().invalid(in.at("region"), "stands twice in the list", "give each region one endpoint");
    config.probes.push_back(std::move(probe));
}

}  // namespace

result<local_config> decode_local_config(std::string_view json, const std::vector<std::string>& known) {
    const auto document = parse_json(json, config_bytes_max);
    if (!document)
        return document.error();
    fault_list faults;
    local_config config;
    object_reader::read_object(*document, {}, faults, [&](object_reader& in) {
        in.require({"sites"});
        in.objects("sites", 1, 256, [&](object_reader& item, std::size_t /*index*/) {
            local_site site;
            read_site(item, site, known);
            const bool twice =
                std::ranges::any_of(config.sites, [&](const local_site& other) { return other.site == site.site; });
            if (twice)
                item.faults().invalid(item.at("site"), "stands twice in the list", "keep one of the two");
            config.sites.push_back(std::move(site));
        });
        in.choice("isolation", config.isolation);
        in.whole("uid_base", config.uid_base, 65'536, 2'000'000'000);
        in.whole("retention_s", config.retention_s, 60, 366 * 86'400);
        in.objects("probes", 0, rtt_probes_max,
                   [&](object_reader& item, std::size_t /*index*/) { read_probe(item, config); });
        in.whole("probe_every_s", config.probe_every_s, 10, 86'400);
    });
    if (!faults.empty())
        return faults.to_error("the config of the local provider");
    return config;
}

}  // namespace westerly
