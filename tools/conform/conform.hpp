#pragma once

#include "tools/conform/kit.hpp"
#include "tools/conform/report.hpp"

namespace westerly {

/// Holds an adapter against every promise of docs/guides/adapter-author.md: starts it, talks to it through a fault
/// proxy, kills it, and ends whatever it launched. Each result is told as it comes. Takes a minute or so; needs no
/// broker. Errors: internal, when the kit itself cannot work here.
result<std::vector<check_result>> run_conformance(const conform_options& options,
                                                  const std::function<void(const check_result&)>& told);

/// The names of all checks, in order.
std::vector<std::string_view> conformance_checks();

/// Reads an adapter's config: a provider file, of which "config" and the sites are taken, or that config object alone,
/// whose "sites" then name the sites. Errors: not_found, invalid.
result<void> read_conform_config(const std::filesystem::path& file, conform_options& into);

}  // namespace westerly
