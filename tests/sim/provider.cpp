#include "tests/sim/provider.hpp"

#include "broker/support/random.hpp"

namespace westerly::sim {

namespace {

using phase = observation::phase;
constexpr std::uint64_t first_provider_actor = 100;
constexpr seconds offers_every{40};
constexpr const char* foreign_token = "somebody-elses";

}  // namespace

scripted_provider::scripted_provider(surroundings& around, clock_queue& time, fault_board& faults, const plan& of,
                                     std::size_t number)
    : around_(around),
      time_(time),
      faults_(faults),
      chance_(of.seed, first_provider_actor + number),
      plan_(of.providers.at(number)),
      number_(number) {
    thing foreign;  // nothing may ever touch it
    foreign.token = foreign_token;
    foreign.handle = "h-0";
    foreign.at = phase::running;
    foreign.ours = false;
    foreign.units = 0;
    things_.emplace(foreign.token, foreign);
}

void scripted_provider::meet_broker() {
    const auto life = ++life_;
    up_ = false;
    time_.after(chance_.delay(1, 2000), [this, life] {
        if (life_ != life)
            return;
        up_ = true;
        report(provider_state::ready);
        refresh();
    });
}

void scripted_provider::report(provider_state state) {
    provider_health health;
    health.id = plan_.config.id;
    health.state = state;
    health.since = around_.broker_clock();
    health.max_visibility_delay_s = plan_.visibility_s;
    around_.tell(provider_reported{health});
}

/// Its file is taken away, and its last word is still on its way.
void scripted_provider::unconfigured() {
    adapter_gone(true);
    time_.after(chance_.delay(0, 500), [this, process = around_.process()] {
        if (around_.process() == process && !around_.configured(number_))
            report(provider_state::ready);
    });
}

void scripted_provider::refresh() {
    send_offers();
    time_.after(offers_every, [this, life = life_] {
        if (life_ == life)
            refresh();
    });
}

/// Every third provider sells for a quarter in every second minute. The others never change what they offer, so that
/// nothing but what happens wakes those who wait for them.
std::int64_t scripted_provider::price_now(std::int64_t nanos) const {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time_.now.time_since_epoch()).count();
    return number_ % 3 == 1 && minutes % 2 == 1 ? nanos / 4 : nanos;
}

void scripted_provider::send_offers() {
    auto offers = plan_.offers;
    for (auto& each : offers) {
        const auto used = units_used(each.id);
        each.units_free = *each.units_free - std::min(*each.units_free, used);
        each.units_ours = used;
        each.as_of = around_.broker_clock();
        each.price->nanos = price_now(each.price->nanos);
    }
    tell_later(chance_.delay(1, 300), offers_received{plan_.config.id, std::move(offers)});
}

void scripted_provider::fault_begins(const planned_fault& fault) {
    dice chance(static_cast<std::uint64_t>(fault.from.count()), fault.number);
    const auto some_of_ours = [&](auto&& strike) {
        const auto tokens = alive_tokens_;
        for (const auto& token : tokens)
            if (chance.one_in(fault.chance))
                strike(token);
    };
    switch (fault.kind) {
        case fault_kind::adapter_exit:
            around_.struck_all(fault.kind, number_);
            adapter_gone(true);
            report(provider_state::down);
            time_.after(fault.until - fault.from, [this, life = ++life_] {
                if (life_ == life)
                    meet_broker();
            });
            break;
        case fault_kind::partition:
            around_.struck_all(fault.kind, number_);
            break;
        case fault_kind::forget:
            some_of_ours([&](const std::string& token) {
                around_.struck(fault_kind::forget, token);
                forget(things_.at(token));
            });
            break;
        case fault_kind::preempt:
            again_in_a_while(fault);
            some_of_ours([&](const std::string& token) {
                around_.struck(fault_kind::preempt, token);
                if (chance.one_in(0.5) && things_.at(token).visible_at <= time_.now)
                    tell_later(milliseconds(1), preemption_noticed{plan_.config.id, token, around_.broker_clock()});
                const auto notice = chance.delay(2, 3000);
                time_.after(notice, [this, token] { take_away(token); });
            });
            break;
        case fault_kind::stray:
            again_in_a_while(fault);
            around_.struck_all(fault.kind, number_);
            add_stray();
            break;
        default:
            break;
    }
}

