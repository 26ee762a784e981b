#pragma once

#include "tools/client/http_client.hpp"

namespace westerly {

/// What an answer of 400 or more says, with its remedy. The code tells whose move it is: unauthenticated, not_found,
/// conflict, invalid for other 4xx, internal for 5xx.
error problem_of(const http_response& answer);

}  // namespace westerly
