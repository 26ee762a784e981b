#pragma once

#include "broker/domain/change_set.hpp"

#include <map>
#include <memory>
#include <set>
#include <tuple>

namespace westerly::testing_support {

/// Clients' keys, in order of their age too: they are many, and looking at all of them once a virtual minute is slow.
class client_keys {
public:
    void add(const idempotency_record& record);
    void expire(instant before);
    std::size_t size() const noexcept { return records_.size(); }
    std::vector<idempotency_record> all() const;  // the oldest first

private:
    using kept = std::shared_ptr<const idempotency_record>;  // so that a copy of the store copies no texts
    struct by_name {
        bool operator()(const kept& a, const kept& b) const {
            return std::tie(a->key, a->tenant, a->route) <
                   std::tie(b->key, b->tenant, b->route);  // what differs most first
        }
    };
    struct by_age {
        bool operator()(const kept& a, const kept& b) const {
            return a->created_at != b->created_at ? a->created_at < b->created_at : by_name()(a, b);
        }
    };
    std::set<kept, by_name> records_;
    std::set<kept, by_age> ages_;
};

/// A store in memory that takes change sets as a real one would, and holds them against the rules that every history
/// must keep. What is not committed here is forgotten by `load`, as after a crash.
class memory_store {
public:
    explicit memory_store(owner_id owner, bool sweeping = true) : owner_(owner), sweeping_(sweeping) {}

    /// Takes one change set whole. Broken rules are added to `faults`.
    void commit(const change_set& changes);
    /// Everything that lives, under a raised epoch.
    stored_state load();
    /// Leaves out a workload that has ended, with its attempts and decisions; false when it has not. Without it a store
    /// holds everything, as a real one does.
    bool retire(const workload_id& ended);
    std::vector<std::pair<attempt_id, provider_id>> attempts_of(const workload_id& of) const;
    /// Leaves out the rows that nothing refers to: events, usage and charges.
    void drop_rows();
    /// Lent out while the rest is copied.
    client_keys& keys_of_clients() { return idempotency_; }
    /// The outbox row that the last change set has done, or nullptr.
    const outbox_item* last_done(std::uint64_t seq) const;

    std::map<workload_id, workload> workloads;
    std::map<attempt_id, attempt> attempts;
    std::map<decision_id, decision> decisions;
    std::map<std::uint64_t, outbox_item> outbox;
    std::vector<event> events;
    std::vector<usage> usages;
    std::vector<charge> charges;
    std::map<std::tuple<tenant_id, std::string, std::string>, stored_speed> speeds;  // by tenant, name and model
    std::map<tenant_id, tenant> tenants;
    std::map<key_id, api_key> keys;
    std::map<provider_id, bool> cordons;
    std::map<tenant_id, tenant_use> tenant_uses;
    std::vector<std::string> faults;

private:
    void take_workloads(const change_set& changes);
    void take_attempts(const change_set& changes);
    void take_events(const change_set& changes);
    void take_outbox(const change_set& changes);
    void take_money(const change_set& changes);
    void check_parts(const change_set& changes);
    void check_outbox(const change_set& changes);

    owner_id owner_;
    bool sweeping_;
    std::uint64_t epoch_ = 0;
    std::uint64_t outbox_seq_ = 0;
    std::uint64_t corrections_ = 0;
    std::array<std::uint64_t, 256> event_seq_{};
    std::map<workload_id, std::uint64_t> last_event_;
    std::map<workload_id, std::uint32_t> live_attempts_;
    std::map<workload_id, std::uint32_t> given_up_;                  // of the live ones
    std::map<attempt_id, std::uint32_t> launch_rows_, cancel_rows_;  // in the outbox
    std::set<attempt_id> metered_;
    std::map<std::pair<std::string, tenant_id>, std::int64_t> certificates_given_;
    std::map<workload_id, std::vector<attempt_id>> attempts_of_;
    std::map<std::uint64_t, outbox_item> last_done_;
    client_keys idempotency_;
};

}  // namespace westerly::testing_support
