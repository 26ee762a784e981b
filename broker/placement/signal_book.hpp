#pragma once

#include "broker/domain/signal.hpp"

#include <map>

namespace westerly {

/// What decisions read of one zone: the best that is known now.
struct zone_signal {
    /// From the one to the other without a gap, in ms since 1970.
    struct stretch {
        std::int64_t from_ms = 0, to_ms = 0;
        friend bool operator==(const stretch&, const stretch&) = default;
    };

    signal_curve curve;
    std::vector<stretch> measured;  // of the curve what is no forecast and no model; ascending, apart from each other
    bool varies = false;            // by the hour; else it is flat over a run, and waiting saves nothing
    std::string source;
    std::string version;
    quality_class quality = quality_class::default_value;  // at the time of the choice
    std::optional<instant> issued_at;

    bool is_measured(std::int64_t from_ms, std::int64_t to_ms) const noexcept;
};

/// The signals that the broker has, by grid zone.
///
/// Choice  of a zone's series those count that are average and direct (location-based), not past their age, and have a
///         value for now; among them the best quality class, then the name of the source. Series of one source are one
///         curve: what is measured first, then the newest forecast. When the best one grows stale, the next one counts.
/// Past    values that a newer word of the same feed no longer has are kept for signals_kept, for metering.
/// Owner   the engine; decisions read it const.
class signal_book {
public:
    /// Replaces what this feed told before.
    void receive(const std::string& feed, std::vector<signal_series> series, instant now);
    /// Forgets the feeds that are not among these.
    void keep_only(std::span<const std::string> feeds, instant now);
    /// What this feed tells now; to be handed to `restore` for a book of the past.
    signal_list told_by(const std::string& feed) const;
    std::vector<std::string> feeds() const;
    /// For a book of the past: what its feeds told, each named once, chosen from as it was at `chosen_at`.
    void restore(std::span<const std::pair<std::string, signal_list>> told, instant chosen_at);
    /// For a book of the past: the choice as it was made at another time.
    void choose_as_at(instant chosen_at);
    /// When the choice was made that `find` gives; what has passed since changes nothing but by `refresh`.
    instant chosen_at() const noexcept { return chosen_at_; }

    /// Chooses anew where time has made a choice stale; true: there was an edge, and `statuses` may say something else.
    bool refresh(instant now);
    /// When refresh may have something to do; nullopt: never.
    std::optional<instant> next_change_at() const noexcept { return next_change_at_; }

    /// nullptr: nothing usable is known.
    const zone_signal* find(signal_kind kind, std::string_view zone) const noexcept;
    bool empty() const noexcept { return series_.empty(); }
    /// Whether `find` gives anything of this kind.
    bool has(signal_kind kind) const noexcept {
        return !(kind == signal_kind::carbon_intensity ? carbon_ : green_).empty();
    }
    /// By id: feed, and within it zone and source.
    std::vector<signal_status> statuses(instant now) const;

    static constexpr std::chrono::days signals_kept{35};

private:
    struct kept {
        std::string feed;
        std::shared_ptr<const signal_series> series;
    };
    using place = std::pair<signal_kind, std::string>;
    /// What is known of a place, and what its curve was made of: neither changes with most hours that begin.
    struct standing {
        signal_list known, layers;
        std::optional<instant> next_change_at;
    };

    /// After any change of series_: what is known of each place. Where that is something else, it is chosen again.
    void list_places(instant now);
    /// Chooses where time has passed an edge.
    void choose_due(instant now);
    void choose(const place& at, standing& of, instant now);

    std::vector<kept> series_;
    std::map<place, standing> places_;
    std::map<std::string, zone_signal, std::less<>> carbon_, green_;
    std::optional<instant> next_change_at_;
    instant chosen_at_{};
};

}  // namespace westerly
