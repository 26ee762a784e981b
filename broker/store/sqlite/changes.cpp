#include "broker/store/sqlite/changes.hpp"

#include "broker/codec/history_pack.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/domain/explain.hpp"
#include "broker/store/sqlite/attempt_rows.hpp"
#include "broker/store/sqlite/event_rows.hpp"
#include "broker/store/sqlite/history_rows.hpp"
#include "broker/store/sqlite/money_rows.hpp"
#include "broker/store/sqlite/record_rows.hpp"
#include "broker/store/sqlite/signal_rows.hpp"
#include "broker/store/sqlite/workload_rows.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <unordered_map>

namespace westerly {

namespace {

constexpr std::chrono::hours idempotency_kept{24};

/// Writes the events and moves the heads of their workloads' chains, where the workload's own row has not said so by
/// its revision already.
void write_events(connection& database, const change_set& changes) {
    std::unordered_map<workload_id, std::uint64_t> heads;
    for (const event& e : changes.events) {
        insert_event(database, e);
        if (!e.workload.none())
            heads[e.workload] = e.seq;
    }
    const auto drop_told = [&](const std::vector<workload>& rows) {
        for (const workload& w : rows)
            if (const auto head = heads.find(w.id); head != heads.end() && head->second <= w.revision)
                heads.erase(head);
    };
    drop_told(changes.workloads_new);
    drop_told(changes.workloads_changed);
    for (const auto& [workload, seq] : heads)
        set_last_event(database, workload, seq);
}

std::vector<kept_place> kept_places_of(connection& database, const stored_state& state) {
    std::unordered_map<attempt_id, const attempt*> attempts;
    for (const attempt& a : state.attempts)
        attempts.emplace(a.id, &a);
    std::vector<kept_place> kept;
    for (const workload& w : state.workloads) {
        const auto current = w.current ? attempts.find(*w.current) : attempts.end();
        const auto by = keeps_a_place(w, current == attempts.end() ? nullptr : current->second);
        const auto made = by ? find_decision_row(database, *by) : std::nullopt;
        if (const appraisal* where = made ? winner_of(*made) : nullptr)
            kept.push_back({w.id, *by, where->offer, where->units});
    }
    return kept;
}

}  // namespace

void write_changes(connection& database, const change_set& changes) {
    for (const tenant& t : changes.tenants)
        put_tenant(database, t);
    for (const api_key& k : changes.keys)
        put_key(database, k);
    for (const cordon& c : changes.cordons)
        put_cordon(database, c);
    for (const tenant_use& u : changes.tenant_uses)
        put_tenant_use(database, u);
    for (const workload& w : changes.workloads_new)
        insert_workload(database, w);
    for (const workload& w : changes.workloads_changed)
        update_workload(database, w);
    for (const attempt& a : changes.attempts_new)
        insert_attempt(database, a);
    for (const attempt& a : changes.attempts_changed)
        update_attempt(database, a);
    for (const history_entry& h : changes.history)
        put_history(database, h);
    for (const signal_entry& s : changes.signal_history)
        put_signals(database, s);
    for (const terms_entry& said : changes.terms_history)
        put_terms(database, said);
    for (const policy_text& p : changes.policies)
        put_policy_text(database, p);
    for (const decision& d : changes.decisions) {
        const auto basis = std::ranges::find(changes.bases, d.id, &decision_basis::of);
        insert_decision(database, {d.id, d.workload, pack_decision(d),
                                   basis == changes.bases.end() ? std::string() : pack_basis(*basis)});
    }
    for (const packed_decision& d : changes.decisions_packed)
        insert_decision(database, d);
    write_events(database, changes);
    for (const outbox_item& item : changes.outbox_new)
        insert_outbox(database, item);
    for (const std::uint64_t seq : changes.outbox_done)
        delete_outbox(database, seq);
    for (const usage& u : changes.usages)
        put_usage(database, u);
    for (const charge& c : changes.charges)
        put_charge(database, c);
    for (const stored_speed& s : changes.speeds)
        put_speed(database, s);
    for (const idempotency_record& record : changes.idempotency_new)
        insert_idempotency(database, record);
    if (changes.idempotency_expired_before)
        delete_idempotency_before(database, *changes.idempotency_expired_before);
}

stored_state read_state(connection& database, connection& beside, instant now) {
    stored_state state;
    auto attempts = std::async(std::launch::async, live_attempt_rows, std::ref(beside));
    {
        statement rows = database.query("SELECT owner, generation, sweeping, outbox_seq FROM installation");
        if (!rows.step())
            throw_damaged("the installation has no row");
        state.owner = rows.take<owner_id>();
        state.generation = rows.take<std::uint64_t>();
        state.sweeping = rows.take<bool>();
        state.outbox_seq = rows.take<std::uint64_t>();
    }
    state.history_seq = last_history_seq(database);
    state.corrections = last_correction(database);
    state.epoch = database.scalar<std::uint64_t>("SELECT max(epoch) FROM shards");
    state.event_seq = last_event_seqs(database);
    state.tenants = tenant_rows(database);
    state.keys = key_rows(database, std::nullopt);
    state.cordons = cordon_rows(database);
    state.tenant_uses = tenant_use_rows(database);
    state.workloads = open_workload_rows(database);
    state.attempts = with_current_ones(database, attempts.get(), state.workloads);
    state.outbox = outbox_rows(database);
    state.idempotency = idempotency_rows(database, now - idempotency_kept);
    state.speeds = speed_rows(database);
    state.certificates_given = certificate_use_rows(database);
    state.kept_places = kept_places_of(database, state);
    return state;
}

}  // namespace westerly
