#include "tools/westerly/commands.hpp"
#include "tools/westerly/screen/bar_chart.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace westerly {
namespace {

constexpr std::size_t charted_max = 40;  // of many changes the newest: the table has them all

double amount_at(const json_value& v, std::string_view path) {
    const std::string amount = text_at(v, path);
    return amount.empty() ? 0 : std::strtod(amount.c_str(), nullptr);
}

/// The least price, and what the highest of the week is above it.
std::vector<double> prices_of(const json_value& told) {
    if (value_at(told, "hourly_price") == nullptr)
        return {amount_at(told, "price.amount"), 0};
    const double least = amount_at(told, "hourly_price.least.amount");
    return {least, amount_at(told, "hourly_price.highest.amount") - least};
}

/// The price over time: a bar for each change.
bar_chart chart_of(const json_value& items, const std::string& offer) {
    bar_chart chart;
    chart.title = "Price per unit-hour of " + offer;
    chart.parts = {"at the least", "at other hours up to"};
    chart.headings = {"PRICE/UNIT-H", "FREE"};
    const auto all = items.GetArray();
    const std::size_t first = all.Size() > charted_max ? all.Size() - charted_max : 0;
    for (std::size_t i = first; i < all.Size(); ++i) {
        const json_value& told = all[static_cast<rapidjson::SizeType>(i)];
        const std::string price = unit_price_of(told), free = text_at(told, "units_free");
        const bool offered = text_at(told, "offered") == "yes";
        chart.rows.push_back({text_at(told, "at"),
                              prices_of(told),
                              {!offered        ? "withdrawn"
                               : price.empty() ? "no price"
                                               : price,
                               free.empty() ? "-" : free}});
    }
    if (std::ranges::none_of(chart.rows, [](const auto& row) { return row.parts.back() > 0; })) {
        chart.parts.pop_back();
        for (auto& row : chart.rows)
            row.parts.pop_back();
    }
    return chart;
}

}  // namespace

int offer_history(cli& with, const std::string& offer, const std::string& from, const std::string& until) {
    std::string target = "/v1/offer-history?offer=" + url_encode(offer);
    if (!from.empty())
        target += "&from=" + url_encode(from);
    if (!until.empty())
        target += "&until=" + url_encode(until);
    const auto page = get(with, target);
    if (!page)
        return complain(page.error());
    if (with.json) {
        print_json(*page);
        return 0;
    }
    const json_value& items = *value_at(*page, "items");
    text_table table({"FROM", "PRICE/UNIT-H", "FREE", "SOURCE", "AS OF", ""});
    for (const auto& told : items.GetArray()) {
        const auto price = unit_price_of(told), free = text_at(told, "units_free"), as_of = text_at(told, "as_of");
        table.add({text_at(told, "at"),
                   text_at(told, "offered") != "yes" ? "withdrawn"
                   : price.empty()                   ? "-"
                                                     : price,
                   free.empty() ? "-" : free, text_at(told, "price_source"), as_of.empty() ? "-" : as_of,
                   hours_in_words(told)});
    }
    std::printf("%s\n%s", table.render(with.colour).c_str(),
                draw(chart_of(items, offer), terminal_at(STDOUT_FILENO)).c_str());
    return 0;
}

}  // namespace westerly
