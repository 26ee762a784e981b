#include "adapters/local/local_adapter.hpp"
#include "adapters/local/records/task_files.hpp"
#include "adapters/sdk/output_files.hpp"

namespace westerly {

verb_result<byte_piece> local_adapter::logs(const log_request& request, const call_state&) {
    const auto entry = book_.find(request.token);
    if (!entry || request.rank >= entry->tasks)
        return failed(adapter_error::not_found, "no such attempt or task");
    // Looked at first: what is written between the two looks would otherwise be missed by "complete".
    const auto at = look(*entry).at;
    const bool ended = at == observation::phase::exited;
    return log_piece(task_dir(state_.attempt(entry->token), request.rank), request.error_stream ? "stderr" : "stdout",
                     request.from, ended);
}

verb_result<fetch_reply> local_adapter::fetch(const fetch_params& params, const call_state&) {
    const auto entry = book_.find(params.token);
    if (!entry)
        return failed(adapter_error::not_found, "no such attempt");
    const bool ended = look(*entry).at == observation::phase::exited;
    return fetch_output(state_.attempt(entry->token) / task_file::output, params.path, params.from, ended);
}

verb_result<mutation_reply> local_adapter::put(const put_params& params, const call_state&) {
    mutation_reply reply;
    reply.outcome = call_outcome::done;
    if (params.path != bundle_name)
        return failed(adapter_error::invalid, "only bundle.tar is taken");
    if (book_.find(params.token))
        return reply;  // launched already, with its files
    return put_piece(state_.staged(params.token), params);
}

}  // namespace westerly
