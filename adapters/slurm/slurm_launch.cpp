#include "adapters/slurm/slurm_adapter.hpp"
#include "broker/support/log.hpp"

#include <algorithm>

namespace westerly {
namespace {

mutation_reply not_done(adapter_error why, std::string message) {
    mutation_reply reply;
    reply.outcome = call_outcome::not_done;
    reply.why = why;
    reply.message = std::move(message);
    return reply;
}

mutation_reply not_known(std::string message) {
    mutation_reply reply;
    reply.outcome = call_outcome::unknown;
    reply.why = adapter_error::unavailable;
    reply.message = std::move(message);
    return reply;
}

/// What the kernel would refuse when the job runs is refused here.
std::optional<rpc_failure> too_long(const launch_request& request) {
    const auto refuse = [](const std::string& what) {
        return failed(adapter_error::invalid,
                      what + " has " + std::to_string(argument_bytes_max) + " bytes or more; put it into a file");
    };
    for (const auto& [name, value] : request.run.env)
        if (name.size() + value.size() + 1 >= argument_bytes_max)
            return refuse("the variable " + name);
    for (const auto& word : request.run.command)
        if (word.size() >= argument_bytes_max)
            return refuse("an argument of the command");
    return std::nullopt;
}

}  // namespace

verb_result<mutation_reply> slurm_adapter::launch(const launch_request& request, const call_state&) {
    if (request.owner != owner_)
        return failed(adapter_error::invalid, "the owner mark is not the one of initialize");
    const auto entry = book_.at(request.token);
    const std::lock_guard hold(entry->work);
    auto& record = entry->record;
    if (request.fence < record.fence)
        return failed(adapter_error::unauthorised,
                      "fence " + std::to_string(request.fence) + " is older than " + std::to_string(record.fence));
    if (record.last && record.last->at == observation::phase::absent)
        return not_done(adapter_error::unavailable,
                        "an earlier launch of this token was proved to have come to nothing");
    const bool raised = request.fence > record.fence;
    record.fence = request.fence;
    if (entry->saved && raised)
        if (auto saved = book_.save(*entry); !saved)
            return failed(adapter_error::unavailable, saved.error().detail);
    if (record.job_id == 0 && entry->saved && !record.last) {
        // A submit of an earlier call, whose answer nobody has seen.
        const auto seen = observe(*entry);
        if (!seen || (seen->at != observation::phase::absent && record.job_id == 0))
            return not_known("an earlier submit of this token may still show up");
        if (seen->at == observation::phase::absent)
            return not_done(adapter_error::unavailable, "an earlier submit of this token came to nothing");
    }
    if (record.job_id == 0 && !record.last)
        return launch_new(entry, request);
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    reply.handle = handle_of(record);
    return record.last || record.running ? reply : release(*entry);
}

verb_result<mutation_reply> slurm_adapter::launch_new(const job_ptr& entry, const launch_request& request) {
    auto& record = entry->record;
    const auto give_up = [&](mutation_reply reply) {
        shared_->remove(record.token);
        book_.forget(entry);
        return reply;
    };
    if (auto refused = too_long(request)) {
        give_up({});
        return *refused;
    }
    const auto on = supply_for(request.site, request.offer);
    if (!on)
        return give_up(client_->version()
                           ? not_done(adapter_error::invalid, "no offer " + request.offer + " at site " + request.site)
                           : not_done(adapter_error::unavailable, client_->version().error().detail));
    if (std::ranges::find(on->shown.shape.stacks, request.run.stack) == on->shown.shape.stacks.end())
        return give_up(not_done(adapter_error::invalid, "the stack " + request.run.stack + " does not run here"));
    const auto shape = shape_of(request, *on);
    if (!shape)
        return give_up(not_done(adapter_error::invalid, shape.error().detail));
    if (auto made = shared_->make(request); !made)
        return give_up(
            not_done(made.error().code == errc::invalid ? adapter_error::invalid : adapter_error::unavailable,
                     made.error().detail));
    record.workload = request.workload;
    record.site = request.site;
    record.offer = request.offer;
    record.tasks = request.tasks;
    record.units = request.units;
    record.intended_at = system_wall_clock().now();
    if (auto saved = book_.save(*entry); !saved)
        return give_up(not_done(adapter_error::unavailable, saved.error().detail));
    const auto folder = shared_->attempt(request.token).string();
    const job_paths paths{folder, batch_script(config_, request, folder, *shape)};
    const auto sent = client_->submit(
        [&](const api_dialect& api) { return submit_body(api, config_, request, provider_, *on, *shape, paths); });
    switch (sent.what) {
        case submit_answer::fate::done:
            return record_job(*entry, sent.job_id);
        case submit_answer::fate::not_sent:
            return give_up(not_done(adapter_error::unavailable, sent.why));
        case submit_answer::fate::refused:
            return give_up(not_done(sent.kind, "Slurm refuses the job: " + sent.why));
        default:
            return not_known("the submit has no clear answer: " + sent.why);
    }
}

/// From "submitted, held" to "released", in the order that survives a crash at any point: the job is checked to be
/// ours, recorded here, named in its folder, and only then let go.
mutation_reply slurm_adapter::record_job(job_entry& entry, std::uint64_t job_id) {
    auto& record = entry.record;
    const auto seen = client_->job(job_id);
    record.job_id = job_id;
    if (seen.what != job_answer::fate::found || !is_the_job(entry, seen.job)) {
        record.job_id = 0;
        return not_known("job " + std::to_string(job_id) + " was acknowledged and is not to be seen: " + seen.why);
    }
    record.cluster = seen.job.cluster;
    if (auto saved = book_.save(entry); !saved)
        return not_known(saved.error().detail);
    return release(entry);
}

mutation_reply slurm_adapter::release(job_entry& entry) {
    const auto& record = entry.record;
    if (auto named = shared_->name_job(record.token, record.job_id); !named)
        return not_known(named.error().detail);
    if (auto released = client_->release(record.job_id); !released)
        return not_known(released.error().detail);
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    reply.handle = handle_of(record);
    return reply;
}

verb_result<mutation_reply> slurm_adapter::cancel(const token_params& params, const call_state&) {
    const auto entry = book_.at(params.token);
    const std::lock_guard hold(entry->work);
    auto& record = entry->record;
    const auto seen = observe(*entry);
    if (!entry->saved) {
        book_.forget(entry);
        return failed(seen ? adapter_error::not_found : adapter_error::unavailable,
                      "no job of " + params.token + " is known");
    }
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    reply.handle = handle_of(record);
    if (record.last)
        return reply;
    if (!record.cancel_at) {
        record.cancel_grace_s = params.grace_s;
        record.cancel_at = system_wall_clock().now();
        if (auto saved = book_.save(*entry); !saved)
            return failed(adapter_error::unavailable, saved.error().detail);
    }
    if (!seen || record.job_id == 0)
        return not_known("Slurm does not tell now");
    // What runs ends itself, because Slurm's own time between SIGTERM and SIGKILL is the site's, not the tenant's.
    if (record.running && shared_->stop(record.token, *record.cancel_grace_s))
        return reply;
    if (auto ended = client_->kill(record.job_id); !ended)
        return not_known(ended.error().detail);
    return reply;
}

}  // namespace westerly
