#pragma once

#include <sys/types.h>

namespace westerly {

/// Sends a signal to every process below `ancestor`, found by its parents in /proc. Orphans count when `ancestor`
/// adopts them (PR_SET_CHILD_SUBREAPER).
void signal_descendants(pid_t ancestor, int number);

/// Kills and reaps everything below this process, which adopts orphans, until nothing is left.
void end_descendants();

}  // namespace westerly
