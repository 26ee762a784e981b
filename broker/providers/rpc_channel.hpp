#pragma once

#include "broker/codec/protocol_json.hpp"
#include "broker/providers/circuit_breaker.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>

namespace westerly {

/// How a call ended.
struct call_answer {
    const json_value* value = nullptr;  // the result; valid during the callback only
    rpc_failure failure;                // when there is no result
    bool replied = false;               // the adapter said so itself: false for time-outs, deaths and refusals here
    bool silent = false;                // it was sent, and the adapter let the deadline pass
};
/// Called exactly once; may make further calls.
using call_done = std::function<void(const call_answer&)>;

struct channel_limits {
    std::size_t in_flight_max = 32;            // calls_max of the provider file
    std::size_t waiting_max = 65'536;          // calls not yet sent
    std::size_t waiting_bytes_max = 64 << 20;  // their params
    std::size_t batch_bytes_max = 256 << 10;   // one write, unless a single line is longer
};

/// The broker's end of JSON-RPC with one adapter: numbers calls, bounds what is in flight and what waits, gives every
/// call a deadline, pairs replies with calls. No I/O and no clock: lines and times come in, lines come out. One thread.
class rpc_channel {
public:
    explicit rpc_channel(channel_limits limits) : limits_(limits) {}

    /// `params` is JSON text. Urgent calls pass the gate and the limit of calls in flight: for the handshake and
    /// trials. A full queue answers at once, with `unavailable`.
    void call(std::string_view verb, std::string params, steady_time deadline, call_done done, bool urgent = false);

    /// While the gate is closed (as at first), calls wait until it opens or their deadline passes.
    void set_gate(bool open) noexcept { open_ = open; }
    void set_in_flight_max(std::size_t calls) noexcept { limits_.in_flight_max = calls; }

    /// The lines to send next, newlines included; empty: nothing may be sent now. What was taken counts as sent.
    std::string take_output();

    /// A line from the adapter. Replies end their calls; replies nobody waits for any more are dropped; a notification
    /// is handed back. Errors: invalid, too_large: the line breaks the protocol, and the adapter must be ended.
    result<std::optional<rpc_message>> take_line(std::string_view line);

    /// Ends calls whose deadline is past; the adapter is told by `$/cancel` to give up those that were sent.
    void expire(steady_time now);
    std::optional<steady_time> next_deadline() const;

    /// The adapter is gone: calls that were sent, and the urgent ones, end as `unavailable`, their outcome unknown.
    void fail_sent(const std::string& why);
    /// The provider is down: calls that were not sent end as `unavailable`.
    void fail_waiting(const std::string& why);

    std::size_t in_flight() const noexcept { return in_flight_; }
    std::size_t waiting() const noexcept { return calls_.size() - sent_; }

private:
    struct pending {
        std::string verb;
        std::string params;
        steady_time deadline;
        call_done done;
        bool urgent = false;
        bool sent = false;
    };
    void end(std::uint64_t id, const call_answer& answer);
    void fail_calls(const std::string& why, bool sent);
    void forget_ended();  // so that a closed gate does not gather the ids of calls that timed out
    void send_next(std::deque<std::uint64_t>& from, std::string& out);

    channel_limits limits_;
    bool open_ = false;
    std::uint64_t last_id_ = 0;
    std::size_t in_flight_ = 0;      // sent, not urgent
    std::size_t sent_ = 0;           // all that were sent
    std::size_t waiting_bytes_ = 0;  // params not yet sent
    std::map<std::uint64_t, pending> calls_;
    std::set<std::pair<steady_time, std::uint64_t>> deadlines_;
    std::deque<std::uint64_t> urgent_;  // ids to send, oldest first; may hold ids that have ended
    std::deque<std::uint64_t> ordinary_;
    std::deque<std::string> cancels_;  // at most one a call that was sent
};

}  // namespace westerly
