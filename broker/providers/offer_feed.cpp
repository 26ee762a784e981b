#include "broker/providers/offer_feed.hpp"

#include "broker/domain/region.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace westerly {
namespace {

std::string_view mode_name(billing_mode mode) {
    switch (mode) {
        case billing_mode::spot:
            return "spot";
        case billing_mode::reserved:
            return "reserved";
        case billing_mode::on_demand:
            break;
    }
    return "on_demand";
}

const price_override* price_for(const provider_config& config, const adapter_offer& from) {
    const price_override* best = nullptr;
    int best_rank = -1;
    for (const auto& price : config.prices) {
        const bool fits =
            (price.site.empty() || price.site == from.site) && (price.offer.empty() || price.offer == from.name);
        const int rank = (price.offer.empty() ? 0 : 2) + (price.site.empty() ? 0 : 1);
        if (fits && rank > best_rank) {
            best = &price;
            best_rank = rank;
        }
    }
    return best;
}

template <class T>
void lay_over(const T& told, T& on) {
    if (told > 0)
        on = told;
}

void lay_over(const accelerator_facts& told, accelerator_facts& on) {
    lay_over(told.fp16_tflops, on.fp16_tflops);
    lay_over(told.fp64_tflops, on.fp64_tflops);
    lay_over(told.memory_gb_s, on.memory_gb_s);
    lay_over(told.interconnect_gb_s, on.interconnect_gb_s);
    lay_over(told.host_link_gb_s, on.host_link_gb_s);
    lay_over(told.scale_up_cards, on.scale_up_cards);
    lay_over(told.scale_out_gb_s, on.scale_out_gb_s);
}

/// What the file does not state stays as the adapter told it; its hours and the end of its quote are the price's, and
/// go with that.
void lay_over(const price_override& price, offer& on) {
    on.price = price.price;
    on.schedule = price.schedule;
    on.price_source = price.source;
    on.increment_s = std::max(1u, price.increment_s.value_or(on.increment_s));
    on.minimum_s = price.minimum_s.value_or(on.minimum_s);
    on.billing_starts = price.billing_starts.value_or(on.billing_starts);
    on.supply = price.supply;
    if (on.accelerators)
        lay_over(price.cards, *on.accelerators);
    if (!price.software.empty())
        on.software = price.software;
    if (price.idle_w)
        on.idle_w = price.idle_w;
    if (price.max_w)
        on.max_w = price.max_w;
}

constexpr std::size_t unmet_listed_max = 10;

constexpr double steady_ms = 1;
constexpr double steady_share = 0.05;

/// The facts of each site with what its adapter measured.
std::vector<site_facts> with_measured(const provider_config& config, const std::vector<site_rtt>& told, instant now) {
    std::vector<site_facts> sites = config.sites;
    for (const site_rtt& one : told) {
        const auto site = std::ranges::find(sites, one.site, &site_facts::site);
        if (site == sites.end())
            continue;
        measured_rtt seen = one.rtt;
        seen.measured_at = std::min(seen.measured_at, now);
        auto& all = site->rtt_measured;
        const auto at = std::ranges::lower_bound(all, seen.region, {}, &measured_rtt::region);
        if (at == all.end() || at->region != seen.region)
            all.insert(at, std::move(seen));
        else if (at->measured_at < seen.measured_at)
            *at = std::move(seen);
    }
    return sites;
}

}  // namespace

std::vector<std::string> unmet_prices(const provider_config& config, const offers_reply& reply) {
    std::set<std::string_view> names;
    std::set<std::pair<std::string_view, std::string_view>> of_sites;
    for (const auto& told : reply.offers) {
        names.insert(told.name);
        of_sites.emplace(told.site, told.name);
    }
    std::vector<std::string> unmet;
    for (std::size_t i = 0; i < config.prices.size() && unmet.size() < unmet_listed_max; ++i) {
        const price_override& price = config.prices[i];
        if (price.offer.empty() ||
            (price.site.empty() ? names.contains(price.offer) : of_sites.contains({price.site, price.offer})))
            continue;
        nearest_region meant(price.offer);
        for (const std::string_view name : names)
            meant.look_at(name);
        unmet.push_back("/prices/" + std::to_string(i) + "/offer: the adapter has no offer \"" + price.offer + '"' +
                        (price.site.empty() ? "" : " at site " + price.site) +
                        (meant.found().empty() ? "" : "; did you mean \"" + meant.found() + "\"?"));
    }
    return unmet;
}

void keep_steady(const std::vector<site_rtt>& before, const provider_config& config, instant now,
                 std::vector<site_rtt>& told) {
    for (site_rtt& one : told) {
        const auto was = std::ranges::find_if(
            before, [&](const site_rtt& b) { return b.site == one.site && b.rtt.region == one.rtt.region; });
        const auto site = std::ranges::find(config.sites, one.site, &site_facts::site);
        if (was == before.end() || site == config.sites.end())
            continue;
        const bool young = now - was->rtt.measured_at < seconds(std::int64_t{site->rtt_max_age_s}) / 2;
        const double moved = std::abs(one.rtt.ms - was->rtt.ms);
        if (young && moved <= std::max(steady_ms, steady_share * was->rtt.ms))
            one.rtt = was->rtt;
    }
}

merged_offers merge_offers(const provider_config& config, const offers_reply* reply, instant now) {
    merged_offers out;
    std::set<offer_id> known;
    const auto add = [&](offer&& made) {
        if (known.insert(made.id).second)
            out.offers.push_back(std::move(made));
        else
            out.warnings.push_back("offer " + made.id + " is there twice; the first holds");
    };
    static const offers_reply nothing;
    const std::vector<site_facts> sites = with_measured(config, (reply ? *reply : nothing).rtt_measured, now);
    for (const auto& from : (reply ? *reply : nothing).offers) {
        const auto site = std::ranges::find(sites, from.site, &site_facts::site);
        if (site == sites.end()) {
            out.warnings.push_back("offer " + from.name + " is of site " + from.site +
                                   ", which the provider file does not know");
            continue;
        }
        const auto* price = price_for(config, from);
        offer made = from.shape;
        if (price != nullptr && price->supply.owned)
            made.mode = billing_mode::reserved;
        made.provider = config.id;
        made.site = *site;
        made.id = config.id + "/" + from.site + "/" + from.name + "/" + std::string(mode_name(made.mode));
        made.as_of = reply->as_of;
        made.stale_after_s = stale_after_s(config);
        if (price != nullptr)
            lay_over(*price, made);
        add(std::move(made));
    }
    for (offer made : config.offers) {
        made.provider = config.id;
        made.launchable = false;
        if (made.as_of == instant{})
            made.as_of = now;
        made.stale_after_s = stale_after_s(config);
        add(std::move(made));
    }
    std::sort(out.offers.begin(), out.offers.end(), [](const offer& a, const offer& b) { return a.id < b.id; });
    return out;
}

}  // namespace westerly
