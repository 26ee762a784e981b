#pragma once

#include "broker/domain/signal.hpp"
#include "broker/support/result.hpp"

#include <filesystem>
#include <string_view>
#include <utility>

namespace westerly {

enum class feed_form : std::uint8_t { westerly, electricity_maps, carbon_aware };

/// A service that is asked for signals again and again: a file in CONFIG/signals with a "feed" in it.
struct feed_config {
    std::string name;  // "signals/NAME.json"
    feed_form form = feed_form::westerly;
    std::string url;                                         // http or https; the base address for foreign forms
    std::vector<std::pair<std::string, std::string>> zones;  // ours, and what the service calls it; foreign forms only
    std::string source;                                      // how its values are named; empty: the service's name
    signal_method method = signal_method::average;
    emission_scope scope = emission_scope::direct;  // where the answers do not say
    quality_class quality = quality_class::measured_hourly;
    std::filesystem::path token_file;  // sent as auth-token (Electricity Maps) or Authorization: Bearer
    std::filesystem::path ca_file;     // empty: the system's certificates
    std::uint32_t poll_s = 900;
    std::uint32_t timeout_s = 10;        // of one answer
    std::uint64_t max_age_s = 6 * 3600;  // past which its values are not used
    friend bool operator==(const feed_config&, const feed_config&) = default;
};

/// What the operator's folder of signals says.
struct signal_sources {
    struct file {
        std::string name;  // "signals/NAME.csv"
        std::vector<signal_series> series;
    };
    std::vector<file> files;
    std::vector<feed_config> feeds;
};

/// `folder` is where relative paths in it start. Errors: invalid, with line and column.
result<feed_config> decode_feed(std::string name, std::string_view json, const std::filesystem::path& folder);

/// Whether a file of signals is a feed's.
bool tells_of_feed(std::string_view json);

/// Reads every *.json and *.csv of the folder; what is wrong is added to `faults`, file by file, and other files to
/// `ignored`. A folder that is not there is empty.
signal_sources read_signals(const std::filesystem::path& folder, std::vector<fault>& faults,
                            std::vector<std::string>& ignored);

}  // namespace westerly
