// Faults between adapter and provider: whatever the provider says or does not say, nothing is claimed that is not
// known.
#include "tools/conform/checks.hpp"

#include <algorithm>

namespace westerly {
namespace {

using phase = observation::phase;

/// The provider behaves again when this ends, however it ends.
class disturbance {
public:
    disturbance(provider_proxy& between, wire_fault fault) : between_(between) { between_.play(fault); }
    ~disturbance() { between_.play(wire_fault::none); }
    disturbance(const disturbance&) = delete;
    disturbance& operator=(const disturbance&) = delete;

private:
    provider_proxy& between_;
};

rpc_message ask(kit& with, std::string_view verb, const std::string& params) {
    return with.answer_to(with.link().begin(verb, params), verb);
}

/// Says so that the broker comes back: the other kinds would have it give the work up.
void expect_passing(const rpc_failure& why, std::string_view verb) {
    const bool passing = why.kind == adapter_error::unavailable || why.kind == adapter_error::internal ||
                         why.kind == adapter_error::rate_limited || why.kind == adapter_error::unauthorised;
    expect(passing, std::string(verb) + " answers " + std::string(to_string(why.kind)) +
                        ", as if the provider had said so: " + why.message);
}

/// A look at what runs, while its provider cannot be believed.
template <class T>
void look(kit& with, std::string_view verb, const std::string& params, result<T> (*decode)(const json_value&),
          const std::function<void(const T&)>& judge) {
    const auto reply = ask(with, verb, params);
    if (reply.what == rpc_message::kind::error)
        return expect_passing(decode_rpc_failure(reply), verb);
    const auto value = decode(rpc_body(reply));
    expect(value.has_value(), "the answer to " + std::string(verb) + " breaks the schema");
    judge(*value);
}

void expect_no_end_claimed(kit& with, const std::string& token) {
    const auto lives = [&](const observation& seen) {
        if (seen.token == token)
            expect(seen.at != phase::absent && seen.at != phase::exited, token + " runs and is told to be gone");
    };
    look<observation>(with, "find", encode(token_params{token, 30}), decode_observation, lives);
    look<std::vector<observation>>(with, "get", encode(tokens_params{{token}}), decode_observations,
                                   [&](const auto& all) { std::ranges::for_each(all, lives); });
    look<listing>(with, "list", encode(list_params{with.owner(), {}}), decode_listing, [&](const listing& page) {
        std::ranges::for_each(page.items, lives);
        const bool whole = page.complete && page.next_cursor.empty();
        expect(!whole || std::ranges::find(page.items, token, &observation::token) != page.items.end(),
               "the list says complete and lacks " + token + ", which runs");
    });
}

/// Ready again: it answers about what runs as before.
void expect_recovered(kit& with, const observation& before) {
    rpc_failure last;
    const bool answers = with.comes_true([&] {
        const auto reply = ask(with, "find", encode(token_params{before.token, 30}));
        if (reply.what == rpc_message::kind::error)
            last = decode_rpc_failure(reply);
        return reply.what != rpc_message::kind::error;
    });
    expect(answers, "the provider is well again, and find goes on to answer " + last.message);
    const auto now = with.until_running(before.token);
    expect(now.handle == before.handle && now.started_at == before.started_at,
           "handle or started_at of what ran all the time have changed");
}

/// What a launch came to of which the provider's side is known by now.
void expect_as_told(kit& with, const launch_request& request, const mutation& told) {
    if (told.outcome == call_outcome::not_done)
        return with.expect_nothing_of(request.token);
    if (told.outcome == call_outcome::unknown && with.said().idempotency == idempotency_class::none)
        return;  // a broker only asks
    const auto handle = told.outcome == call_outcome::done ? std::optional(told.handle) : with.launched_again(request);
    if (!handle)
        return;
    with.until_running(request.token);
    with.prove_single(request.token, *handle);
}

/// One thing runs all the time. While the fault is played it is looked at, another one is launched, and then it is
/// cancelled.
std::string disturbed(kit& with, wire_fault fault) {
    auto& between = with.provider();
    with.need_units(2);
    const auto runs = with.sleeper();
    with.launched(runs);
    const auto before = with.until_running(runs.token);
    const auto other = with.sleeper();
    mutation launch, cancel;
    std::uint64_t struck = 0;
    {
        const disturbance now(between, fault);
        expect_no_end_claimed(with, runs.token);
        launch = with.launch(other);
        if (launch.failure)
            expect_passing(*launch.failure, "launch");
        expect_no_end_claimed(with, runs.token);
        struck = between.struck();
    }
    if (struck == 0)
        skip("the adapter answered without asking its provider");
    expect_recovered(with, before);
    expect_as_told(with, other, launch);
    {
        const disturbance now(between, fault);
        cancel = with.cancel(runs.token, 1);
    }
    if (cancel.outcome != call_outcome::done) {
        const bool taken = with.comes_true([&] { return with.cancel(runs.token, 1).outcome == call_outcome::done; });
        expect(taken, "the provider is well again, and cancel is still not done");
    }
    with.until_ended(runs.token);
    return std::to_string(struck) + " connections struck; launch said " + launch.told + ", cancel " + cancel.told;
}

std::string refused(kit& with) {
    return disturbed(with, wire_fault::refuse);
}
std::string lost_reply(kit& with) {
    return disturbed(with, wire_fault::lose_reply);
}
std::string cut_reply(kit& with) {
    return disturbed(with, wire_fault::cut_reply);
}
std::string garbled(kit& with) {
    return disturbed(with, wire_fault::garble_reply);
}
std::string slow(kit& with) {
    return disturbed(with, wire_fault::hold_reply);
}

std::string token_expiry(kit& with) {
    if (!with.provider().http())
        skip("its endpoint does not speak HTTP, so that the kit cannot refuse in its place");
    const auto first = disturbed(with, wire_fault::answer_401);
    with.end_all();
    return "401: " + first + "; 403: " + disturbed(with, wire_fault::answer_403);
}

}  // namespace

std::vector<check> provider_checks() {
    return {
        {"provider.refused", "a provider that cannot be reached proves nothing", refused},
        {"provider.lost_reply", "what the provider did without an answer is made once, and found", lost_reply},
        {"provider.cut_reply", "half of an answer is none", cut_reply},
        {"provider.garbled", "an answer that makes no sense proves nothing", garbled},
        {"provider.slow", "a late answer is an answer", slow},
        {"provider.token_expiry", "refused credentials prove nothing about what runs", token_expiry},
    };
}

}  // namespace westerly
