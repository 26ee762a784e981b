#pragma once

#include "broker/runtime/loop.hpp"

#include <string>

namespace westerly {

/// The loop's counters as Prometheus text.
std::string loop_metrics(const loop::counters& counted);

}  // namespace westerly
