#include "broker/engine/speed_book.hpp"

#include "broker/placement/measured_speed.hpp"

#include <algorithm>

namespace westerly {

void speed_book::load(stored_speed row) {
    by_tenant_[row.tenant][row.name].push_back(std::move(row.measured));
}

std::span<const measured_speed> speed_book::of(const tenant_id& tenant, const std::string& name) const {
    const auto works = by_tenant_.find(tenant);
    if (works == by_tenant_.end())
        return {};
    const auto work = works->second.find(name);
    return work == works->second.end() ? std::span<const measured_speed>() : work->second;
}

std::vector<stored_speed> speed_book::add(const tenant_id& tenant, const std::string& name, const std::string& model,
                                          double r) {
    auto& works = by_tenant_[tenant];
    if (works.size() >= works_per_tenant_max && !works.contains(name))
        return {};
    auto& models = works[name];
    auto at = std::ranges::find(models, model, &measured_speed::model);
    if (at == models.end())
        at = models.insert(models.end(), {model, {}});
    add_run(at->shown, r);
    return {{tenant, name, *at}};
}

}  // namespace westerly
