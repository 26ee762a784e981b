// The declared idempotency class under lost, late and repeated lines: one thing per token, however often it is called.
#include "tools/conform/checks.hpp"

namespace westerly {
namespace {

using phase = observation::phase;
constexpr milliseconds broker_waits{150};  // a short deadline, so that a held answer is late
constexpr milliseconds held{600};

std::string repeated(kit& with) {
    with.skip_without_repeats();
    constexpr unsigned times = 4;
    const auto request = with.sleeper();
    std::string handle = with.launched(request);
    for (unsigned i = 1; i < times; ++i)
        with.launched(request);
    return std::to_string(times) + " launches one after another: " + with.prove_single(request.token, handle);
}

std::string at_once(kit& with) {
    with.skip_without_repeats();
    with.need_units(1);
    const auto request = with.sleeper();
    constexpr unsigned copies = 7;
    with.remember(request.token);
    const auto id = with.link().begin("launch", encode(request), {.repeats = copies});
    unsigned done = 0;
    auto ids = with.link().copies_of(id);
    ids.push_back(id);
    for (const auto one : ids)
        done += with.mutation_of(with.answer_to(one, "launch"), "launch").outcome == call_outcome::done ? 1 : 0;
    expect(done > 0, "none of " + std::to_string(copies + 1) + " launches at once is done");
    const auto handle = with.launched(request);
    return std::to_string(copies + 1) + " launches at once: " + with.prove_single(request.token, handle);
}

std::string after_end(kit& with) {
    with.skip_without_repeats();
    const auto request = with.task("exit 0");
    const auto handle = with.launched(request);
    with.prove_single(request.token, handle);
    const auto end = with.until_ended(request.token);
    const auto again = with.launch(request);
    expect(again.outcome != call_outcome::unknown, "a launch of what has ended answers " + again.told);
    const auto seen = with.find(request.token);
    expect(seen.at == phase::exited && seen.ended_at == end.ended_at, "what had ended began anew");
    return "its token stays spent: " + with.prove_single(request.token, handle);
}

std::string lost_request(kit& with) {
    with.skip_without_repeats();
    const auto request = with.sleeper();
    const auto first = with.launch(request, {.lose_request = true}, broker_waits);
    expect(!first.replied, "a launch that was never sent is answered");
    expect(with.find(request.token).at == phase::absent, "a launch that was never sent is not absent");
    const auto handle = with.launched(request);
    return "launched by the repeat: " + with.prove_single(request.token, handle);
}

std::string lost_reply(kit& with) {
    const auto request = with.sleeper();
    with.need_units(1);
    const auto first = with.launch(request, {.lose_reply = true}, broker_waits);
    expect(!first.replied, "the answer was lost and is there");
    // It was given up too, so a slow adapter may rightly have left it undone.
    const auto seen = with.find(request.token);
    if (with.said().idempotency == idempotency_class::none)
        return seen.at == phase::absent ? "find proves that it was not done" : "find tells that it was done";
    const auto handle = with.launched(request);
    return std::string("find tells ") + (seen.at == phase::absent ? "that it is not there" : "that it is there") +
           ", then a repeat: " + with.prove_single(request.token, handle);
}

std::string late_reply(kit& with) {
    with.skip_without_repeats();
    with.need_units(1);
    const auto request = with.sleeper();
    with.remember(request.token);
    const auto id = with.link().begin("launch", encode(request), {.hold_reply = held});
    expect(!with.link().wait(id, broker_waits), "the answer was held and is there");
    with.launched(request);
    const auto late = with.mutation_of(with.answer_to(id, "launch"), "launch");
    expect(late.outcome != call_outcome::not_done, "the first answer, which came late, says that nothing was done");
    with.launched(request);
    return "an answer older than the repeat agrees with it: " + with.prove_single(request.token, late.handle);
}

std::string late_request(kit& with) {
    with.skip_without_repeats();
    const auto request = with.task("exit 0");
    const auto late = with.link().begin("launch", encode(request), {.hold_request = held});
    with.launched(request);
    const auto end = with.until_ended(request.token);
    with.answer_to(late, "launch");
    const auto seen = with.until_ended(request.token);
    expect(seen.ended_at == end.ended_at, "a launch that arrived after the end began anew");
    return "a launch that arrives late starts nothing: " + with.prove_single(request.token, end.handle);
}

std::string order(kit& with) {
    with.need_units(1);
    for (int i = 0; i < 5; ++i) {
        const auto request = with.task("exit 0");
        with.remember(request.token);
        const auto params = encode(request);
        const auto first = with.link().begin("launch", params);
        const auto look = with.link().begin("find", encode(token_params{request.token, 30}));
        const auto done = with.mutation_of(with.answer_to(first, "launch"), "launch");
        const auto seen = decode_observation(rpc_body(with.answer_to(look, "find")));
        expect(seen.has_value(), "find beside a launch gives no observation");
        const bool may_hide = with.said().max_visibility_delay_s > 0;
        expect(done.outcome != call_outcome::done || may_hide || seen->at != phase::absent,
               "a find that was sent after a launch overtook it: absent, and yet launched");
        if (done.outcome == call_outcome::done)
            with.until_ended(request.token);
    }
    return "a find never overtakes the launch before it";
}

std::string fence(kit& with) {
    with.skip_without_repeats();
    auto request = with.sleeper();
    const auto launch = [&](std::uint64_t number) {
        request.fence = number;
        return with.launch(request);
    };
    const auto refuse = [&](std::uint64_t number, const std::string& when) {
        const auto answer = launch(number);
        expect(answer.failure && answer.failure->kind == adapter_error::unauthorised,
               "fence " + std::to_string(number) + when + " is not refused as unauthorised, but: " + answer.told);
    };
    request.fence = 5;
    with.launched(request);
    refuse(4, " after 5");
    expect(launch(6).outcome == call_outcome::done, "a newer fence is refused");
    refuse(5, " after 6");
    with.restart();
    refuse(5, " after 6 and a restart");
    with.find_launched(request.token);
    return "older ones are refused, after a restart too";
}

std::string cancel_faults(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    with.until_running(request.token);
    with.cancel(request.token, 2, {.lose_reply = true, .repeats = 2}, broker_waits);
    const auto again = with.cancel(request.token, 2);
    expect(again.outcome == call_outcome::done, "cancel after a lost answer: " + again.told);
    with.until_ended(request.token);
    return "lost and repeated";
}

}  // namespace

std::vector<check> idempotency_checks() {
    return {
        {"launch.repeated", "a repeated launch makes nothing new", repeated},
        {"launch.at_once", "launches of one token at once make one thing", at_once},
        {"launch.after_end", "a launch of a token that has ended does not run it again", after_end},
        {"launch.lost_request", "a launch that never arrived is absent, and can be repeated", lost_request},
        {"launch.lost_reply", "when the answer is lost, find tells, and a repeat makes nothing new", lost_reply},
        {"launch.late_reply", "when the answer is late, the repeat makes nothing new, and both agree", late_reply},
        {"launch.late_request", "a launch that arrives late, after its repeat has ended, starts nothing", late_request},
        {"launch.order", "a find does not overtake a launch that was sent before it", order},
        {"launch.fence", "an older fence than one seen for the token is refused", fence},
        {"cancel.faults", "a cancel may be lost and repeated", cancel_faults},
    };
}

}  // namespace westerly
