#pragma once

#include "broker/domain/measured_speed.hpp"

#include <map>
#include <span>
#include <unordered_map>
#include <vector>

namespace westerly {

/// Works of a tenant, by name, whose speeds are remembered; those of further names are not.
inline constexpr std::size_t works_per_tenant_max = 10'000;

/// What runs have shown of how fast each work goes on which cards, by tenant and name.
class speed_book {
public:
    void load(stored_speed row);
    std::span<const measured_speed> of(const tenant_id& tenant, const std::string& name) const;
    /// One more run; what is to be stored, or nothing where the tenant has too many works.
    std::vector<stored_speed> add(const tenant_id& tenant, const std::string& name, const std::string& model, double r);

private:
    std::unordered_map<tenant_id, std::map<std::string, std::vector<measured_speed>>> by_tenant_;
};

}  // namespace westerly
