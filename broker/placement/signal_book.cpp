#include "broker/placement/signal_book.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>

namespace westerly {
namespace {

/// Location-based numbers count average, direct factors only.
bool countable(const signal_series& s) noexcept {
    return s.method == signal_method::average && s.scope == emission_scope::direct;
}

bool fresh(const signal_series& s, instant now) noexcept {
    return !stale(s, now);
}

/// What has passed of an older word stays, where the new one does not speak of it.
void keep_past(signal_series& fresh_word, const signal_series& older, instant now) {
    const auto& told = older.intervals;  // their ends ascend as their starts do
    const auto from = std::ranges::upper_bound(told, now - signal_book::signals_kept, {}, &signal_interval::end_at);
    const auto to = std::ranges::upper_bound(told, now, {}, &signal_interval::end_at);
    if (from >= to)
        return;
    fresh_word.intervals = overlay(fresh_word.intervals, {from, to});
    if (fresh_word.intervals.size() > signal_intervals_max)
        fresh_word.intervals.erase(fresh_word.intervals.begin(), fresh_word.intervals.end() - signal_intervals_max);
}

/// The next time that a value begins or ends.
std::optional<instant> next_edge(const signal_series& of, instant now) noexcept {
    const auto next = std::ranges::upper_bound(of.intervals, now, {}, &signal_interval::end_at);
    if (next == of.intervals.end())
        return std::nullopt;
    return next->start_at > now ? next->start_at : next->end_at;
}

void take_earlier(std::optional<instant>& least, std::optional<instant> one) noexcept {
    if (one && (!least || *one < *least))
        least = one;
}

/// What is measured first, then the newest forecast.
void put_in_order(signal_list& layers) {
    std::ranges::stable_sort(layers, {}, [](const std::shared_ptr<const signal_series>& s) {
        return std::pair(s->intervals.empty() || s->intervals.back().forecast,
                         -s->issued_at.value_or(s->received_at).time_since_epoch().count());
    });
}

signal_curve curve_of(const signal_list& layers) {
    std::vector<signal_interval> all;
    for (std::size_t i = 1; i < layers.size(); ++i)
        all = overlay(i == 1 ? layers[0]->intervals : all, layers[i]->intervals);
    return signal_curve(layers.size() == 1 ? layers[0]->intervals : all);
}

void join(std::vector<zone_signal::stretch>& into, const zone_signal::stretch& one) {
    if (into.empty() || into.back().to_ms < one.from_ms || into.back().from_ms > one.from_ms)
        into.push_back(one);
    else
        into.back().to_ms = std::max(into.back().to_ms, one.to_ms);
}

std::vector<zone_signal::stretch> measured_of(const signal_list& layers) {
    std::vector<zone_signal::stretch> all, joined;
    for (const auto& one : layers)
        if (one->quality == quality_class::measured_hourly)
            for (const signal_interval& piece : one->intervals)
                if (!piece.forecast)
                    join(all, {piece.start_at.time_since_epoch().count(), piece.end_at.time_since_epoch().count()});
    std::ranges::sort(all, {}, &zone_signal::stretch::from_ms);
    for (const zone_signal::stretch& one : all)
        join(joined, one);
    return joined;
}

}  // namespace

bool zone_signal::is_measured(std::int64_t from_ms, std::int64_t to_ms) const noexcept {
    const auto after = std::ranges::upper_bound(measured, from_ms, {}, &stretch::from_ms);
    return after != measured.begin() && std::prev(after)->to_ms >= to_ms;
}

void signal_book::receive(const std::string& feed, std::vector<signal_series> series, instant now) {
    const auto of_zone = [](const kept& k) {
        return std::pair<std::string_view, std::string_view>(k.feed, k.series->zone);
    };
    for (signal_series& one : series)
        for (const kept& before : std::ranges::equal_range(
                 series_, std::pair<std::string_view, std::string_view>(feed, one.zone), {}, of_zone))
            if (same_thing(*before.series, one))
                keep_past(one, *before.series, now);
    std::erase_if(series_, [&](const kept& before) { return before.feed == feed; });
    for (signal_series& one : series)
        series_.push_back({feed, std::make_shared<const signal_series>(std::move(one))});
    list_places(now);
}

void signal_book::keep_only(std::span<const std::string> feeds, instant now) {
    const auto gone =
        std::erase_if(series_, [&](const kept& k) { return std::ranges::find(feeds, k.feed) == feeds.end(); });
    if (gone > 0)
        list_places(now);
}

signal_list signal_book::told_by(const std::string& feed) const {
    signal_list told;
    for (const kept& each : series_)
        if (each.feed == feed)
            told.push_back(each.series);
    return told;
}

std::vector<std::string> signal_book::feeds() const {
    std::vector<std::string> names;
    for (const kept& each : series_)
        if (names.empty() || names.back() != each.feed)
            names.push_back(each.feed);
    return names;
}

void signal_book::restore(std::span<const std::pair<std::string, signal_list>> told, instant chosen_at) {
    series_.clear();
    for (const auto& [feed, list] : told)
        for (const auto& one : list)
            series_.push_back({feed, one});
    list_places(chosen_at);
}

void signal_book::choose_as_at(instant chosen_at) {
    if (chosen_at != chosen_at_)
        choose_due(chosen_at);
}

bool signal_book::refresh(instant now) {
    if (!next_change_at_ || now < *next_change_at_)
        return false;
    choose_due(now);
    return true;
}

const zone_signal* signal_book::find(signal_kind kind, std::string_view zone) const noexcept {
    const auto& all = kind == signal_kind::carbon_intensity ? carbon_ : green_;
    const auto at = all.find(zone);
    return at == all.end() ? nullptr : &at->second;
}

void signal_book::list_places(instant now) {
    std::ranges::stable_sort(series_, {},
                             [](const kept& k) { return std::tie(k.feed, k.series->zone, k.series->source); });
    std::map<place, signal_list> known;
    for (const kept& k : series_)
        if (countable(*k.series))
            known[{k.series->kind, k.series->zone}].push_back(k.series);
    for (auto& [at, of] : places_)
        known.try_emplace(at);  // nothing is known there any more
    for (auto& [at, now_known] : known)
        if (standing& of = places_[at]; of.known != now_known) {
            of.known = std::move(now_known);
            of.next_change_at = instant::min();
        }
    choose_due(now);
    std::erase_if(places_, [](const auto& each) { return each.second.known.empty(); });
}

void signal_book::choose_due(instant now) {
    const bool back = now < chosen_at_;  // a clock was put back, or an older choice is asked for
    chosen_at_ = now;
    next_change_at_.reset();
    for (auto& [at, of] : places_) {
        if (back || (of.next_change_at && *of.next_change_at <= now))
            choose(at, of, now);
        take_earlier(next_change_at_, of.next_change_at);
    }
}

void signal_book::choose(const place& at, standing& of, instant now) {
    const signal_series* best = nullptr;
    const auto rank = [&](const signal_series& s) {
        return std::pair(*quality_at(s, now), std::string_view(s.source));
    };
    of.next_change_at.reset();
    for (const auto& one : of.known) {
        take_earlier(of.next_change_at, next_edge(*one, now));
        if (!fresh(*one, now))
            continue;
        take_earlier(of.next_change_at, stale_at(*one));
        if (quality_at(*one, now) && (!best || rank(*one) < rank(*best)))
            best = one.get();
    }
    auto& chosen = at.first == signal_kind::carbon_intensity ? carbon_ : green_;
    if (!best) {
        of.layers.clear();
        chosen.erase(at.second);
        return;
    }
    signal_list layers;
    for (const auto& one : of.known)
        if (one->source == best->source && fresh(*one, now) &&
            time_resolved(one->quality) == time_resolved(best->quality))
            layers.push_back(one);
    put_in_order(layers);
    zone_signal& now_told = chosen[at.second];
    if (layers != of.layers) {
        now_told.curve = curve_of(layers);
        now_told.measured = measured_of(layers);
        of.layers = std::move(layers);
    }
    const quality_class quality = *quality_at(*best, now);
    now_told.varies = time_resolved(quality);
    now_told.source = best->source;
    now_told.version = best->version;
    now_told.quality = quality;
    now_told.issued_at = best->issued_at;
}

std::vector<signal_status> signal_book::statuses(instant now) const {
    std::vector<signal_status> all;
    for (const kept& k : series_) {
        const signal_series& s = *k.series;
        const zone_signal* used = find(s.kind, s.zone);
        char number[16];
        std::snprintf(number, sizeof number, "#%06zu", all.size());
        signal_status one{.id = k.feed + number, .feed = k.feed, .series = k.series, .in_use = false, .why_not = {}};
        if (s.method == signal_method::marginal)
            one.why_not = "Marginal intensity is never counted as location-based.";
        else if (s.scope == emission_scope::life_cycle)
            one.why_not = "Life-cycle intensity is never counted as location-based, which is direct.";
        else if (!fresh(s, now))
            one.why_not = "It is older than its limit of " + std::to_string(s.max_age_s) + " s.";
        else if (used && used->source == s.source && time_resolved(s.quality) == used->varies)
            one.in_use = true;
        else if (!quality_at(s, now))
            one.why_not = "It has no value for now.";
        else
            one.why_not = "A better source is in use: " + used->source + ".";
        all.push_back(std::move(one));
    }
    std::ranges::sort(all, {}, &signal_status::id);
    return all;
}

}  // namespace westerly
