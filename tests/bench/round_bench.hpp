#pragma once

#include <cstddef>
#include <vector>

namespace westerly {

/// The longest input, in ms of wall time, while an engine places 1 000 workloads that wait for one instant: one value a
/// run. Empty: something went wrong, and standard error says what.
std::vector<double> longest_inputs_ms(std::size_t runs);

}  // namespace westerly
