#pragma once

#include "adapters/local/records/plan.hpp"

namespace westerly {

/// Where a task finds its folders: fixed names inside a sandbox, the real ones without.
struct task_folders {
    std::string scratch;
    std::string input;
    std::string output;
    std::string checkpoint;
};
task_folders folders_of(const task_plan& plan, std::uint32_t rank);

/// The parent of one task: prepares, starts it when told, reaps everything below, ends all of it when told or when the
/// task ends, and reports over `control`. Process 1 of the task's own process namespace, except under same_user, where
/// it adopts and hunts descendants instead. Standard output and error are the task's. Returns the exit code.
int run_task_init(const task_plan& plan, std::uint32_t rank, int control, int bundle);

}  // namespace westerly
