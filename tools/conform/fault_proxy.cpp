#include "tools/conform/fault_proxy.hpp"

#include <algorithm>

namespace westerly {

void fault_proxy::request(std::uint64_t id, std::string_view verb, const std::string& params, const line_faults& faults,
                          steady_time now) {
    if (faults.lose_reply || faults.hold_reply.count() > 0)
        replies_[id] = faults;
    const auto due = now + faults.hold_request;
    if (!faults.lose_request)
        outgoing_.emplace(due, rpc_request(id, verb, params) + '\n');
    for (unsigned i = 0; i < faults.repeats; ++i) {
        const auto copy = ++last_copy_;
        copies_[id].push_back(copy);
        outgoing_.emplace(due, rpc_request(copy, verb, params) + '\n');
    }
}

void fault_proxy::notify(std::string_view verb, const std::string& params, steady_time now) {
    outgoing_.emplace(now, rpc_notification(verb, params) + '\n');
}

void fault_proxy::reply(rpc_message message, steady_time now) {
    using kind = rpc_message::kind;
    const bool answer = message.what == kind::response || message.what == kind::error;
    const auto found = answer ? replies_.find(message.id) : replies_.end();
    if (found == replies_.end()) {
        incoming_.emplace(now, std::move(message));
        return;
    }
    if (!found->second.lose_reply)
        incoming_.emplace(now + found->second.hold_reply, std::move(message));
    replies_.erase(found);
}

std::string fault_proxy::to_adapter(steady_time now) {
    std::string bytes;
    const auto end = outgoing_.upper_bound(now);
    for (auto line = outgoing_.begin(); line != end; ++line)
        bytes += line->second;
    outgoing_.erase(outgoing_.begin(), end);
    return bytes;
}

std::deque<rpc_message> fault_proxy::to_kit(steady_time now) {
    std::deque<rpc_message> out;
    const auto end = incoming_.upper_bound(now);
    for (auto message = incoming_.begin(); message != end; ++message)
        out.push_back(std::move(message->second));
    incoming_.erase(incoming_.begin(), end);
    return out;
}

std::optional<steady_time> fault_proxy::next_due() const {
    std::optional<steady_time> due;
    if (!outgoing_.empty())
        due = outgoing_.begin()->first;
    if (!incoming_.empty())
        due = due ? std::min(*due, incoming_.begin()->first) : incoming_.begin()->first;
    return due;
}

std::vector<std::uint64_t> fault_proxy::copies_of(std::uint64_t id) const {
    const auto found = copies_.find(id);
    return found == copies_.end() ? std::vector<std::uint64_t>() : found->second;
}

void fault_proxy::cut() {
    outgoing_.clear();
    incoming_.clear();
    replies_.clear();
}

}  // namespace westerly
