#include "adapters/sdk/output_files.hpp"
#include "adapters/slurm/slurm_adapter.hpp"

namespace westerly {

verb_result<byte_piece> slurm_adapter::logs(const log_request& request, const call_state&) {
    const auto entry = book_.find(request.token);
    if (!entry)
        return failed(adapter_error::not_found, "no such attempt or task");
    bool ended = false;
    {
        const std::lock_guard hold(entry->work);
        if (request.rank >= entry->record.tasks)
            return failed(adapter_error::not_found, "no such attempt or task");
        ended = entry->record.last.has_value();
    }
    const auto path = std::string(attempt_file::tasks) + '/' + std::to_string(request.rank) + '/' +
                      (request.error_stream ? "stderr" : "stdout");
    return log_piece(shared_->attempt(request.token), path, request.from, ended);
}

verb_result<fetch_reply> slurm_adapter::fetch(const fetch_params& params, const call_state&) {
    const auto entry = book_.find(params.token);
    if (!entry)
        return failed(adapter_error::not_found, "no such attempt");
    bool ended = false;
    {
        const std::lock_guard hold(entry->work);
        ended = entry->record.last.has_value();
    }
    return fetch_output(shared_->attempt(params.token) / attempt_file::output, params.path, params.from, ended);
}

verb_result<mutation_reply> slurm_adapter::put(const put_params& params, const call_state&) {
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    if (params.path != bundle_name)
        return failed(adapter_error::invalid, "only bundle.tar is taken");
    if (book_.find(params.token))
        return reply;  // launched already, with its files
    if (const auto problem = shared_->problem(); !problem.empty())
        return failed(adapter_error::invalid, problem);
    return put_piece(shared_->staged(params.token), params);
}

}  // namespace westerly
