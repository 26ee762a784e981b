#include "broker/placement/units.hpp"

#include "broker/placement/demand.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::uint64_t without_demand = std::numeric_limits<std::uint64_t>::max();

std::uint64_t rounded_up(std::uint64_t need, std::uint64_t per_unit) noexcept {
    return need / per_unit + (need % per_unit != 0);
}

/// The shape's amount of each resource that a task asks for, paired with what it asks; a zero demand asks nothing.
struct amount {
    std::uint64_t need, per_unit;
};

}  // namespace

bool satisfies(const accelerator_facts& has, const accelerator_need& need, const accelerator_table& known) noexcept {
    return has.count > 0 && (need.model.empty() || known.means(need.model, has)) &&
           has.memory_gib >= need.min_memory_gib && has.fp16_tflops >= need.min_fp16_tflops &&
           has.interconnect_gb_s >= need.min_interconnect_gb_s && (need.stack.empty() || need.stack == has.stack) &&
           (need.fit != accelerator_fit::training || has.training) &&
           (need.fit != accelerator_fit::inference || has.inference);
}

std::uint64_t units_for(const unit_shape& unit, std::uint64_t cards, const workload_spec& spec) noexcept {
    const amount amounts[] = {{spec.resources.vcpus, unit.vcpus},
                              {spec.resources.memory_mib, unit.memory_mib},
                              {spec.resources.disk_mib, unit.disk_mib},
                              {cards, unit.cards}};
    std::uint64_t tasks_per_unit = without_demand;
    std::uint64_t units_per_task = 1;
    for (const auto& [need, per_unit] : amounts) {
        if (need == 0)
            continue;
        if (per_unit == 0)
            return 0;
        tasks_per_unit = std::min(tasks_per_unit, per_unit / need);
        units_per_task = std::max(units_per_task, rounded_up(need, per_unit));
    }
    if (tasks_per_unit > 0)
        return rounded_up(spec.tasks, tasks_per_unit);
    return unit.divisible ? units_per_task * spec.tasks : 0;
}

gang_fit fit_gang(const unit_shape& unit, const accelerator_facts* has, const workload_spec& spec,
                  const accelerator_table& known) noexcept {
    if (spec.resources.accelerators.empty())
        return {true, units_for(unit, 0, spec), 0, 0};
    gang_fit best;
    std::uint32_t preference = 0;
    for (const auto& need : spec.resources.accelerators) {
        const std::uint32_t place = preference++;
        if (!has || !satisfies(*has, need, known))
            continue;
        best = {true, units_for(unit, need.count, spec), need.count, place};
        if (best.units > 0)
            break;
    }
    return best;
}

gang_fit fit_gang(const offer& on, const workload_spec& spec, const accelerator_table& known) noexcept {
    const accelerator_facts* has = on.accelerators ? &*on.accelerators : nullptr;
    const unit_shape unit{on.divisible, on.vcpus, on.memory_mib, on.disk_mib, has ? has->count : 0};
    return fit_gang(unit, has, spec, known);
}

std::uint64_t units_needed(const offer& on, const workload_spec& spec, const accelerator_table& known) noexcept {
    return fit_gang(on, spec, known).units;
}

std::uint64_t cards_of_task(const offer& on, const workload_spec& spec, const accelerator_table& known) noexcept {
    return fit_gang(on, spec, known).cards;
}

}  // namespace westerly
