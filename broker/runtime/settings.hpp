#pragma once

#include "broker/runtime/broker.hpp"

namespace westerly {

/// Lays a configuration file (YAML or JSON) over `options`; what it does not name stays. Relative paths are taken from
/// the file's folder. Unknown names are refused. Errors: invalid with a pointer for each fault; not_found.
result<void> read_settings(const std::filesystem::path& file, broker_options& options);

}  // namespace westerly
