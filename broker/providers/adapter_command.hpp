#pragma once

#include "broker/domain/provider.hpp"
#include "broker/support/result.hpp"

#include <filesystem>
#include <span>

namespace westerly {

/// What starts a provider's adapter: its file's `adapter_command` as it stands, else `westerly-adapter-KIND` of the
/// first folder that has it. provider_unavailable: none has.
result<std::vector<std::string>> adapter_command(const provider_config& of,
                                                 std::span<const std::filesystem::path> folders);

}  // namespace westerly
