#pragma once

#include "broker/support/result.hpp"

#include <filesystem>
#include <string>

namespace westerly {

/// Where everything lies under the home directory.
struct home_layout {
    std::filesystem::path root;
    std::filesystem::path database() const { return root / "westerly.db"; }
    std::filesystem::path certificate() const { return root / "tls" / "cert.pem"; }
    std::filesystem::path private_key() const { return root / "tls" / "key.pem"; }
    std::filesystem::path bundles() const { return root / "bundles"; }
    std::filesystem::path logs() const { return root / "logs"; }
    std::filesystem::path adapters() const { return root / "adapters"; }
    std::filesystem::path backups() const { return root / "backups"; }
};

/// Makes the folders. The root is 0711 (tasks under users of their own pass through to their directories below
/// adapters/), all others 0700 or stricter than that. Errors: storage_failed with path, reason and remedy.
result<home_layout> prepare_home(const std::filesystem::path& root);

/// What prepare_home would fail at because something else is in a folder's place; makes nothing. Errors: invalid.
result<void> check_home(const std::filesystem::path& root);

/// /etc/machine-id, or empty where there is none.
std::string read_machine_id();

}  // namespace westerly
