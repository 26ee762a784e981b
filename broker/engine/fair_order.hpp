#pragma once

#include "broker/domain/records.hpp"
#include "broker/placement/fair_use.hpp"

#include <map>
#include <set>

namespace westerly {

/// What the operator's file says of one tenant's share, by the tenant's name.
struct tenant_share {
    double weight = 1;  // 0.001..1000
    /// What it may take back from others: list-price money an hour, 10^-6. Above that it borrows.
    std::int64_t guaranteed_micros_per_h = 0;
    friend bool operator==(const tenant_share&, const tenant_share&) = default;
};

/// How contended capacity is shared out.
struct fair_share_rules {
    std::map<std::string, tenant_share> tenants;  // who is not named has a weight of 1
    /// Whoever waits for longer goes before all priorities, in the order of the wait.
    seconds overdue_after{24 * 3600};
    friend bool operator==(const fair_share_rules&, const fair_share_rules&) = default;
};

/// Who has had how much of limited capacity, and so whose turn it is. Memory: an account for each tenant that has had
/// something.
class fair_order {
public:
    explicit fair_order(fair_share_rules rules) : rules_(std::move(rules)) {}

    void know(const tenant& who);
    void restore(const tenant_use& kept);
    /// An attempt that was made before the start, at its lease's rate from its making on. In order of making.
    void resume(const attempt& held);

    void hold(const tenant_id& who, const lease& terms, instant now);
    void give_back(const tenant_id& who, const lease& terms, instant now);
    /// What was held in this instant is not held after all.
    void take_back(const tenant_id& who, const lease& terms, instant now);

    /// Use per weight: lower goes first.
    double served(const tenant_id& who, instant now) const;
    std::int64_t guaranteed(const tenant_id& who) const;
    /// What it holds now, list-price money an hour, 10^-6.
    std::int64_t held(const tenant_id& who) const;
    seconds overdue_after() const noexcept { return rules_.overdue_after; }

    /// Accounts of which an attempt has ended since this was asked last.
    std::vector<tenant_use> take_changed(instant now);
    void move_with_clock(milliseconds by);

private:
    fair_share_rules rules_;
    std::map<tenant_id, tenant_share> shares_;  // of those that the rules name
    std::map<tenant_id, fair_use> accounts_;
    std::set<tenant_id> changed_;
};

}  // namespace westerly
