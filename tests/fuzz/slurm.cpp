#include "adapters/slurm/words/job_script.hpp"
#include "adapters/slurm/words/replies.hpp"
#include "adapters/slurm/words/states.hpp"
#include "adapters/slurm/words/supply.hpp"
#include "adapters/slurm/words/web_token.hpp"

// A body from slurmrestd, or from whatever answers in its place, read as every kind of reply, and what the adapter
// makes of it; and what a job or an operator's command leaves behind for the adapter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace westerly;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    (void)read_openapi(body);
    (void)read_accounting(body);
    (void)read_run_record(body);
    (void)token_end(token_in(body));
    const auto reply = read_reply(body);
    if (!reply)
        return 0;
    (void)refusal_of(reply->first_error());
    (void)reply->error_text();
    for (const auto& job : reply->jobs) {
        (void)is_end(meaning_of(job));
        (void)words_of(job);
    }
    slurm_config config;
    config.default_site = "here";
    config.accelerators.resize(1);
    config.accelerators[0].gres = "gpu:a100";
    (void)supply_of(config, reply->nodes, reply->partitions, {});
    return 0;
}
