#include "broker/codec/price_schedule_json.hpp"

#include "broker/codec/shapes.hpp"
#include "broker/codec/writer.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::string_view day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

constexpr text_rule day_rule{
    3, 3, [](std::string_view text) { return std::ranges::find(day_names, text) != std::end(day_names); },
    "mon, tue, wed, thu, fri, sat or sun"};
constexpr text_rule time_rule{5, 5, [](std::string_view text) { return parse_time_of_day(text).has_value(); },
                              "a time of day such as 22:00, up to 23:59"};
constexpr text_rule offset_rule{6, 6, [](std::string_view text) { return parse_utc_offset(text).has_value(); },
                                "hours and minutes off UTC such as +08:00, up to 14:59"};
constexpr text_rule hourly_amount_rule{1, 19, is_price_amount,
                                       "a decimal text such as \"0.045\", not negative, at most 9 decimals"};

/// Absent: every day. False: they are wrong.
bool read_days(object_reader& o, std::uint8_t& days) {
    if (!o.has("days"))
        return true;
    std::vector<std::string> names;
    if (!o.texts("days", names, 1, std::size(day_names), day_rule, true))
        return false;
    days = 0;
    for (const auto& name : names)
        days |= static_cast<std::uint8_t>(1u << (std::ranges::find(day_names, name) - std::begin(day_names)));
    return true;
}

bool read_window(object_reader& o, price_window& into) {
    std::string from, to, amount;
    o.require({"from", "to", "amount"});
    bool whole = read_days(o, into.days);
    whole = o.text("from", from, time_rule) && whole;
    whole = o.text("to", to, time_rule) && whole;
    whole = o.text("amount", amount, hourly_amount_rule) && whole;
    if (!whole)
        return false;
    into.from_min = *parse_time_of_day(from);
    into.to_min = *parse_time_of_day(to);
    into.nanos = *parse_nanos(amount);
    return true;
}

}  // namespace

bool read_price_schedule(object_reader& o, price_schedule& into) {
    price_schedule read;
    std::string offset;
    bool whole = false;
    o.object("price_schedule", [&](object_reader& hours) {
        hours.require({"utc_offset", "windows"});
        whole = hours.text("utc_offset", offset, offset_rule);
        if (whole)
            read.utc_offset_min = *parse_utc_offset(offset);
        bool every_one = true;
        const bool list = hours.objects("windows", 1, price_windows_max, [&](object_reader& window, std::size_t) {
            every_one = read_window(window, read.windows.emplace_back()) && every_one;
        });
        whole = whole && list && every_one;
        if (list && every_one && windows_overlap(read))
            hours.faults().invalid(hours.at("windows"), "have an hour in common",
                                   "let each hour of the week be in one of them");
    });
    if (whole)
        into = std::move(read);
    return whole;
}

void put_price_schedule(json_writer& out, const price_schedule& hours) {
    if (hours.empty())
        return;
    put_key(out, "price_schedule");
    out.StartObject();
    put_text(out, "utc_offset", format_utc_offset(hours.utc_offset_min));
    put_objects(out, "windows", hours.windows, [&](const price_window& w) {
        std::vector<std::string> days;
        for (std::size_t day = 0; day < std::size(day_names); ++day)
            if (w.days >> day & 1)
                days.emplace_back(day_names[day]);
        put_texts(out, "days", days);
        put_text(out, "from", format_time_of_day(w.from_min));
        put_text(out, "to", format_time_of_day(w.to_min));
        put_text(out, "amount", format_nanos(w.nanos));
    });
    out.EndObject();
}

void put_hourly_price(json_writer& out, unit_price plain, const price_schedule& hours, std::optional<instant> now) {
    if (hours.empty())
        return;
    constexpr std::int64_t week_ms = 7 * 86'400'000;
    const price_curve curve(plain.nanos, hours);
    const auto [least, most] = curve.range(0, week_ms);
    put_key(out, "hourly_price");
    out.StartObject();
    if (now) {
        const std::int64_t at_ms = now->time_since_epoch().count();
        put_price(out, "now", {curve.at(at_ms), plain.unit});
        if (least != most)  // else it never changes
            put_time(out, "until", instant(instant::duration(curve.next_edge(at_ms))));
    }
    put_price(out, "least", {least, plain.unit});
    put_price(out, "highest", {most, plain.unit});
    put_price(out, "mean", {curve.mean_of_week(), plain.unit});
    out.EndObject();
}

}  // namespace westerly
