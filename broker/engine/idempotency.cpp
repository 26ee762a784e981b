#include "broker/engine/idempotency.hpp"

namespace westerly {

const idempotency_record* idempotency_book::find(const tenant_id& tenant, std::string_view route,
                                                 std::string_view key) const {
    const auto at = records_.find(name{tenant, route, key});
    return at == records_.end() ? nullptr : &*at;
}

std::size_t idempotency_book::count(const tenant_id& tenant) const {
    const auto at = counts_.find(tenant);
    return at == counts_.end() ? 0 : at->second;
}

void idempotency_book::add(idempotency_record record) {
    const auto [at, is_new] = records_.insert(std::move(record));
    if (!is_new)
        return;
    ++counts_[at->tenant];
    by_age_.push_back(&*at);
}

bool idempotency_book::expire(instant before) {
    bool any = false;
    for (; !by_age_.empty() && by_age_.front()->created_at < before; by_age_.pop_front()) {
        const auto oldest = records_.find(*by_age_.front());
        if (const auto count = counts_.find(oldest->tenant); --count->second == 0)
            counts_.erase(count);
        records_.erase(oldest);
        any = true;
    }
    return any;
}

std::optional<instant> idempotency_book::oldest() const {
    return by_age_.empty() ? std::nullopt : std::optional(by_age_.front()->created_at);
}

}  // namespace westerly
