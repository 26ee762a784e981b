#pragma once

#include "broker/domain/accelerator.hpp"

namespace westerly {

/// What one unit holds.
struct unit_shape {
    bool divisible = false;
    std::uint32_t vcpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_mib = 0;
    std::uint32_t cards = 0;
};

struct gang_fit {
    bool accelerator = false;  // an alternative of the request is met, or none is asked for
    std::uint64_t units = 0;   // 0: a task does not fit the unit
    std::uint64_t cards = 0;   // of one task
    /// Which alternative that is, in the workload's order; 0 where none is asked for. The decoder takes 16 of them.
    std::uint32_t preference = 0;
};

/// Whether these cards meet one alternative, its count apart. Facts that are not known meet no demand.
bool satisfies(const accelerator_facts& has, const accelerator_need& need, const accelerator_table& known) noexcept;

/// Units that the gang takes with `cards` cards a task: as many tasks on a unit as it holds, or, where units divide the
/// work, as many whole units a task as it needs.
std::uint64_t units_for(const unit_shape& unit, std::uint64_t cards, const workload_spec& spec) noexcept;

/// The first alternative, in the workload's order of preference, that is met and fits. `has` null: no accelerators.
gang_fit fit_gang(const unit_shape& unit, const accelerator_facts* has, const workload_spec& spec,
                  const accelerator_table& known) noexcept;
/// Of an offer's units.
gang_fit fit_gang(const offer& on, const workload_spec& spec, const accelerator_table& known) noexcept;

}  // namespace westerly
