#pragma once

#include "broker/providers/rpc_channel.hpp"

namespace westerly {

/// What the verbs need of one provider: calls with a deadline each, and timers. One thread. The client outlives every
/// call and timer that it was given; when it stops, calls end and timers are dropped unrun.
class adapter_client {
public:
    virtual ~adapter_client() = default;
    virtual void call(std::string_view verb, std::string params, call_done done) = 0;
    virtual void after(milliseconds delay, std::function<void()> then) = 0;
    virtual const provider_id& id() const = 0;
};

/// The reply as a value. A reply that does not follow the schema is an `internal` failure that nothing is proved by.
template <class T>
struct decoded_answer {
    std::optional<T> value;
    rpc_failure failure;
    bool replied = false;
};
template <class T>
decoded_answer<T> decode_answer(const call_answer& answer, result<T> (*decode)(const json_value&)) {
    decoded_answer<T> out;
    out.failure = answer.failure;
    out.replied = answer.replied;
    if (!answer.value)
        return out;
    if (auto value = decode(*answer.value))
        out.value = std::move(*value);
    else
        out.failure = {adapter_error::internal, "the adapter's reply breaks the protocol: " + value.error().detail,
                       std::nullopt};
    return out;
}

/// What an error reply (or none) says about a mutation: not_done only for the kinds that prove it.
mutation_reply mutation_of(const rpc_failure& failure);
/// For a read: provider_throttled, provider_rejected, not_found, invalid; provider_unavailable when nothing is known.
error read_error(const provider_id& provider, const rpc_failure& failure);

}  // namespace westerly
