#include "broker/placement/assign.hpp"
#include "tools/simulate/core/chart.hpp"
#include "tools/simulate/core/report.hpp"
#include "tools/simulate/core/story.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>

namespace westerly {

namespace {

struct figure_row {
    std::string words;
    std::function<std::string(const story_outcome&)> value;
};

std::string share(std::size_t part, std::size_t whole) {
    return std::to_string(part) + " of " + std::to_string(whole);
}

/// With `base`: also by how much it differs from that.
std::vector<figure_row> rows(const story_outcome& base) {
    const auto of = [&base](double story_sums::*what) {
        return [what, &base](const story_outcome& o) {
            const double value = o.all().*what, before = base.all().*what;
            std::string words = in_words(value);
            if (&o != &base && before > 0) {
                char change[32];
                std::snprintf(change, sizeof change, " (%+.1f %%)", 100 * (value - before) / before);
                words += change;
            }
            return words;
        };
    };
    std::vector<figure_row> all{{"money, CNY", of(&story_sums::money)},
                                {"of that moving data, CNY",
                                 [](const story_outcome& o) {
                                     return in_words(o.all().transfer);
                                 }},
                                {"carbon, location-based, kg", of(&story_sums::location_kg)},
                                {"carbon, market-based, kg", of(&story_sums::market_kg)},
                                {"non-green energy, kWh", of(&story_sums::non_green_kwh)},
                                {"energy, kWh", of(&story_sums::kwh)}};
    const auto service = static_cast<std::size_t>(story_kind::service);
    all.push_back({"RTT of services to their users, mean ms", [=](const story_outcome& o) {
                       const story_sums& s = o.kinds[service];
                       return in_words(s.rtt_ms /
                                       static_cast<double>(std::max<std::size_t>(s.workloads - s.unplaced, 1)));
                   }});
    for (std::size_t k = 0; k < story_kinds; ++k)
        all.push_back(
            {"in the west: " + std::string(in_words(static_cast<story_kind>(k))), [k](const story_outcome& o) {
                 return share(o.kinds[k].west, o.kinds[k].workloads);
             }});
    all.push_back({"above the certified bound, %", [](const story_outcome& o) {
                       return o.bound > 0 ? in_words(100 * (o.cost - o.bound) / o.bound) : std::string("–");
                   }});
    return all;
}

std::string cell(const std::string& text) {
    return "<td>" + escaped(text) + "</td>";
}

/// A card for a thousand hours at each cluster: what it costs, and both ways of counting what it emits.
std::string clusters_table(const east_west_world& world) {
    std::string made =
        "<div class=\"scroll\"><table><tr><th>cluster</th><th>side</th><th>CNY</th><th>kWh</th><th>non-green "
        "kWh</th><th>location kg</th><th>market kg</th></tr>\n";
    for (std::size_t c = 0; c < world.clusters.size(); ++c) {
        const hub_cluster& cluster = world.clusters[c];
        const offer& card = world.offers.offers[2 * c];
        const double kwh = card_watts * card.site.pue->value, dark = kwh * (1 - card.site.green_power_share->value);
        made += "<tr>" + cell(cluster.name + " " + cluster.name_zh) + cell(cluster.east ? "east" : "west") +
                cell(in_words(static_cast<double>(card.price->nanos) / 1e6)) + cell(in_words(kwh)) +
                cell(in_words(dark)) + cell(in_words(kwh * card.site.carbon_g_per_kwh->value / 1000)) +
                cell(in_words(dark * world.residual_g_per_kwh / 1000)) + "</tr>\n";
    }
    return made + "</table></div>\n";
}

constexpr double balanced_green_price = 0.61, balanced_time_price = 5;  // policies/balanced.json

/// What green power does not cover of one card-hour at a cluster.
double dark_kwh(const east_west_world& world, std::uint32_t cluster) {
    const site_facts& site = world.offers.offers[2 * cluster].site;
    return card_watts / 1000 * site.pue->value * (1 - site.green_power_share->value);
}

double transfer_hours(const story_workload& w) {
    constexpr double gigabits_per_gib = 8 * 1.073741824;
    return w.spec.inputs[0].size_gib * gigabits_per_gib / between_clusters_gbps / 3600;
}

/// Training by size: from where on the transfer pays, as `balanced` counts it.
std::string training_table(const east_west_world& world, const story_outcome& told) {
    std::vector<std::size_t> order;
    for (std::size_t j = 0; j < world.workloads.size(); ++j)
        if (world.workloads[j].kind == story_kind::training)
            order.push_back(j);
    const auto card_hours = [&](std::size_t j) {
        return world.workloads[j].hours * world.workloads[j].spec.tasks;
    };
    std::ranges::sort(order, {}, card_hours);
    std::string made =
        "<div class=\"scroll\"><table><tr><th>card-hours</th><th>data at</th><th>runs at</th><th>side</th><th>saved on "
        "cards, CNY</th><th>green power, CNY</th><th>moving data, CNY</th><th>its time, CNY</th><th>won, "
        "CNY</th></tr>\n";
    for (const std::size_t j : order) {
        if (told.at[j] == nothing)
            continue;
        const hub_cluster &home = world.clusters[world.workloads[j].home], &there = world.clusters[told.at[j]];
        const double saved = card_hours(j) * ((home.east ? east_card_price : west_card_price) -
                                              (there.east ? east_card_price : west_card_price));
        const bool stays = home.region == there.region;
        const double moved = stays ? 0 : world.workloads[j].spec.inputs[0].size_gib * world.transfer_per_gib;
        const double waited = stays ? 0 : transfer_hours(world.workloads[j]) * balanced_time_price;
        const double greener = card_hours(j) *
                               (dark_kwh(world, world.workloads[j].home) - dark_kwh(world, told.at[j])) *
                               balanced_green_price;
        made += "<tr>" + cell(in_words(card_hours(j))) + cell(home.name) + cell(there.name) +
                cell(there.east ? "east" : "west") + cell(in_words(saved)) + cell(in_words(greener)) +
                cell(in_words(moved)) + cell(in_words(waited)) + cell(in_words(saved + greener - moved - waited)) +
                "</tr>\n";
    }
    return made + "</table></div>\n";
}

}  // namespace

std::string story_table(const std::vector<story_outcome>& told) {
    std::string made;
    for (const story_outcome& o : told) {
        made += o.name + "\n";
        for (const figure_row& row : rows(told[0]))
            made += "  " + row.words + ": " + row.value(o) + "\n";
    }
    return made;
}

std::string story_page(const east_west_world& world, const std::vector<story_outcome>& told) {
    std::string page = page_head("East Data, West Computing 东数西算");
    page +=
        "<p>200 workloads, most of them from the east, over the ten clusters of the eight hubs, assigned together. "
        "Training goes west only where the transfer pays; services stay near their users; and green is not "
        "low-carbon: the two columns part ways.</p>\n<div class=\"scroll\"><table><tr><th></th>";
    for (const story_outcome& o : told)
        page += "<th>" + escaped(o.name) + "</th>";
    page += "</tr>\n";
    for (const figure_row& row : rows(told[0])) {
        page += "<tr>" + cell(row.words);
        for (const story_outcome& o : told)
            page += cell(row.value(o));
        page += "</tr>\n";
    }
    page += "</table></div>\n";
    const auto bars = [&](const char* title, const char* unit, double story_sums::*what) {
        std::vector<bar> list;
        for (const story_outcome& o : told)
            list.push_back({o.name, o.all().*what, {}});
        return bar_chart(title, unit, list);
    };
    page += bars("Money", "CNY", &story_sums::money);
    page += bars("Energy that green power does not cover", "kWh", &story_sums::non_green_kwh);
    page += bars("Carbon, location-based", "kg CO2", &story_sums::location_kg);
    page += bars("Carbon, market-based", "kg CO2", &story_sums::market_kg);
    page +=
        "<h2>Where green and low-carbon part ways</h2>\n<p class=\"small\">One card for a thousand hours. By the "
        "location-based "
        "number certificates change nothing: Horinger and Zhongwei emit more than Shaoguan, whatever their contracts "
        "say.</p>\n" +
        clusters_table(world);
    page +=
        "<h2>Training: where the transfer pays (balanced)</h2>\n<p class=\"small\">Against running where its data lie: "
        "what cheaper cards save, what green power is worth at 0.61 CNY for a kWh that need not be covered, what "
        "moving 10 TiB costs, and the 5 CNY an hour that waiting for it costs. It goes where most is won.</p>\n" +
        training_table(world, told[1]);
    page += "<h2>What is assumed</h2>\n<ul class=\"small\"><li>A card-hour costs " + in_words(east_card_price) +
            " CNY in the east (press, 2023) and " + in_words(west_card_price) +
            " in the west: a fifth less, an example; no price list by cluster is public.</li><li>16 processors cost " +
            in_words(east_node_price) + " and " + in_words(west_node_price) +
            " CNY an hour: an example.</li><li>Moving data between clusters costs " + in_words(world.transfer_per_gib) +
            " CNY a GiB at " + in_words(between_clusters_gbps) + " Gbit/s: assumed.</li><li>A card draws " +
            in_words(card_watts) +
            " W: 6.5 kW for a server of eight. Nothing fails, so that card-hours are hours times "
            "cards.</li><li>Western centres hold contracts for 80 % green power, as policy "
            "asks of new centres in "
            "hubs; of eastern ones the province's consumption obligation is taken. Neither is a "
            "measurement.</li><li>Market-based: what "
            "contracts do not cover, at the national factor without market-traded non-fossil power (609.6 g/kWh, "
            "2023).</li></ul>\n"
            "<h2>Sources</h2>\n<ul class=\"small\"><li>Clusters, coordinates, PUE targets, provincial factors of 2022 "
            "and obligations: "
            "schema/facts/hubs.json, which names each source.</li><li>RTT: estimated from coordinates, 6.57 ms + "
            "0.016465 ms/km, fitted on "
            "measured RTTs between cloud regions up to 3000 km; median error 3 ms. Not "
            "measured.</li></ul>\n</body></html>\n";
    return page;
}

}  // namespace westerly
