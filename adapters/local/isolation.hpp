#pragma once

#include "adapters/local/config.hpp"
#include "adapters/local/records/plan.hpp"

#include <filesystem>

namespace westerly {

/// How tasks will be kept apart on this machine, found out once by trying.
struct isolation_found {
    isolation_kind kind = isolation_kind::same_user;
    std::string bwrap;    // the program, for bubblewrap
    std::string problem;  // not empty: tasks cannot be isolated as wanted, and what to do about it
};

/// Makes a sandbox of the wanted kind below `scratch` and takes it down again. automatic: uid when this process is
/// root, else bubblewrap.
isolation_found find_isolation(isolation_choice wanted, const std::filesystem::path& shim,
                               const std::filesystem::path& scratch, std::uint32_t uid);

}  // namespace westerly
