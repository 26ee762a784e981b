#pragma once

#include "adapters/local/launcher.hpp"
#include "adapters/local/rtt_prober.hpp"
#include "adapters/sdk/adapter.hpp"

#include <set>
#include <thread>

namespace westerly {

/// The provider "this machine": real processes, one detached shim each, everything worth knowing on disk. See README.md
/// for what is where, and records/task_files.hpp for who writes which file.
class local_adapter final : public adapter {
public:
    local_adapter();

    verb_result<initialize_reply> initialize(const initialize_request& request, notifier& tell) override;
    verb_result<offers_reply> offers(const offers_params& params, const call_state& call) override;
    verb_result<mutation_reply> launch(const launch_request& request, const call_state& call) override;
    verb_result<observation> find(const token_params& params, const call_state& call) override;
    verb_result<std::vector<observation>> get(const tokens_params& params, const call_state& call) override;
    verb_result<mutation_reply> cancel(const token_params& params, const call_state& call) override;
    verb_result<listing> list(const list_params& params, const call_state& call) override;
    verb_result<probe_reply> probe(const call_state& call) override;
    verb_result<byte_piece> logs(const log_request& request, const call_state& call) override;
    verb_result<mutation_reply> put(const put_params& params, const call_state& call) override;
    verb_result<fetch_reply> fetch(const fetch_params& params, const call_state& call) override;

private:
    result<void> restore();
    void find_out_isolation();
    std::optional<rpc_failure> refusal_of(const launch_request& request) const;
    verb_result<mutation_reply> launch_again(const entry_ptr& entry, const launch_request& request);
    mutation_reply reply_after(const entry_ptr& entry, const std::string& why_not);
    observation observe(const std::string& token);
    observation look(const attempt_entry& entry) const;
    observation stamped(observation seen) const;
    void settle(const entry_ptr& entry);  // `work` is held

    void watch();
    void take_events(std::set<std::string>& changed) const;
    void settle_changed(std::set<std::string>& changed);
    void purge(instant now);
    void remove_old(const std::filesystem::path& folder, instant limit) const;

    std::string owner_;
    local_config config_;
    std::string architecture_;
    state_folder state_;
    attempt_book book_;
    std::mutex trial_lock_;
    launcher launcher_;
    rtt_prober rtts_;
    notifier* tell_ = nullptr;
    int events_ = -1;
    std::atomic<bool> offers_stale_ = false;
};

}  // namespace westerly