/// Some kinds come in waves while they last.
void scripted_provider::again_in_a_while(planned_fault fault) {
    fault.from += chance_.delay(10'000, 40'000);
    if (fault.from >= fault.until)
        return;
    time_.after(fault.from - faults_.since_begin(), [this, fault] {
        if (around_.configured(number_))
            fault_begins(fault);
    });
}

/// A thing with our owner mark that no record knows, as a restored backup or a lost database would leave.
void scripted_provider::add_stray() {
    random_source random(chance_.next());
    thing stray;
    stray.token = launch_token(attempt_id::make(time_.now, random));
    stray.handle = new_handle(stray.token);
    stray.offer = plan_.offers.front().id;
    stray.at = phase::running;
    stray.started_at = time_.now;
    stray.stray = true;
    ++strays;
    ++alive_;
    alive_tokens_.push_back(stray.token);
    things_.emplace(stray.token, stray);
}

/// Ids of the provider are given once, unless it starts to count anew.
std::string scripted_provider::new_handle(const std::string& token) {
    if (!things_.empty() && faults_.strikes(fault_kind::reuse_id, number_)) {
        for (const auto& [old, each] : things_)
            if (!each.alive() && chance_.one_in(0.3)) {
                around_.struck(fault_kind::reuse_id, old);
                around_.struck(fault_kind::reuse_id, token);
                return each.handle;
            }
    }
    return "h-" + std::to_string(++handles_);
}

/// One thing per token, however often it is asked for.
void scripted_provider::create(const launch_request& asked) {
    if (things_.contains(asked.token))
        return;
    thing made;
    made.token = asked.token;
    made.handle = new_handle(asked.token);
    for (const auto& each : plan_.offers)
        if (each.id.find("/" + asked.offer + "/") != std::string::npos)
            made.offer = each.id;
    made.units = asked.units;
    made.max_runtime_s = asked.max_runtime_s;
    made.luck = dice(chance_.seed(), hash_of(asked.name) + ++tries_[asked.name]);
    made.visible_at = time_.now + made.luck.delay(0, plan_.visibility_s * 1000);
    if (hit(fault_kind::deaf, made.token))
        made.deaf_until =
            time_.now + (made.luck.one_in(0.5) ? made.luck.delay(1'000, 20'000) : made.luck.delay(5'000, 200'000));
    ++alive_;
    alive_tokens_.push_back(made.token);
    thing& kept = things_.emplace(made.token, made).first->second;
    around_.made(number_, kept);
    const bool queued_there = kept.luck.one_in(0.12);
    const auto start = queued_there ? kept.luck.delay(20'000, 150'000)
                                    : (kept.luck.one_in(0.3) ? milliseconds(0) : kept.luck.delay(1, 5000));
    time_.after(start, [this, token = made.token] { begin(token); });
}

void scripted_provider::begin(const std::string& token) {
    thing* const here = record_of(token);
    if (!here || here->at != phase::pending || here->forgotten)
        return;
    thing& each = *here;
    if (hit(fault_kind::forget, token))
        return forget(each);
    each.at = phase::running;
    if (!each.started_at)
        each.started_at = time_.now;
    ++each.seq;
    ++each.runs;
    news(each);
    if (!record_of(token))
        return;
    const bool preempted = hit(fault_kind::preempt, token);
    const std::int32_t code = each.luck.one_in(0.15) ? 3 : 0;
    auto length = each.luck.one_in(0.2) ? each.luck.delay(0, 300) : each.luck.delay(300, plan_.longest_run.count());
    const bool too_long = each.max_runtime_s && length > seconds(*each.max_runtime_s);
    const bool deaf = too_long && time_.now + seconds(*each.max_runtime_s) < each.deaf_until;
    if (deaf)
        length = std::max(length, std::chrono::duration_cast<milliseconds>(each.deaf_until - time_.now));
    else if (too_long)
        length = seconds(*each.max_runtime_s);
    time_.after(length, [this, token, code, preempted, timed_out = too_long && !deaf, run = each.runs] {
        if (const auto* still = record_of(token); !still || still->runs != run)
            return;  // it has ended long ago, or was put back
        if (preempted)
            return take_away(token);
        finish(token, timed_out ? 143 : code, false, timed_out);
    });
}

