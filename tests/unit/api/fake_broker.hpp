#pragma once

#include "broker/api/api_server.hpp"
#include "broker/support/random.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace westerly::testing {

/// The house behind the API, in memory: two tenants with a key each, an operator, and whatever a test puts in. Inputs
/// are answered on a thread of its own, as the engine does.
class fake_broker final : public queries {
public:
    fake_broker();
    ~fake_broker() override;
    api_services services();

    tenant_id east{}, west{}, owner{};
    std::string east_key, west_key, operator_key;  // secrets
    /// Inputs are kept and not answered until it is false again.
    void hold(bool on);
    /// Everything asked so far, by kind.
    template <class T>
    std::vector<T> asked() {
        const std::lock_guard guard(lock);
        std::vector<T> out;
        for (const auto& one : inputs)
            if (const auto* it = std::get_if<T>(&one))
                out.push_back(*it);
        return out;
    }
    std::optional<error> refuse_with;  // every input, when set

    workload add_workload(const tenant_id& of, const std::string& name, workload_state state = workload_state::queued);
    attempt add_attempt(workload& of, attempt_state state);
    decision add_decision(workload& of);
    void add_usage(const workload& of, const attempt& run);
    void change(const workload& w);
    /// Appends and publishes.
    void add_event(const workload& of, const std::string& type);
    void write_log(const attempt_id& of, std::string_view text, bool complete);
    std::string add_key(const tenant_id& of, role as);

    std::mutex lock;
    std::vector<input> inputs;
    std::vector<tenant> tenants;
    std::vector<api_key> keys;
    std::vector<workload> workloads;
    std::vector<attempt> attempts;
    std::vector<decision> decisions;
    std::vector<event> events;
    std::vector<usage> usages;
    std::vector<charge> charges;
    std::map<attempt_id, std::pair<std::string, bool>> logs;
    std::map<std::string, std::string> outputs;  // path to bytes, of every attempt
    std::size_t fetch_piece_max = 1000;
    std::map<std::string, std::string> bundles;
    std::shared_ptr<market_view> market;
    bool is_ready = true;
    bool readers_throw = false;
    std::size_t subscribers() const;

    result<workload> find_workload(std::optional<tenant_id> tenant, workload_id id) override;
    result<page<workload>> list_workloads(const workload_filter& filter, const std::string& cursor,
                                          std::uint32_t limit) override;
    result<std::vector<attempt>> attempts_of(workload_id id) override;
    result<attempt> find_attempt(attempt_id id) override;
    result<decision> find_decision(decision_id id) override;
    result<recorded_decision> find_recorded_decision(decision_id id) override;
    result<page<decision_id>> list_decisions(const std::string& cursor, std::uint32_t limit) override;
    result<market_past> market_at(std::uint64_t history_seq) override;
    result<std::vector<foreign_column>> terms_said_at(std::uint64_t history_seq) override;
    result<std::vector<offer_past>> history_of(const offer_id& id, instant from, instant until) override;
    result<policy_text> find_policy_text(const std::string& name, const std::string& version) override;
    result<page<event>> list_events(const event_filter& filter, const std::string& cursor,
                                    std::uint32_t limit) override;
    result<page<usage>> list_usage(const usage_filter& filter, const std::string& cursor, std::uint32_t limit) override;
    result<page<charge>> list_charges(const usage_filter& filter, const std::string& cursor,
                                      std::uint32_t limit) override;
    result<usage_total> total_usage(const usage_filter& filter) override;
    result<correctable_page> list_correctable(const correction_filter& filter, const std::string& cursor,
                                              std::uint32_t limit) override;
    result<std::vector<charge_total>> total_charges(const usage_filter& filter) override;
    result<std::vector<tenant>> list_tenants() override;
    result<std::vector<api_key>> list_keys(std::optional<tenant_id> tenant) override;
    result<std::vector<attempt_id>> known_attempts(const std::vector<attempt_id>& ids) override;

private:
    result<answer> handle(const input& in);
    result<answer> submit(const principal& who, std::shared_ptr<const workload_spec> spec, const std::string& key,
                          const sha256_digest& body);
    workload* find(const workload_id& id);
    void serve();
    template <class Id>
    Id make_id() {
        return Id::make(system_wall_clock().now(), random_);
    }

    random_source random_{7};
    std::map<sha256_digest, principal> principals_;
    std::map<std::string, std::pair<sha256_digest, workload_id>> idempotency_;
    std::map<std::uint64_t, std::function<void(const event&)>> subscribers_;
    std::uint64_t next_subscriber_ = 1;
    std::deque<std::pair<input, std::function<void(result<answer>)>>> waiting_;
    std::condition_variable changed_;
    bool held_ = false;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace westerly::testing
