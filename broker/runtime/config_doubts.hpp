#pragma once

#include "broker/runtime/configuration.hpp"

namespace westerly {

/// What is sound by every rule and yet unlikely to be meant, a sentence each: for --check-config.

/// Series and feeds of zones that no site names, and tokens that cannot be read.
std::vector<std::string> doubts_about_signals(const configuration& read);
/// Certificates of zones that no site names, and those that expire before what they are of is generated.
std::vector<std::string> doubts_about_certificates(const configuration& read);
/// Entries of `prices` that never count, because an earlier one is for the same offers.
std::vector<std::string> doubts_about_prices(const provider_config& of);
/// Versions of stacks that an offer of the file does not have.
std::vector<std::string> doubts_about_software(const provider_config& of);

}  // namespace westerly
