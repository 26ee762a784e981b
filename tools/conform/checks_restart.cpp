// Deaths: kill -9 in the middle of calls, a restart with the same state folder, the end of standard input.
#include "tools/conform/checks.hpp"

#include <array>
#include <thread>

namespace westerly {
namespace {

using phase = observation::phase;

std::string remembers(kit& with) {
    with.need_units(3);
    const auto ended = with.task("exit 3");
    with.launched(ended);
    const auto end = with.until_ended(ended.token);
    const auto lives = with.sleeper();
    const auto handle = with.launched(lives);
    const auto before = with.until_running(lives.token);
    const auto meanwhile = with.task("sleep 1; exit 4");
    with.launched(meanwhile);
    with.until_running(meanwhile.token);
    with.kill();
    std::this_thread::sleep_for(milliseconds(1500));  // so that one ends while nobody looks
    with.start();

    const auto now = with.find(lives.token);
    expect(now.at != phase::absent, "what runs is forgotten after kill -9 and a restart");
    expect(now.at == phase::running, "what ran does not run any more after a restart of the adapter");
    expect(now.handle == before.handle && now.started_at == before.started_at,
           "handle or started_at have changed with the restart");
    const auto old = with.find(ended.token);
    expect(old.at == phase::exited, "what had ended is forgotten after a restart");
    expect(old.exit_code == end.exit_code && old.ended_at == end.ended_at, "an end is told in another way");
    const auto unseen = with.until_ended(meanwhile.token);
    expect(unseen.exit_code == 4, "an end while the adapter was down is told with another exit code");
    if (with.said().idempotency != idempotency_class::none) {
        with.launched(lives);
        with.prove_single(lives.token, handle);
    }
    return "what runs, what had ended, and what ended meanwhile";
}

std::string mid_launch(kit& with) {
    // Spread over the time that a launch takes here, so that some are cut early and some late.
    constexpr std::array<int, 7> after_percent{0, 2, 10, 30, 60, 90, 120};
    const auto plain = with.task("exit 0");
    const auto begun = std::chrono::steady_clock::now();
    with.launched(plain);
    const auto one_launch = std::chrono::steady_clock::now() - begun;
    unsigned there = 0, proved_nothing = 0;
    for (const int percent : after_percent) {
        with.need_units(1);
        const auto request = with.sleeper();
        with.remember(request.token);
        with.link().begin("launch", encode(request));
        with.link().flush();
        std::this_thread::sleep_for(one_launch * percent / 100);
        with.kill();
        with.start();
        const auto seen = with.find(request.token);
        there += seen.at != phase::absent ? 1 : 0;
        if (with.said().idempotency == idempotency_class::none)
            continue;  // a broker only asks
        const auto handle = with.launched_again(request);
        proved_nothing += handle ? 0 : 1;
        if (!handle)
            continue;
        with.until_running(request.token);
        with.prove_single(request.token, *handle);
        with.end_all();
    }
    return "killed in the middle of " + std::to_string(after_percent.size()) + " launches, of which " +
           std::to_string(there) + " had come to be and " + std::to_string(proved_nothing) +
           " were proved to be nothing; none is doubled or lost";
}

std::string mid_cancel(kit& with) {
    for (const int ms : {0, 2, 10}) {
        const auto request = with.sleeper();
        with.launched(request);
        with.until_running(request.token);
        with.link().begin("cancel", encode(token_params{request.token, 1}));
        with.link().flush();
        std::this_thread::sleep_for(milliseconds(ms));
        with.kill();
        with.start();
        const auto again = with.cancel(request.token, 1);
        expect(again.outcome == call_outcome::done, "a cancel repeated after the kill answers " + again.told);
        with.until_ended(request.token);
    }
    return "killed in the middle of 3 cancels; the repeat ends it";
}

std::string mid_read(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    for (const std::string verb : {"list", "offers", "get"}) {
        const auto params = verb == "list"  ? encode(list_params{with.owner(), {}})
                            : verb == "get" ? encode(tokens_params{{request.token}})
                                            : "{}";
        with.link().begin(verb, params);
        with.link().flush();
        with.restart();
        with.until_running(request.token);
    }
    return "killed in list, offers and get";
}

std::string end_of_input(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    const auto before = with.until_running(request.token);
    expect(with.link().end_input(seconds(20)), "it does not end within 20 s after its standard input");
    with.start();
    const auto after = with.until_running(request.token);
    expect(after.started_at == before.started_at, "what ran began anew");
    return "it ends, and what runs goes on";
}

}  // namespace

std::vector<check> restart_checks() {
    return {
        {"restart.remembers", "kill -9 and a restart with the same state folder lose nothing", remembers},
        {"kill.mid_launch", "a launch cut short by kill -9 is found or repeated, and made once", mid_launch},
        {"kill.mid_cancel", "a cancel cut short by kill -9 can be repeated", mid_cancel},
        {"kill.mid_read", "a call that only reads may be cut short", mid_read},
        {"end.of_input", "it ends with its standard input and leaves running work alone", end_of_input},
    };
}

}  // namespace westerly
