#pragma once

#include "tools/westerly/commands.hpp"

namespace westerly {

/// The workload as JSON text, from a file (YAML or JSON) or from the command line; flags go over the file's fields.
/// `files` ("sha256:…") is set in every variant when not empty. Errors: not_found, invalid.
result<std::string> make_workload(const run_options& options, const std::string& files);

}  // namespace westerly
