#include "broker/codec/signal_pack.hpp"

#include "broker/codec/deflate.hpp"
#include "broker/codec/packing.hpp"

#include <algorithm>

namespace westerly {
namespace packing {

template <>
inline constexpr signal_kind enum_last<signal_kind> = signal_kind::green_power_share;
template <>
inline constexpr signal_method enum_last<signal_method> = signal_method::marginal;
template <>
inline constexpr emission_scope enum_last<emission_scope> = emission_scope::life_cycle;

/// All but the intervals.
template <class Archive, record_of<signal_series> T>
void head(Archive& a, T& v) {
    fields(a, v.zone, v.kind, v.method, v.scope, v.source, v.version, v.quality, v.issued_at, v.received_at,
           v.max_age_s);
}

/// One after another: where it begins after the end of the one before, how long it is, and whether it is a forecast.
void put_intervals(packer& to, std::span<const signal_interval> all) {
    to.whole(all.size());
    instant before{};
    for (const signal_interval& one : all) {
        to.whole(zigzag((one.start_at - before).count()));
        to.whole(2 * static_cast<std::uint64_t>((one.end_at - one.start_at).count()) + (one.forecast ? 1 : 0));
        to.number(one.value);
        before = one.end_at;
    }
}
void take_intervals(unpacker& from, std::vector<signal_interval>& into) {
    const auto count = from.whole();
    if (count > from.left())
        return from.damaged();
    std::uint64_t before = 0;  // as it may overflow where a row is damaged
    const auto at = [](std::uint64_t ms) {
        return instant(milliseconds(static_cast<std::int64_t>(ms)));
    };
    for (std::uint64_t i = 0; i < count && from.left() > 0; ++i) {
        signal_interval one;
        const auto start = before + static_cast<std::uint64_t>(unzigzag(from.whole()));
        const auto length = from.whole();
        before = start + length / 2;
        one.start_at = at(start);
        one.end_at = at(before);
        one.forecast = length % 2 == 1;
        one.value = from.number();
        into.push_back(one);
    }
}

template <class Archive, record_of<foreign_runs> T>
void field(Archive& a, T& v) {
    fields(a, v.term, v.tasks, v.failure, v.runs);
}

}  // namespace packing

namespace {

using packing::packer;
using packing::texts;
using packing::unpacker;

constexpr char signals_form = 1, terms_form = 1;
constexpr char sharing_form = 1;                          // texts are shared since
constexpr std::size_t offers_max = std::size_t{1} << 24;  // in one book

error damaged() {
    return fail(errc::internal, "a stored history of signals is damaged or of a newer form",
                "restore the database from a backup, or start the version that wrote it");
}

/// Intervals of an older word that a newer one repeats in a row, from its own first one on.
struct repeated {
    std::size_t first = 0, count = 0;  // of the older word
};
repeated repeated_of(const signal_series& before, const signal_series& now) {
    if (now.intervals.empty())
        return {};
    const auto at =
        std::ranges::lower_bound(before.intervals, now.intervals.front().start_at, {}, &signal_interval::start_at);
    const auto end = std::mismatch(at, before.intervals.end(), now.intervals.begin(), now.intervals.end()).first;
    return {static_cast<std::size_t>(at - before.intervals.begin()), static_cast<std::size_t>(end - at)};
}

/// Which one it is a newer word of; most stand where they stood.
std::size_t earlier_word(const signal_list& before, const signal_series& now, std::size_t likely) {
    if (likely < before.size() && same_thing(*before[likely], now))
        return likely;
    const auto at = std::ranges::find_if(before, [&](const auto& one) { return same_thing(*one, now); });
    return static_cast<std::size_t>(at - before.begin());
}

}  // namespace

std::string pack_signals(const signal_list& all) {
    return pack_signal_change({}, all);
}
result<signal_list> unpack_signals(std::string_view packed) {
    return unpack_signal_change(packed, {});
}

std::string pack_signal_change(const signal_list& before, const signal_list& now) {
    packer to(signals_form, texts::shared);
    to.whole(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
        const signal_series& one = *now[i];
        packing::head(to, one);
        const std::size_t of = earlier_word(before, one, i);
        const repeated same = of < before.size() ? repeated_of(*before[of], one) : repeated();
        to.whole(same.count);
        if (same.count > 0) {
            to.whole(of);
            to.whole(same.first);
        }
        packing::put_intervals(to, std::span(one.intervals).subspan(same.count));
    }
    return deflated(to.take());
}

result<signal_list> unpack_signal_change(std::string_view packed, const signal_list& before) {
    const auto bytes = inflated(packed);
    if (!bytes)
        return bytes.error();
    unpacker from(*bytes, signals_form, sharing_form);
    signal_list now;
    const auto size = from.whole();
    for (std::uint64_t i = 0; i < size && from.left() > 0; ++i) {
        auto one = std::make_shared<signal_series>();
        packing::head(from, *one);
        if (const auto count = from.whole(); count > 0) {
            const auto of = from.whole(), first = from.whole();
            if (of >= before.size() || first > before[of]->intervals.size() ||
                count > before[of]->intervals.size() - first)
                return damaged();
            const auto begin = before[of]->intervals.begin() + static_cast<std::ptrdiff_t>(first);
            one->intervals.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
        }
        packing::take_intervals(from, one->intervals);
        now.push_back(std::move(one));
    }
    if (!from.whole_read() || now.size() != size)
        return damaged();
    return now;
}

std::string pack_terms(const std::vector<foreign_runs>& said) {
    packer to(terms_form, texts::shared);
    packing::field(to, said);
    return deflated(to.take());
}
result<std::vector<foreign_runs>> unpack_terms(std::string_view packed) {
    const auto bytes = inflated(packed);
    if (!bytes)
        return bytes.error();
    unpacker from(*bytes, terms_form, sharing_form);
    std::vector<foreign_runs> said;
    packing::field(from, said);
    const bool fits = std::ranges::all_of(said, [](const foreign_runs& each) { return each.offers() <= offers_max; });
    if (!from.whole_read() || !fits)
        return damaged();
    return said;
}

}  // namespace westerly
