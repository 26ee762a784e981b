#pragma once

#include "broker/codec/protocol_json.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string>

namespace westerly {

using steady_time = std::chrono::steady_clock::time_point;

/// What happens to one call on its way.
struct line_faults {
    bool lose_request = false;     // the adapter never sees it
    bool lose_reply = false;       // the answer is thrown away
    milliseconds hold_request{0};  // late to the adapter
    milliseconds hold_reply{0};    // late to the kit
    unsigned repeats = 0;          // so many copies follow at once, each under an id of its own, as a broker repeats
};

/// Stands between kit and adapter: every line passes it, and it loses, holds and repeats those that it was told to.
/// Pure: lines and times come in, lines come out. One thread.
class fault_proxy {
public:
    void request(std::uint64_t id, std::string_view verb, const std::string& params, const line_faults& faults,
                 steady_time now);
    void notify(std::string_view verb, const std::string& params, steady_time now);
    /// What the adapter said. Notifications pass as they are.
    void reply(rpc_message message, steady_time now);

    /// The bytes that may go to the adapter now.
    std::string to_adapter(steady_time now);
    /// The messages that may go to the kit now.
    std::deque<rpc_message> to_kit(steady_time now);
    /// When the next held line is due; nullopt: none is held.
    std::optional<steady_time> next_due() const;
    /// The ids under which copies of a request went out.
    std::vector<std::uint64_t> copies_of(std::uint64_t id) const;
    /// The adapter is gone: what was held between the two is gone too.
    void cut();

private:
    std::uint64_t last_copy_ = std::uint64_t{1} << 40;  // far from the ids of the kit
    std::map<std::uint64_t, line_faults> replies_;      // by request id; only those with a fault for the reply
    std::map<std::uint64_t, std::vector<std::uint64_t>> copies_;
    std::multimap<steady_time, std::string> outgoing_;
    std::multimap<steady_time, rpc_message> incoming_;
};

}  // namespace westerly
