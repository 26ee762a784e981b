#pragma once

#include "broker/domain/provider.hpp"

#include <filesystem>
#include <span>

namespace westerly {

/// What an adapter says of the config that a provider file has for it.
struct config_verdict {
    enum class kind : std::uint8_t {
        sound,
        refused,  // it said so itself
        unknown   // it could not be started, ended, stayed silent, or could not serve just now
    };
    kind is = kind::unknown;
    std::string why = {};                        // unless sound
    std::vector<std::string> unmet_prices = {};  // as of unmet_prices(); none where it did not tell its offers
};

struct config_question {
    provider_config of;
    std::vector<std::string> command;
};

/// Starts each adapter with an empty state directory of its own below `scratch`, sends `initialize` as the broker would
/// but with an owner mark that owns nothing, asks for its offers if the file's prices name some, and kills it once it
/// has answered, at the latest after `limit`. Some run at once. Verdicts in the order of the questions.
std::vector<config_verdict> ask_adapters(std::span<const config_question> questions,
                                         const std::filesystem::path& helper, const std::filesystem::path& scratch,
                                         milliseconds limit);

}  // namespace westerly
