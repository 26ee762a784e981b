#include "tests/unit/engine/rig.hpp"

namespace westerly::testing_support {

namespace {

owner_id test_owner() {
    random_source random(1);
    return owner_id::make(instant(milliseconds(1)), random);
}

}  // namespace

offer small_offer(const provider_id& provider, std::uint64_t units) {
    offer out;
    out.id = provider + "/s/small/on_demand";
    out.provider = provider;
    out.site.site = "s";
    out.site.region = "cn-east";
    out.site.jurisdiction = "CN";
    out.vcpus = 4;
    out.memory_mib = 8192;
    out.units_free = units;
    out.price = unit_price{3'600'000'000, currency::cny};
    return out;
}

workload_spec small_spec() {
    workload_spec spec;
    spec.name = "small";
    spec.policy = "cheapest";
    variant way;
    way.command = {"true"};
    spec.variants.push_back(way);
    return spec;
}

policy cheapest_policy() {
    policy cheapest;
    cheapest.name = "cheapest";
    cheapest.version = "sha256:000000000000";
    return cheapest;
}

engine_rig::engine_rig(engine_options options, bool sweeping)
    : store(test_owner(), sweeping), options_(std::move(options)) {
    now = instant(std::chrono::hours(24 * 365 * 50));
    random_source random(3);
    who.tenant = tenant_id::make(now, random);
    who.tenant_name = "t";
    who.key = key_id::make(now, random);
    policies_.push_back(cheapest_policy());
    restart();
}

void engine_rig::restart() {
    core = std::make_unique<engine>(options_, terms, store.load(), now);
    give(policies_configured{policies_, {}});
    if (!providers_.empty())
        configure();
}

void engine_rig::take(reaction made, bool keep_effects) {
    if (!made.changes.empty())
        store.commit(made.changes);
    EXPECT_EQ(store.faults, std::vector<std::string>{});
    if (!keep_effects)
        effects.clear();
    for (auto& each : made.effects) {
        if (const auto* view = std::get_if<publish_market>(&each))
            market = view->view;
        effects.push_back(std::move(each));
    }
}

void engine_rig::give(const input& in) {
    take(core->handle(in, now, random_), false);
}

void engine_rig::run_for(milliseconds time) {
    effects.clear();
    const instant until = now + time;
    for (auto wake = core->next_wake(); wake && *wake <= until; wake = core->next_wake()) {
        now = std::max(now, *wake);
        take(core->handle(tick{}, now, random_), true);
    }
    now = until;
}

void engine_rig::add_provider(const provider_id& id, std::uint64_t units) {
    provider_config config;
    config.id = id;
    config.kind = "local";
    config.poll_s = poll_s;
    config.sites.push_back(small_offer(id, 0).site);
    providers_.push_back(config);
    configure();
    report(id, provider_state::ready);
    send_offers(id, units);
}

void engine_rig::set_policies(std::vector<policy> policies) {
    policies_ = std::move(policies);
    give(policies_configured{policies_, {}});
}

void engine_rig::configure() {
    give(providers_configured{providers_});
}

void engine_rig::report(const provider_id& id, provider_state state) {
    provider_health health;
    health.id = id;
    health.state = state;
    health.since = now;
    give(provider_reported{health});
}

void engine_rig::send_offers(const provider_id& id, std::uint64_t units) {
    give(offers_received{id, {small_offer(id, units)}});
}

result<answer> engine_rig::ask_submit(workload_spec spec, const std::string& key, std::uint8_t body) {
    sha256_digest digest{};
    digest[0] = body;
    give(submit_workload{++requests_, who, std::make_shared<workload_spec>(std::move(spec)), key, digest});
    return answered();
}

workload_id engine_rig::submit(workload_spec spec, const std::string& key, std::uint8_t body) {
    const auto said = ask_submit(std::move(spec), key, body);
    EXPECT_TRUE(said.has_value()) << (said ? "" : said.error().detail);
    return said ? std::get<submitted>(*said).accepted.id : workload_id{};
}

result<answer> engine_rig::cancel(const workload_id& id, std::optional<std::uint64_t> if_revision) {
    give(cancel_workload{++requests_, who, id, if_revision});
    return answered();
}

result<answer> engine_rig::answered() const {
    const auto said = all<answer_request>();
    return said.empty() ? result<answer>(fail(errc::internal, "no answer")) : said.back().value;
}

void engine_rig::answer_call(const call_provider& call, call_outcome outcome, adapter_error why) {
    mutation_reply reply;
    reply.outcome = outcome;
    reply.why = why;
    give(call_answered{call.provider, call.attempt, call.verb, call.outbox_seq, reply});
}

observation engine_rig::seen(const attempt_id& id, observation::phase at, std::uint64_t seq) const {
    observation out;
    out.at = at;
    out.token = launch_token(id);
    out.seq = seq;
    return out;
}

void engine_rig::observe(const attempt_id& id, observation::phase at, std::uint64_t seq,
                         std::optional<std::int32_t> exit_code) {
    observation what = seen(id, at, seq);
    started_.try_emplace(id, now);
    if (at != observation::phase::pending)
        what.started_at = started_.at(id);
    if (at == observation::phase::exited) {
        what.ended_at = now;
        what.exit_code = exit_code.value_or(0);
    }
    give(attempt_observed{store.attempts.at(id).provider, what});
}

void engine_rig::found(const attempt_id& id, std::optional<observation> what) {
    give(attempt_found{store.attempts.at(id).provider, id, std::move(what)});
}

}  // namespace westerly::testing_support
