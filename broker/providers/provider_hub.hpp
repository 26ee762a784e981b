#pragma once

#include "broker/domain/effects.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace westerly {

struct hub_options {
    owner_id owner;
    std::filesystem::path state_dir;                  // each adapter gets state_dir/PROVIDER as its own
    std::filesystem::path spawn_helper;               // westerly-spawn
    std::vector<std::filesystem::path> adapter_dirs;  // where westerly-adapter-KIND is looked for
    /// Reads a piece of an uploaded bundle, for `put`. Called on the hub's thread.
    std::function<result<std::string>(const std::string& files, std::uint64_t from, std::size_t bytes_max)> read_bundle;
    /// Keeps a piece of an ended attempt's log. Called on the hub's thread; `from` rises.
    std::function<result<void>(const attempt_id&, std::uint32_t rank, bool error_stream, std::uint64_t from,
                               const std::string& bytes)>
        keep_log;
    /// What the providers tell, for the engine. Called on the hub's thread; must not block for long.
    std::function<void(input)> sink;
};

/// All adapters: starts and supervises their processes, speaks the protocol with them, keeps health and circuit
/// breaker, feeds offers. One thread of its own, which lives as long as the hub (children get PDEATHSIG from it).
/// Every method is thread-safe and returns at once. Every call has a deadline and ends in exactly one answer: a
/// time-out or a dead adapter is `unknown` for mutations, provider_unavailable for reads.
class provider_hub {
public:
    explicit provider_hub(hub_options options);
    ~provider_hub();  // stops adapters (they leave work running), waits for them at most 5 s

    /// All providers; starts new ones, restarts changed ones, stops missing ones. Catalogues only feed their offers.
    void configure(std::vector<provider_config> providers);

    void run(const call_provider& effect);  // answered by call_answered; puts the bundle before a launch
    void run(const find_attempt& effect);   // attempt_found
    void run(const poll_attempts& effect);  // attempt_observed for each that answered
    void run(const list_provider& effect);  // provider_listed, all pages joined
    void run(const sweep_orphan& effect);   // cancel; no answer, the next list shows it
    void run(const archive_logs& effect);   // keep_log for all ranks and streams, then logs_archived

    void logs(const provider_id& provider, log_request request, std::function<void(result<byte_piece>)> done);
    void fetch(const provider_id& provider, std::string token, std::string path, std::uint64_t from,
               std::function<void(result<fetch_reply>)> done);
    void probe(const provider_id& provider, std::function<void(result<probe_reply>)> done);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace westerly
