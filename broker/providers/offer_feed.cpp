#include "broker/providers/offer_feed.hpp"

#include <algorithm>
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

void lay_over(const price_override& price, offer& on) {
    on.price = price.price;
    on.price_source = price.source;
    on.increment_s = std::max<std::uint32_t>(1, price.increment_s);
    on.minimum_s = price.minimum_s;
    on.supply = price.supply;
    if (!price.software.empty())
        on.software = price.software;
    if (price.idle_w)
        on.idle_w = price.idle_w;
    if (price.max_w)
        on.max_w = price.max_w;
}

}  // namespace

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
    for (const auto& from : (reply ? *reply : nothing).offers) {
        const auto site = std::find_if(config.sites.begin(), config.sites.end(),
                                       [&](const site_facts& facts) { return facts.site == from.site; });
        if (site == config.sites.end()) {
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
