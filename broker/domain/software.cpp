#include "broker/domain/software.hpp"

#include "broker/domain/version_range.hpp"

#include <algorithm>

namespace westerly {

std::string_view version_of(const software_facts& has, std::string_view stack) noexcept {
    for (const auto& [name, version] : has.stack_versions)
        if (name == stack)
            return version;
    return {};
}

bool versions_fit(const software_facts& has, const variant& run) {
    return version_fits(version_of(has, run.stack), run.stack_version) &&
           version_fits(has.driver_version, run.driver_version);
}

const variant* variant_for(const workload_spec& spec, const offer& on) {
    for (const variant& run : spec.variants)
        if (std::ranges::find(on.stacks, run.stack) != on.stacks.end() && versions_fit(on.software, run))
            return &run;
    return nullptr;
}

}  // namespace westerly
