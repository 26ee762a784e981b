#include "broker/engine/core.hpp"

#include <algorithm>

namespace westerly {

namespace {

/// After an outage finds and cancels go out at 50 a second on average, and all of them within a minute.
constexpr milliseconds after_outage_each{20};
constexpr milliseconds after_outage_most{60'000};

}  // namespace

void engine_core::on(turn& t, const create_tenant& in) {
    const bool taken = std::ranges::any_of(tenants_, [&](const auto& entry) { return entry.second.name == in.name; });
    if (taken)
        return reply(t, in.request,
                     fail(errc::conflict, "There is a tenant \"" + in.name + "\" already.", "Choose another name."));
    if (tenants_.size() >= tenants_max)
        return reply(t, in.request, fail(errc::too_large, "The installation has its limit of tenants."));
    const tenant made{tenant_id::make(t.now, t.random), in.name, t.now};
    tenants_.emplace(made.id, made);
    fair_.know(made);
    t.changes.tenants.push_back(made);
    record_tenant(t, made.id, "tenant.created", made.name);
    reply(t, in.request, answer(made));
}

void engine_core::on(turn& t, const create_key& in) {
    if (!tenants_.contains(in.tenant))
        return reply(t, in.request, fail(errc::not_found, "There is no such tenant."));
    if (keys_.size() >= keys_max)
        return reply(t, in.request, fail(errc::too_large, "The installation has its limit of keys."));
    const api_key made{key_id::make(t.now, t.random), in.tenant, in.as, in.name, in.hash, t.now, std::nullopt};
    keys_.emplace(made.id, made);
    t.changes.keys.push_back(made);
    record_tenant(t, in.tenant, "key.created", made.name);
    reply(t, in.request, answer(made));
}

/// A key of another tenant does not exist for a member. A revoked one stays revoked: repeating it is no fault.
void engine_core::on(turn& t, const revoke_key& in) {
    const auto at = keys_.find(in.key);
    if (at == keys_.end() || (in.who.as != role::operator_ && at->second.tenant != in.who.tenant))
        return reply(t, in.request, fail(errc::not_found, "There is no such key."));
    api_key& key = at->second;
    if (!key.revoked_at) {
        key.revoked_at = t.now;
        t.changes.keys.push_back(key);
        record_tenant(t, key.tenant, "key.revoked", key.name);
    }
    reply(t, in.request, answer(key));
}

void engine_core::on(turn& t, const cordon_provider& in) {
    const auto at = providers_.find(in.provider);
    if (at == providers_.end() || !at->second.config)
        return reply(t, in.request, fail(errc::not_found, "There is no such provider."));
    cordons_[in.provider] = in.cordoned;
    if (!in.cordoned)
        at->second.gate.lift();
    market_dirty_ = true;
    t.changes.cordons.push_back({in.provider, in.cordoned});
    refresh_blocks();
    reply(t, in.request, answer(done_answer{}));
}

void engine_core::on(turn& t, const providers_configured& in) {
    providers_known_ = true;
    std::set<provider_id> named;
    for (const auto& config : in.providers) {
        named.insert(config.id);
        provider_entry& at = providers_[config.id];
        if (at.config && *at.config != config)
            at.gate.lift();
        else if (const auto& why = at.gate.distrusted(); why && why->unauthorised)
            at.gate.back(true);  // the file may name a credential that was renewed
        at.config = config;
        at.health.id = config.id;
    }
    for (auto at = providers_.begin(); at != providers_.end();) {
        provider_entry& entry = at->second;
        if (!named.contains(at->first)) {
            provider_went_away(t, at->first, entry);
            at = entry.attempts.empty() ? providers_.erase(at) : std::next(at);
        } else {
            ++at;
        }
    }
    refresh_blocks();
    market_dirty_ = true;
}

/// Its attempts are lost, not gone: they are kept, and found again when it returns.
void engine_core::provider_went_away(turn& t, const provider_id& id, provider_entry& at) {
    if (!at.config)
        return;
    at.config.reset();
    at.health = {};
    at.offers_seen = false;
    refreshes_.erase(id);
    wholes_.erase(id);
    confirmed_.erase(id);
    confirming_.erase(id);
    remember_offers(t, id, book_.replace_part(id, {}, nullptr, nullptr), 0);
    room_.wake(wake_on_offers);
    for (const auto& each : std::vector(at.attempts.begin(), at.attempts.end())) {
        live_attempt& a = attempts.at(each);
        a.find_asked_at.reset();
        a.cancel_under_way = false;
        if (a.value.state == attempt_state::pending || a.value.state == attempt_state::running ||
            a.value.state == attempt_state::stopping)
            apply(t, a,
                  {.on = attempt_event::silent,
                   .why = adapter_error::unavailable,
                   .message = "The provider is no longer configured."});
    }
}

/// A late word about a provider that was removed meanwhile is dropped: should it come back, it is not ready until it
/// says so again, and what waits for it hears that.
void engine_core::on(turn& t, const provider_reported& in) {
    const auto known = providers_.find(in.health.id);
    if (known == providers_.end() || !known->second.config)
        return;
    provider_entry& at = known->second;
    const bool was_usable = at.usable();
    market_dirty_ = market_dirty_ || at.health != in.health;
    at.health = in.health;
    if (was_usable && in.health.state == provider_state::starting)
        at.gate.outage(t.now);
    else if (!was_usable && at.usable())
        at.gate.back(room_.size() > launches_at_first);
    refresh_blocks();
    if (!was_usable && at.usable())
        provider_became_usable(t, at);
}

/// What waited for it to answer goes out again: the list at once, which tells of most, and the rest spread over a while
/// by chance, so that thousands of questions do not meet a provider that has just come back.
void engine_core::provider_became_usable(turn& t, provider_entry& at) {
    at.next_list_at = t.now;
    const auto others = static_cast<std::int64_t>(at.attempts.size()) - 1;  // one alone need not wait
    const auto spread = std::min(after_outage_each * std::max<std::int64_t>(others, 0), after_outage_most);
    const auto some_time = [&] {
        return milliseconds(static_cast<std::int64_t>(t.random.unit() * static_cast<double>(spread.count())));
    };
    for (const auto& id : at.attempts) {
        live_attempt& a = attempts.at(id);
        if (std::exchange(a.find_parked, false))
            find_later(t, a, some_time());
        if (std::exchange(a.cancel_parked, false))
            timers_.set(timer_kind::cancel, id.bytes, a.cancel_due, t.now + some_time());
    }
    for (auto& [id, work] : archives_)
        if (work.row.provider == at.config->id && std::exchange(work.parked, false))
            timers_.set(timer_kind::archive, id.bytes, work.due, t.now);
}

bool engine_core::cordoned(const provider_config& config) const {
    const auto told = cordons_.find(config.id);
    return told == cordons_.end() ? config.cordoned : told->second;
}

/// Who takes no new work, and why, as tenants read it. A change wakes those who wait for it.
void engine_core::refresh_blocks() {
    std::vector<provider_block> blocks;
    lasting_blocks_.clear();
    for (const auto& [id, at] : providers_) {
        if (!at.config || at.config->kind == "catalogue")
            continue;
        if (cordoned(*at.config))
            blocks.push_back({id, "the operator lets it take no new work"});
        else if (at.health.state != provider_state::ready)
            blocks.push_back({id, "it is " + std::string(to_string(at.health.state)) +
                                      (at.health.message.empty() ? "" : ": " + at.health.message)});
        else if (at.gate.closed())
            blocks.push_back({id, at.gate.why_closed()});
        else
            continue;
        const bool passing = at.gate.merely_full() && !cordoned(*at.config) && at.health.state == provider_state::ready;
        if (!passing)
            lasting_blocks_.push_back(blocks.back());
    }
    const bool same = std::ranges::equal(blocks, blocks_, {}, &provider_block::provider, &provider_block::provider);
    blocks_ = std::move(blocks);
    if (same)
        return;
    places_ever_.clear();
    room_.wake(wake_on_providers);
    market_dirty_ = true;
}

void engine_core::on(turn& t, const policies_configured& in) {
    remember_policies(t, in.policies);
    policy_table fresh;
    for (const auto& rule : in.policies)
        fresh.emplace(rule.name, rule);
    const bool same = same_groups(policies_, fresh);
    policies_ = std::move(fresh);
    rates_ = in.rates;
    places_ever_.clear();
    if (!same)
        seat_anew();
    for (auto& [id, a] : attempts)
        watch_for_better(a, t.now);
    score_table_.reset();  // its prices are in the base currency
    for (const plan_workload& plan : scores_.forget_all())
        on(t, plan);
    room_.wake(wake_on_policies);
    market_dirty_ = true;
}

void engine_core::on(turn&, const drain_begun&) {
    draining_ = true;
    market_dirty_ = true;
}

}  // namespace westerly
