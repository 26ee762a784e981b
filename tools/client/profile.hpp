#pragma once

#include "tools/client/http_client.hpp"

#include <filesystem>

namespace westerly {

/// Which broker the CLI talks to and as whom.
struct profile {
    std::string url = "https://127.0.0.1:8443";
    std::string key;
    std::string fingerprint;
    std::string ca_file;
};

/// $WESTERLY_PROFILE, else $XDG_CONFIG_HOME/westerly/profile.json, else ~/.config/westerly/profile.json.
std::filesystem::path profile_file();

/// The file (where there is one), and WESTERLY_URL, WESTERLY_KEY, WESTERLY_FINGERPRINT, WESTERLY_CA over it.
/// Errors: invalid for a damaged file; unauthenticated when no key is known.
result<profile> load_profile();
/// Written 0600. Errors: storage_failed.
result<void> save_profile(const profile& p);

/// Errors: invalid for a bad address.
result<http_client> connect(const profile& p);

}  // namespace westerly
