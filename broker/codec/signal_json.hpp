#pragma once

#include "broker/codec/json.hpp"
#include "broker/domain/signal.hpp"

namespace westerly {

/// One series as GET /v1/signals shows it: what it is, its value for now, its age and how far it reaches.
void encode(json_writer& out, const signal_status& s, instant now);

}  // namespace westerly
