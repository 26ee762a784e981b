#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace westerly {

/// A file of schema/ or policies/ that the build put into the binary, by its path from the repository root
/// ("schema/openapi.json"); nullopt for an unknown name. The text lives as long as the process.
std::optional<std::string_view> embedded_file(std::string_view name) noexcept;

/// The names that begin with `prefix`, in the order of the build.
std::vector<std::string_view> embedded_names(std::string_view prefix);

}  // namespace westerly
