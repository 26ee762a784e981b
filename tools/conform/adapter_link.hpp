#pragma once

#include "broker/providers/line_splitter.hpp"
#include "broker/providers/process_spawn.hpp"
#include "tools/conform/fault_proxy.hpp"

#include <set>

namespace westerly {

/// The adapter's process, spoken to through a fault proxy. It may be killed and started again; ids go on. Everything
/// happens inside the calls: no threads. What breaks the protocol whatever the call is kept in `breaches`.
class adapter_link {
public:
    explicit adapter_link(spawn_request how) : how_(std::move(how)) {}
    ~adapter_link();
    adapter_link(const adapter_link&) = delete;
    adapter_link& operator=(const adapter_link&) = delete;

    /// Errors: provider_unavailable. There must be no process now.
    result<void> start();
    bool alive() const noexcept { return running_; }
    pid_t pid() const noexcept { return process_.pid; }
    void kill_9();
    /// Closes its standard input and waits for its end; false: it did not end in time, and was killed.
    bool end_input(milliseconds limit);

    std::uint64_t begin(std::string_view verb, const std::string& params, const line_faults& faults = {});
    /// With an id of the caller's choice.
    void begin_as(std::uint64_t id, std::string_view verb, const std::string& params);
    /// `$/cancel`.
    void give_up(std::uint64_t id);
    /// The reply, handed out once; nullopt when there is none in time, or the adapter has ended without it.
    std::optional<rpc_message> wait(std::uint64_t id, milliseconds limit);
    std::vector<std::uint64_t> copies_of(std::uint64_t id) const { return proxy_.copies_of(id); }
    /// Reads, writes and waits for at most so long, or until something has happened.
    void serve(milliseconds limit);
    /// Writes what waits, now, and reads nothing: for a kill in the middle of a call.
    void flush();

    std::vector<std::string> breaches;  // at most breaches_max
    std::vector<observation> changes;   // told by attempt.changed; at most changes_max, the oldest first
    std::string error_tail;             // the end of its standard error
    std::string how_it_ended;

private:
    static constexpr std::size_t breaches_max = 16;
    static constexpr std::size_t changes_max = 100'000;
    static constexpr std::size_t error_tail_max = 4 << 10;

    void breach(std::string what);
    void write_some();
    void read_output();
    void read_errors();
    void take_line(const std::string& line);
    void take_notification(const rpc_message& message);
    void take_message(rpc_message message);
    void reap_if_ended(int options);

    spawn_request how_;
    spawned process_;
    bool running_ = false;
    bool output_open_ = false;
    fault_proxy proxy_;
    std::optional<line_splitter> lines_;
    std::string sending_;
    std::uint64_t last_id_ = 0;
    std::set<std::uint64_t> asked_;  // sent, not answered
    std::map<std::uint64_t, rpc_message> replies_;
};

}  // namespace westerly
