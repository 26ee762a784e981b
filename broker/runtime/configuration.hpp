#pragma once

#include "broker/domain/certificate.hpp"
#include "broker/domain/policy.hpp"
#include "broker/domain/provider.hpp"
#include "broker/feeds/feed_config.hpp"
#include "broker/placement/term.hpp"
#include "broker/runtime/broker.hpp"

namespace westerly {

/// What the operator's files say.
struct configuration {
    std::vector<policy> policies;            // shipped ones first; a file of the same name replaces one
    std::vector<provider_config> providers;  // by id
    exchange_rates rates;
    signal_sources signals;
    std::vector<certificate> certificates;  // of green power
    std::vector<std::string> ignored;       // files beside them that were not read, because their names end otherwise
};

/// Reads CONFIG/policies/*.json, CONFIG/providers/*.json, CONFIG/certificates/*.json, and CONFIG/signals/*.json and
/// *.csv; a folder that is not there holds nothing. All or nothing: every fault of every file is in the error, each with
/// file, line and column. Errors: invalid.
result<configuration> load_configuration(const broker_options& options, term_table terms);

}  // namespace westerly
