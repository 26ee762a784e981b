#pragma once

#include "adapters/sdk/adapter.hpp"
#include "adapters/slurm/job_book.hpp"
#include "adapters/slurm/shared_folder.hpp"
#include "adapters/slurm/slurm_client.hpp"
#include "adapters/slurm/words/states.hpp"
#include "adapters/slurm/words/supply.hpp"

namespace westerly {

/// A centre under Slurm. One attempt is one job: submitted held, recorded, then released. A job is ours only if
/// cluster, id, name, owner in the comment and user all agree; that is looked at on every poll, because a controller
/// that was killed forgets what it acknowledged and gives the id to another. See README.md for what is where.
class slurm_adapter final : public adapter {
public:
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
    // Supply
    result<void> refresh_supply();
    std::optional<supply_item> supply_for(const std::string& site, const std::string& offer);
    void purge();

    // Launch; `entry.work` is held.
    verb_result<mutation_reply> launch_new(const job_ptr& entry, const launch_request& request);
    mutation_reply record_job(job_entry& entry, std::uint64_t job_id);
    mutation_reply release(job_entry& entry);

    // Observation; `entry.work` is held, nullopt where nothing can be told now.
    /// `known`: the job as a list showed it just now; else Slurm is asked for it.
    std::optional<observation> observe(job_entry& entry, const slurm_job* known = nullptr);
    std::optional<observation> from_job(job_entry& entry, const slurm_job& job);
    std::optional<observation> from_forgotten_run(job_entry& entry, const slurm_job& job);
    std::optional<observation> from_rerun(job_entry& entry, const slurm_job& job);
    std::optional<observation> from_end(job_entry& entry, const slurm_job& job, job_meaning what);
    std::optional<observation> from_absence(job_entry& entry);
    std::optional<observation> from_own_record(job_entry& entry, const run_marks& marks);
    std::optional<observation> unrecorded(job_entry& entry);
    std::optional<observation> lost_run(job_entry& entry, const run_marks& marks);
    observation pending(const job_entry& entry) const;
    observation running(job_entry& entry, std::int64_t start_s, std::string message);
    observation finish(job_entry& entry, observation seen);
    observation stamped(observation seen) const;
    void force_stop(job_entry& entry);
    void end_forgotten_end(job_entry& entry);

    // Listing
    using job_map = std::map<std::uint64_t, slurm_job>;
    /// Jobs of ours by id, as of now or, for later pages, of the first page's time. nullptr: Slurm does not tell.
    std::shared_ptr<const job_map> jobs_of_ours(bool first_page);
    void take_over(const job_map& jobs);

    // Identity
    bool is_ours(const slurm_job& job) const;
    bool is_the_job(const job_entry& entry, const slurm_job& job) const;
    /// Takes over a job of ours that no record knows.
    void adopt(job_entry& entry, const slurm_job& job);
    std::string handle_of(const job_record& record) const;

    std::string owner_;
    std::string provider_;
    slurm_config config_;
    std::unique_ptr<slurm_client> client_;
    std::unique_ptr<shared_folder> shared_;
    job_book book_;
    std::mutex listing_lock_;
    std::shared_ptr<const job_map> listing_;
    instant listed_at_{};
    std::mutex supply_lock_;
    std::vector<supply_item> supply_;
    std::atomic<std::int64_t> purged_s_ = 0;
};

}  // namespace westerly
