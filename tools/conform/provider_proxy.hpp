#pragma once

#include "broker/providers/process_spawn.hpp"
#include "tools/conform/endpoint.hpp"
#include "tools/conform/fault_proxy.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

namespace westerly {

/// What happens to a connection between an adapter and its provider.
enum class wire_fault : std::uint8_t {
    none,
    refuse,        // it is reset at once
    lose_reply,    // the request arrives, and the connection is reset when the reply comes
    cut_reply,     // half of the reply comes, and then the end
    garble_reply,  // the reply's body is nonsense of the same length
    hold_reply,    // the reply is late
    answer_401,    // HTTP only: the provider is not asked, "401 Unauthorized" comes back
    answer_403
};

/// Stands between an adapter and its provider on the loopback address, and plays one fault at a time with all that goes
/// through. It relays on a thread of its own: the kit waits for the adapter meanwhile.
class provider_proxy {
public:
    static constexpr milliseconds held_for{1500};

    /// Errors: internal, when there is no port or thread for it.
    static result<std::unique_ptr<provider_proxy>> open(endpoint_parts to);
    ~provider_proxy();
    provider_proxy(const provider_proxy&) = delete;
    provider_proxy& operator=(const provider_proxy&) = delete;

    /// The endpoint that the adapter is given instead.
    std::string endpoint() const;
    bool http() const noexcept { return to_.http(); }
    /// From the return on: what was connected under another fault is reset.
    void play(wire_fault fault);
    /// How often the fault that is played has struck so far: what an adapter says without asking its provider proves
    /// nothing about it.
    std::uint64_t struck() const noexcept { return struck_; }

private:
    struct late {
        steady_time due;
        std::string bytes;
    };
    struct connection {
        unique_fd adapter, provider;
        std::string to_provider, to_adapter;
        std::deque<late> held;
        bool adapter_done = false, provider_done = false;  // nothing more comes from there
        bool ours = false;                                 // answered here: the rest of the request is read and dropped
        bool over = false;
    };
    explicit provider_proxy(endpoint_parts to) : to_(std::move(to)) {}
    void relay(const std::stop_token& stop);
    void take_new();
    bool reach_provider(connection& with) const;
    void serve(connection& with, short adapter_events, short provider_events);
    void from_adapter(connection& with);
    void from_provider(connection& with);
    void pass_reply(connection& with, std::string bytes);
    void move_on(connection& with);
    void reset(connection& with);

    endpoint_parts to_;
    unsigned port_ = 0;
    unique_fd listener_, wake_;
    std::deque<connection> connections_;
    std::atomic<wire_fault> fault_{wire_fault::none};
    std::atomic<std::uint64_t> played_{0}, heard_{0}, struck_{0};
    std::jthread thread_;
};

}  // namespace westerly
