#include "broker/domain/wording.hpp"
#include "broker/ledger/reservations.hpp"
#include "tools/westerly/commands.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace westerly {

namespace {

constexpr int hour_decimals = 1;
constexpr double whole_hours_from = 100;  // more digits would say nothing

/// What the planner reads of an offer as the API shows it.
offer offer_of(const json_value& v) {
    offer o;
    o.id = text_at(v, "id");
    o.site.region = text_at(v, "site_facts.region");
    const auto mode = text_at(v, "billing_mode");
    o.mode = mode == "reserved" ? billing_mode::reserved
             : mode == "spot"   ? billing_mode::spot
                                : billing_mode::on_demand;
    o.vcpus = static_cast<std::uint32_t>(number_at(v, "vcpus", 0));
    o.architecture = text_at(v, "architecture");
    if (const auto model = text_at(v, "accelerators.model"); !model.empty())
        o.accelerators = accelerator_facts{.model = model,
                                           .count = static_cast<std::uint32_t>(number_at(v, "accelerators.count", 0))};
    if (value_at(v, "units_free") != nullptr)
        o.units_free = static_cast<std::uint64_t>(number_at(v, "units_free", 0));
    const auto price = parse_nanos(text_at(v, "price.amount"));
    if (const auto unit = parse_currency(text_at(v, "price.currency")); price && unit)
        o.price = unit_price{*price, *unit};
    const auto fee = parse_micros(text_at(v, "term_price.amount"));
    if (const auto unit = parse_currency(text_at(v, "term_price.currency")); fee && unit)
        o.supply.fee = reservation_fee{text_at(v, "term") == "year" ? reservation_term::year : reservation_term::month,
                                       {*fee, *unit}};
    o.supply.owned = text_at(v, "owned") == "yes";
    const auto time_at = [&](const char* name) {
        const auto at = parse_rfc3339(text_at(v, name));
        return at ? std::optional(*at) : std::nullopt;
    };
    o.supply.available_from = time_at("available_from");
    o.supply.price_until = time_at("valid_until");
    return o;
}

/// … and of a charge; nullopt where it does not have what every charge has.
std::optional<charge> charge_of(const json_value& v) {
    charge row;
    row.offer = text_at(v, "offer");
    const auto start = parse_rfc3339(text_at(v, "start_at")), end = parse_rfc3339(text_at(v, "end_at"));
    const auto cost = parse_micros(text_at(v, "billed_cost.amount"));
    const auto unit = parse_currency(text_at(v, "billed_cost.currency"));
    if (!start || !end || !cost || !unit)
        return std::nullopt;
    row.start_at = *start;
    row.end_at = *end;
    row.billed_micros = *cost;
    row.price.unit = *unit;
    row.units = static_cast<std::uint64_t>(number_at(v, "units", 0));
    return row;
}

std::string term_name(const reservation_advice& a) {
    return a.fee.term == reservation_term::month ? "month" : "year";
}

std::string money_of(const reservation_advice& a, double amount) {
    return fixed(amount, 2) + " " + std::string(to_string(a.fee.per_unit.unit));
}

/// Of one hour: below 1 three digits that say something, so that the break-even can be reckoned again from it.
std::string price_of(const reservation_advice& a, double amount) {
    int decimals = 2;
    for (double size = std::fabs(amount); size > 0 && size < 1 && decimals < 9; size *= 10)
        ++decimals;
    auto text = rounded(amount, decimals);
    if (const auto point = text.find('.'); point == std::string::npos)
        text += ".00";
    else if (text.size() == point + 2)
        text += '0';
    return text + " " + std::string(to_string(a.fee.per_unit.unit));
}

std::string hours(double h) {
    return fixed(h, std::fabs(h) < whole_hours_from ? hour_decimals : 0) + " h";
}

/// How long charges go back.
std::string span_of(double days) {
    constexpr double day_h = 24;
    if (days >= 2)
        return fixed(days, hour_decimals) + " days";
    return days * day_h >= 1 ? fixed(days * day_h, hour_decimals) + " hours" : "less than an hour";
}

/// The advice with its arithmetic, in a sentence or two. `days`: how long charges go back.
std::string sentence(const reservation_advice& a, double days) {
    const std::string card = a.counts_cards ? "card" : "vCPU";
    if (!a.break_even_h)
        return "No advice: nothing comparable was paid for or is offered by the hour in this currency.";
    const std::string fee = in_words(a.fee.per_unit) + " a " + term_name(a) + " for " + fixed(a.cards, 0) + " " + card +
                            (a.cards == 1 ? "" : "s");
    std::string text = !a.units       ? "No number to buy: "
                       : *a.units > 0 ? "Buy " + std::to_string(*a.units) + ": "
                                      : "Do not buy: ";
    text += fee + " buys " + hours(*a.break_even_h) + " by the hour at " + price_of(a, *a.hourly_price) + " a " + card +
            (a.price_paid ? " (the mean of what you paid)" : " (the cheapest on offer)");
    const double term_h = hours_of(a.fee.term);
    if (*a.break_even_h >= term_h)
        text += ", more than the " + term_name(a) + "'s " + hours(term_h) + " even if never idle";
    else if (!a.units)
        return text + ", but the charges span " + span_of(days) + ": it takes a week of them at least to tell a " +
               term_name(a) + "'s use.";
    else
        text += "; the first would have been busy " + hours(a.busy_h) + " of " + hours(term_h);
    if (!a.saving_per_month)
        return text + ".";
    if (*a.units > 0)
        return text + ". It saves " + money_of(a, *a.saving_per_month) + " a month at such use.";
    return text + ". Kept for its availability alone, one would cost " + money_of(a, -*a.saving_per_month) +
           " a month more.";
}

void put(rapidjson::Value& into, const char* name, const std::string& text,
         rapidjson::Document::AllocatorType& memory) {
    into.AddMember(rapidjson::StringRef(name), rapidjson::Value(text, memory), memory);
}
void put(rapidjson::Value& into, const char* name, const std::optional<double>& value,
         rapidjson::Document::AllocatorType& memory) {
    if (value)
        into.AddMember(rapidjson::StringRef(name), *value, memory);
}

rapidjson::Value as_json(const reservation_advice& a, double days, rapidjson::Document::AllocatorType& memory) {
    rapidjson::Value v(rapidjson::kObjectType);
    put(v, "offer", a.offer, memory);
    put(v, "region", a.region, memory);
    put(v, "term", term_name(a), memory);
    rapidjson::Value fee(rapidjson::kObjectType);
    put(fee, "amount", format_micros(a.fee.per_unit.micros), memory);
    put(fee, "currency", std::string(to_string(a.fee.per_unit.unit)), memory);
    v.AddMember("term_price", fee, memory);
    put(v, "counts", std::string(a.counts_cards ? "card" : "vcpu"), memory);
    put(v, "cards", std::optional(a.cards), memory);
    put(v, "reserved_price", std::optional(a.reserved_price), memory);
    put(v, "hourly_price", a.hourly_price, memory);
    if (a.hourly_price)
        put(v, "hourly_price_is", std::string(a.price_paid ? "paid" : "offered"), memory);
    put(v, "break_even_h", a.break_even_h, memory);
    put(v, "busy_h", std::optional(a.busy_h), memory);
    put(v, "used_card_h", std::optional(a.used_card_h), memory);
    if (a.units)
        v.AddMember("buy_units", *a.units, memory);
    put(v, "saving_per_month", a.saving_per_month, memory);
    v.AddMember("weeks", a.weeks, memory);
    v.AddMember("weeks_agreeing", a.weeks_agreeing, memory);
    put(v, "certainty", std::string(to_string(a.how_sure)), memory);
    put(v, "advice", sentence(a, days), memory);
    return v;
}

struct left_out_count {
    const char *name, *words;
    std::uint64_t count;
};

std::array<left_out_count, 5> counts_of(const reservations_left_out& o) {
    return {{{"owned", "owned already", o.owned},
             {"no_term_price", "without a term_price", o.no_fee},
             {"begin_later", "not to be had yet (available_from)", o.begin_later},
             {"quotes_ended", "with a quote that has ended (valid_until)", o.quotes_ended},
             {"full", "with no unit free", o.full}}};
}

void print_left_out(const reservations_left_out& which) {
    std::string text;
    for (const left_out_count& each : counts_of(which))
        if (each.count > 0)
            text += (text.empty() ? "" : ", ") + std::to_string(each.count) + " " + each.words;
    if (!text.empty())
        std::printf("Reserved offers left out: %s.\n", text.c_str());
}

std::string certainty_of(const reservation_advice& a) {
    if (!a.break_even_h)
        return "-";
    return a.weeks == 0 ? "none: less than a week"
                        : std::string(to_string(a.how_sure)) + ", " + std::to_string(a.weeks_agreeing) + " of " +
                              std::to_string(a.weeks) + " weeks agree";
}

void print_advices(const cli& with, const reservation_advices& made, double days) {
    if (with.json) {
        rapidjson::Document out(rapidjson::kObjectType);
        auto& memory = out.GetAllocator();
        put(out, "from", format_rfc3339(made.from), memory);
        put(out, "until", format_rfc3339(made.until), memory);
        put(out, "days", std::optional(days), memory);
        out.AddMember("rows_unknown", made.rows_unknown, memory);
        rapidjson::Value left_out(rapidjson::kObjectType);
        for (const left_out_count& each : counts_of(made.left_out))
            left_out.AddMember(rapidjson::StringRef(each.name), each.count, memory);
        out.AddMember("left_out", left_out, memory);
        rapidjson::Value items(rapidjson::kArrayType);
        for (const auto& a : made.advices)
            items.PushBack(as_json(a, days, memory), memory);
        out.AddMember("items", items, memory);
        return print_json(out);
    }
    if (made.advices.empty()) {
        std::printf(
            "nothing to buy: no reserved offer that you do not own already can be had now and has a term_price\n");
        return print_left_out(made.left_out);
    }
    text_table table({"OFFER", "REGION", "FEE", "RESERVED/H", "BY THE HOUR", "BREAK-EVEN", "BUSY", "BUY", "SAVES/MONTH",
                      "CERTAINTY"});
    for (const auto& a : made.advices)
        table.add({a.offer, a.region, in_words(a.fee.per_unit) + "/" + term_name(a), price_of(a, a.reserved_price),
                   a.hourly_price ? price_of(a, *a.hourly_price) : "-", a.break_even_h ? hours(*a.break_even_h) : "-",
                   hours(a.busy_h), a.units ? std::to_string(*a.units) : "-",
                   a.saving_per_month ? money_of(a, *a.saving_per_month) : "-", certainty_of(a)});
    std::printf("%s\n", table.render(with.colour).c_str());
    for (const auto& a : made.advices)
        std::printf("%s: %s\n", a.offer.c_str(), sentence(a, days).c_str());
    print_left_out(made.left_out);
    std::printf("From %s of charges%s.\n", span_of(days).c_str(),
                made.rows_unknown == 0
                    ? ""
                    : (", without " + std::to_string(made.rows_unknown) + " of offers that are gone").c_str());
}

}  // namespace

int advise_reservations(cli& with, std::uint64_t days) {
    const auto market = get_all(with, "/v1/offers?limit=500");
    if (!market)
        return complain(market.error());
    const instant until = system_wall_clock().now();
    instant from = until - std::chrono::days(days);
    const auto rows = get_all(with, "/v1/charges?limit=500&from=" + url_encode(format_rfc3339(from)));
    if (!rows)
        return complain(rows.error());
    std::vector<offer> offers;
    for (const auto& each : market->GetArray())
        offers.push_back(offer_of(each));
    std::vector<charge> history;
    for (const auto& each : rows->GetArray())
        if (auto row = charge_of(each))
            history.push_back(std::move(*row));
    // More were not fetched: what is older than the oldest of these is not known to have been idle.
    if (rows->Size() >= items_max)
        from = std::ranges::min(history, {}, &charge::start_at).start_at;
    const auto made = advise_reservations(history, offers, from, until);
    constexpr double ms_per_day = 86'400'000;
    print_advices(with, made, static_cast<double>((made.until - made.from).count()) / ms_per_day);
    return 0;
}

}  // namespace westerly
