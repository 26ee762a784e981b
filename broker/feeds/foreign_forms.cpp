#include "broker/codec/shapes.hpp"
#include "broker/feeds/signal_forms.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

/// Whatever a foreign server says there.
std::string_view text_if_any(const json_value& v) {
    return v.IsString() ? text_of(v) : std::string_view();
}

constexpr milliseconds hour{3'600'000};

/// A value whose end may not be known yet.
struct point {
    instant at{};
    double value = 0;
    milliseconds holds = hour;
    bool estimated = false;
};

/// In order of time, each cut where the next one begins; of two for one time the later in the answer counts.
std::vector<signal_interval> intervals_of(std::vector<point> points, bool forecast) {
    std::ranges::stable_sort(points, {}, &point::at);
    std::vector<signal_interval> all;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (i + 1 < points.size() && points[i + 1].at == points[i].at)
            continue;
        instant end = points[i].at + points[i].holds;
        if (i + 1 < points.size())
            end = std::min(end, points[i + 1].at);
        all.push_back({points[i].at, end, points[i].value, forecast});
    }
    return all;
}

signal_series series_of(const foreign_facts& of, instant received_at) {
    signal_series made;
    made.zone = of.zone;
    made.method = of.method;
    made.scope = of.scope;
    made.source = of.source;
    made.quality = of.measured_quality;
    made.received_at = received_at;
    made.max_age_s = of.max_age_s;
    return made;
}

bool read_value(object_reader& o, std::string_view name, double& into) {
    const auto [low, high] = believable(signal_kind::carbon_intensity);
    return o.number(name, into, {low, high});
}

/// Without a value or a time it tells nothing, and is passed over: services send null for hours that they lack.
bool is_null(const json_value& v, const char* name) {
    return v.IsObject() && v.HasMember(name) && v[name].IsNull();
}

