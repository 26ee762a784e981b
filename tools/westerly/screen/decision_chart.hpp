#pragma once

#include "broker/domain/language.hpp"
#include "tools/westerly/screen/bar_chart.hpp"
#include "tools/westerly/screen/output.hpp"

#include <optional>

namespace westerly {

/// The ranked offers of a decision (schema/openapi.json) as bars: what each costs and what its priced terms add; for an
/// order of keys, the first key in which they differ. Beside them money, carbon, RTT and the time to the finish.
/// nullopt: nothing was ranked.
std::optional<bar_chart> chart_of(const json_value& decision, language spoken);

}  // namespace westerly
