#pragma once

#include "adapters/local/records/plan.hpp"

namespace westerly {

/// Watches over one task from before its start to after its end: waits for the adapter's verdict, keeps its output,
/// stops it on cancel, time limit, a peer's failure or the machine's shutdown, and records its end. Needs neither the
/// adapter nor the broker once it runs. The caller holds the task's lock until this returns the shim's exit code.
int supervise_task(const task_plan& plan, std::uint32_t rank);

}  // namespace westerly
