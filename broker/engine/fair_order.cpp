#include "broker/engine/fair_order.hpp"

#include <algorithm>

namespace westerly {

void fair_order::know(const tenant& who) {
    if (const auto told = rules_.tenants.find(who.name); told != rules_.tenants.end())
        shares_[who.id] = told->second;
}

void fair_order::restore(const tenant_use& kept) {
    accounts_[kept.tenant] = fair_use(kept.used, kept.as_of);
}

/// What it held before the account was written last is in the account.
void fair_order::resume(const attempt& held) {
    if (held.terms.limited)
        accounts_[held.tenant].hold(held_micros_per_h(held.terms), held.created_at);
}

void fair_order::hold(const tenant_id& who, const lease& terms, instant now) {
    if (terms.limited)
        accounts_[who].hold(held_micros_per_h(terms), now);
}

void fair_order::give_back(const tenant_id& who, const lease& terms, instant now) {
    take_back(who, terms, now);
    if (terms.limited)
        changed_.insert(who);
}

void fair_order::take_back(const tenant_id& who, const lease& terms, instant now) {
    if (terms.limited)
        accounts_[who].give_back(held_micros_per_h(terms), now);
}

double fair_order::served(const tenant_id& who, instant now) const {
    const auto at = accounts_.find(who);
    if (at == accounts_.end())
        return 0;
    const auto share = shares_.find(who);
    return at->second.served_at(now, share == shares_.end() ? 1.0 : share->second.weight);
}

std::int64_t fair_order::guaranteed(const tenant_id& who) const {
    const auto share = shares_.find(who);
    return share == shares_.end() ? 0 : share->second.guaranteed_micros_per_h;
}

std::int64_t fair_order::held(const tenant_id& who) const {
    const auto at = accounts_.find(who);
    return at == accounts_.end() ? 0 : at->second.held_micros_per_h();
}

std::vector<tenant_use> fair_order::take_changed(instant now) {
    std::vector<tenant_use> all;
    all.reserve(changed_.size());
    for (const tenant_id& who : changed_) {
        fair_use& account = accounts_.at(who);
        account.move_to(now);
        all.push_back({who, account.used_at(account.as_of()), account.as_of()});
    }
    changed_.clear();
    return all;
}

void fair_order::move_with_clock(milliseconds by) {
    for (auto& [who, account] : accounts_)
        account.move_with_clock(by);
}

}  // namespace westerly
