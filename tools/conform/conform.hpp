#pragma once

#include "tools/conform/kit.hpp"
#include "tools/conform/report.hpp"

namespace westerly {

struct conform_run {
    std::vector<check_result> results;
    bool interrupted = false;
    std::vector<std::string> left_behind;  // after an interruption: why something could not be ended, and what
};

/// Holds an adapter against every promise of docs/guides/adapter-author.md: starts it, talks to it through a fault
/// proxy, kills it, and ends whatever it launched, also after Ctrl-C or SIGTERM. Each result is told as it comes. Takes
/// a minute or so; needs no broker. Errors: internal, when the kit itself cannot work here.
result<conform_run> run_conformance(const conform_options& options,
                                    const std::function<void(const check_result&)>& told);

/// The names of all checks, in order.
std::vector<std::string_view> conformance_checks();

/// Reads an adapter's config: a provider file, of which "config" and the sites are taken, or that config object alone,
/// whose "sites" then name the sites. Errors: not_found, invalid.
result<void> read_conform_config(const std::filesystem::path& file, conform_options& into);

}  // namespace westerly
