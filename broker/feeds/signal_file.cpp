#include "broker/codec/positions.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/feeds/signal_forms.hpp"

#include <cmath>

namespace westerly {
namespace {

constexpr text_rule zone_rule{1, signal_zone_bytes_max};
constexpr std::int64_t step_max_s = 366 * 86'400;
constexpr std::int64_t age_max_s = 10LL * 366 * 86'400;

/// The last interval must begin where the one before ends, or later.
void keep_in_order(const std::vector<signal_interval>& intervals, const json_path& at, fault_list& faults) {
    const signal_interval& last = intervals.back();
    if (last.end_at <= last.start_at)
        faults.invalid(at, "ends before it begins", "end_at lies after start_at");
    else if (intervals.size() > 1 && intervals[intervals.size() - 2].end_at > last.start_at)
        faults.invalid(at, "overlaps the interval before it, or comes before it",
                       "give the intervals in order of time, without overlaps");
}

void read_intervals(object_reader& o, signal_series& into) {
    const auto [low, high] = believable(into.kind);
    o.objects("intervals", 1, signal_intervals_max, [&, low = low, high = high](object_reader& piece, std::size_t) {
        piece.require({"start_at", "end_at", "value"});
        signal_interval read;
        bool whole = piece.time("start_at", read.start_at);
        whole &= piece.time("end_at", read.end_at);
        whole &= piece.number("value", read.value, {low, high});
        piece.flag("forecast", read.forecast);
        if (!whole)
            return;
        into.intervals.push_back(read);
        keep_in_order(into.intervals, piece.path(), piece.faults());
    });
}

/// Values one after another from start_at on, each for step_s.
void read_steps(object_reader& o, signal_series& into) {
    const auto [low, high] = believable(into.kind);
    o.require({"start_at", "step_s"});
    instant from{};
    std::int64_t step_s = 3600;
    std::optional<instant> forecast_from;
    bool placed = o.time("start_at", from);
    placed &= o.whole("step_s", step_s, 60, step_max_s);
    o.time("forecast_from", forecast_from);
    o.items("values", 1, signal_intervals_max,
            [&, low = low, high = high](const json_value& v, const json_path& here, std::size_t i) {
                const auto value = read_number(v, here, {low, high}, o.faults());
                if (!value || !placed)
                    return false;
                const instant start = from + seconds(step_s * static_cast<std::int64_t>(i));
                into.intervals.push_back(
                    {start, start + seconds(step_s), *value, forecast_from && start >= *forecast_from});
                return true;
            });
}

void read_series(object_reader& o, signal_series& into) {
    o.require({"zone", "quality", "unit"});
    o.text("zone", into.zone, zone_rule);
    o.choice("kind", into.kind);
    o.choice("method", into.method);
    o.choice("scope", into.scope);
    o.choice("quality", into.quality);
    o.text("source", into.source, note_rule);
    o.text("version", into.version, note_rule);
    std::string unit;
    if (o.text("unit", unit, {1, 16}) && unit != unit_of(into.kind))
        o.faults().invalid(o.at("unit"), "is \"" + unit + "\"",
                           "values of " + std::string(to_string(into.kind)) + " are in " +
                               std::string(unit_of(into.kind)) + ": convert them, and say so");
    o.time("issued_at", into.issued_at);
    o.whole("max_age_s", into.max_age_s, 0, age_max_s);
    if (o.has("intervals") == o.has("values"))
        o.faults().invalid(o.path(), "needs either intervals or values",
                           "give intervals [{start_at, end_at, value}], or start_at, step_s and values");
    read_intervals(o, into);
    if (o.has("values"))
        read_steps(o, into);
}

}  // namespace

std::pair<double, double> believable(signal_kind kind) noexcept {
    return kind == signal_kind::carbon_intensity ? std::pair(0.0, 5'000.0) : std::pair(0.0, 1.0);
}

result<std::vector<signal_series>> decode_signals(std::string_view json, instant received_at) {
    const auto document = parse_json(json, signal_text_max);
    if (!document)
        return document.error();
    std::vector<signal_series> all;
    fault_list faults;
    object_reader::read_object(*document, json_path(), faults, [&](object_reader& o) {
        o.require({"source", "series"});
        signal_series common;
        std::string description;
        o.text("description", description, note_rule);
        o.text("source", common.source, note_rule);
        o.text("version", common.version, note_rule);
        o.objects("series", 1, signal_series_max, [&](object_reader& one, std::size_t) {
            signal_series& series = all.emplace_back(common);
            series.received_at = received_at;
            read_series(one, series);
        });
    });
    if (!faults.empty())
        return with_places(faults.to_error("the signals file"), json);
    return all;
}

}  // namespace westerly
