// The kit's work at the provider: tasks, waiting for them, proving that there is one, ending them.
#include "broker/domain/ids.hpp"
#include "tools/conform/kit.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

namespace westerly {
namespace {

using phase = observation::phase;
constexpr milliseconds look_again{30};
constexpr milliseconds settle{300};            // a second run of a token would begin soon after the first
constexpr std::uint64_t memory_mib_max = 256;  // of one task; sh and bash need little

steady_time now() {
    return std::chrono::steady_clock::now();
}

std::string_view name(phase at) {
    constexpr std::string_view names[] = {"pending", "running", "exited", "absent"};
    return names[static_cast<std::size_t>(at)];
}

bool over(const observation& seen) {
    return seen.at == phase::exited || seen.at == phase::absent;
}

}  // namespace

void kit::choose_offer() {
    offer_.reset();
    const auto room = [](const adapter_offer& o) {
        return o.shape.units_free.value_or(live_max);
    };
    for (auto& o : offers())
        if (o.shape.launchable && o.shape.mode != billing_mode::reserved && room(o) > 0 &&
            (!offer_ || room(o) > room(*offer_)))
            offer_ = std::move(o);
}

launch_request kit::task(const std::string& script, std::uint64_t tasks) {
    if (!offer_)
        choose_offer();
    if (!offer_)
        skip("no launchable offer has a free unit");
    const auto& shape = offer_->shape;
    launch_request request;
    request.token = new_token();
    request.fence = 1;
    request.owner = owner_;
    request.workload = to_string(workload_id::make(system_wall_clock().now(), random_));
    request.attempt = to_string(*attempt_of_token(request.token));
    request.name = "conform";
    request.tenant = "conform";
    request.site = offer_->site;
    request.offer = offer_->name;
    request.tasks = static_cast<std::uint32_t>(tasks);
    request.units = tasks;
    request.vcpus = 1;
    request.memory_mib = std::clamp<std::uint64_t>(shape.memory_mib, 1, memory_mib_max);
    const bool plain = std::ranges::find(shape.stacks, "none") != shape.stacks.end();
    request.run.stack = plain ? "none" : shape.stacks.front();
    request.run.command = {"/bin/sh", "-c", witness_.shell(request.token) + script};
    request.grace_s = 5;
    return request;
}

void kit::remember(const std::string& token) {
    known_.insert(token);
    if (std::ranges::find(launched_, token) == launched_.end())
        launched_.push_back(token);
}

void kit::launch_all(const std::vector<launch_request>& requests) {
    std::vector<std::string> params;
    for (const auto& request : requests) {
        remember(request.token);
        params.push_back(encode(request));
    }
    const auto answers = mutate_all("launch", params);
    for (const auto& answer : answers)
        expect(answer.outcome == call_outcome::done, "one of " + std::to_string(requests.size()) +
                                                         " launches, for which there was room, answers " + answer.told);
}

std::string kit::launched(const launch_request& request) {
    mutation last;
    const bool done = comes_true([&] {
        last = launch(request);
        const bool repeats = said_.idempotency != idempotency_class::none;
        const bool wait = last.failure && (last.failure->kind == adapter_error::no_capacity ||
                                           last.failure->kind == adapter_error::rate_limited ||
                                           (last.failure->kind == adapter_error::unavailable && repeats));
        expect(wait || last.outcome == call_outcome::done, "launch answered " + last.told);
        return last.outcome == call_outcome::done;
    });
    expect(done, "launch went on to answer " + last.told);
    return last.handle;
}

std::optional<std::string> kit::launched_again(const launch_request& request) {
    mutation again;
    // What was cut short may not be visible yet: until it is, nobody knows.
    comes_true([&] {
        again = launch(request);
        return again.outcome != call_outcome::unknown;
    });
    if (again.outcome != call_outcome::not_done || again.failure)
        return launched(request);
    expect_nothing_of(request.token);
    return std::nullopt;
}

void kit::expect_nothing_of(const std::string& token) {
    const auto seen = find(token);
    expect(seen.at == phase::absent, "launch said that nothing was done, and " + token + " is there");
    witness_.gather();
    expect(witness_.runs(token) == 0, "launch said that nothing was done, and the task of " + token + " ran");
}

void kit::need_units(std::uint64_t units) {
    std::uint64_t most = 0;
    const bool room = comes_true([&] {
        choose_offer();
        most = offer_ ? offer_->shape.units_free.value_or(live_max) : 0;
        // What an earlier check ended may still be on its way out.
        return most >= units || (offer_ && offer_->shape.units_ours == 0);
    });
    if (!room || most < units)
        skip("it needs " + std::to_string(units) + " free units of an offer, and " + std::to_string(most) + " are");
}

bool kit::comes_true(const std::function<bool()>& holds) {
    for (const auto deadline = now() + options_.patience;;) {
        if (holds())
            return true;
        if (now() >= deadline)
            return false;
        // Also reads what the adapter tells of itself.
        for (const auto next = now() + look_again; now() < next && link_.alive();)
            link_.serve(std::chrono::ceil<milliseconds>(next - now()));
    }
}

observation kit::find_launched(const std::string& token) {
    const auto deadline = now() + seconds(said_.max_visibility_delay_s);
    for (;;) {
        auto seen = find(token);
        if (seen.at != phase::absent)
            return seen;
        expect(now() < deadline, token + " was launched and is absent");
        link_.serve(look_again);
    }
}

observation kit::until(const std::string& token, std::string_view what,
                       const std::function<bool(const observation&)>& holds) {
    auto seen = find_launched(token);
    const bool came = holds(seen) || comes_true([&] {
                          seen = find(token);
                          return holds(seen);
                      });
    expect(came, token + " was not seen " + std::string(what) + " in time; it is " + std::string(name(seen.at)));
    return seen;
}

observation kit::until_running(const std::string& token) {
    auto seen = until(token, "running", [](const observation& o) { return o.at == phase::running || over(o); });
    expect(seen.at == phase::running, token + " should run, and is " + std::string(name(seen.at)) +
                                          (seen.message.empty() ? "" : ": " + seen.message));
    return seen;
}

observation kit::until_ended(const std::string& token) {
    auto seen = until(token, "ended", over);
    expect(seen.at == phase::exited, token + " was launched and is now absent");
    return seen;
}

bool kit::witnessed() {
    if (!witnessed_) {
        const auto probe = task("exit 0");
        launched(probe);
        until_ended(probe.token);
        witness_.gather();
        witnessed_ = witness_.heard();
    }
    return *witnessed_;
}

std::string kit::prove_single(const std::string& token, const std::string& handle) {
    const auto seen = until(token, "begun", [](const observation& o) { return o.at != phase::pending; });
    expect(handle.empty() || seen.handle.empty() || seen.handle == handle,
           "launch gave the handle " + handle + ", find gives " + seen.handle);
    const auto all = list_all(owner_);
    const auto count = std::ranges::count(all.items, token, &observation::token);
    expect(count <= 1, token + " stands " + std::to_string(count) + " times in the list");
    if (!witnessed())
        return "one thing, as the adapter tells (its tasks cannot reach the kit)";
    comes_true([&] {
        witness_.gather();
        return witness_.runs(token) > 0;
    });
    std::this_thread::sleep_for(settle);
    witness_.gather();
    const auto runs = witness_.runs(token);
    expect(runs == 1, token + " ran " + std::to_string(runs) + " times");
    return "one thing, and its task reported once";
}

void kit::end_all() {
    if (launched_.empty())
        return;
    const auto mine = std::exchange(launched_, {});
    if (!link_.alive())
        start();
    std::vector<std::string> live;
    for (const auto& seen : get(mine))
        if (!over(seen))
            live.push_back(seen.token);
    std::vector<std::string> calls;
    for (const auto& token : live)
        calls.push_back(encode(token_params{token, 0}));
    mutate_all("cancel", calls);
    const bool ended = comes_true([&] {
        const auto seen = get(live);
        return std::ranges::all_of(seen, over);
    });
    expect(ended, "what was cancelled does not end");
}

std::vector<std::string> kit::clean_up() {
    const std::vector<std::string> all(known_.begin(), known_.end());
    std::vector<std::string> left;
    try {
        if (provider_)
            provider_->play(wire_fault::none);
        restart();  // Ctrl-C reaches the adapter, too; and what was held or lost on the way to it is over
        launched_ = all;
        end_all();
        // A launch that was under way may come to light late.
        for (const auto deadline = now() + seconds(said_.max_visibility_delay_s); now() < deadline;)
            link_.serve(look_again);
        launched_ = all;
        end_all();
    } catch (const check_failed& e) {
        left.push_back(e.why);
    }
    if (left.empty())
        return left;
    try {
        for (const auto& seen : get(all))
            if (!over(seen))
                left.push_back(seen.token + (seen.handle.empty() ? "" : ", handle " + seen.handle));
    } catch (const check_failed&) {
        for (const auto& token : all)
            if (const auto at = seen_.find(token); at == seen_.end() || !over(at->second))
                left.push_back(token + ", as far as is known");
    }
    return left;
}

std::uint64_t kit::memory_kib() const {
    std::ifstream status("/proc/" + std::to_string(link_.pid()) + "/status");
    for (std::string word; status >> word;)
        if (std::uint64_t kib = 0; word == "VmRSS:" && status >> kib)
            return kib;
    return 0;
}

std::uint64_t kit::descriptors() const {
    std::error_code ignored;
    const std::filesystem::directory_iterator files("/proc/" + std::to_string(link_.pid()) + "/fd", ignored);
    return ignored ? 0 : static_cast<std::uint64_t>(std::distance(begin(files), end(files)));
}

}  // namespace westerly
