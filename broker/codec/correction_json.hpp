#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/correction.hpp"

namespace westerly {

struct correction_request {
    carbon_publication told;
    bool dry_run = false;
};

/// {"zone" or "site", "source", "year", "quality", "factors", "reason"?, "dry_run"?}. Errors: invalid, too_large.
result<correction_request> decode_correction_request(std::string_view json);
/// {"dry_run", "items", "rows", "carbon_kg", "carbon_market_kg", "next_cursor"?}
std::string to_json_text(const corrections_made& made);

}  // namespace westerly