/// Preempted: ended, or put back into the provider's queue under the same record.
void scripted_provider::take_away(const std::string& token) {
    thing* const here = record_of(token);
    if (!here || here->at != phase::running || here->forgotten || !here->luck.one_in(0.5))
        return finish(token, 143, true, false);
    thing& each = *here;
    each.at = phase::pending;
    ++each.seq;
    news(each);
    if (!record_of(token))
        return;
    time_.after(each.luck.delay(100, 30'000), [this, token] { begin(token); });
}

void scripted_provider::finish(const std::string& token, std::int32_t exit_code, bool preempted, bool timed_out) {
    thing* const here = record_of(token);
    if (!here || !here->alive())
        return;
    thing& each = *here;
    if (!each.ours)
        around_.broken("L3: a thing without our owner mark was ended");
    const bool forgets = each.started_at && hit(fault_kind::forget, token);
    if (forgets && chance_.one_in(0.5))
        return forget(each);
    each.at = phase::exited;
    each.exit_code = exit_code;
    each.preempted = preempted;
    each.timed_out = timed_out;
    each.ended_at = time_.now;
    ++each.seq;
    --alive_;
    std::erase(alive_tokens_, token);
    around_.gone(each);
    news(each);
    if (plan_.keeps_ended)
        time_.after(*plan_.keeps_ended, [this, token] {
            if (auto* old = record_of(token))
                forget(*old);
        });
    if (auto* still = record_of(token); still && forgets)  // it has told of its end, and keeps no record of it
        forget(*still);
}

/// No record of it is left. Whether it had ended by then, only those know who were told.
void scripted_provider::forget(thing& what) {
    const bool lived = what.alive();
    what.forgotten = true;
    if (lived) {
        what.ended_at = time_.now;
        --alive_;
        std::erase(alive_tokens_, what.token);
        around_.gone(what);
    }
    settled(what.token);
}

/// The broker has settled its workload: once the provider has forgotten it too, no law asks for it any more.
void scripted_provider::settled(const std::string& token) {
    const auto at = things_.find(token);
    if (!plan_.keeps_ended || at == things_.end() || !at->second.forgotten || around_.recorded(token))
        return;
    held_back_.erase(token);
    things_.erase(at);
}

thing* scripted_provider::record_of(const std::string& token) {
    const auto at = things_.find(token);
    return at == things_.end() ? nullptr : &at->second;
}

void scripted_provider::stop(const std::string& token, std::uint32_t grace_s) {
    if (time_.now < things_.at(token).deaf_until || hit(fault_kind::deaf, token))
        return;
    time_.after(chance_.delay(0, grace_s * 1000), [this, token] { finish(token, 143, false, false); });
}

observation scripted_provider::seen(const thing& of) const {
    observation out;
    out.at = of.at;
    out.token = of.token;
    out.handle = of.handle;
    out.seq = of.seq;
    out.started_at = of.started_at;
    if (of.at == phase::exited) {
        out.ended_at = of.ended_at;
        out.exit_code = of.exit_code;
    }
    out.preempted = of.preempted;
    out.timed_out = of.timed_out;
    return out;
}

const thing* scripted_provider::visible(const std::string& token) const {
    const auto at = things_.find(token);
    const bool shown = at != things_.end() && !at->second.forgotten && at->second.visible_at <= time_.now;
    return shown ? &at->second : nullptr;
}

std::uint64_t scripted_provider::units_used(const std::string& offer) const {
    std::uint64_t used = 0;
    for (const auto& token : alive_tokens_)
        if (const auto& each = things_.at(token); each.offer == offer)
            used += each.units;
    return used;
}

}  // namespace westerly::sim
