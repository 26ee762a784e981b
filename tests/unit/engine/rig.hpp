#pragma once

#include "broker/engine/engine.hpp"
#include "tests/sim/memory_store.hpp"

#include <gtest/gtest.h>

namespace westerly::testing_support {

/// One offer "p/s/small/on_demand" of `units` units of 4 vcpus at 3.60 CNY an hour (0.001 a second).
offer small_offer(const provider_id& provider, std::uint64_t units);
/// A batch workload of one task that fits small_offer, under the policy "cheapest".
workload_spec small_spec();
policy cheapest_policy();

/// An engine with a store in memory under a clock that the test moves. Every reaction is committed at once; its effects
/// are those of the last input.
class engine_rig {
public:
    explicit engine_rig(engine_options options = {}, bool sweeping = true);

    /// A fresh engine from what is committed, with policies; `providers` are configured and ready as before.
    void restart();
    void give(const input& in);
    void pass(milliseconds time) { now += time; }
    /// Moves on and ticks at every wake until then.
    void run_for(milliseconds time);

    void add_provider(const provider_id& id, std::uint64_t units);
    void configure();
    /// In place of "cheapest" without more; over restarts, too.
    void set_policies(std::vector<policy> policies);
    void report(const provider_id& id, provider_state state);
    void send_offers(const provider_id& id, std::uint64_t units);

    /// Submits and gives the id; the answer must be good.
    workload_id submit(workload_spec spec = small_spec(), const std::string& key = "", std::uint8_t body = 1);
    result<answer> ask_submit(workload_spec spec, const std::string& key = "", std::uint8_t body = 1);
    result<answer> cancel(const workload_id& id, std::optional<std::uint64_t> if_revision = {});
    /// The answer to the last input that asked.
    result<answer> answered() const;

    /// Effects of the last input (or of all inputs of the last run_for) of one kind.
    template <class Effect>
    std::vector<Effect> all() const {
        std::vector<Effect> found;
        for (const auto& each : effects)
            if (const auto* one = std::get_if<Effect>(&each))
                found.push_back(*one);
        return found;
    }
    template <class Effect>
    Effect only() const {
        const auto found = all<Effect>();
        EXPECT_EQ(found.size(), 1u);
        return found.empty() ? Effect{} : found.front();
    }

    /// The provider's answers and observations.
    void answer_call(const call_provider& call, call_outcome outcome, adapter_error why = adapter_error::none);
    void observe(const attempt_id& id, observation::phase at, std::uint64_t seq,
                 std::optional<std::int32_t> exit_code = {});
    observation seen(const attempt_id& id, observation::phase at, std::uint64_t seq) const;
    void found(const attempt_id& id, std::optional<observation> what);

    const workload& stored(const workload_id& id) const { return store.workloads.at(id); }
    const attempt& stored(const attempt_id& id) const { return store.attempts.at(id); }

    memory_store store;
    term_table terms;  // of the next restart
    std::unique_ptr<engine> core;
    std::vector<effect> effects;
    std::shared_ptr<const market_view> market;
    principal who;
    instant now{};
    std::uint32_t poll_s = 5;  // of providers added from now on

private:
    void take(reaction made, bool keep_effects);

    engine_options options_;
    random_source random_{7};
    std::vector<provider_config> providers_;
    std::vector<policy> policies_;
    request_id requests_ = 0;
    std::map<attempt_id, instant> started_;
};

}  // namespace westerly::testing_support
