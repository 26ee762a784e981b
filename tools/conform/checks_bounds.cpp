// Many attempts at once, memory, descriptors; and what was gathered over the whole run.
#include "tools/conform/checks.hpp"

#include <algorithm>

namespace westerly {
namespace {

using phase = observation::phase;

// 10 000 live attempts must leave an adapter small, and its limit of open files is 4096.
constexpr std::uint64_t memory_base_kib = 24 * 1024;
constexpr std::uint64_t memory_each_kib = 16;
constexpr std::uint64_t files_more_max = 64;
constexpr std::uint64_t leak_kib = 8 * 1024;

std::uint64_t attempts_wanted(kit& with) {
    with.choose_offer();
    if (!with.offer_used())
        skip("no launchable offer has a free unit");
    const auto room = with.offer_used()->shape.units_free.value_or(live_max);
    const auto wanted = std::min(with.options().live.value_or(live_default), room);
    with.need_units(wanted);
    return wanted;
}

struct stopwatch {
    steady_time begun = std::chrono::steady_clock::now();
    std::int64_t passed_ms() const {
        return std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - begun).count();
    }
};

bool live(const observation& seen) {
    return seen.at == phase::pending || seen.at == phase::running;
}

/// All of `tokens` in a list, while attempts on its first page are ended between the pages: a cursor that counts
/// positions would then pass over others. Gives the number of pages.
std::size_t expect_listed(kit& with, const std::vector<std::string>& tokens) {
    std::vector<std::string> gone;
    std::size_t pages = 1;
    const auto all = with.list_all(with.owner(), [&](const listing& page) {
        if (++pages > 2)
            return;
        for (const auto& seen : page.items)
            if (gone.size() < 3 && live(seen)) {
                with.cancel(seen.token, 0);
                gone.push_back(seen.token);
            }
    });
    expect(all.complete, "the list does not say complete");
    std::set<std::string> listed;
    for (const auto& seen : all.items)
        listed.insert(seen.token);
    for (const auto& token : tokens)
        expect(listed.contains(token), "the list says complete and lacks " + token);
    return pages;
}

std::string many(kit& with) {
    const auto count = attempts_wanted(with);
    kit::figures seen{};
    seen.attempts = count;
    seen.idle_kib = with.memory_kib();
    seen.idle_files = with.descriptors();
    std::vector<std::string> tokens;
    std::vector<launch_request> requests;
    for (std::uint64_t i = 0; i < count; ++i) {
        requests.push_back(with.sleeper());
        requests.back().run.command = {"/bin/sh", "-c", "exec sleep 3600"};
        tokens.push_back(requests.back().token);
    }
    stopwatch launching;
    with.launch_all(requests);
    const auto launch_ms = launching.passed_ms();
    const bool all_live = with.comes_true([&] {
        const auto now = with.get(tokens);
        for (const auto& one : now)
            expect(live(one),
                   one.token + " was launched and does not live" + (one.message.empty() ? "" : ": " + one.message));
        return now.size() == tokens.size();
    });
    expect(all_live, "get does not tell of all");
    seen.loaded_kib = with.memory_kib();
    seen.loaded_files = with.descriptors();
    stopwatch listing;
    const auto pages = expect_listed(with, tokens);
    const auto list_ms = listing.passed_ms();
    expect(milliseconds(list_ms) <= with.options().patience,
           "to list " + std::to_string(count) + " takes " + std::to_string(list_ms) + " ms");
    with.end_all();
    seen.after_files = with.descriptors();
    with.live_figures = seen;
    const auto asked = with.options().live.value_or(count);
    return std::to_string(count) + " at once" +
           (asked > count ? " (its offer has no room for " + std::to_string(asked) + ")" : "") + ", launched in " +
           std::to_string(launch_ms) + " ms, listed in " + std::to_string(list_ms) + " ms and " +
           std::to_string(pages) + (pages == 1 ? " page" : " pages, while some ended") + ", all ended";
}

const kit::figures& figures_of(kit& with) {
    if (!with.live_figures)
        skip("bounds.live did not come to its end");
    return *with.live_figures;
}

std::string memory(kit& with) {
    const auto& seen = figures_of(with);
    if (seen.loaded_kib == 0)
        skip("the kernel does not tell the memory of the adapter");
    const auto bound = seen.idle_kib + memory_base_kib + memory_each_kib * seen.attempts;
    expect(seen.loaded_kib <= bound, std::to_string(seen.loaded_kib) + " KiB with " + std::to_string(seen.attempts) +
                                         " live attempts; allowed are " + std::to_string(bound));
    return std::to_string(seen.idle_kib) + " KiB idle, " + std::to_string(seen.loaded_kib) + " KiB with " +
           std::to_string(seen.attempts) + " live; allowed " + std::to_string(bound);
}

std::string files(kit& with) {
    const auto& seen = figures_of(with);
    if (seen.loaded_files == 0)
        skip("the kernel does not tell the descriptors of the adapter");
    const auto figures = std::to_string(seen.idle_files) + " idle, " + std::to_string(seen.loaded_files) + " with " +
                         std::to_string(seen.attempts) + " live, " + std::to_string(seen.after_files) + " after";
    expect(seen.loaded_files <= seen.idle_files + files_more_max, "descriptors grow with attempts: " + figures);
    expect(seen.after_files <= seen.idle_files + files_more_max / 8, "descriptors are left open: " + figures);
    return figures;
}

std::string leaks(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    const auto look = [&](int times) {
        for (int i = 0; i < times; ++i) {
            with.find(request.token);
            with.get({request.token, with.new_token()});
            with.list_all(with.owner());
            with.offers();
        }
    };
    constexpr int warm = 25;
    constexpr int rounds = 100;
    look(warm);
    const auto before = with.memory_kib();
    look(rounds);
    const auto after = with.memory_kib();
    expect(after <= before + leak_kib, std::to_string(4 * rounds) + " calls took its memory from " +
                                           std::to_string(before) + " to " + std::to_string(after) + " KiB");
    return std::to_string(before) + " KiB before, " + std::to_string(after) + " KiB after " +
           std::to_string(4 * rounds) + " calls";
}

std::string nothing_left(kit& with) {
    with.end_all();
    const auto all = with.list_all(with.owner());
    for (const auto& seen : all.items)
        expect(!live(seen), seen.token + " is still there");
    return "nothing of the kit's lives any more";
}

std::string first_of(const std::vector<std::string>& faults) {
    return faults.front() + (faults.size() > 1 ? " (and " + std::to_string(faults.size() - 1) + " more)" : "");
}

std::string clean(kit& with) {
    const auto& breaches = with.link().breaches;
    expect(breaches.empty(), breaches.empty() ? "" : first_of(breaches));
    std::map<std::string, std::uint64_t> last;
    for (const auto& told : with.link().changes) {
        expect(with.was_launched(told.token), "attempt.changed about " + told.token + ", which nobody launched");
        auto& seq = last[told.token];
        expect(told.seq >= seq, "attempt.changed of " + told.token + " with a seq that falls");
        seq = told.seq;
    }
    return std::to_string(with.link().changes.size()) + " notifications, all lines by the schema";
}

std::string seq(kit& with) {
    expect(with.seq_faults.empty(), with.seq_faults.empty() ? "" : first_of(with.seq_faults));
    return "over all calls and restarts";
}

std::string once(kit& with) {
    with.witness().gather();
    if (!with.witness().heard())
        skip("no task of this provider can reach the kit's port on this machine");
    const auto doubles = with.witness().doubles();
    expect(doubles.empty(), doubles.empty() ? "" : first_of(doubles));
    return "by the tasks' own reports";
}

std::string handles(kit& with) {
    std::map<std::string, std::string> owner;
    for (const auto& [token, handle] : with.handles())
        if (!handle.empty()) {
            const auto [at, fresh] = owner.emplace(handle, token);
            expect(fresh, "the handle " + handle + " is of " + at->second + " and of " + token);
        }
    if (owner.empty())
        skip("launch gives no handles");
    return std::to_string(owner.size()) + " handles, all different";
}

std::string preemption(kit&) {
    skip("nothing here can make the provider take capacity back");
}

}  // namespace

std::vector<check> bounds_checks() {
    return {
        {"bounds.leaks", "memory does not grow with calls", leaks},
        {"bounds.live", "many live attempts are launched, told, listed and ended", many},
        {"bounds.memory", "memory is bounded with many live attempts", memory},
        {"bounds.descriptors", "descriptors do not grow with attempts", files},
    };
}

std::vector<check> closing_checks() {
    return {
        {"end.nothing_left", "all that was launched has ended", nothing_left},
        {"protocol.clean", "every line that the adapter sent is one of the protocol", clean},
        {"observation.seq", "seq rises with what is told, and an end stays as it was told", seq},
        {"launch.once", "no task ran twice under one token, whatever happened", once},
        {"handle.unique", "no two tokens have the same handle", handles},
        {"provider.preemption", "preempted and preemption.notice", preemption},
    };
}

}  // namespace westerly
