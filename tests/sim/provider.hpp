#pragma once

#include "broker/domain/effects.hpp"
#include "tests/sim/fault_board.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace westerly::sim {

/// One thing at the provider: its own record of a run.
struct thing {
    std::string token;
    std::string handle;
    std::string offer;
    observation::phase at = observation::phase::pending;
    std::uint64_t seq = 1;
    std::uint32_t runs = 0;  // how often it was started
    std::uint64_t units = 1;
    std::optional<std::uint64_t> max_runtime_s;
    instant visible_at{};
    instant deaf_until{};  // to stops and to its own limit
    std::optional<instant> started_at;
    std::optional<instant> ended_at;
    std::int32_t exit_code = 0;
    bool preempted = false;
    bool timed_out = false;
    bool forgotten = false;
    dice luck{0, 0};     // how it fares follows from its workload and try
    bool ours = true;    // bears our owner mark
    bool stray = false;  // ours, and nobody launched it
    bool exited() const { return at == observation::phase::exited; }
    bool alive() const { return !forgotten && !exited(); }
};

/// A provider with its adapter as the broker meets them. Each call ends in at least one answer or the broker's process
/// is gone; what goes wrong is on the fault board. The adapter runs on the broker's machine and dates lists by its
/// clock; things are dated by the provider's own.
class scripted_provider {
public:
    /// What the world gives a provider.
    class surroundings {
    public:
        virtual ~surroundings() = default;
        virtual void tell(const input& in) = 0;     // to the broker's process as it is now
        virtual std::uint64_t process() const = 0;  // which one that is: answers go to the one that asked
        virtual instant broker_clock() const = 0;
        virtual bool configured(std::size_t provider) const = 0;
        virtual bool handle_known(const std::string& token) const = 0;
        virtual bool recorded(const std::string& token) const = 0;  // of a workload that has not ended
        virtual void made(std::size_t provider, const thing& what) = 0;
        virtual void gone(const thing& what) = 0;
        virtual void struck(fault_kind kind, const std::string& token) = 0;
        virtual void struck_all(fault_kind kind, std::size_t provider) = 0;
        virtual void broken(std::string law) = 0;
    };
    scripted_provider(surroundings& around, clock_queue& time, fault_board& faults, const plan& of, std::size_t number);

    /// The broker's process has (re)started, or has read the provider's file: health and offers follow soon.
    void meet_broker();
    /// The adapter is gone: what is on its way arrives or not; `answered`: the broker is there and learns that.
    void adapter_gone(bool answered);
    void unconfigured();
    /// A fault that begins at a moment, not at an occasion.
    void fault_begins(const planned_fault& fault);

    void run(const call_provider& effect);
    void run(const find_attempt& effect);
    void run(const poll_attempts& effect);
    void run(const list_provider& effect);
    void run(const sweep_orphan& effect);

    void settled(const std::string& token);

    const std::map<std::string, thing>& things() const { return things_; }
    std::size_t alive() const { return alive_; }  // of ours
    std::uint64_t strays = 0, swept = 0;

private:
    enum class asked : std::uint8_t { launch, cancel, find, list };
    struct open_call {
        asked what;
        std::optional<call_provider> call;
        provider_id provider;
        attempt_id attempt;
        bool arrived = false;
    };

    // provider_calls.cpp: the way between broker and provider
    std::uint64_t open(asked what, const attempt_id& attempt, const call_provider* call);
    void answer(std::uint64_t number, milliseconds delay, input what);
    void give_up(std::uint64_t number);
    input no_answer(const open_call& call, adapter_error why) const;
    void tell_later(milliseconds delay, input what);
    bool hit(fault_kind kind, const std::string& token);
    bool cut_off(const std::string& token);
    milliseconds way(const std::string& token, std::int64_t usual_ms);
    void call_arrives(std::uint64_t number, bool answer_lost);
    mutation_reply launch(const call_provider& call);
    mutation_reply cancel(const call_provider& call);
    listing snapshot();
    void news(const thing& about);
    void send_news(const std::string& token, const observation& seen);

    // provider.cpp: what the provider does by itself
    void refresh();
    void report(provider_state state);
    void send_offers();
    std::int64_t price_now(std::int64_t nanos) const;
    std::string new_handle(const std::string& token);
    void create(const launch_request& asked);
    void begin(const std::string& token);
    void finish(const std::string& token, std::int32_t exit_code, bool preempted, bool timed_out);
    void forget(thing& what);
    void forget_after_telling(const std::string& token);
    void take_away(const std::string& token);
    void stop(const std::string& token, std::uint32_t grace_s);
    void add_stray();
    void again_in_a_while(planned_fault fault);
    std::uint64_t units_used(const std::string& offer) const;
    const thing* visible(const std::string& token) const;
    observation seen(const thing& of) const;
    thing* record_of(const std::string& token);

    surroundings& around_;
    clock_queue& time_;
    fault_board& faults_;
    dice chance_;
    const planned_provider& plan_;
    std::size_t number_;
    std::map<std::string, thing> things_;
    std::deque<std::string> alive_tokens_;  // of ours
    std::size_t alive_ = 0;
    std::uint64_t handles_ = 0;
    std::unordered_map<std::string, std::uint64_t> tries_;  // by workload name
    std::map<std::uint64_t, open_call> open_;
    std::uint64_t last_call_ = 0;
    std::map<std::string, observation> held_back_;  // news that the next one overtakes
    listing last_list_;
    bool up_ = true;
    std::uint64_t life_ = 0;  // of the adapter
};

}  // namespace westerly::sim
