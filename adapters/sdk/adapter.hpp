#pragma once

#include "broker/codec/protocol_json.hpp"

#include <atomic>

namespace westerly {

[[noreturn]] inline void throw_exception_from_error(const rpc_failure& e, const boost::source_location&) {
    throw std::runtime_error(e.message);  // only reached by .value() on a failure: a bug
}

/// What a verb answers: its value, or a failure of the protocol's closed set. A failure of a mutation with kind
/// `invalid`, `unauthorised`, `quota_exceeded`, `no_capacity` or `rate_limited` promises that nothing was done.
template <class T>
using verb_result = boost::system::result<T, rpc_failure>;

inline rpc_failure failed(adapter_error kind, std::string message, std::optional<std::uint32_t> retry_after_s = {}) {
    return {kind, std::move(message), retry_after_s};
}

/// `invalid`, with each fault's place, message and remedy once.
rpc_failure invalid_because(const error& why);

/// One call under way. The broker may lose interest (`$/cancel`): a slow verb looks at `cancelled` between its steps
/// and ends early with any failure that is true. Nothing forces it to.
class call_state {
public:
    bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
    void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

private:
    std::atomic<bool> cancelled_ = false;
};

/// Tells the broker what happened without being asked. Thread-safe; outlives the adapter's last verb. What is told
/// before `initialize` has answered is dropped: the broker asks for the state of things then anyway.
class notifier {
public:
    virtual ~notifier() = default;
    virtual void attempt_changed(const observation& seen) = 0;
    virtual void offers_changed() = 0;
    virtual void preemption(const preemption_notice& notice) = 0;
};

/// One provider behind the protocol's verbs: derive from it and give it to `serve`. docs/guides/adapter-author.md says
/// what each verb promises.
///
/// Threads  `initialize` runs first and alone. After it verbs run on several threads at once, two for one token too.
/// Errors   see verb_result. An exception that leaves a verb becomes `internal`, which for a mutation means "unknown".
class adapter {
public:
    virtual ~adapter() = default;

    /// `tell` lives as long as the adapter serves.
    virtual verb_result<initialize_reply> initialize(const initialize_request& request, notifier& tell) = 0;
    virtual verb_result<offers_reply> offers(const offers_params& params, const call_state& call) = 0;
    virtual verb_result<mutation_reply> launch(const launch_request& request, const call_state& call) = 0;
    virtual verb_result<observation> find(const token_params& params, const call_state& call) = 0;
    virtual verb_result<std::vector<observation>> get(const tokens_params& params, const call_state& call) = 0;
    virtual verb_result<mutation_reply> cancel(const token_params& params, const call_state& call) = 0;
    virtual verb_result<listing> list(const list_params& params, const call_state& call) = 0;
    virtual verb_result<probe_reply> probe(const call_state& call) = 0;

    // For the capabilities "logs", "put" and "fetch"; without them these refuse.
    virtual verb_result<byte_piece> logs(const log_request& request, const call_state& call);
    virtual verb_result<mutation_reply> put(const put_params& params, const call_state& call);
    virtual verb_result<fetch_reply> fetch(const fetch_params& params, const call_state& call);
};

}  // namespace westerly
