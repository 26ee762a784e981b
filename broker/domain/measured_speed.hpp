#pragma once

#include "broker/domain/ids.hpp"

#include <string>

namespace westerly {

/// What runs of one work on cards of one model have shown: the sums over their speeds against the reference card.
struct speed_record {
    std::uint32_t runs = 0;
    double sum = 0, sum_of_squares = 0;
    friend bool operator==(const speed_record&, const speed_record&) = default;
};

struct measured_speed {
    std::string model;  // as its offers name it
    speed_record shown;
    friend bool operator==(const measured_speed&, const measured_speed&) = default;
};

/// Workloads of one tenant and one name are one work. As the store keeps it.
struct stored_speed {
    tenant_id tenant;
    std::string name;
    measured_speed measured;
    friend bool operator==(const stored_speed&, const stored_speed&) = default;
};

}  // namespace westerly
