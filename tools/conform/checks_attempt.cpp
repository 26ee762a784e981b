// One attempt's life without faults: it runs, is seen, is ended, and is refused where it must be.
#include "tools/conform/checks.hpp"

#include <algorithm>

namespace westerly {
namespace {

using phase = observation::phase;

std::string find_absent(kit& with) {
    const auto seen = with.find(with.new_token());
    expect(seen.at == phase::absent, "a token that was never launched is not absent");
    return "a token never launched is absent";
}

std::string runs(kit& with) {
    const auto request = with.task("exit 3");
    const auto handle = with.launched(request);
    const auto seen = with.until_ended(request.token);
    expect(seen.exit_code == 3, "exit 3 was told as " + (seen.exit_code ? std::to_string(*seen.exit_code) : "nothing"));
    expect(seen.failed_rank == 0u, "failed_rank of a single task that failed is 0");
    expect(seen.started_at && seen.ended_at, "an end without started_at or ended_at cannot be charged");
    expect(*seen.started_at <= *seen.ended_at, "it ended before it started");
    expect(!seen.timed_out && !seen.preempted, "a plain end is neither timed_out nor preempted");
    const auto good = with.task("exit 0");
    with.launched(good);
    const auto end = with.until_ended(good.token);
    expect(end.exit_code == 0 && !end.failed_rank, "success is exit_code 0 and no failed_rank");
    return "exit 3 and exit 0, with their times";
}

std::string get_many(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    std::vector<std::string> tokens{request.token};
    while (tokens.size() < 256)
        tokens.push_back(with.new_token());
    const auto seen = with.get(tokens);
    const auto found = std::ranges::find(seen, request.token, &observation::token);
    expect(found != seen.end() && (found->at == phase::pending || found->at == phase::running),
           "a live token among 256 is not told as live");
    for (const auto& one : seen)
        expect(one.token == request.token || one.at == phase::absent, one.token + " was never launched, and lives");
    return "256 tokens in one call";
}

std::string units(kit& with) {
    with.need_units(1);
    const auto held = [&]() -> std::uint64_t {
        std::uint64_t all = 0;
        for (const auto& o : with.offers())
            all += o.shape.units_ours;
        return all;
    };
    const auto before = held();
    const auto request = with.sleeper();
    with.launched(request);
    with.until_running(request.token);
    expect(with.comes_true([&] { return held() > before; }), "units_ours does not rise while a token of ours lives");
    with.end_all();
    expect(with.comes_true([&] { return held() <= before; }), "units_ours does not fall after its end");
    return "units_ours follows what lives";
}

/// Refused, with the proof that nothing was created.
void expect_refused(kit& with, const launch_request& request, const std::string& what) {
    const auto answer = with.launch(request);
    expect(answer.outcome == call_outcome::not_done, what + " is answered " + answer.told + ", which proves nothing");
    expect(with.find(request.token).at == phase::absent, what + " is refused, and yet there");
}

std::string refused(kit& with) {
    auto request = with.sleeper();
    request.offer = "no-such-offer";
    expect_refused(with, request, "an unknown offer");
    request = with.sleeper();
    request.site = "no-such-site";
    expect_refused(with, request, "an unknown site");
    request = with.sleeper();
    request.run.stack = "no-such-stack";
    expect_refused(with, request, "an unknown stack");
    return "unknown offer, site and stack are proved not done";
}

std::string over_capacity(kit& with) {
    with.need_units(1);
    const auto free = with.offer_used()->shape.units_free;
    if (!free)
        skip("the offer states no limit");
    auto request = with.sleeper();
    request.units = *free + 1'000'000;
    request.vcpus = 4096;
    const auto answer = with.launch(request);
    if (answer.outcome == call_outcome::done) {
        expect(with.find(request.token).at != phase::absent, "it is taken, and absent");
        return "taken into the provider's queue";
    }
    expect(answer.outcome == call_outcome::not_done, "more than there is: " + answer.told + ", which proves nothing");
    return "refused: " + answer.told;
}

std::string cancelled(kit& with) {
    auto request = with.task("");
    const auto ready = "trap-" + request.token;  // reported once the trap stands
    request.run.command = {"/bin/sh", "-c",
                           "sleep 600 & p=$!; trap 'kill $p; exit 7' TERM; " + with.witness().shell(ready) + "wait"};
    with.launched(request);
    with.until_running(request.token);
    const bool seen = with.witnessed() && with.comes_true([&] {
        with.witness().gather();
        return with.witness().runs(ready) > 0;
    });
    const auto first = with.cancel(request.token, 30);
    expect(first.outcome == call_outcome::done, "the first cancel answers " + first.told);
    const auto second = with.cancel(request.token, 30);
    expect(second.outcome == call_outcome::done, "a second cancel answers " + second.told);
    const auto end = with.until_ended(request.token);
    const auto late = with.cancel(request.token, 30);
    expect(late.outcome == call_outcome::done, "a cancel after the end answers " + late.told);
    if (!seen)
        return "first, again, and after the end";
    expect(end.exit_code == 7, "a task that answers SIGTERM with exit 7 ended otherwise");
    return "by SIGTERM; first, again, and after the end";
}

std::string grace(kit& with) {
    const auto request = with.task("trap '' TERM; while :; do sleep 1; done");
    with.launched(request);
    with.until_running(request.token);
    const auto answer = with.cancel(request.token, 1);
    expect(answer.outcome == call_outcome::done, "cancel answers " + answer.told);
    const auto seen = with.until_ended(request.token);
    expect(seen.exit_code != 0 || seen.exit_signal, "a task that had to be killed counts as a success");
    return "a task that ignores SIGTERM is ended";
}

std::string cancel_unknown(kit& with) {
    const auto token = with.new_token();
    const auto answer = with.cancel(token, 0);
    const bool not_found = answer.failure && answer.failure->kind == adapter_error::not_found;
    expect(not_found || answer.outcome == call_outcome::done, "it answers " + answer.told);
    expect(with.find(token).at == phase::absent, "a cancel has created something");
    return not_found ? "not_found" : "done";
}

std::string walltime(kit& with) {
    if (!with.can("walltime"))
        skip("capability walltime is not declared");
    auto request = with.sleeper();
    request.max_runtime_s = 1;
    request.grace_s = 1;
    with.launched(request);
    const auto seen = with.until_ended(request.token);
    expect(seen.timed_out, "it ended past max_runtime_s without timed_out");
    return "ended and timed_out";
}

std::string gang(kit& with) {
    if (!with.can("gang"))
        skip("capability gang is not declared");
    with.need_units(2);
    // Rank 1 fails; rank 0 would stay for ever.
    const auto request = with.task(R"(test "$WESTERLY_RANK" = 1 && exit 5; exec sleep 600)", 2);
    with.launched(request);
    const auto seen = with.until_ended(request.token);
    expect(seen.exit_code == 5 && seen.failed_rank == 1u, "rank 1 failed with 5, and the end tells something else");
    return "2 tasks; the one that fails ends the other";
}

}  // namespace

std::vector<check> attempt_checks() {
    return {
        {"find.absent", "what was never launched is absent", find_absent},
        {"launch.runs", "a launch runs its command, and its end is told with exit code and times", runs},
        {"launch.units", "units_ours counts what our tokens hold", units},
        {"launch.refused", "what cannot be launched is proved not done", refused},
        {"launch.over_capacity", "more than there is, is refused or waits, and is never lost", over_capacity},
        {"get.many", "get tells of up to 256 tokens, and of nothing else", get_many},
        {"cancel.ends", "cancel ends an attempt, and a repeat is done", cancelled},
        {"cancel.grace", "after the grace comes SIGKILL", grace},
        {"cancel.unknown", "cancel of an unknown token says so and creates nothing", cancel_unknown},
        {"run.walltime", "max_runtime_s is enforced and told", walltime},
        {"run.gang", "a gang ends with its first failure, which is told", gang},
    };
}

}  // namespace westerly
