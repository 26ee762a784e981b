#pragma once

#include "broker/domain/change_set.hpp"
#include "broker/domain/queries.hpp"

#include <filesystem>
#include <map>

namespace westerly::test {

/// A folder of its own for one test, removed at the end.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();
    std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// Equal with the specifications compared by value, which workload's own == compares by address.
bool same(const workload& a, const workload& b);
bool same(const std::vector<workload>& a, const std::vector<workload>& b);

inline constexpr instant day_one{milliseconds(1'770'000'000'000)};

/// Makes change sets as an engine might: seqs that rise, chains of events, only legal references, every field used.
/// Keeps the plain values of all it ever made, as the model that a store is held against.
class world {
public:
    explicit world(std::uint64_t seed, std::uint64_t epoch = 1) : random_(seed), epoch_(epoch) {}

    /// One input's worth of changes, already applied to the model.
    change_set next();

    // What a store that has committed every change must give.
    stored_state live(instant now) const;
    std::vector<workload> list(const workload_filter& filter) const;  // newest first
    std::vector<event> list(const event_filter& filter) const;        // oldest first
    std::vector<usage> list_usage(const usage_filter& filter) const;  // newest first
    std::vector<charge> list_charges(const usage_filter& filter) const;
    std::vector<attempt> attempts_of(const workload_id& id) const;
    const std::map<decision_id, decision>& decisions() const { return decisions_; }
    const std::vector<tenant>& tenants() const { return tenants_; }
    const std::vector<api_key>& keys() const { return keys_; }
    const std::vector<workload>& workloads() const { return workloads_; }
    const std::vector<attempt>& attempts() const { return attempts_; }

    // Chance of the same seed, for tests that choose among what there is.
    std::uint64_t pick(std::uint64_t below) { return random_.next() % below; }
    bool chance(double probability) { return random_.unit() < probability; }
    workload_filter random_workload_filter();
    usage_filter random_usage_filter();

    // The parts of next(), for tests that want one thing.
    void add_tenant(change_set& changes);
    workload& add_workload(change_set& changes);
    void add_full_attempt(change_set& changes);  // for the newest workload, its decision as large as they get

private:
    void add_key(change_set& changes);
    void set_cordon(change_set& changes);
    void set_use(change_set& changes);
    void change_workload(change_set& changes);
    void add_attempt(change_set& changes, workload& of);
    void change_attempt(change_set& changes);
    void add_usage(change_set& changes, const attempt& of);
    void add_event(change_set& changes, workload& of, std::optional<attempt_id> attempt);
    void settle_outbox(change_set& changes);
    void note(change_set& changes, const workload& changed);
    instant now() { return now_ += milliseconds(1 + pick(50)); }  // never twice the same: orders are total
    template <class Id>
    Id id() {
        return Id::make(now_, random_);
    }
    std::string word();
    std::shared_ptr<const workload_spec> random_spec();
    lease random_lease();

    random_source random_;
    std::uint64_t epoch_;
    instant now_ = day_one;
    std::uint64_t outbox_seq_ = 0;
    std::array<std::uint64_t, 256> event_seq_{};
    std::map<workload_id, std::uint64_t> chain_;  // last event of each workload
    std::vector<tenant> tenants_;
    std::vector<api_key> keys_;
    std::map<provider_id, bool> cordons_;
    std::map<tenant_id, tenant_use> uses_;
    std::vector<workload> workloads_;
    std::vector<attempt> attempts_;
    std::map<decision_id, decision> decisions_;
    std::vector<event> events_;
    std::vector<outbox_item> outbox_;
    std::vector<usage> usages_;
    std::map<std::tuple<std::string, tenant_id, std::string>, std::int64_t> certificates_given_;
    std::map<std::pair<tenant_id, std::string>, stored_speed> speeds_;
    std::vector<charge> charges_;
    std::vector<idempotency_record> idempotency_;
};

}  // namespace westerly::test
