#pragma once

#include "broker/placement/decide.hpp"
#include "policies/table.hpp"

namespace westerly::built {

inline const instant now{milliseconds(1'800'000'000'000)};

inline sourced said(double value) {
    return {value, "test", quality_class::declared};
}

/// A general-purpose offer with every fact known: 8 vCPU, 16 GiB, 1 CNY an hour, 100 W, Shanghai.
inline offer plain(const std::string& site, double price_per_hour = 1.0) {
    offer o;
    o.provider = "p";
    o.site.site = site;
    o.site.region = site;
    o.site.jurisdiction = "CN";
    o.site.latitude_longitude = {31.2222, 121.4581};
    o.site.pue = said(1.2);
    o.site.green_power_share = said(0.5);
    o.site.carbon_g_per_kwh = said(500);
    o.site.ingress_gbps = 10;
    o.id = "p/" + site + "/n/on_demand";
    o.vcpus = 8;
    o.memory_mib = 16'384;
    o.price = unit_price{static_cast<std::int64_t>(price_per_hour * 1e9), currency::cny};
    o.idle_w = 40;
    o.max_w = 100;
    o.units_free = 10;
    return o;
}

/// One task of 1 vCPU for an hour.
inline workload_spec task() {
    workload_spec spec;
    spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    spec.work.runtime_s = 3600;
    return spec;
}

inline offer_book book_of(const std::vector<offer>& offers) {
    offer_book book;
    book.replace_provider("p", offers);
    return book;
}

inline decision_world world() {
    decision_world w;
    w.now = now;
    return w;
}

inline decision decide_on(const std::vector<offer>& offers, const workload_spec& spec, const policy& rules = {},
                          const decision_world& around = world()) {
    return decide(book_of(offers), rules, built_in_terms(), spec, around);
}

inline std::vector<std::string> sites_of(const decision& made) {
    std::vector<std::string> sites;
    for (const auto& a : made.ranked)
        sites.push_back(a.site);
    return sites;
}

/// Why the only offer was rejected; count_ when it was not.
inline rejection only_rejection(const decision& made) {
    return made.rejections.size() == 1 ? made.rejections.front().first : rejection::count_;
}

}  // namespace westerly::built
