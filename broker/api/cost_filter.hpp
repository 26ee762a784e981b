#pragma once

#include "broker/api/asked.hpp"

namespace westerly {

/// The filters that usage and charges share: from, until, workload, project, tenant.
result<usage_filter> cost_filter_of(const call& c);

}  // namespace westerly
