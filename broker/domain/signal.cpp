#include "broker/domain/signal.hpp"

#include <algorithm>

namespace westerly {

std::string_view to_string(signal_kind kind) {
    return kind == signal_kind::carbon_intensity ? "carbon_intensity" : "green_power_share";
}

std::string_view to_string(signal_method method) {
    return method == signal_method::average ? "average" : "marginal";
}

std::string_view to_string(emission_scope scope) {
    return scope == emission_scope::direct ? "direct" : "life_cycle";
}

std::string_view in_words(quality_class quality) noexcept {
    switch (quality) {
        case quality_class::measured_hourly:
            return "measured by the hour";
        case quality_class::modelled_hourly:
            return "modelled by the hour";
        case quality_class::monthly:
            return "a monthly figure";
        case quality_class::annual_provincial:
            return "an annual figure of the province";
        case quality_class::annual_national:
            return "an annual figure of the country";
        case quality_class::declared:
            return "declared";
        case quality_class::default_value:
            return "a default";
    }
    return "of unknown quality";
}

std::string_view unit_of(signal_kind kind) noexcept {
    return kind == signal_kind::carbon_intensity ? "g/kWh" : "share";
}

std::optional<instant> stale_at(const signal_series& of) noexcept {
    if (of.max_age_s == 0)
        return std::nullopt;
    return of.issued_at.value_or(of.received_at) + seconds(static_cast<std::int64_t>(of.max_age_s));
}

bool stale(const signal_series& of, instant now) noexcept {
    const auto end = stale_at(of);
    return end && now >= *end;
}

const signal_interval* interval_at(const signal_series& of, instant at) noexcept {
    const auto after = std::ranges::upper_bound(of.intervals, at, {}, &signal_interval::start_at);
    if (after == of.intervals.begin() || std::prev(after)->end_at <= at)
        return nullptr;
    return &*std::prev(after);
}

std::optional<quality_class> quality_at(const signal_series& of, instant at) noexcept {
    const signal_interval* piece = interval_at(of, at);
    if (!piece)
        return std::nullopt;
    return piece->forecast ? std::max(of.quality, quality_class::modelled_hourly) : of.quality;
}

bool same_thing(const signal_series& a, const signal_series& b) noexcept {
    const auto forecast = [](const signal_series& s) {
        return !s.intervals.empty() && s.intervals.front().forecast;
    };
    return a.zone == b.zone && a.kind == b.kind && a.method == b.method && a.scope == b.scope && a.source == b.source &&
           a.quality == b.quality && forecast(a) == forecast(b);
}

std::vector<signal_interval> overlay(std::span<const signal_interval> first, std::span<const signal_interval> second) {
    std::vector<signal_interval> all;
    all.reserve(first.size() + second.size());
    auto next = first.begin();
    for (auto of = second.begin(); of != second.end();) {
        // What lies wholly between two of the others is taken over together: most does.
        const auto before = std::upper_bound(next, first.end(), of->start_at,
                                             [](instant at, const signal_interval& i) { return at < i.end_at; });
        all.insert(all.end(), next, before);
        next = before;
        const auto apart = next == first.end()
                               ? second.end()
                               : std::upper_bound(of, second.end(), next->start_at,
                                                  [](instant at, const signal_interval& i) { return at < i.end_at; });
        if (apart != of) {
            all.insert(all.end(), of, apart);
            of = apart;
            continue;
        }
        signal_interval piece = *of++;
        for (auto i = next; i != first.end() && i->start_at < piece.end_at; ++i) {
            if (i->start_at > piece.start_at)
                all.push_back({piece.start_at, i->start_at, piece.value, piece.forecast});
            piece.start_at = i->end_at;
            if (piece.start_at >= piece.end_at)
                break;
            all.push_back(*i);
            next = std::next(i);
        }
        if (piece.start_at < piece.end_at)
            all.push_back(piece);
    }
    all.insert(all.end(), next, first.end());
    return all;
}

signal_curve::signal_curve(std::span<const signal_interval> intervals) {
    const std::size_t count = intervals.size();
    for (auto* times : {&starts_, &ends_, &covered_before_})
        times->resize(count);
    for (auto* numbers : {&values_, &sum_before_})
        numbers->resize(count);
    double sum = 0;
    std::int64_t covered = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const signal_interval& piece = intervals[i];
        const std::int64_t from = piece.start_at.time_since_epoch().count();
        const std::int64_t to = piece.end_at.time_since_epoch().count();
        starts_[i] = from;
        ends_[i] = to;
        values_[i] = piece.value;
        sum_before_[i] = sum;
        covered_before_[i] = covered;
        sum += piece.value * static_cast<double>(to - from);
        covered += to - from;
    }
    gapless_until_ = ends_;
    for (std::size_t i = starts_.size(); i-- > 1;)
        if (ends_[i - 1] == starts_[i])
            gapless_until_[i - 1] = gapless_until_[i];
}

signal_curve::part signal_curve::until(std::int64_t at_ms, std::size_t next_piece) const noexcept {
    if (next_piece == 0)
        return {};
    const std::size_t i = next_piece - 1;
    const std::int64_t within = std::min(at_ms, ends_[i]) - starts_[i];
    return {sum_before_[i] + values_[i] * static_cast<double>(within), covered_before_[i] + within};
}

signal_curve::part signal_curve::until(std::int64_t at_ms) const noexcept {
    const auto after = std::ranges::upper_bound(starts_, at_ms);
    return until(at_ms, static_cast<std::size_t>(after - starts_.begin()));
}

signal_curve::part signal_curve::walk::until(std::int64_t at_ms) noexcept {
    while (next_ < over_.starts_.size() && over_.starts_[next_] <= at_ms)
        ++next_;
    return over_.until(at_ms, next_);
}

signal_curve::part signal_curve::integral(std::int64_t from_ms, std::int64_t to_ms) const noexcept {
    if (to_ms <= from_ms)
        return {};
    const part a = until(from_ms), b = until(to_ms);
    return {b.sum - a.sum, b.covered_ms - a.covered_ms};
}

double signal_curve::mean(std::int64_t from_ms, std::int64_t run_ms, double beyond) const noexcept {
    const std::int64_t run = std::max<std::int64_t>(run_ms, 1);
    const part known = integral(from_ms, from_ms + run);
    if (known.covered_ms == run)
        return known.sum / static_cast<double>(run);
    return (known.sum + beyond * static_cast<double>(run - known.covered_ms)) / static_cast<double>(run);
}

std::int64_t signal_curve::covered_until(std::int64_t from_ms) const noexcept {
    const auto after = std::ranges::upper_bound(starts_, from_ms);
    if (after == starts_.begin())
        return from_ms;
    const auto i = static_cast<std::size_t>(after - starts_.begin() - 1);
    return ends_[i] > from_ms ? gapless_until_[i] : from_ms;
}

}  // namespace westerly
