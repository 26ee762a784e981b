#pragma once

#include "broker/domain/effects.hpp"
#include "tests/sim/clock_queue.hpp"

namespace westerly::sim {

/// How often what goes wrong; all 0 once faults have ended.
struct fault_rates {
    double lose_call = 0;     // a mutation's answer never comes: unknown; half of them never arrived
    double refuse = 0;        // a launch is refused
    double forget = 0;        // an acknowledged thing is forgotten
    double lose_news = 0;     // a notification or look is lost
    double repeat_news = 0;   // … or comes twice, the second time late
    double fail_read = 0;     // a find fails
    double partial_list = 0;  // a list is not whole
    double stay_deaf = 0;     // a cancel is acknowledged and not acted on
    double preempt = 0;       // a run is taken away
    double go_down = 0;       // per offers refresh: the adapter is away for a while
    double stray = 0;         // per offers refresh: a thing of ours appears that nobody launched
    double crash = 0;         // of the broker, at every boundary
};

/// One thing at the provider: its own record of a run.
struct thing {
    std::string token;
    observation::phase at = observation::phase::pending;
    std::uint64_t seq = 1;
    std::uint64_t units = 1;
    instant visible_at{};
    std::optional<instant> started_at;
    std::optional<instant> ended_at;
    std::int32_t exit_code = 0;
    bool preempted = false;
    bool forgotten = false;
    bool ours = true;  // bears our owner mark
    bool alive() const { return !forgotten && at != observation::phase::exited; }
};

/// A provider with its adapter as the broker meets them: each call ends in exactly one answer (or the broker's process
/// is gone), notifications come late, twice, in any order or never, lists are of the past.
class scripted_provider {
public:
    struct wiring {
        clock_queue& time;
        dice& chance;
        const fault_rates& faults;
        std::function<void(input)> tell;         // to the broker's process as it is now
        std::function<std::uint64_t()> process;  // which one that is: answers go to the one that asked
    };
    scripted_provider(wiring wired, provider_id id, std::uint64_t units, std::uint32_t visibility_s);

    provider_config config() const;
    /// The broker's process has (re)started: health and offers follow soon.
    void meet_broker();
    /// What is on its way arrives or not, and is answered to nobody.
    void broker_gone();

    void run(const call_provider& effect);
    void run(const find_attempt& effect);
    void run(const poll_attempts& effect);
    void run(const list_provider& effect);
    void run(const sweep_orphan& effect);

    std::map<std::string, thing> things;
    std::vector<std::string> faults;
    std::uint64_t launches = 0, swept = 0, forgotten = 0, strays = 0, lost_calls = 0, downs = 0;

private:
    void refresh();
    void report(provider_state state);
    void send_offers();
    void answer(milliseconds delay, input what);
    void news(const thing& about);
    void create(const call_provider& call);
    void begin(const std::string& token);
    void finish(const std::string& token, std::int32_t exit_code, bool preempted);
    void stop(const std::string& token, std::uint32_t grace_s);
    std::uint64_t units_used() const;
    const thing* visible(const std::string& token) const;
    observation seen(const thing& of) const;
    void launch(const call_provider& call);
    void cancel(const call_provider& call);

    wiring wired_;
    provider_id id_;
    std::uint64_t units_;
    std::uint32_t visibility_s_;
    bool up_ = true;
    std::uint64_t refreshing_ = 0;
    std::map<std::uint64_t, call_provider> on_the_way_;  // launches that have not arrived
    std::uint64_t next_call_ = 0;
};

}  // namespace westerly::sim
