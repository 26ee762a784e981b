#include "adapters/slurm/slurm_adapter.hpp"
#include "broker/support/log.hpp"

#include <algorithm>

namespace westerly {
namespace {

using phase = observation::phase;

constexpr seconds silent_max{6 * alive_every_s};  // after so long without a sign a run is over, wherever it was
constexpr seconds look_every{15};                 // at the files of a run that Slurm says goes on
constexpr seconds stop_margin{15};                // the job looks for a stop every few seconds
constexpr std::int32_t signal_base = 128;         // a shell's code for "ended by signal N" is 128 + N
constexpr std::int32_t signals = 64;
constexpr seconds hour{3'600};  // the broker's clock and the centre's may differ

instant from_s(std::int64_t s) {
    return instant(seconds(s));
}

void set_exit(observation& seen, std::int32_t code, std::uint32_t rank) {
    if (code > signal_base && code <= signal_base + signals)
        seen.exit_signal = code - signal_base;
    else
        seen.exit_code = code;
    if (code != 0)
        seen.failed_rank = rank;
}

/// 4021 and the like are no wait status; then nothing is known.
void set_exit_from_status(observation& seen, std::int64_t status) {
    if (status < 0 || status > 0xFFFF || (status & 0xFF) == 0x7F)
        return;
    if ((status & 0x7F) == 0)
        seen.exit_code = static_cast<std::int32_t>(status >> 8);
    else if (status < 0x100)
        seen.exit_signal = static_cast<std::int32_t>(status & 0x7F);
}

}  // namespace

/// Rises per token over restarts without being stored: first by how far the attempt has come, then by the lives of the
/// adapter, then by the time since this one began.
observation slurm_adapter::stamped(observation seen) const {
    constexpr std::uint64_t generation_bits = 19;
    constexpr std::uint64_t time_bits = 32;
    static const auto begin = std::chrono::steady_clock::now();
    const auto hundredths = static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count() / 10'000'000);
    seen.seq = (static_cast<std::uint64_t>(seen.at) << (generation_bits + time_bits)) |
               (std::min<std::uint64_t>(book_.generation(), (1u << generation_bits) - 1) << time_bits) |
               std::min<std::uint64_t>(hundredths, (std::uint64_t{1} << time_bits) - 1);
    return seen;
}

std::optional<observation> slurm_adapter::observe(job_entry& entry, const slurm_job* known) {
    const auto& record = entry.record;
    if (record.last)
        return stamped(*record.last);
    if (known != nullptr && is_the_job(entry, *known))
        return from_job(entry, *known);
    if (record.job_id == 0)
        return unrecorded(entry);
    const auto answer = client_->job(record.job_id);
    switch (answer.what) {
        case job_answer::fate::found:
            return is_the_job(entry, answer.job) ? from_job(entry, answer.job) : from_absence(entry);
        case job_answer::fate::none:
            return from_absence(entry);
        default:
            return std::nullopt;
    }
}

observation slurm_adapter::pending(const job_entry& entry) const {
    observation seen;
    seen.at = phase::pending;
    seen.token = entry.record.token;
    seen.handle = handle_of(entry.record);
    return stamped(std::move(seen));
}

observation slurm_adapter::running(job_entry& entry, std::int64_t start_s, std::string message) {
    auto& record = entry.record;
    // The first start counts: Slurm moves it when it puts the job back into the queue.
    const auto told = start_s > 0 ? std::optional(from_s(start_s)) : std::nullopt;
    const auto started_at = record.started_at ? record.started_at : told;
    if (!record.running || record.started_at != started_at) {
        record.running = true;
        record.started_at = started_at;
        if (auto saved = book_.save(entry); !saved)
            log_event(log_level::error, "slurm.record_not_saved", {{"detail", saved.error().detail}});
    }
    observation seen;
    seen.at = phase::running;
    seen.token = record.token;
    seen.handle = handle_of(record);
    seen.started_at = started_at;
    seen.message = std::move(message);
    return stamped(std::move(seen));
}

/// The end is kept here: Slurm forgets it after its MinJobAge.
observation slurm_adapter::finish(job_entry& entry, observation seen) {
    seen.token = entry.record.token;
    seen.handle = handle_of(entry.record);
    if (seen.started_at && seen.ended_at)
        seen.ended_at = std::max(*seen.started_at, *seen.ended_at);
    entry.record.last = stamped(std::move(seen));
    if (auto saved = book_.save(entry); !saved)
        log_event(log_level::error, "slurm.record_not_saved", {{"detail", saved.error().detail}});
    return *entry.record.last;
}

/// A cancel that the job has not followed in time, or that came while it waited.
void slurm_adapter::force_stop(job_entry& entry) {
    const auto& record = entry.record;
    const auto patience = seconds(record.cancel_grace_s.value_or(0)) + stop_margin;
    if (record.cancel_at && (!record.running || system_wall_clock().now() > *record.cancel_at + patience))
        if (auto ended = client_->kill(record.job_id); !ended)
            log_event(log_level::warning, "slurm.cancel_failed", {{"detail", ended.error().detail}});
}

/// A controller that is killed after it has ended a job, and before it has saved that, says on its return that the job
/// runs, until its nodes register again: half an hour by default. It is told.
void slurm_adapter::end_forgotten_end(job_entry& entry) {
    const auto now = std::chrono::steady_clock::now();
    if (now - entry.looked_at < look_every)
        return;
    entry.looked_at = now;
    const auto marks = shared_->marks(entry.record.token);
    if (!marks.readable || !marks.ended || !marks.silent || *marks.silent <= silent_max)
        return;
    log_event(log_level::warning, "slurm.end_forgotten", {{"job", std::to_string(entry.record.job_id)}});
    if (auto ended = client_->kill(entry.record.job_id); !ended)
        log_event(log_level::warning, "slurm.cancel_failed", {{"detail", ended.error().detail}});
}

std::optional<observation> slurm_adapter::from_job(job_entry& entry, const slurm_job& job) {
    auto& record = entry.record;
    if (record.cluster.empty())
        record.cluster = job.cluster;
    const auto what = meaning_of(job);
    if (what == job_meaning::rerun || (is_end(what) && job.restarts > 0))
        return from_rerun(entry, job);
    if (is_end(what))
        return from_end(entry, job, what);
    force_stop(entry);
    if (what == job_meaning::running) {
        end_forgotten_end(entry);
        return running(entry, job.start_s, {});
    }
    // Its release was never sent, or the controller was killed and forgot it.
    const bool wanted = record.intended_at != instant{} && !record.cancel_at && !record.running;
    if (what == job_meaning::held && wanted)
        if (const auto released = release(entry); released.outcome != call_outcome::done)
            log_event(log_level::warning, "slurm.release_failed", {{"detail", released.message}});
    return record.running ? from_forgotten_run(entry, job) : pending(entry);
}

/// A controller that was killed has forgotten that it started the job, and has it wait as before. It must not be
/// started again; its node is told by Slurm to end the run.
std::optional<observation> slurm_adapter::from_forgotten_run(job_entry& entry, const slurm_job& job) {
    const auto marks = shared_->marks(entry.record.token);
    if (!marks.readable || !client_->kill(job.id))
        return std::nullopt;
    return from_own_record(entry, marks);
}

/// The centre put the job back into its queue after it had run: the attempt is over, because a second run would begin
/// anew under the same name. Its record starts when it ran first and ends when it was put back.
std::optional<observation> slurm_adapter::from_rerun(job_entry& entry, const slurm_job& job) {
    if (!client_->kill(job.id))
        return std::nullopt;
    const auto marks = shared_->marks(entry.record.token);
    if (!marks.readable)
        return std::nullopt;
    observation seen;
    seen.at = phase::exited;
    seen.started_at = entry.record.started_at;
    if (!seen.started_at && marks.began_ms)
        seen.started_at = std::chrono::floor<seconds>(instant(milliseconds(*marks.began_ms)));
    seen.ended_at = from_s(job.submit_s);
    if (marks.ended) {
        set_exit(seen, marks.ended->code, marks.ended->rank);
        seen.timed_out = marks.ended->timed_out;
        // It ended and was put back for its exit code, or it was put back and so ended.
        seen.preempted = seen.exit_signal.has_value();
        return finish(entry, std::move(seen));
    }
    if (marks.gate)
        if (auto still = lost_run(entry, marks))
            return still;
    seen.preempted = true;
    seen.message = "the centre put the job back into its queue: " + words_of(job);
    return finish(entry, std::move(seen));
}

/// A run that Slurm no longer answers for, and that may still be alive on a node: it is told to stop, and counts as
/// running until nothing has been heard of it for so long that it cannot be. nullopt then.
std::optional<observation> slurm_adapter::lost_run(job_entry& entry, const run_marks& marks) {
    if (auto stopped = shared_->stop(entry.record.token, 0); !stopped)
        log_event(log_level::warning, "slurm.stop_failed", {{"detail", stopped.error().detail}});
    if (marks.silent && *marks.silent > silent_max)
        return std::nullopt;
    return running(entry, 0, "Slurm no longer answers for this run; waiting until it has surely ended");
}

std::optional<observation> slurm_adapter::from_end(job_entry& entry, const slurm_job& job, job_meaning what) {
    const auto marks = shared_->marks(entry.record.token);
    if (!marks.readable)
        return std::nullopt;
    // It ran, and was cancelled while Slurm believed that it waited: Slurm's times are those of the cancel.
    if (what == job_meaning::cancelled && marks.gate && job.end_s <= job.start_s)
        return from_own_record(entry, marks);
    // A node that was cut off may still be told to start it; it finds the gate shut.
    if (!marks.gate && !shared_->claim_gate(entry.record.token))
        return std::nullopt;
    observation seen;
    seen.at = phase::exited;
    // A job that is cancelled while it waits gets the time of that as its start and end.
    const bool ran = job.start_s > 0 && (marks.gate || job.end_s > job.start_s || what == job_meaning::completed);
    if (ran)
        seen.started_at = from_s(job.start_s);
    seen.ended_at = job.end_s > 0 ? from_s(job.end_s) : system_wall_clock().now();
    const bool surely_over = marks.ended || !marks.gate;
    const bool by_centre = what == job_meaning::cancelled && !entry.record.cancel_at;
    const bool away = what == job_meaning::taken_away || by_centre || marks.again;
    if (away && !surely_over)
        if (auto still = lost_run(entry, marks))
            return still;
    if (marks.ended) {
        set_exit(seen, marks.ended->code, marks.ended->rank);
        seen.timed_out = marks.ended->timed_out || what == job_meaning::timed_out;
        seen.preempted =
            (what == job_meaning::taken_away && marks.ended->code != 0) || (by_centre && seen.exit_signal.has_value());
        if (marks.again) {  // the record of the job is that of its second run
            seen.started_at = entry.record.started_at.value_or(*seen.started_at);
            seen.ended_at = std::chrono::ceil<seconds>(instant(milliseconds(marks.ended->ended_ms)));
        }
        return finish(entry, std::move(seen));
    }
    seen.message = "Slurm: " + words_of(job);
    seen.preempted = away;
    seen.timed_out = what == job_meaning::timed_out;
    if (what == job_meaning::completed)
        seen.exit_code = 0;
    else if (what == job_meaning::out_of_memory)
        seen.exit_signal = 9;
    else if (what == job_meaning::cancelled && ran)
        seen.exit_signal = 15;
    else if (what == job_meaning::failed && marks.gate)
        set_exit_from_status(seen, job.wait_status.value_or(1 << 8));
    else if (what == job_meaning::failed)
        seen.started_at.reset();  // its script never came so far
    if (what == job_meaning::failed)
        if (const auto said = shared_->job_log_end(entry.record.token); !said.empty())
            seen.message += ": " + said;
    if (seen.message.size() > 1000)
        seen.message.resize(1000);
    return finish(entry, std::move(seen));
}

/// Slurm has no such job, or another one under its id. That alone proves nothing about a run: the controller may have
/// forgotten it, or purged it after its end.
std::optional<observation> slurm_adapter::from_absence(job_entry& entry) {
    const auto& record = entry.record;
    const auto jobs = client_->jobs();
    if (!jobs)
        return std::nullopt;
    const bool elsewhere = std::ranges::any_of(*jobs, [&](const slurm_job& job) {
        return !record.cluster.empty() && !job.cluster.empty() && job.cluster != record.cluster;
    });
    const bool there = std::ranges::any_of(*jobs, [&](const slurm_job& job) { return is_the_job(entry, job); });
    const auto marks = shared_->marks(record.token);
    if (elsewhere || there || !marks.readable) {
        if (elsewhere)
            log_event(log_level::error, "slurm.other_cluster", {{"expected", record.cluster}});
        return std::nullopt;
    }
    const auto past = client_->has_accounting() ? client_->past_jobs(record.token, record.intended_at - hour)
                                                : result<std::vector<slurm_job>>(std::vector<slurm_job>{});
    if (!past)
        return std::nullopt;
    for (const auto& job : *past)
        if (job.id == record.job_id && job.name == record.token && job.user == config_.user &&
            (record.cluster.empty() || job.cluster == record.cluster) && is_end(meaning_of(job)))
            return from_end(entry, job, meaning_of(job));
    return from_own_record(entry, marks);
}

/// What the run wrote itself counts where Slurm has forgotten that it ever was.
std::optional<observation> slurm_adapter::from_own_record(job_entry& entry, const run_marks& marks) {
    const auto& record = entry.record;
    observation seen;
    seen.at = phase::exited;
    if (marks.ended && marks.began_ms) {
        seen.started_at =
            record.started_at.value_or(std::chrono::floor<seconds>(instant(milliseconds(*marks.began_ms))));
        seen.ended_at = std::chrono::ceil<seconds>(instant(milliseconds(marks.ended->ended_ms)));
        set_exit(seen, marks.ended->code, marks.ended->rank);
        seen.timed_out = marks.ended->timed_out;
        if (marks.ended->code != 0)
            seen.message = "Slurm no longer knows the job; this is its own record";
        // A controller that has forgotten a job has its nodes end it.
        const bool told_to_end = seen.exit_signal == 15 || seen.exit_signal == 9;
        seen.preempted = told_to_end && !record.cancel_at && !seen.timed_out;
        return finish(entry, std::move(seen));
    }
    seen.at = phase::absent;
    if (shared_->claim_gate(record.token)) {
        seen.message = "Slurm has forgotten the job before it began";
        return finish(entry, std::move(seen));
    }
    if (auto still = lost_run(entry, shared_->marks(record.token)))
        return still;
    seen.message = "Slurm has forgotten the job while it ran";
    return finish(entry, std::move(seen));
}

/// No job id is recorded: the answer to the submit was lost, or the record itself.
std::optional<observation> slurm_adapter::unrecorded(job_entry& entry) {
    const auto& record = entry.record;
    const auto jobs = client_->jobs();
    if (!jobs)
        return std::nullopt;
    const slurm_job* found = nullptr;
    for (const auto& job : *jobs)
        if (is_ours(job) && job.name == record.token && (found == nullptr || is_end(meaning_of(*found))))
            found = &job;
    if (found != nullptr) {
        adopt(entry, *found);
        return from_job(entry, *found);
    }
    const auto now = system_wall_clock().now();
    if (entry.saved && now < record.intended_at + seconds(config_.max_visibility_delay_s))
        return std::nullopt;
    observation seen;
    seen.at = phase::absent;
    seen.token = record.token;
    if (!entry.saved)
        return stamped(std::move(seen));
    // Should the submit still take effect, its job is held, is not the recorded one, and finds the gate shut.
    shared_->claim_gate(record.token);
    return finish(entry, std::move(seen));
}

}  // namespace westerly
