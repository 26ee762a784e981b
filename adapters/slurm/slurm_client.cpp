#include "adapters/slurm/slurm_client.hpp"

#include "adapters/slurm/words/states.hpp"
#include "broker/support/log.hpp"

#include <algorithm>

namespace westerly {
namespace {

std::string version_name(int version) {
    return "v0.0." + std::to_string(version);
}

error unavailable(std::string why) {
    return fail(errc::provider_unavailable, std::move(why));
}

int highest_common(const std::vector<int>& offered) {
    for (const int version : offered)  // newest first
        if (version >= api_oldest && version <= api_newest)
            return version;
    return 0;
}

}  // namespace

slurm_client::slurm_client(const slurm_config& config)
    : config_(config),
      token_(config),
      http_(config.endpoint, config.ca_file, std::chrono::seconds(config.request_timeout_s), reply_bytes_max) {}

result<int> slurm_client::version() {
    if (const int known = version_)
        return known;
    const std::lock_guard hold(negotiation_);
    if (const int known = version_)
        return known;
    auto token = token_.token();
    if (!token)
        return token.error();
    http_ask ask{"GET", "/openapi/v3", {{"X-SLURM-USER-NAME", config_.user}, {"X-SLURM-USER-TOKEN", *token}}, {}, true};
    auto answer = http_.call(ask);
    if (answer && answer->status == 404) {  // the older name of the same document
        ask.path = "/openapi";
        answer = http_.call(ask);
    }
    if (!answer)
        return unavailable("slurmrestd does not answer: " + answer.error().why);
    if (answer->status == 401) {
        token_.doubt();
        return unavailable("slurmrestd refuses the token (401); is it of user " + config_.user + " and this cluster?");
    }
    const auto offered = answer->status == 200 ? read_openapi(answer->body)
                                               : result<offered_versions>(fail(errc::invalid, "no description"));
    if (!offered)
        return unavailable("slurmrestd answers " + std::to_string(answer->status) + " to /openapi/v3, not its API");
    const int chosen = highest_common(offered->slurm);
    if (chosen == 0)
        return unavailable("slurmrestd offers no version from " + version_name(api_oldest) + " to " +
                           version_name(api_newest) + "; start it with one of these");
    accounting_ = highest_common(offered->accounting);
    has_hold_ = chosen == api_oldest || std::ranges::find(offered->with_hold, chosen) != offered->with_hold.end();
    version_ = chosen;
    log_event(log_level::info, "slurm.api_version",
              {{"version", version_name(chosen)}, {"accounting", accounting_ != 0}});
    return chosen;
}

bool slurm_client::has_accounting() {
    return version() && accounting_ != 0;
}

result<std::string> slurm_client::base(bool accounting) {
    const auto known = version();
    if (!known)
        return known.error();
    if (!accounting)
        return "/slurm/" + version_name(*known) + '/';
    if (accounting_ == 0)
        return fail(errc::unsupported, "this slurmrestd has no accounting");
    return "/slurmdb/" + version_name(accounting_) + '/';
}

result<slurm_client::reply> slurm_client::ask(const char* method, const std::string& path, std::string body,
                                              bool repeatable, bool accounting) {
    const auto prefix = base(accounting);
    if (!prefix)
        return prefix.error();
    const auto token = token_.token();
    if (!token)
        return token.error();
    http_ask question{method,
                      *prefix + path,
                      {{"X-SLURM-USER-NAME", config_.user}, {"X-SLURM-USER-TOKEN", *token}},
                      std::move(body),
                      repeatable};
    const auto answer = http_.call(question);
    reply out;
    if (!answer) {
        out.sent = answer.error().sent;
        out.why = answer.error().why;
        return out;
    }
    out.status = answer->status;
    out.json = answer->content_type.starts_with("application/json");
    // Not this path in JSON, but the whole version is unknown: slurmrestd was changed for another one.
    if (out.status == 404 && !out.json)
        version_ = 0;
    if (out.status == 401)
        token_.doubt();
    if (!out.json) {
        out.why = answer->body.substr(0, 200);
        return out;
    }
    auto read = accounting ? read_accounting(answer->body) : read_reply(answer->body);
    if (read)
        out.body = std::move(*read);
    else
        out.json = false;
    out.why = read ? out.body.error_text() : read.error().detail;
    return out;
}

submit_answer slurm_client::submit(const std::function<std::string(const api_dialect&)>& body) {
    submit_answer out;
    const auto known = version();
    const auto got = known ? ask("POST", "job/submit", body({*known, has_hold_}), false) : result<reply>(known.error());
    if (!got) {
        out.what = submit_answer::fate::not_sent;
        out.why = got.error().detail;
        return out;
    }
    out.why = "HTTP " + std::to_string(got->status) + ": " + got->why;
    out.job_id = got->body.job_id;
    // Errors beside a job id are warnings: a held job always comes with one.
    if (got->status == 200 && out.job_id > 0) {
        out.what = submit_answer::fate::done;
    } else if (!got->sent) {
        out.what = submit_answer::fate::not_sent;
        out.why = got->why;
    } else if (got->status == 401 || got->status == 403) {
        out.what = submit_answer::fate::refused;
        out.kind = adapter_error::unauthorised;
    } else if (got->status >= 400 && got->status < 500 && !got->json) {
        out.what = submit_answer::fate::refused;  // slurmrestd itself did not take the request
        out.kind = got->status == 404 ? adapter_error::unavailable : adapter_error::invalid;
    } else if (got->json && got->status != 0) {
        const auto kind = refusal_of(got->body.first_error());
        if (kind != adapter_error::none && out.job_id == 0) {
            out.what = submit_answer::fate::refused;
            out.kind = kind;
        }
    }
    return out;
}

job_answer slurm_client::job(std::uint64_t id) {
    job_answer out;
    const auto got = ask("GET", "job/" + std::to_string(id), {}, true);
    if (!got) {
        out.why = got.error().detail;
        return out;
    }
    out.why = got->why;
    if (!got->json)
        return out;
    if (got->body.first_error() == error_no_such_job) {
        out.what = job_answer::fate::none;
        return out;
    }
    const auto at = std::ranges::find(got->body.jobs, id, &slurm_job::id);
    if (got->status == 200 && at != got->body.jobs.end()) {
        out.what = job_answer::fate::found;
        out.job = *at;
        if (out.job.cluster.empty())
            out.job.cluster = got->body.cluster;
    }
    return out;
}

result<slurm_reply> slurm_client::get(const std::string& path) {
    auto got = ask("GET", path, {}, true);
    if (!got)
        return got.error();
    if (got->status != 200 || !got->json || got->body.first_error() != 0)
        return unavailable("GET " + path + " answers " + std::to_string(got->status) + ": " + got->why);
    return std::move(got->body);
}

result<std::vector<slurm_job>> slurm_client::jobs() {
    auto got = get("jobs");
    if (!got)
        return got.error();
    for (auto& job : got->jobs)
        if (job.cluster.empty())
            job.cluster = got->cluster;
    return std::move(got->jobs);
}

result<void> slurm_client::release(std::uint64_t id) {
    const auto got = ask("POST", "job/" + std::to_string(id), release_body({0, has_hold_}), true);
    if (!got)
        return got.error();
    const auto number = got->body.first_error();
    if (got->status == 200 && got->json && number == 0)
        return {};
    return number == error_no_such_job ? fail(errc::not_found, got->why)
                                       : unavailable("the job cannot be released: " + got->why);
}

result<void> slurm_client::kill(std::uint64_t id) {
    constexpr std::int64_t already_done = 2021;
    const auto got = ask("DELETE", "job/" + std::to_string(id), {}, true);
    if (!got)
        return got.error();
    const auto number = got->body.first_error();
    const bool over = number == error_no_such_job || number == already_done;
    if (got->json && (over || (got->status == 200 && number == 0)))
        return {};
    return unavailable("the job cannot be cancelled: " + got->why);
}

result<std::vector<slurm_node>> slurm_client::nodes() {
    auto got = get("nodes");
    return got ? result<std::vector<slurm_node>>(std::move(got->nodes)) : got.error();
}

result<std::vector<slurm_partition>> slurm_client::partitions() {
    auto got = get("partitions");
    return got ? result<std::vector<slurm_partition>>(std::move(got->partitions)) : got.error();
}

result<void> slurm_client::ping() {
    const auto got = get("ping");
    if (!got)
        return got.error();
    const bool up = std::ranges::any_of(got->pings, [](const std::string& one) { return one != "DOWN"; });
    return up || got->pings.empty() ? result<void>() : unavailable("slurmctld is down");
}

result<std::vector<slurm_job>> slurm_client::past_jobs(const std::string& name, instant since) {
    // Without a beginning slurmdbd looks at today only; small numbers are no time to it.
    const auto since_s = std::chrono::floor<seconds>(since.time_since_epoch()).count();
    auto got = ask(
        "GET",
        "jobs?start_time=uts" + std::to_string(std::max<std::int64_t>(since_s, 1'000'000'000)) + "&job_name=" + name,
        {}, true, true);
    if (!got)
        return got.error();
    constexpr std::int64_t nothing_found = 9003;
    const auto number = got->body.first_error();
    if (!got->json || got->status != 200 || (number != 0 && number != nothing_found))
        return unavailable("slurmdbd answers " + std::to_string(got->status) + ": " + got->why);
    return std::move(got->body.jobs);
}

}  // namespace westerly
