#include "tools/westerly/bundle.hpp"
#include "tools/westerly/commands.hpp"
#include "tools/westerly/workload_file.hpp"

#include <unistd.h>

#include <cstdio>

namespace westerly {

namespace {

result<std::string> upload(cli& with, const std::string& folder) {
    if (folder.empty())
        return std::string();
    auto bytes = make_bundle(folder);
    if (!bytes)
        return bytes.error();
    http_request request;
    request.method = "POST";
    request.target = "/v1/bundles";
    request.content_type = "application/x-tar";
    request.body = std::move(*bytes);
    auto answer = call(with, request);
    if (!answer)
        return answer.error();
    return text_at(*answer, "files");
}

}  // namespace

result<std::string> prepare(cli& with, const run_options& options) {
    auto files = upload(with, options.with);
    if (!files)
        return files.error();
    return make_workload(options, *files);
}

int run(cli& with, const run_options& options) {
    const auto body = prepare(with, options);
    if (!body)
        return complain(body.error());
    const auto key = options.idempotency_key.empty() ? fresh_key() : options.idempotency_key;
    const auto target = "/v1/workloads" + language_query(with, {});
    auto made = post(with, target, *body, {{"idempotency-key", key}});
    if (!made && (made.error().code == errc::timed_out || made.error().code == errc::provider_unavailable))
        made = post(with, target, *body, {{"idempotency-key", key}});  // the same key: never a second copy
    if (!made)
        return complain(made.error());
    const auto id = text_at(*made, "id");
    if (options.detach) {
        if (with.json)
            print_json(*made);
        else
            std::printf("%s\n", id.c_str());
        if (const auto waits = text_at(*made, "waiting.0.detail"); !waits.empty())
            std::fprintf(stderr, "queued: %s\n", waits.c_str());
        return 0;
    }
    std::fprintf(stderr, "workload %s (%s)\n", id.c_str(), text_at(*made, "spec.name").c_str());
    const int code = follow(with, id, options.timeout_s);
    if (with.json && code != detached) {
        const auto ended = get(with, "/v1/workloads/" + id);
        if (ended)
            print_json(*ended);
    }
    return code;
}

}  // namespace westerly
