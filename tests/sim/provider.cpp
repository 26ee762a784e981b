#include "tests/sim/provider.hpp"

namespace westerly::sim {

namespace {

constexpr milliseconds call_deadline{30'000};
using phase = observation::phase;

mutation_reply replied(call_outcome outcome, adapter_error why = adapter_error::none) {
    mutation_reply out;
    out.outcome = outcome;
    out.why = why;
    return out;
}

input answered(const call_provider& call, mutation_reply reply) {
    return call_answered{call.provider, call.attempt, call.verb, call.outbox_seq, std::move(reply)};
}

}  // namespace

scripted_provider::scripted_provider(wiring wired, provider_id id, std::uint64_t units, std::uint32_t visibility_s)
    : wired_(std::move(wired)), id_(std::move(id)), units_(units), visibility_s_(visibility_s) {
    thing foreign;  // somebody else's: nothing may ever touch it
    foreign.token = "somebody-elses";
    foreign.at = phase::running;
    foreign.ours = false;
    foreign.units = 0;
    things.emplace(foreign.token, foreign);
}

provider_config scripted_provider::config() const {
    provider_config out;
    out.id = id_;
    out.kind = "local";
    site_facts site;
    site.site = "s";
    site.region = "cn-east";
    out.sites.push_back(site);
    return out;
}

void scripted_provider::meet_broker() {
    up_ = true;
    const auto process = wired_.process();
    wired_.time.after(wired_.chance.delay(1, 2000), [this, process] {
        if (wired_.process() != process)
            return;
        report(provider_state::ready);
        refresh();
    });
}

void scripted_provider::broker_gone() {
    for (const auto& [number, call] : std::exchange(on_the_way_, {}))
        if (wired_.chance.one_in(0.5))
            create(call);
}

void scripted_provider::report(provider_state state) {
    provider_health health;
    health.id = id_;
    health.state = state;
    health.since = wired_.time.now;
    health.max_visibility_delay_s = visibility_s_;
    wired_.tell(provider_reported{health});
}

/// Every so often: offers, and what may go wrong meanwhile.
void scripted_provider::refresh() {
    const auto process = wired_.process();
    const auto round = ++refreshing_;
    if (wired_.chance.one_in(wired_.faults.go_down)) {
        ++downs;
        up_ = false;
        report(provider_state::down);
        wired_.time.after(wired_.chance.delay(1'000, 200'000), [this, process, round] {
            if (wired_.process() != process || refreshing_ != round)
                return;
            up_ = true;
            report(provider_state::ready);
            refresh();
        });
        return;
    }
    if (wired_.chance.one_in(wired_.faults.stray)) {
        ++strays;
        random_source random(static_cast<std::uint64_t>(wired_.chance.between(0, 1'000'000'000)));
        thing stray;
        stray.token = launch_token(attempt_id::make(wired_.time.now, random));
        stray.at = phase::running;
        stray.started_at = wired_.time.now;
        things.emplace(stray.token, stray);
    }
    send_offers();
    wired_.time.after(seconds(30), [this, process, round] {
        if (wired_.process() == process && refreshing_ == round)
            refresh();
    });
}

void scripted_provider::send_offers() {
    offer out;
    out.id = id_ + "/s/small/on_demand";
    out.provider = id_;
    out.site = config().sites.front();
    out.vcpus = 4;
    out.memory_mib = 8192;
    out.units_free = units_ - std::min(units_, units_used());
    out.units_ours = units_used();
    out.price = unit_price{3'600'000'000, currency::cny};
    out.as_of = wired_.time.now;
    answer(wired_.chance.delay(1, 300), offers_received{id_, {out}});
}

/// To the process that asked: another one has other calls.
void scripted_provider::answer(milliseconds delay, input what) {
    wired_.time.after(delay, [this, process = wired_.process(), what = std::move(what)] {
        if (wired_.process() == process)
            wired_.tell(what);
    });
}

void scripted_provider::news(const thing& about) {
    if (!up_ || wired_.chance.one_in(wired_.faults.lose_news))
        return;
    answer(wired_.chance.delay(1, 500), attempt_observed{id_, seen(about)});
    if (wired_.chance.one_in(wired_.faults.repeat_news))
        answer(wired_.chance.delay(1, 20'000), attempt_observed{id_, seen(about)});
}

observation scripted_provider::seen(const thing& of) const {
    observation out;
    out.at = of.at;
    out.token = of.token;
    out.handle = "h-" + of.token;
    out.seq = of.seq;
    out.started_at = of.started_at;
    out.ended_at = of.ended_at;
    if (of.at == phase::exited)
        out.exit_code = of.exit_code;
    out.preempted = of.preempted;
    return out;
}

const thing* scripted_provider::visible(const std::string& token) const {
    const auto at = things.find(token);
    const bool shown = at != things.end() && !at->second.forgotten && at->second.visible_at <= wired_.time.now;
    return shown ? &at->second : nullptr;
}

std::uint64_t scripted_provider::units_used() const {
    std::uint64_t used = 0;
    for (const auto& [token, each] : things)
        used += each.alive() ? each.units : 0;
    return used;
}

void scripted_provider::run(const call_provider& effect) {
    if (!up_)
        return answer(milliseconds(0), answered(effect, replied(call_outcome::unknown, adapter_error::unavailable)));
    effect.verb == outbox_verb::launch ? launch(effect) : cancel(effect);
}

void scripted_provider::launch(const call_provider& call) {
    ++launches;
    const bool lost = wired_.chance.one_in(wired_.faults.lose_call);
    const auto arrives_in = wired_.chance.delay(1, lost ? call_deadline.count() - 1 : 400);
    const bool never_arrives = lost && wired_.chance.one_in(0.5);
    lost_calls += lost ? 1 : 0;
    if (lost)
        answer(call_deadline, answered(call, replied(call_outcome::unknown)));
    if (never_arrives)
        return;
    const auto number = next_call_++;
    on_the_way_.emplace(number, call);
    wired_.time.after(arrives_in, [this, number, lost] {
        const auto at = on_the_way_.find(number);
        if (at == on_the_way_.end())
            return;
        const call_provider call = at->second;
        on_the_way_.erase(at);
        const bool full = units_used() + call.launch->units > units_ && !things.contains(call.launch->token);
        if (full || wired_.chance.one_in(wired_.faults.refuse)) {
            if (!lost)
                answer(wired_.chance.delay(0, 400),
                       answered(call, replied(call_outcome::not_done, adapter_error::no_capacity)));
            return;
        }
        create(call);
        if (!lost)
            answer(wired_.chance.delay(0, 400), answered(call, replied(call_outcome::done)));
    });
}

/// One thing per token, however often it is asked for.
void scripted_provider::create(const call_provider& call) {
    thing made;
    made.token = call.launch->token;
    made.units = call.launch->units;
    made.visible_at = wired_.time.now + wired_.chance.delay(0, visibility_s_ * 1000);
    if (!things.emplace(made.token, made).second)
        return;
    wired_.time.after(wired_.chance.delay(0, 5000), [this, token = made.token] { begin(token); });
}

void scripted_provider::begin(const std::string& token) {
    thing& each = things.at(token);
    if (each.at != phase::pending)
        return;
    if (wired_.chance.one_in(wired_.faults.forget)) {
        each.forgotten = true;
        ++forgotten;
        return;
    }
    each.at = phase::running;
    each.started_at = wired_.time.now;
    ++each.seq;
    news(each);
    const bool preempted = wired_.chance.one_in(wired_.faults.preempt);
    const std::int32_t code = wired_.chance.one_in(0.1) ? 3 : 0;
    wired_.time.after(wired_.chance.delay(100, 200'000),
                      [this, token, code, preempted] { finish(token, code, preempted); });
}

void scripted_provider::finish(const std::string& token, std::int32_t exit_code, bool preempted) {
    thing& each = things.at(token);
    if (!each.alive())
        return;
    if (!each.ours)
        faults.push_back("L3: a thing without our owner mark was ended");
    if (wired_.chance.one_in(wired_.faults.forget)) {
        each.forgotten = true;
        ++forgotten;
        return;
    }
    if (preempted && each.visible_at <= wired_.time.now)
        answer(milliseconds(1), preemption_noticed{id_, token, wired_.time.now});
    each.at = phase::exited;
    each.exit_code = exit_code;
    each.preempted = preempted;
    each.ended_at = wired_.time.now;
    ++each.seq;
    news(each);
}

void scripted_provider::stop(const std::string& token, std::uint32_t grace_s) {
    if (wired_.chance.one_in(wired_.faults.stay_deaf))
        return;
    wired_.time.after(wired_.chance.delay(0, grace_s * 1000), [this, token] { finish(token, 143, false); });
}

void scripted_provider::cancel(const call_provider& call) {
    const auto token = launch_token(call.attempt);
    if (wired_.chance.one_in(wired_.faults.lose_call)) {
        ++lost_calls;
        if (visible(token) && wired_.chance.one_in(0.5))
            stop(token, call.grace_s);
        return answer(call_deadline, answered(call, replied(call_outcome::unknown)));
    }
    const auto outcome =
        visible(token) ? replied(call_outcome::done) : replied(call_outcome::unknown, adapter_error::not_found);
    if (visible(token))
        stop(token, call.grace_s);
    answer(wired_.chance.delay(1, 400), answered(call, outcome));
}

void scripted_provider::run(const find_attempt& effect) {
    if (!up_ || wired_.chance.one_in(wired_.faults.fail_read))
        return answer(wired_.chance.delay(0, 2000), attempt_found{id_, effect.attempt, std::nullopt});
    // It looks some time after it was asked, and answers some time after that.
    wired_.time.after(wired_.chance.delay(0, 300), [this, process = wired_.process(), effect] {
        if (wired_.process() != process)
            return;
        observation out;
        out.at = phase::absent;
        out.token = launch_token(effect.attempt);
        if (const auto* at = visible(out.token))
            out = seen(*at);
        answer(wired_.chance.delay(0, 3000), attempt_found{id_, effect.attempt, out});
    });
}

void scripted_provider::run(const poll_attempts& effect) {
    if (!up_)
        return;
    for (const auto& id : effect.attempts)
        if (const auto* at = visible(launch_token(id)))
            news(*at);
}

void scripted_provider::run(const list_provider& effect) {
    listing list;
    list.as_of = wired_.time.now;
    list.complete = up_;
    if (up_)
        for (const auto& [token, each] : things)
            if (each.ours && visible(token))
                list.items.push_back(seen(each));
    if (wired_.chance.one_in(wired_.faults.partial_list)) {
        list.complete = false;
        std::erase_if(list.items, [&](const observation&) { return wired_.chance.one_in(0.5); });
    }
    answer(wired_.chance.delay(1, 20'000), provider_listed{effect.provider, list});
}

void scripted_provider::run(const sweep_orphan& effect) {
    ++swept;
    if (up_ && visible(effect.token))
        stop(effect.token, 5);
}

}  // namespace westerly::sim
