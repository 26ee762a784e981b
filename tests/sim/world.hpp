#pragma once

#include "broker/engine/engine.hpp"
#include "tests/sim/coverage.hpp"
#include "tests/sim/memory_store.hpp"
#include "tests/sim/provider.hpp"

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace westerly::sim {

/// One history from one plan: clients, the broker's process (real engine, store in memory, commits in groups, effects
/// after them) and scripted providers, with crashes at the boundaries between them. The laws of DESIGN.md are checked
/// at every step; what breaks one is in `faults`, and ends the history.
class world final : private scripted_provider::surroundings, private transition_watch {
public:
    explicit world(const plan& of);
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// Runs until faults have ended and nothing lives any more, or the time for it is over.
    void run();
    /// Called after each virtual day.
    std::function<void(milliseconds since)> each_day;

    bool traces = false;  // prints what happens to attempts and things
    std::vector<std::string> faults;
    std::uint64_t journal = 1469598103934665603ull;  // a hash of all inputs, commits and effects, in order
    std::uint64_t steps = 0, crashes = 0, compared = 0;
    std::array<std::uint64_t, fault_kinds> boundaries{};  // that a crash of each kind could have struck
    std::size_t live_workloads() const { return store_.workloads.size(); }
    std::size_t ended_workloads() const { return ended_.size(); }
    coverage hits;
    std::map<std::string, std::uint64_t> ends;  // how workloads and attempts ended

private:
    struct client {
        const planned_workload& wants;
        std::string key;
        std::optional<workload_id> acknowledged;
        instant acknowledged_at{};
        bool asked_again = false;
        bool gives_up = false;  // has asked for its cancel, or is about to
    };
    /// What was done about one outbox row or token, over all lives of the broker.
    struct deeds {
        std::uint32_t launches = 0;
        std::uint32_t things = 0;
        std::uint32_t archives = 0;
        instant asked_at{};    // what has become of it
        instant stopped_at{};  // when its end was asked for
    };

    // process.cpp: the broker's process and its end
    void start_process();
    void crash(fault_kind kind);
    bool crash_due(fault_kind kind);
    void deliver(const input& in);
    void commit();
    void run_effects(const std::vector<effect>& effects);
    void run_effect(const effect& one);
    void schedule_tick();
    void configure_providers();
    void plan_faults();
    void begin_fault(const planned_fault& fault);
    void step_clock(milliseconds by);

    // clients.cpp
    void make_clients();
    void await_arrival();
    void new_day();
    void ask(std::size_t number);
    void ask_cancel(std::size_t number);
    void ask_second_copy(std::size_t number, const attempt_id& unseen);
    void consider_second_copy(const attempt& unseen);
    void lose_patience(const workload_id& with);
    void hear(const answer_request& said);
    submit_workload request_of(std::size_t number, request_id request) const;

    // laws.cpp
    void check_reaction(const reaction& made);
    void check_market(const market_view& view);
    void check_call(const call_provider& call);
    void check_sweep(const sweep_orphan& sweep);
    void check_commit(const change_set& changes);
    void check_row_done(std::uint64_t seq);
    void check_money(const usage& used, const charge& cost);
    void check_ends(const change_set& changes);
    void check_displaced(const attempt& ended);
    void check_choice(const attempt& given_up);
    bool two_where_one_may_be(const workload_id& of) const;
    void retire(const change_set& changes);
    void compare_with_fresh_load(bool with_clients_keys);
    void check_end();
    void watch_outage(const input& in);
    void provider_returned(std::size_t number);
    void check_return(std::size_t number, const std::vector<std::pair<attempt_id, attempt_state>>& waited);
    void engine_threw(const std::exception& what);
    void fault(std::string what);
    void note(std::uint64_t kind, std::uint64_t value = 0);
    bool settled() const;
    void trace(const std::string& what, std::string_view word, std::string_view more = {}) const;

    // what providers need
    void tell(const input& in) override { deliver(in); }
    std::uint64_t process() const override { return process_; }
    instant broker_clock() const override { return time_.now + skew_; }
    bool configured(std::size_t provider) const override { return configured_[provider]; }
    bool handle_known(const std::string& token) const override;
    bool recorded(const std::string& token) const override;
    std::optional<workload_id> workload_of(const std::string& token) const;
    void made(std::size_t provider, const thing& what) override;
    void gone(const thing& what) override;
    void struck(fault_kind kind, const std::string& token) override;
    void struck_all(fault_kind kind, std::size_t provider) override;
    void broken(std::string law) override { fault(std::move(law)); }
    void strike_everyone(fault_kind kind);

    // what the engine tells of its transitions
    void moves(const attempt& from, attempt_event on, attempt_state to) override;
    void moves(const workload& from, workload_event on) override;

    const plan& plan_;
    clock_queue time_;
    instant begun_at_ = time_.now;
    fault_board board_;
    dice chance_;
    random_source engine_random_;
    testing_support::memory_store store_;  // of what has not ended: the rest is retired to the two below
    std::unordered_map<workload_id, workload_state> ended_;
    std::unordered_map<attempt_id, workload_id> ended_attempts_;
    std::vector<std::unique_ptr<scripted_provider>> providers_;
    std::unordered_map<provider_id, std::size_t> numbers_;
    std::vector<bool> configured_;
    std::vector<client> clients_;
    std::vector<std::size_t> arrivals_;                       // of those that have not asked yet, the next one last
    std::unordered_map<workload_id, std::size_t> client_of_;  // those that are impatient or take risks
    std::size_t unanswered_ = 0;
    std::vector<tenant_id> tenants_;
    std::vector<planned_fault> crashes_;                        // that may strike now
    milliseconds skew_{0};                                      // of the broker's wall clock
    instant process_since_{};                                   // when it was started
    std::vector<std::optional<instant>> away_since_;            // providers, as the broker was told; nullopt: usable
    std::unordered_map<attempt_id, instant> has_waited_since_;  // for an answer about it, or for its end

    std::uint64_t process_ = 0;  // rises with every start
    std::unique_ptr<engine> core_;
    std::vector<reaction> uncommitted_;
    bool commit_due_ = false;
    std::uint64_t tick_ = 0;
    std::unordered_map<request_id, std::size_t> submits_, cancels_, second_copies_;
    std::unordered_set<attempt_id> risked_;  // a client has asked to give them up
    request_id requests_ = 0;

    std::unordered_map<std::string, deeds> deeds_;          // by token
    std::unordered_map<workload_id, std::uint32_t> alive_;  // things of each workload, at all providers
    std::unordered_map<attempt_id, fault_set> struck_attempts_;
    std::unordered_map<workload_id, fault_set> struck_workloads_;
};

}  // namespace westerly::sim
