#pragma once

#include "broker/runtime/loop.hpp"
#include "broker/runtime/term_hub.hpp"

#include <string>

namespace westerly {

/// The loop's counters as Prometheus text.
std::string loop_metrics(const loop::counters& counted);
/// The same of the terms of libraries; nothing where there are none.
std::string term_metrics(std::span<const std::pair<std::string, term_hub::counters>> counted);

}  // namespace westerly
