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
    std::vector<signal_interval> past;
    for (const signal_interval& piece : older.intervals)
        if (piece.end_at <= now && piece.end_at > now - signal_book::signals_kept)
            past.push_back(piece);
    fresh_word.intervals = overlay(fresh_word.intervals, past);
    if (fresh_word.intervals.size() > signal_intervals_max)
        fresh_word.intervals.erase(fresh_word.intervals.begin(), fresh_word.intervals.end() - signal_intervals_max);
}

}  // namespace

void signal_book::receive(const std::string& feed, std::vector<signal_series> series, instant now) {
    for (signal_series& one : series)
        for (const kept& before : series_)
            if (before.feed == feed && same_thing(*before.series, one))
                keep_past(one, *before.series, now);
    std::erase_if(series_, [&](const kept& before) { return before.feed == feed; });
    for (signal_series& one : series)
        series_.push_back({feed, std::make_shared<const signal_series>(std::move(one))});
    sort();
    choose_all(now);
}

void signal_book::sort() {
    std::ranges::stable_sort(series_, {},
                             [](const kept& k) { return std::tie(k.feed, k.series->zone, k.series->source); });
}

void signal_book::keep_only(std::span<const std::string> feeds, instant now) {
    const auto gone =
        std::erase_if(series_, [&](const kept& k) { return std::ranges::find(feeds, k.feed) == feeds.end(); });
    if (gone > 0)
        choose_all(now);
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
    sort();
    choose_all(chosen_at);
}

void signal_book::choose_as_at(instant chosen_at) {
    if (chosen_at != chosen_at_)
        choose_all(chosen_at);
}

bool signal_book::refresh(instant now) {
    if (!next_change_at_ || now < *next_change_at_)
        return false;
    choose_all(now);
    return true;
}

const zone_signal* signal_book::find(signal_kind kind, std::string_view zone) const noexcept {
    const auto& all = kind == signal_kind::carbon_intensity ? carbon_ : green_;
    const auto at = all.find(zone);
    return at == all.end() ? nullptr : &at->second;
}

void signal_book::note_change(instant at) noexcept {
    if (!next_change_at_ || at < *next_change_at_)
        next_change_at_ = at;
}

void signal_book::choose_all(instant now) {
    ++version_;
    chosen_at_ = now;
    next_change_at_.reset();
    carbon_.clear();
    green_.clear();
    std::map<place, std::vector<const signal_series*>> by_place;
    for (const kept& k : series_)
        if (countable(*k.series))
            by_place[{k.series->kind, k.series->zone}].push_back(k.series.get());
    for (const auto& [at, known] : by_place)
        choose(at, known, now);
}

void signal_book::choose(const place& at, const std::vector<const signal_series*>& known, instant now) {
    const signal_series* best = nullptr;
    const auto rank = [&](const signal_series& s) {
        return std::pair(*quality_at(s, now), std::string_view(s.source));
    };
    for (const signal_series* one : known) {
        for (const signal_interval& piece : one->intervals)  // the next time that a value begins or ends
            for (const instant edge : {piece.start_at, piece.end_at})
                if (edge > now)
                    note_change(edge);
        if (!fresh(*one, now) || !quality_at(*one, now))
            continue;
        if (const auto end = stale_at(*one))
            note_change(*end);
        if (!best || rank(*one) < rank(*best))
            best = one;
    }
    if (!best)
        return;
    std::vector<const signal_series*> layers;
    for (const signal_series* one : known)
        if (one->source == best->source && fresh(*one, now) &&
            time_resolved(one->quality) == time_resolved(best->quality))
            layers.push_back(one);
    std::ranges::stable_sort(layers, [](const signal_series* a, const signal_series* b) {
        const auto key = [](const signal_series* s) {
            return std::pair(s->intervals.empty() || s->intervals.back().forecast,
                             -s->issued_at.value_or(s->received_at).time_since_epoch().count());
        };
        return key(a) < key(b);
    });
    std::vector<signal_interval> all, measured;
    for (const signal_series* one : layers) {
        all = overlay(all, one->intervals);
        if (one->quality == quality_class::measured_hourly)
            measured = overlay(measured, one->intervals);
    }
    std::erase_if(measured, &signal_interval::forecast);
    const quality_class quality = *quality_at(*best, now);
    auto& chosen = at.first == signal_kind::carbon_intensity ? carbon_ : green_;
    chosen[at.second] = {signal_curve(all), signal_curve(measured), time_resolved(quality), best->source, best->version,
                         quality,           best->issued_at};
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
