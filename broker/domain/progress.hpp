#pragma once

namespace westerly {

/// What a workload's earlier attempts have saved: what is left to do, and what going on takes. Such a run is not put
/// off for a better start.
struct run_progress {
    double work_left = 1;  // share of the whole work, above 0
    bool restores = true;  // a checkpoint has to be fetched and restored; false: the run goes on where it is
    friend bool operator==(const run_progress&, const run_progress&) = default;
};

}  // namespace westerly
