#include "broker/feeds/feed_config.hpp"
#include "broker/feeds/signal_forms.hpp"

#include <cstdlib>

namespace {

/// What every reader promises: in order, without overlaps, believable.
void check(const westerly::result<std::vector<westerly::signal_series>>& read) {
    if (!read)
        return;
    for (const auto& series : *read) {
        const auto [low, high] = westerly::believable(series.kind);
        for (std::size_t i = 0; i < series.intervals.size(); ++i) {
            const auto& piece = series.intervals[i];
            if (!(piece.value >= low && piece.value <= high) || piece.end_at <= piece.start_at ||
                (i > 0 && series.intervals[i - 1].end_at > piece.start_at))
                std::abort();
        }
        const westerly::signal_curve curve(series.intervals);
        (void)curve.mean(0, 3'600'000, 0.0);
    }
}

}  // namespace

// Files of signals that people write, and answers of services, read as every form there is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace westerly;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(decode_signals(text, {}));
    check(decode_signals_csv(text, {}));
    check(decode_electricity_maps(text, {.zone = "Z", .source = "s"}, {}));
    check(decode_carbon_aware(text, {.zone = "Z", .source = "s"}, {}));
    (void)decode_feed("signals/x.json", text, "/tmp");
    return 0;
}
