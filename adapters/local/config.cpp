#include "adapters/local/config.hpp"

#include "broker/codec/reader.hpp"

#include <algorithm>

namespace westerly {

template <>
struct enum_names<isolation_choice> {
    static constexpr std::string_view list[] = {"auto", "uid", "bubblewrap", "unsafe_same_user"};
};

namespace {

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
    });
    if (!faults.empty())
        return faults.to_error("the config of the local provider");
    return config;
}

}  // namespace westerly
