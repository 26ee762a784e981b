#pragma once

#include "broker/providers/adapter_supervisor.hpp"
#include "broker/providers/provider_hub.hpp"
#include "broker/providers/verbs.hpp"

#include <deque>
#include <map>
#include <memory>

namespace westerly {

struct session_setup {
    boost::asio::io_context& io;
    const hub_options& options;
    random_source& random;
    std::function<void()> gone;  // stopped and no more wanted; the owner destroys it later, not from inside
};

/// One provider: its adapter, its health and circuit breaker, its offers, the calls made to it. Answers go to the hub's
/// sink. One thread, the io_context's.
class provider_session final : public adapter_client {
public:
    provider_session(session_setup setup, provider_config config);
    ~provider_session() override;

    /// Starts, or takes a changed file. Offers are fed again when only prices or facts changed.
    void configure(provider_config config);
    /// The provider is gone from the configuration (or, `ending`, the broker stops): calls end as unknown, the adapter
    /// is stopped. Archives in work are answered as failed, unless the broker stops: then the next start repeats them.
    void leave(bool ending);

    void run(const call_provider& effect);
    void run(const find_attempt& effect);
    void run(const poll_attempts& effect);
    void run(const list_provider& effect);
    void run(const sweep_orphan& effect);
    void run(const archive_logs& effect);

    /// Logs of an attempt. An adapter that keeps none gives nothing, for ever.
    void logs(const log_request& request, std::function<void(result<byte_piece>)> done);
    /// Errors: provider_rejected when the adapter gives no files.
    void fetch(const fetch_params& what, std::function<void(result<fetch_reply>)> done);

    /// Asks the adapter itself, also while the breaker is open: the operator wants to know.
    void probe(std::function<void(result<probe_reply>)> done);

    void call(std::string_view verb, std::string params, call_done done) override;
    void after(milliseconds delay, std::function<void()> then) override;
    const provider_id& id() const override { return config_.id; }

private:
    struct timer;

    /// A read of one message.
    template <class T>
    void read(std::string_view verb, std::string params, result<T> (*decode)(const json_value&),
              std::function<void(result<T>)> done) {
        call(verb, std::move(params), [this, decode, done = std::move(done)](const call_answer& answer) {
            auto reply = decode_answer(answer, decode);
            done(reply.value ? result<T>(std::move(*reply.value)) : result<T>(read_error(id(), reply.failure)));
        });
    }

    /// Whether the adapter has said that it knows this optional verb, or can do this optional thing.
    bool can(std::string_view what) const;

    bool catalogue() const { return config_.kind == "catalogue"; }
    void begin();
    void adapter_ready(const initialize_reply& reply);
    void adapter_fell(const std::string& why, bool soon);
    void notified(const rpc_message& message);

    void record(const call_answer& answer);
    void record(const mutation_reply& reply);
    void trial();
    void trial_answered(const call_answer& answer);
    bool fetch_due(steady_time now) const;
    void fetch_offers();
    void feed_offers();
    void next_archives();

    provider_state state() const;
    std::string state_message() const;  // why, and the remedy
    void refresh();
    void report();
    void arm();
    void wake();

    session_setup setup_;
    provider_config config_;
    circuit_breaker breaker_;
    adapter_supervisor supervisor_;
    std::unique_ptr<timer> timer_;
    std::multimap<steady_time, std::function<void()>> delayed_;
    bool leaving_ = false;

    enum class stage : std::uint8_t { starting, trying, serving, fallen };
    stage stage_ = stage::starting;
    bool fallen_soon_ = false;  // it will be back in a moment
    std::string trouble_;       // why it fell, or why its breaker opened
    std::string last_failure_;
    std::optional<instant> throttled_until_;
    initialize_reply adapter_;
    std::optional<provider_health> reported_;

    std::optional<offers_reply> offers_;  // the last that came
    bool offers_fresh_ = false;           // since the adapter started
    bool offers_in_flight_ = false;
    steady_time offers_at_{};
    std::string offers_trouble_;
    std::vector<std::string> unmet_prices_;
    std::set<std::string> warned_;

    rate_window notifications_;
    std::deque<archive_logs> archives_waiting_;
    std::map<std::uint64_t, archive_logs> archives_;  // in work, by outbox seq
};

}  // namespace westerly
