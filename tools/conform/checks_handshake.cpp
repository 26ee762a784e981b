// What is asked before any work: the handshake, calls that are wrong, offers.
#include "broker/support/time.hpp"
#include "tools/conform/checks.hpp"

#include <algorithm>
#include <set>

namespace westerly {
namespace {

std::string_view name(idempotency_class c) {
    constexpr std::string_view names[] = {"native_token", "unique_name", "tag_and_find", "none"};
    return names[static_cast<std::size_t>(c)];
}

std::string handshake(kit& with) {
    with.start();
    const auto& said = with.said();
    expect(said.version == protocol_version, "it answers with protocol version " + std::to_string(said.version));
    if (said.idempotency == idempotency_class::native_token)
        expect(said.max_visibility_delay_s == 0, "native_token finds by token at once: max_visibility_delay_s is 0");
    std::string text = said.kind + ' ' + said.adapter_version + ", " + std::string(name(said.idempotency));
    for (const auto& capability : said.capabilities)
        text += ", " + capability;
    return text;
}

/// A handshake with another process of the adapter, which has a state folder of its own.
mutation other_handshake(kit& with, const std::string& folder, const std::function<void(initialize_request&)>& change) {
    adapter_link other({.helper = with.options().libexec_dir / "westerly-spawn",
                        .command = with.options().command,
                        .search = {with.options().libexec_dir}});
    if (const auto started = other.start(); !started)
        disprove(started.error().detail);
    auto request = with.handshake();
    request.state_dir = with.fresh_folder(folder).string();
    change(request);
    const auto reply = other.wait(other.begin("initialize", encode(request)), with.options().patience);
    expect(reply.has_value(), "there is no answer; it ended with " + other.how_it_ended);
    mutation out;
    out.replied = true;
    if (reply->what == rpc_message::kind::error) {
        out.failure = decode_rpc_failure(*reply);
    } else {
        const auto said = decode_initialize_reply(rpc_body(*reply));
        expect(said.has_value(), "its answer breaks the schema");
        out.told = std::to_string(said->version);
    }
    return out;
}

std::string bad_config(kit& with) {
    const auto answer = other_handshake(with, "bad-config", [](initialize_request& request) {
        const std::string odd = R"("no_such_member_of_any_config":1)";
        auto& config = request.config_json;
        const auto end = config.rfind('}');
        const bool empty = config.find('"') == std::string::npos;
        config = config.substr(0, end) + (empty ? "" : ",") + odd + config.substr(end);
    });
    expect(answer.failure.has_value(), "a config with an unknown member is taken");
    expect(answer.failure->kind == adapter_error::invalid,
           "a config with an unknown member is " + std::string(to_string(answer.failure->kind)) + ", not invalid");
    expect(answer.failure->message.find("no_such_member_of_any_config") != std::string::npos,
           "the refusal does not name the member: " + answer.failure->message);
    return "refused by name";
}

std::string other_version(kit& with) {
    const auto answer =
        other_handshake(with, "other-version", [](initialize_request& request) { request.version = 999; });
    if (!answer.failure) {
        expect(answer.told == std::to_string(protocol_version), "asked for version 999, it agrees to " + answer.told);
        return "version 999 is answered with what it speaks";
    }
    expect(answer.failure->kind == adapter_error::invalid, "version 999 is not refused as invalid");
    return "version 999 is refused";
}

std::string probe(kit& with) {
    const auto answer = with.call("probe", "{}", decode_probe_reply);
    if (!answer.ok && answer.message.empty())
        disprove("it is not ok and says neither why nor what to do");
    expect(answer.ok, "it cannot work here, so little can be tried: " + answer.message);
    return "ok";
}

std::string offers(kit& with) {
    const auto all = with.offers();
    std::set<std::pair<std::string, std::string>> names;
    for (const auto& o : all) {
        expect(names.emplace(o.site, o.name).second, "the offer " + o.name + " at " + o.site + " stands twice");
        const auto& sites = with.options().sites;
        expect(sites.empty() || std::ranges::find(sites, o.site) != sites.end(), "an offer is at unknown " + o.site);
    }
    with.choose_offer();
    expect(!all.empty(), "there is no offer");
    if (!with.offer_used())
        skip(std::to_string(all.size()) + " offers, and none that is launchable has a free unit");
    const auto& used = *with.offer_used();
    const auto free = used.shape.units_free;
    return std::to_string(all.size()) + " offers; used here: " + used.name + " at " + used.site + ", " +
           (free ? std::to_string(*free) + " units free" : "without a known limit");
}

std::string rtt_measured(kit& with) {
    constexpr seconds clocks_apart{60};
    std::vector<site_rtt> all;
    const auto offers = with.offers(&all);
    if (all.empty())
        skip("it measures no RTT");
    const instant latest = system_wall_clock().now() + clocks_apart;
    std::set<std::pair<std::string, std::string>> known;
    for (const auto& [site, rtt] : all) {
        expect(known.emplace(site, rtt.region).second, "from " + rtt.region + " to " + site + " there are two figures");
        expect(std::ranges::find(offers, site, &adapter_offer::site) != offers.end(),
               "an RTT was measured to " + site + ", where it offers nothing");
        expect(rtt.measured_at <= latest, "the RTT from " + rtt.region + " was measured in the future");
    }
    return std::to_string(all.size()) + " figures";
}

std::string unknown_verb(kit& with) {
    const auto why = with.refusal("no_such_verb", "{}");
    expect(why.kind == adapter_error::invalid, "it answers " + std::string(to_string(why.kind)) + ", not invalid");
    return "refused, and the adapter lives";
}

std::string unknown_member(kit& with) {
    const auto why = with.refusal("find", R"({"token":")" + with.new_token() + R"(","no_such_member":1})");
    expect(why.kind == adapter_error::invalid, "it answers " + std::string(to_string(why.kind)) + ", not invalid");
    return "refused";
}

std::string overlap(kit& with) {
    constexpr std::size_t calls = 32;
    std::map<std::uint64_t, std::string> open;
    for (std::size_t i = 0; i < calls; ++i) {
        const auto token = with.new_token();
        open.emplace(with.link().begin("find", encode(token_params{token, 30})), token);
    }
    for (const auto& [id, token] : open) {
        const auto seen = decode_observation(rpc_body(with.answer_to(id, "find")));
        expect(seen && seen->token == token, "request " + std::to_string(id) + " got another's answer");
    }
    return std::to_string(calls) + " calls at once, each with its own answer";
}

std::string given_up(kit& with) {
    with.link().give_up(std::uint64_t{1} << 39);  // never asked
    const auto done = with.link().begin("probe", "{}");
    with.answer_to(done, "probe");
    with.link().give_up(done);  // answered already
    const auto id = with.link().begin("offers", "{}");
    with.link().give_up(id);
    with.link().wait(id, milliseconds(200));  // an answer is allowed, and so is none
    with.call("probe", "{}", decode_probe_reply);
    return "for unknown, answered and open calls";
}

/// Ids of requests begin anew with every start of a broker, and an answered one is free again.
std::string id_reuse(kit& with) {
    constexpr std::uint64_t id = (std::uint64_t{1} << 39) + 1;
    for (int i = 0; i < 3; ++i) {
        const auto token = with.new_token();
        with.link().begin_as(id, "find", encode(token_params{token, 30}));
        const auto seen = decode_observation(rpc_body(with.answer_to(id, "find")));
        expect(seen && seen->token == token, "the second call under one id got the answer of the first");
    }
    return "an answered id names a new call";
}

}  // namespace

std::vector<check> handshake_checks() {
    return {
        {"initialize.handshake", "initialize answers by the schema", handshake},
        {"initialize.bad_config", "a config with a fault is refused as invalid, by name", bad_config},
        {"initialize.version", "only a version that the adapter speaks is agreed", other_version},
        {"probe.ok", "probe says whether this can work at all", probe},
        {"offers.sound", "offers are named once and lie at sites of the provider file", offers},
        {"offers.rtt_measured", "a measured RTT has a site that offers something, a past date, and no double",
         rtt_measured},
        {"calls.unknown_verb", "an unknown verb is an error and no end", unknown_verb},
        {"calls.unknown_member", "unknown members of params are refused", unknown_member},
        {"calls.overlap", "calls overlap, and answers carry the id of their request", overlap},
        {"calls.given_up", "$/cancel of any id does no harm", given_up},
        {"calls.id_reuse", "request ids may be used again once they are answered", id_reuse},
    };
}

}  // namespace westerly
