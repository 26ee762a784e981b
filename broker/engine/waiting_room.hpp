#pragma once

#include "broker/domain/measured_speed.hpp"
#include "broker/domain/progress.hpp"
#include "broker/engine/fair_order.hpp"

#include <array>
#include <map>
#include <set>
#include <span>
#include <unordered_map>

namespace westerly {

/// All that a decision reads of a workload, as a digest: workloads of one shape are placeable or not together. `policy`
/// is the one that it runs under, whatever it names; `left`: what earlier runs have left of the work.
using demand_shape = sha256_digest;
demand_shape shape_of(const workload_spec& spec, const std::string& policy, const std::optional<money>& budget_left,
                      std::span<const measured_speed> measured = {},
                      const std::optional<instant>& asked_at = std::nullopt,
                      const std::optional<run_progress>& left = std::nullopt);

/// What can lift the reasons of those who wait; a set of bits.
enum wake_on : std::uint8_t {
    wake_on_offers = 1,
    wake_on_capacity = 2,
    wake_on_providers = 4,
    wake_on_policies = 8,
    wake_masks = 16  // the number of sets
};

/// Who waits for a place, grouped by priority and demand shape, so that a change looks at each shape once however many
/// wait. A group is ready (to be tried) or asleep (tried in vain) until something that can lift its reasons changes.
///
/// Order   next() is, while somebody has waited for too long, who has waited longest; else of the highest priority the
///         tenant that has been served least, and of it the oldest (decision-model §4).
/// Bounds  add, remove, sleep: logarithmic. next: linear in the tenants that are to be tried at one priority. wake:
///         linear in the groups it wakes and their tenants, and put off while some are still to be tried, so that a
///         stream of changes cannot keep the last ones from their turn.
class waiting_room {
public:
    struct seat {
        std::int32_t priority = 0;
        tenant_id tenant;
        instant created_at{};   // its age
        instant waits_since{};  // for how long it has waited to start
        workload_id id;
        demand_shape shape{};
    };

    /// Takes a seat. When others of its shape were tried in vain and nothing has changed since, their reasons are its
    /// reasons; nullptr: it will be tried.
    const std::vector<wait_reason>* add(const seat& who);
    void remove(const seat& who);

    /// Whom to try next; nullptr: nobody.
    const workload_id* next(const fair_order& order, instant now) const;
    /// The group of `who` was tried in vain, for these reasons, which `mask` can lift, or time alone at `until`.
    void sleep(const seat& who, std::uint8_t mask, std::vector<wait_reason> reasons,
               std::optional<instant> until = std::nullopt);
    /// When the first of those is due whom time alone may help, and who sleeps.
    std::optional<instant> next_date() const noexcept;
    /// Wakes those that are due. False: there are none.
    bool wake_dated(instant now);
    void wake(std::uint8_t mask);
    /// One group, whatever it waits for; where it is not asleep, nothing.
    void wake_like(std::int32_t priority, const demand_shape& shape);

    bool anyone_to_try() const noexcept { return !lanes_.empty() || wake_later_ != 0; }
    std::size_t size() const noexcept { return size_; }
    /// Members of the group of `who`, at most `max`, those that wait longest first.
    std::vector<workload_id> members_like(const seat& who, std::size_t max) const;
    /// Wakes what was put off, once nobody is left to try.
    void turn_over();

private:
    using member = std::pair<instant, workload_id>;
    struct group_name {
        std::int32_t priority;
        demand_shape shape;
        friend bool operator==(const group_name&, const group_name&) = default;
    };
    struct group_hash {
        std::size_t operator()(const group_name& n) const noexcept;
    };
    struct group {
        group_name name;
        std::map<tenant_id, std::set<member>> members;  // by age
        std::set<member> by_wait;                       // all of them
        std::uint8_t asleep_mask = 0;                   // 0: ready
        std::size_t asleep_index = 0;                   // in asleep_[asleep_mask]
        std::optional<instant> until;                   // in dated_
        std::vector<wait_reason> reasons;
    };
    /// The oldest ones of a tenant in the ready groups of one priority.
    using lane = std::set<member>;

    void line_up(const group& g);
    void step_out(const group& g);
    void line_up(const group& g, const tenant_id& tenant);
    void step_out(const group& g, const tenant_id& tenant);
    void leave_sleep(group& g);
    void forget_date(group& g);
    void wake_now(std::uint8_t mask);

    std::unordered_map<group_name, group, group_hash> groups_;
    std::map<std::int64_t, std::map<tenant_id, lane>> lanes_;  // by -priority
    std::set<member> longest_;                                 // of each ready group, the one that waits longest
    std::array<std::vector<group*>, wake_masks> asleep_;
    std::set<std::pair<instant, group*>> dated_;  // asleep
    std::uint8_t wake_later_ = 0;
    std::size_t size_ = 0;
};

}  // namespace westerly
