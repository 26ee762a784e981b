#pragma once

namespace westerly {

/// What the library in this process may do less from now on, for good. Both give nullptr, or what could not be set.

/// No network, no other process or thread, no signal to others, nothing written to files. Before the library is loaded.
const char* confine_to_reading() noexcept;
/// No file opened any more. Before the first question.
const char* confine_to_computing() noexcept;

}  // namespace westerly
