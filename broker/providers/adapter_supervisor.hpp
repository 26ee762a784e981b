#pragma once

#include "broker/domain/provider.hpp"
#include "broker/providers/adapter_process.hpp"
#include "broker/providers/line_splitter.hpp"
#include "broker/providers/rate_window.hpp"
#include "broker/providers/rpc_channel.hpp"

namespace westerly {

struct supervisor_setup {
    boost::asio::io_context& io;
    std::filesystem::path helper;
    std::vector<std::filesystem::path> adapter_dirs;
    std::filesystem::path state_dir;  // the adapter's own; made with mode 0700
    owner_id owner;
    random_source& random;  // for jitter
};

struct supervisor_events {
    std::function<void(const initialize_reply&)> ready;  // it runs and has shaken hands
    /// It could not start, or it ended unasked. `why` names the remedy where one is known. It is started again after a
    /// back-off; `soon`: it had served well before, so the wait is short.
    std::function<void(const std::string& why, bool soon)> fell;
    std::function<void(const rpc_message&)> notified;
    std::function<void()> gone;   // stopped, and nothing is wanted
    std::function<void()> moved;  // something may now be due or sent: call pump() and look at next_wake()
};

/// Keeps one adapter running as wanted: starts it, shakes hands, ends it when it breaks the protocol, starts it again
/// with back-off, stops it gently. Carries lines between its process and the channel. One thread, the io_context's.
class adapter_supervisor {
public:
    adapter_supervisor(supervisor_setup setup, supervisor_events events);

    /// What should run; nullopt: nothing. A change that the adapter must know of restarts it, the old one first.
    void want(std::optional<provider_config> config);
    /// Ends the adapter; it falls with this reason.
    void restart(const std::string& why);

    rpc_channel& channel() noexcept { return channel_; }
    /// Sends what may be sent.
    void pump();

    std::optional<steady_time> next_wake() const;
    void wake(steady_time now);

private:
    enum class phase : std::uint8_t { idle, starting, ready, stopping, waiting };

    void start();
    void shake_hands();
    void take_initialize(const call_answer& answer);
    void take_output(std::string_view bytes);
    void take_error_line(const std::string& line);
    void ended(const std::string& how);
    void fall(const std::string& why);
    void stop();
    std::string with_last_words(std::string why) const;

    supervisor_setup setup_;
    supervisor_events events_;
    rpc_channel channel_;
    std::optional<provider_config> wanted_;
    phase phase_ = phase::idle;
    std::unique_ptr<adapter_process> process_;
    line_splitter lines_;
    std::string reason_;  // why we end it ourselves
    std::uint32_t falls_ = 0;
    std::optional<steady_time> ready_since_;
    std::optional<steady_time> start_at_;
    std::optional<steady_time> terminate_at_;
    std::optional<steady_time> kill_at_;
    std::optional<steady_time> mute_until_;  // it closed its output and may be about to end by itself
    rate_window said_;
};

/// Whether the adapter itself must be restarted for the change, and not only what the broker makes of it.
bool adapter_differs(const provider_config& a, const provider_config& b);

}  // namespace westerly
