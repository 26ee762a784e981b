#pragma once

#include "broker/engine/engine.hpp"
#include "tests/sim/memory_store.hpp"
#include "tests/sim/provider.hpp"

namespace westerly::sim {

/// One history from one seed: clients, the broker's process (real engine, store in memory, commits in groups, effects
/// after them) and scripted providers, with crashes at every boundary between them. The laws of DESIGN.md are checked
/// at every step; what breaks one is in `faults`.
class world {
public:
    explicit world(std::uint64_t seed);

    /// Runs until faults have ended and nothing lives any more, or the time for it is over.
    void run();

    std::vector<std::string> faults;
    std::uint64_t journal = 1469598103934665603ull;  // a hash of all inputs, commits and effects, in order
    std::uint64_t steps = 0, crashes = 0, restarts_compared = 0;
    std::map<std::string, std::uint64_t> counted;  // what happened, for the test that everything does

private:
    struct client {
        std::string key;
        std::shared_ptr<const workload_spec> spec;
        std::optional<workload_id> acknowledged;
        bool wants_cancel = false;
    };

    void start_process();
    void crash();
    bool may_crash();
    void deliver(const input& in);
    void commit();
    void run_effects(std::vector<effect> effects);
    void run_effect(const effect& one);
    void schedule_tick();
    void set_faults();

    void make_clients();
    void ask(std::size_t number);
    void ask_cancel(std::size_t number);
    void hear(const answer_request& said);

    void check_step();
    void check_launch(const call_provider& call);
    void compare_with_fresh_load();
    void check_end();
    void check_metering();
    void fault(std::string what);
    void note(std::string_view kind, std::uint64_t value = 0);

    dice chance_;
    clock_queue time_;
    fault_rates rates_;
    random_source engine_random_;
    testing_support::memory_store store_;
    std::map<provider_id, std::unique_ptr<scripted_provider>> providers_;
    std::vector<client> clients_;
    tenant_id tenant_;

    std::uint64_t process_ = 0;  // rises with every start
    std::unique_ptr<engine> core_;
    std::vector<reaction> uncommitted_;
    bool commit_due_ = false;
    instant tick_at_{};
    std::map<request_id, std::size_t> submits_, cancels_;
    request_id requests_ = 0;
};

}  // namespace westerly::sim
