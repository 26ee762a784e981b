#pragma once

#include "broker/support/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace westerly {

/// When a JSON Web Token ends; nullopt where it does not say so, or is none.
std::optional<instant> token_end(std::string_view token);

/// A token as `scontrol token` makes it: HS256 with the claims exp, iat and sun.
std::string sign_token(std::string_view key, std::string_view user, instant now, seconds lifetime);

/// The token in what a file, a variable or a command gave: "SLURM_JWT=…" or the bare token, white space around it.
std::string token_in(std::string_view text);

}  // namespace westerly
