#pragma once

#include <sys/types.h>

namespace westerly {

/// Sends a signal to every process below `ancestor`, found by its parents in /proc. Orphans count when `ancestor`
/// adopts them (PR_SET_CHILD_SUBREAPER).
void signal_descendants(pid_t ancestor, int number);

}  // namespace westerly
