#pragma once

#include "adapters/local/records/plan.hpp"

#include <sys/types.h>

namespace westerly {

/// Where a task's folders appear inside a sandbox.
inline constexpr const char* sandbox_folder = "/tmp/westerly";

/// Starts the task's first process in its isolation, with `out` and `err` as its standard output and error; it runs
/// run_task_init. -1 with errno set on failure. bubblewrap: the process is bwrap, which reports its own failure on
/// `err` and by ending.
pid_t start_first_process(const task_plan& plan, std::uint32_t rank, int control, int bundle, int out, int err);

/// Isolation uid, inside the new namespaces: own /proc, /tmp, /dev/shm, and the task's folders below sandbox_folder.
/// Empty, or why not.
std::string enter_private_mounts(const task_plan& plan, std::uint32_t rank);

/// bubblewrap's first process reads its plan and rank from here, and speaks on control_fd.
inline constexpr int inner_plan_fd = 3;
inline constexpr int inner_control_fd = 4;
inline constexpr int inner_bundle_fd = 5;

}  // namespace westerly
