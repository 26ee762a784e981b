#include "broker/providers/rpc_channel.hpp"

namespace westerly {
namespace {

call_answer no_answer(std::string why) {
    call_answer answer;
    answer.failure = {adapter_error::unavailable, std::move(why), std::nullopt};
    return answer;
}

}  // namespace

void rpc_channel::call(std::string_view verb, std::string params, steady_time deadline, call_done done, bool urgent) {
    if (waiting() >= limits_.waiting_max || waiting_bytes_ + params.size() > limits_.waiting_bytes_max) {
        done(no_answer("too many calls wait for this provider"));
        return;
    }
    const auto id = ++last_id_;
    waiting_bytes_ += params.size();
    deadlines_.emplace(deadline, id);
    (urgent ? urgent_ : ordinary_).push_back(id);
    calls_.emplace(id, pending{std::string(verb), std::move(params), deadline, std::move(done), urgent, false});
}

void rpc_channel::send_next(std::deque<std::uint64_t>& from, std::string& out) {
    const auto id = from.front();
    from.pop_front();
    const auto found = calls_.find(id);
    if (found == calls_.end())
        return;  // it ended while it waited
    pending& call = found->second;
    out += rpc_request(id, call.verb, call.params);
    out += '\n';
    waiting_bytes_ -= call.params.size();
    call.params = {};
    call.sent = true;
    ++sent_;
    if (!call.urgent)
        ++in_flight_;
}

std::string rpc_channel::take_output() {
    std::string out;
    for (; !cancels_.empty() && out.size() < limits_.batch_bytes_max; cancels_.pop_front())
        out += cancels_.front();
    while (!urgent_.empty() && out.size() < limits_.batch_bytes_max)
        send_next(urgent_, out);
    while (open_ && !ordinary_.empty() && in_flight_ < limits_.in_flight_max && out.size() < limits_.batch_bytes_max)
        send_next(ordinary_, out);
    return out;
}

void rpc_channel::end(std::uint64_t id, const call_answer& answer) {
    const auto found = calls_.find(id);
    if (found == calls_.end())
        return;
    // Out of the books first: `done` may call again.
    pending call = std::move(found->second);
    calls_.erase(found);
    deadlines_.erase({call.deadline, id});
    if (call.sent) {
        --sent_;
        if (!call.urgent)
            --in_flight_;
    } else {
        waiting_bytes_ -= call.params.size();
    }
    call.done(answer);
}

result<std::optional<rpc_message>> rpc_channel::take_line(std::string_view line) {
    auto message = decode_rpc(line);
    if (!message)
        return message.error();
    switch (message->what) {
        case rpc_message::kind::notification:
            return std::optional<rpc_message>(std::move(*message));
        case rpc_message::kind::request:
            return fail(errc::invalid, "the adapter sent a request; only replies and notifications may come");
        case rpc_message::kind::response:
        case rpc_message::kind::error:
            break;
    }
    if (message->id == 0 || message->id > last_id_)
        return fail(errc::invalid, "the adapter answered a call that was never made");
    const auto found = calls_.find(message->id);
    if (found == calls_.end())
        return std::optional<rpc_message>();  // timed out before, or answered already
    if (!found->second.sent)
        return fail(errc::invalid, "the adapter answered a call before it was sent");
    call_answer answer;
    answer.replied = true;
    if (message->what == rpc_message::kind::response)
        answer.value = &rpc_body(*message);
    else
        answer.failure = decode_rpc_failure(*message);
    end(message->id, answer);
    return std::optional<rpc_message>();
}

void rpc_channel::expire(steady_time now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto id = deadlines_.begin()->second;
        const pending& call = calls_.at(id);
        if (call.sent)
            cancels_.push_back(rpc_notification("$/cancel", encode(cancel_call_params{id})) + '\n');
        const auto why = call.sent ? "the adapter did not answer \"" + call.verb + "\" in time"
                                   : "the provider was not ready for \"" + call.verb + "\" in time";
        auto answer = no_answer(why);
        answer.silent = call.sent;
        end(id, answer);
    }
    forget_ended();
}

void rpc_channel::forget_ended() {
    for (auto* ids : {&urgent_, &ordinary_})
        while (!ids->empty() && !calls_.contains(ids->front()))
            ids->pop_front();
}

std::optional<steady_time> rpc_channel::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

void rpc_channel::fail_calls(const std::string& why, bool sent) {
    std::vector<std::uint64_t> ids;  // taken first: `done` may add calls, which are not meant
    for (const auto& [id, call] : calls_)
        if (sent ? call.sent || call.urgent : !call.sent)
            ids.push_back(id);
    for (const auto id : ids)
        end(id, no_answer(why));
    forget_ended();
}

void rpc_channel::fail_sent(const std::string& why) {
    cancels_.clear();
    fail_calls(why, true);
}

void rpc_channel::fail_waiting(const std::string& why) {
    fail_calls(why, false);
}

}  // namespace westerly
