#include "broker/engine/idempotency.hpp"

namespace westerly {

const idempotency_record* idempotency_book::find(const tenant_id& tenant, const std::string& route,
                                                 const std::string& key) const {
    const auto at = records_.find(name{tenant, route, key});
    return at == records_.end() ? nullptr : &at->second;
}

std::size_t idempotency_book::count(const tenant_id& tenant) const {
    const auto at = counts_.find(tenant);
    return at == counts_.end() ? 0 : at->second;
}

void idempotency_book::add(idempotency_record record) {
    name called{record.tenant, record.route, record.key};
    const auto made = record.created_at;
    if (!records_.insert_or_assign(called, std::move(record)).second)
        return;
    ++counts_[called.tenant];
    by_age_.emplace_back(made, std::move(called));
}

bool idempotency_book::expire(instant before) {
    bool any = false;
    for (; !by_age_.empty() && by_age_.front().first < before; by_age_.pop_front()) {
        const name& called = by_age_.front().second;
        records_.erase(called);
        if (const auto count = counts_.find(called.tenant); --count->second == 0)
            counts_.erase(count);
        any = true;
    }
    return any;
}

std::optional<instant> idempotency_book::oldest() const {
    return by_age_.empty() ? std::nullopt : std::optional(by_age_.front().first);
}

}  // namespace westerly
