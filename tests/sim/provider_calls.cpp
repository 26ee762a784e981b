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

}  // namespace

// ---- the way there and back -----------------------------------------------------------------------------------------

bool scripted_provider::hit(fault_kind kind, const std::string& token) {
    if (!faults_.strikes(kind, number_))
        return false;
    around_.struck(kind, token);
    return true;
}

/// No word gets through now.
bool scripted_provider::cut_off(const std::string& token) {
    if (!faults_.under_way(fault_kind::partition, number_))
        return false;
    around_.struck(fault_kind::partition, token);
    return true;
}

milliseconds scripted_provider::way(const std::string& token, std::int64_t usual_ms) {
    return hit(fault_kind::delay, token) ? chance_.delay(1'000, 14'000) : chance_.delay(1, usual_ms);
}

std::uint64_t scripted_provider::open(asked what, const attempt_id& attempt, const call_provider* call) {
    open_call made{what, std::nullopt, plan_.config.id, attempt, false};
    if (call)
        made.call = *call;
    open_.emplace(++last_call_, std::move(made));
    return last_call_;
}

/// To the process that asked, once, and only while the adapter lives that was asked.
void scripted_provider::answer(std::uint64_t number, milliseconds delay, input what) {
    time_.after(delay, [this, number, what = std::move(what)] {
        if (open_.erase(number) != 0)
            around_.tell(what);
    });
}

input scripted_provider::no_answer(const open_call& call, adapter_error why) const {
    if (call.what == asked::find)
        return attempt_found{call.provider, call.attempt, std::nullopt};
    if (call.what == asked::list)
        return provider_listed{call.provider, {}};
    return call_answered{call.provider, call.attempt, call.call->verb, call.call->outbox_seq,
                         replied(call_outcome::unknown, why)};
}

/// Its deadline passes.
void scripted_provider::give_up(std::uint64_t number) {
    time_.after(call_deadline, [this, number] {
        const auto call = open_.extract(number);
        if (!call.empty())
            around_.tell(no_answer(call.mapped(), adapter_error::unavailable));
    });
}

void scripted_provider::tell_later(milliseconds delay, input what) {
    time_.after(delay, [this, process = around_.process(), life = life_, what = std::move(what)] {
        if (around_.process() == process && life_ == life && around_.configured(number_))
            around_.tell(what);
    });
}

void scripted_provider::adapter_gone(bool answered) {
    ++life_;
    up_ = false;
    held_back_.clear();
    last_list_ = {};  // its cache dies with it
    for (auto& [number, call] : std::exchange(open_, {})) {
        if (call.what == asked::launch && !call.arrived && chance_.one_in(0.5))
            create(*call.call->launch);
        if (answered)
            around_.tell(no_answer(call, adapter_error::unavailable));
    }
}

// ---- calls ----------------------------------------------------------------------------------------------------------

void scripted_provider::run(const call_provider& effect) {
    const bool launches = effect.verb == outbox_verb::launch;
    const auto number = open(launches ? asked::launch : asked::cancel, effect.attempt, &effect);
    if (!up_)
        return answer(number, milliseconds(0), no_answer(open_.at(number), adapter_error::unavailable));
    const auto token = launch_token(effect.attempt);
    const bool cut = cut_off(token);
    if (hit(fault_kind::drop_call, token) || (cut && chance_.one_in(0.5)))
        return give_up(number);
    const bool answer_lost = hit(fault_kind::drop_answer, token) || cut;
    time_.after(way(token, plan_.way_ms), [this, number, answer_lost] { call_arrives(number, answer_lost); });
    if (answer_lost)
        give_up(number);
}

