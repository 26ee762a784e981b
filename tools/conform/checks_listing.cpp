// Lists: what they must hold, and whose.
#include "tools/conform/checks.hpp"

#include <algorithm>

namespace westerly {
namespace {

using phase = observation::phase;

bool live(const observation& seen) {
    return seen.at == phase::pending || seen.at == phase::running;
}

std::string lag(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    const auto since = std::chrono::steady_clock::now();
    const auto delay = with.said().max_visibility_delay_s;
    bool at_first = true;
    const bool listed = with.comes_true([&] {
        const auto all = with.list_all(with.owner());
        if (std::ranges::find(all.items, request.token, &observation::token) != all.items.end())
            return true;
        at_first = false;
        const auto late = std::chrono::steady_clock::now() - since > seconds(delay);
        expect(!all.complete || !late, "a complete list lacks what was launched " + std::to_string(delay) +
                                           " s ago or more, the declared max_visibility_delay_s");
        return false;
    });
    expect(listed, "what was launched never comes into the list");
    return at_first ? "listed at once" : "listed within the declared delay";
}

std::string complete(kit& with) {
    constexpr std::uint64_t wanted = 12;
    with.choose_offer();
    const auto free = with.offer_used() ? with.offer_used()->shape.units_free.value_or(wanted) : 0;
    const auto count = std::min(wanted, free);
    with.need_units(std::max<std::uint64_t>(count, 2));
    std::vector<std::string> tokens;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto request = with.sleeper();
        with.launched(request);
        with.find_launched(request.token);
        tokens.push_back(request.token);
    }
    listing all;
    const bool said = with.comes_true([&] {
        all = with.list_all(with.owner());
        return all.complete;
    });
    if (!said)
        skip("its list never says complete, so that nothing is concluded from it");
    for (const auto& token : tokens) {
        const auto found = std::ranges::count(all.items, token, &observation::token);
        expect(found > 0, "the list says complete and lacks " + token + ", one of " + std::to_string(count) + " live");
        expect(found == 1, token + " stands twice in the list");
    }
    for (const auto& seen : all.items)
        expect(!live(seen) || with.was_launched(seen.token), seen.token + " is listed as ours and is not");
    return std::to_string(count) + " live, each listed once";
}

std::string bad_cursor(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    const auto reply =
        with.answer_to(with.link().begin("list", encode(list_params{with.owner(), "no-such-cursor"})), "list");
    if (reply.what == rpc_message::kind::error)
        return "refused";
    const auto page = decode_listing(rpc_body(reply));
    expect(page.has_value(), "the answer breaks the schema");
    // Cursors are the adapter's own. A page that follows "no-such-cursor" in its order may be rightly empty.
    with.find_launched(request.token);
    return "taken as a place in its order, and the adapter lives";
}

std::string other_owner(kit& with) {
    const auto request = with.sleeper();
    with.launched(request);
    with.until_running(request.token);
    auto handshake = with.handshake();
    handshake.owner = "another-" + with.owner().substr(0, 8);
    const auto foreign = with.list_all(handshake.owner);
    expect(foreign.items.empty(), "a list of another owner mark holds what is ours");

    adapter_link other({.helper = with.options().libexec_dir / "westerly-spawn",
                        .command = with.options().command,
                        .search = {with.options().libexec_dir}});
    if (const auto started = other.start(); !started)
        disprove(started.error().detail);
    handshake.state_dir = with.fresh_folder("other-owner").string();
    const auto ask = [&](std::string_view verb, const std::string& params) {
        auto reply = other.wait(other.begin(verb, params), with.options().patience);
        expect(reply.has_value(), "a second installation gets no answer to " + std::string(verb));
        return std::move(*reply);
    };
    expect(ask("initialize", encode(handshake)).what == rpc_message::kind::response,
           "a second installation with the same config is refused");
    const auto page = decode_listing(rpc_body(ask("list", encode(list_params{handshake.owner, {}}))));
    expect(page.has_value(), "the list of a second installation breaks the schema");
    expect(std::ranges::find(page->items, request.token, &observation::token) == page->items.end(),
           "a second installation sees our attempt as its own");
    ask("cancel", encode(token_params{request.token, 0}));
    other.kill_9();
    const auto seen = with.until_running(request.token);
    expect(live(seen), "a second installation has ended our attempt");
    return "neither seen nor touched by a second installation";
}

}  // namespace

std::vector<check> listing_checks() {
    return {
        {"list.lag", "what was launched is listed, at the latest after max_visibility_delay_s", lag},
        {"list.complete", "a list that says complete names everything that lives", complete},
        {"list.cursor", "an unknown cursor does no harm", bad_cursor},
        {"owner.apart", "nothing of another owner mark is listed or touched", other_owner},
    };
}

}  // namespace westerly