milliseconds granularity_of(const json_value& v) {
    const std::string_view word =
        v.IsObject() && v.HasMember("temporalGranularity") ? text_if_any(v["temporalGranularity"]) : std::string_view();
    if (word == "5_minutes")
        return milliseconds(300'000);
    if (word == "15_minutes")
        return milliseconds(900'000);
    return hour;
}

/// One entry of Electricity Maps; false: nothing of use, or a fault.
bool read_entry(const json_value& v, const json_path& here, milliseconds holds, fault_list& faults, point& into,
                signal_series& about) {
    if (is_null(v, "carbonIntensity"))
        return false;
    bool whole = false;
    object_reader::read_object(v, here, faults, [&](object_reader& o) {
        o.accept_rest();
        o.require({"carbonIntensity", "datetime"});
        whole = read_value(o, "carbonIntensity", into.value);
        whole &= o.time("datetime", into.at);
        o.flag("isEstimated", into.estimated);
        std::string factors;
        if (!is_null(v, "emissionFactorType") && o.text("emissionFactorType", factors, {1, 32}))
            about.scope = factors == "direct" ? emission_scope::direct : emission_scope::life_cycle;
        if (!is_null(v, "updatedAt"))
            o.time("updatedAt", about.issued_at);
    });
    into.holds = holds;
    return whole;
}

/// A forecast's entries, or the hours of history.
void read_entries(object_reader& o, const json_value& root, std::string_view name, std::vector<point>& into,
                  signal_series& about) {
    const milliseconds holds = granularity_of(root);
    o.items(name, 0, signal_intervals_max, [&](const json_value& v, const json_path& here, std::size_t) {
        point read;
        if (read_entry(v, here, holds, o.faults(), read, about))
            into.push_back(read);
        return true;
    });
}

/// What is estimated is modelled: a series of its own, so that each keeps its quality.
void add_series(std::vector<signal_series>& all, signal_series about, std::vector<point> points, bool forecast) {
    std::vector<point> measured, estimated;
    for (const point& one : points)
        (one.estimated && !forecast ? estimated : measured).push_back(one);
    const auto add = [&](std::vector<point> some, quality_class quality) {
        if (some.empty())
            return;
        about.quality = std::max(quality, about.quality);
        about.intervals = intervals_of(std::move(some), forecast);
        all.push_back(about);
    };
    add(std::move(measured), about.quality);
    add(std::move(estimated), quality_class::modelled_hourly);
}

error nothing_in(std::string_view service) {
    return fail(errc::invalid, "the answer of " + std::string(service) + " has no values",
                "look at what it answers to the feed's address");
}

/// "01:00:00" or minutes.
std::optional<milliseconds> duration_of(const json_value& v) {
    if (v.IsNumber() && v.GetDouble() > 0 && v.GetDouble() <= 1440)
        return milliseconds(static_cast<std::int64_t>(v.GetDouble() * 60'000));
    const std::string_view text = text_if_any(v);
    if (text.size() != 8 || text[2] != ':' || text[5] != ':')
        return std::nullopt;
    std::int64_t total = 0;
    for (const std::size_t at : {0, 3, 6}) {
        const int tens = text[at] - '0', ones = text[at + 1] - '0';
        if (tens < 0 || tens > 9 || ones < 0 || ones > 9)
            return std::nullopt;
        total = total * 60 + tens * 10 + ones;
    }
    return total > 0 ? std::optional(milliseconds(total * 1000)) : std::nullopt;
}

void read_point(const json_value& v, const json_path& here, std::string_view time, std::string_view value,
                fault_list& faults, std::vector<point>& into) {
    point read;
    bool whole = false;
    object_reader::read_object(v, here, faults, [&](object_reader& o) {
        o.accept_rest();
        o.require({time, value});
        whole = read_value(o, value, read.value);
        whole &= o.time(time, read.at);
        if (const auto* length = o.take("duration"); length && !length->IsNull()) {
            if (const auto holds = duration_of(*length))
                read.holds = *holds;
            else
                faults.invalid(o.at("duration"), "is neither minutes nor hh:mm:ss");
        }
    });
    if (whole)
        into.push_back(read);
}

void read_forecast(const json_value& v, const json_path& here, fault_list& faults, signal_series about,
                   std::vector<signal_series>& all) {
    std::vector<point> points;
    object_reader::read_object(v, here, faults, [&](object_reader& o) {
        o.accept_rest();
        o.time("generatedAt", about.issued_at);
        o.items("forecastData", 0, signal_intervals_max, [&](const json_value& one, const json_path& at, std::size_t) {
            read_point(one, at, "timestamp", "value", faults, points);
            return true;
        });
    });
    add_series(all, about, std::move(points), true);
}

}  // namespace

result<std::vector<signal_series>> decode_electricity_maps(std::string_view json, const foreign_facts& of,
                                                           instant received_at) {
    const auto document = parse_json(json, signal_text_max);
    if (!document)
        return document.error();
    std::vector<signal_series> all;
    fault_list faults;
    signal_series about = series_of(of, received_at);
    object_reader::read_object(*document, json_path(), faults, [&](object_reader& o) {
        o.accept_rest();
        if (!is_null(*document, "updatedAt"))
            o.time("updatedAt", about.issued_at);
        std::vector<point> points;
        const bool forecast = o.has("forecast");
        if (forecast || o.has("history"))
            read_entries(o, *document, forecast ? "forecast" : "history", points, about);
        else if (point read; read_entry(*document, json_path(), granularity_of(*document), faults, read, about))
            points.push_back(read);
        add_series(all, about, std::move(points), forecast);
    });
    if (!faults.empty())
        return faults.to_error("the answer of Electricity Maps");
    if (all.empty())
        return nothing_in("Electricity Maps");
    return all;
}

result<std::vector<signal_series>> decode_carbon_aware(std::string_view json, const foreign_facts& of,
                                                       instant received_at) {
    const auto document = parse_json(json, signal_text_max);
    if (!document)
        return document.error();
    fault_list faults;
    std::vector<signal_series> all;
    if (!document->IsArray() || document->Size() > signal_intervals_max)
        return fail(errc::invalid, "the answer of the Carbon Aware SDK is not an array, or too long a one",
                    "look at what it answers to the feed's address");
    const json_path root;
    std::vector<point> observed;
    for (rapidjson::SizeType i = 0; i < document->Size(); ++i) {
        const json_value& one = (*document)[i];
        const json_path here(root, i);
        if (one.IsObject() && one.HasMember("forecastData"))
            read_forecast(one, here, faults, series_of(of, received_at), all);
        else
            read_point(one, here, "time", "rating", faults, observed);
    }
    add_series(all, series_of(of, received_at), std::move(observed), false);
    if (!faults.empty())
        return faults.to_error("the answer of the Carbon Aware SDK");
    if (all.empty())
        return nothing_in("the Carbon Aware SDK");
    return all;
}

}  // namespace westerly
