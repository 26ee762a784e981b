#pragma once

#include "adapters/local/shim/task_init.hpp"

#include <sys/types.h>

namespace westerly {

struct started_task {
    pid_t pid = -1;
    std::string failure;  // not empty: the command could not be run, and why
};

/// Starts the command in a session of its own, as the task's user and within its limits.
started_task start_command(const task_plan& plan, std::uint32_t rank);

/// Unpacks the bundle into the current directory, as the task's user and within its limits. Empty, or why not.
std::string unpack_bundle(const task_plan& plan, int bundle);

}  // namespace westerly
