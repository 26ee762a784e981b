#include "broker/codec/signal_json.hpp"

#include "broker/codec/writer.hpp"

#include <algorithm>

namespace westerly {

void encode(json_writer& out, const signal_status& status, instant now) {
    const signal_series& s = *status.series;
    const instant dated = s.issued_at.value_or(s.received_at);
    const auto age_s = std::chrono::duration_cast<seconds>(now - dated).count();
    out.StartObject();
    put_text(out, "id", status.id);
    put_text(out, "zone", s.zone);
    put_text(out, "kind", name_of(s.kind));
    put_text(out, "unit", unit_of(s.kind));
    put_text(out, "method", name_of(s.method));
    put_text(out, "scope", s.kind == signal_kind::carbon_intensity ? name_of(s.scope) : std::string_view());
    put_text(out, "quality", name_of(s.quality));
    put_text(out, "source", s.source);
    put_text(out, "version", s.version);
    put_text(out, "feed", status.feed);
    put_flag(out, "in_use", status.in_use);
    put_text(out, "why_not", status.why_not);
    if (const signal_interval* piece = interval_at(s, now)) {
        put_key(out, "now");
        out.StartObject();
        put_number(out, "value", piece->value);
        put_time(out, "start_at", piece->start_at);
        put_time(out, "end_at", piece->end_at);
        put_flag(out, "forecast", piece->forecast);
        out.EndObject();
    }
    put_time(out, "issued_at", s.issued_at);
    put_time(out, "received_at", s.received_at);
    put_whole(out, "age_s", static_cast<std::uint64_t>(std::max<std::int64_t>(age_s, 0)));
    if (s.max_age_s > 0)
        put_whole(out, "max_age_s", s.max_age_s);
    put_flag(out, "stale", stale(s, now));
    put_whole(out, "intervals", s.intervals.size());
    if (!s.intervals.empty())
        put_time(out, "known_until", s.intervals.back().end_at);
    out.EndObject();
}

}  // namespace westerly