void scripted_provider::call_arrives(std::uint64_t number, bool answer_lost) {
    const auto at = open_.find(number);
    if (at == open_.end())
        return;
    at->second.arrived = true;
    const call_provider call = *at->second.call;
    const auto token = launch_token(call.attempt);
    const bool launches = call.verb == outbox_verb::launch;
    const auto reply = launches ? launch(call) : cancel(call);
    const input said = call_answered{call.provider, call.attempt, call.verb, call.outbox_seq, reply};
    // Past its deadline: it was given up, is delayed, or the provider lets those wait whom it turns away.
    const bool turned_away = reply.why == adapter_error::rate_limited && chance_.one_in(0.2);
    const bool too_late =
        answer_lost ? chance_.one_in(0.3) : turned_away || (hit(fault_kind::delay, token) && chance_.one_in(0.5));
    if (too_late) {
        if (!answer_lost)
            give_up(number);
        tell_later(call_deadline + chance_.delay(1, 20'000), said);
    } else if (!answer_lost) {
        answer(number, way(token, plan_.way_ms), said);
    }
    if (!hit(fault_kind::repeat, token))
        return;
    if (launches && reply.outcome == call_outcome::done)
        create(*call.launch);  // the call itself comes twice
    tell_later(call_deadline + chance_.delay(1, 5'000), said);
}

mutation_reply scripted_provider::launch(const call_provider& call) {
    const auto& asked = *call.launch;
    if (hit(fault_kind::throttle, asked.token))
        return replied(call_outcome::not_done,
                       chance_.one_in(0.2) ? adapter_error::unauthorised : adapter_error::rate_limited);
    if (hit(fault_kind::run_out, asked.token))
        return replied(call_outcome::not_done,
                       chance_.one_in(0.5) ? adapter_error::no_capacity : adapter_error::quota_exceeded);
    for (const auto& each : plan_.offers)
        if (each.id.find("/" + asked.offer + "/") != std::string::npos && !things_.contains(asked.token) &&
            units_used(each.id) + asked.units > *each.units_free)
            return replied(call_outcome::not_done, adapter_error::no_capacity);
    create(asked);
    auto done = replied(call_outcome::done);
    done.handle = things_.at(asked.token).handle;
    return done;
}

mutation_reply scripted_provider::cancel(const call_provider& call) {
    const auto token = launch_token(call.attempt);
    if (hit(fault_kind::throttle, token))
        return replied(call_outcome::not_done, adapter_error::rate_limited);
    if (!visible(token))
        return replied(call_outcome::unknown, adapter_error::not_found);
    stop(token, call.grace_s);
    return replied(call_outcome::done);
}

void scripted_provider::run(const find_attempt& effect) {
    const auto number = open(asked::find, effect.attempt, nullptr);
    const auto token = launch_token(effect.attempt);
    const input failed = attempt_found{plan_.config.id, effect.attempt, std::nullopt};
    if (!up_)
        return answer(number, milliseconds(0), failed);
    if (cut_off(token) || hit(fault_kind::drop_call, token) || hit(fault_kind::drop_answer, token))
        return give_up(number);
    if (hit(fault_kind::throttle, token))
        return answer(number, chance_.delay(1, 300), failed);
    // It looks some time after it was asked, and answers some time after that.
    time_.after(way(token, 300), [this, number, effect, token] {
        observation out;
        out.at = phase::absent;
        out.token = token;
        if (const auto* at = visible(token))
            out = seen(*at);
        else if (const auto gone = things_.find(token); gone != things_.end() && gone->second.forgotten)
            for (const auto& [other, each] : things_)  // the id is another thing's now, and the adapter trusts ids
                if (other != token && each.handle == gone->second.handle && visible(other) &&
                    faults_.strikes(fault_kind::reuse_id, number_))
                    out = seen(each);
        forget_after_telling(token);
        const auto overtaken = hit(fault_kind::reorder, token) ? chance_.delay(1'000, 4'000) : milliseconds(0);
        // It comes once: the protocol client pairs answers with questions by their ids.
        answer(number, way(token, 3000) + overtaken, attempt_found{plan_.config.id, effect.attempt, out});
    });
}

/// What was told is on its way, and then there is no record of it any more.
void scripted_provider::forget_after_telling(const std::string& token) {
    if (visible(token) && things_.at(token).ours && chance_.one_in(0.3) && hit(fault_kind::forget, token))
        forget(things_.at(token));
}

void scripted_provider::run(const poll_attempts& effect) {
    if (!up_)
        return;
    for (const auto& id : effect.attempts)
        if (const auto* at = visible(launch_token(id)))
            news(*at);
}

listing scripted_provider::snapshot() {
    listing list;
    list.as_of = around_.broker_clock();
    list.complete = true;
    for (const auto& [token, each] : things_)
        if (each.ours && visible(token))
            list.items.push_back(seen(each));
    return list;
}

void scripted_provider::run(const list_provider& effect) {
    const auto number = open(asked::list, {}, nullptr);
    if (!up_)
        return answer(number, milliseconds(0), provider_listed{effect.provider, {}});
    if (faults_.under_way(fault_kind::partition, number_))
        return give_up(number);
    listing list = snapshot();
    for (const auto& each : list.items)
        forget_after_telling(each.token);
    const listing older = std::exchange(last_list_, list);
    auto takes = chance_.delay(1, 5'000);
    if (faults_.strikes(fault_kind::late_list, number_)) {
        around_.struck_all(fault_kind::late_list, number_);
        takes = chance_.delay(5'000, 28'000);
        if (chance_.one_in(0.5))
            list = older;  // a cached page, honestly dated
    }
    if (faults_.strikes(fault_kind::partial_list, number_)) {
        around_.struck_all(fault_kind::partial_list, number_);
        list.complete = false;
        const bool empty = chance_.one_in(0.3);
        std::erase_if(list.items, [&](const observation&) { return empty || chance_.one_in(0.5); });
    }
    const input said = provider_listed{effect.provider, list};
    answer(number, takes, said);
    if (faults_.strikes(fault_kind::repeat, number_)) {
        around_.struck_all(fault_kind::repeat, number_);
        tell_later(takes + chance_.delay(1, 30'000), said);
    }
}

void scripted_provider::run(const sweep_orphan& effect) {
    ++swept;
    if (up_ && visible(effect.token) && !cut_off(effect.token))
        stop(effect.token, 5);
}

// ---- news -----------------------------------------------------------------------------------------------------------

void scripted_provider::news(const thing& about) {
    if (!up_ || cut_off(about.token) || !about.ours)
        return;
    const auto& token = about.token;
    if (hit(fault_kind::garble, token)) {
        if (chance_.one_in(0.05)) {  // a line that is no message ends the adapter
            around_.struck_all(fault_kind::garble, number_);
            adapter_gone(true);
            report(provider_state::down);
            return meet_broker();
        }
        observation odd = seen(about);
        const auto way_of = chance_.below(3);
        if (way_of == 0)
            odd.token.pop_back();
        else if (way_of == 1)
            odd.at = phase::absent;
        else if (around_.handle_known(token))  // the first handle that is told cannot be doubted
            odd.handle = "h-of-another";
        return send_news(token, odd);
    }
    if (hit(fault_kind::drop_answer, token))
        return;
    const bool swap = hit(fault_kind::reorder, token);
    const auto held = held_back_.extract(token);
    if (swap && held.empty()) {
        held_back_.emplace(token, seen(about));
        return;
    }
    send_news(token, seen(about));
    if (!held.empty())
        tell_later(chance_.delay(600, 2'000), attempt_observed{plan_.config.id, held.mapped()});
}

void scripted_provider::send_news(const std::string& token, const observation& seen) {
    const input said = attempt_observed{plan_.config.id, seen};
    tell_later(way(token, 500), said);
    if (hit(fault_kind::repeat, token))
        tell_later(chance_.delay(1, 20'000), said);
    forget_after_telling(token);
}

}  // namespace westerly::sim
