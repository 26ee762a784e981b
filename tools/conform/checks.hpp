#pragma once

#include "tools/conform/kit.hpp"

namespace westerly {

/// One promise of docs/guides/adapter-author.md. `run` gives what was seen when it holds; otherwise it throws
/// check_failed or check_skipped.
struct check {
    std::string_view name;     // group.name; reports and --only use it
    std::string_view promise;  // one sentence: what must hold
    std::string (*run)(kit&);
};

// In the order in which they run; a check may count on the earlier ones.
std::vector<check> handshake_checks();
std::vector<check> attempt_checks();
std::vector<check> file_checks();
std::vector<check> idempotency_checks();
std::vector<check> restart_checks();
std::vector<check> listing_checks();
std::vector<check> bounds_checks();
std::vector<check> provider_checks();
std::vector<check> closing_checks();

}  // namespace westerly
