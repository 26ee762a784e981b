#include "tests/sim/memory_store.hpp"

#include <algorithm>

namespace westerly::testing_support {

void client_keys::add(const idempotency_record& record) {
    const auto made = std::make_shared<const idempotency_record>(record);
    const auto [at, is_new] = records_.insert(made);
    if (!is_new) {
        ages_.erase(*at);
        records_.insert(records_.erase(at), made);
    }
    ages_.insert(made);
}

void client_keys::expire(instant before) {
    for (; !ages_.empty() && (*ages_.begin())->created_at < before; ages_.erase(ages_.begin()))
        records_.erase(*ages_.begin());
}

std::vector<idempotency_record> client_keys::all() const {
    std::vector<idempotency_record> out;
    out.reserve(records_.size());
    for (const auto& each : ages_)
        out.push_back(*each);
    return out;
}

void memory_store::commit(const change_set& changes) {
    if (changes.epoch != epoch_)
        faults.push_back("a change set of another epoch was committed");
    for (const auto& each : changes.tenants)
        tenants[each.id] = each;
    for (const auto& each : changes.keys)
        keys[each.id] = each;
    for (const auto& each : changes.cordons)
        cordons[each.provider] = each.cordoned;
    for (const auto& each : changes.tenant_uses)
        tenant_uses[each.tenant] = each;
    take_workloads(changes);
    take_attempts(changes);
    for (const auto& each : changes.decisions)
        if (!decisions.emplace(each.id, each).second)
            faults.push_back("a decision was stored twice");
    take_events(changes);
    take_outbox(changes);
    take_money(changes);
    for (const auto& each : changes.speeds)
        speeds[{each.tenant, each.name, each.measured.model}] = each;
    for (const auto& each : changes.idempotency_new)
        idempotency_.add(each);
    if (changes.idempotency_expired_before)
        idempotency_.expire(*changes.idempotency_expired_before);
    check_parts(changes);
    check_outbox(changes);
}

namespace {

/// Its chain of events goes on when an attempt that was given up turns out to have ended; nothing else may change.
bool only_told_of(workload before, const workload& after) {
    before.revision = after.revision;
    before.updated_at = after.updated_at;
    before.spec_text = after.spec_text;
    return before == after;
}

}  // namespace

void memory_store::take_workloads(const change_set& changes) {
    for (const auto& each : changes.workloads_new)
        if (!workloads.emplace(each.id, each).second)
            faults.push_back("a workload was made twice");
    for (const auto& each : changes.workloads_changed) {
        const auto at = workloads.find(each.id);
        if (at == workloads.end()) {
            faults.push_back("a workload changed that was never made");
            continue;
        }
        if (terminal(at->second.state) && !only_told_of(at->second, each))
            faults.push_back("L4: an ended workload changed");
        at->second = each;
    }
}

void memory_store::take_attempts(const change_set& changes) {
    for (const auto& each : changes.attempts_new) {
        if (!attempts.emplace(each.id, each).second) {
            faults.push_back("an attempt was made twice");
            continue;
        }
        attempts_of_[each.workload].push_back(each.id);
        if (live(each.state))
            ++live_attempts_[each.workload];
    }
    for (const auto& each : changes.attempts_changed) {
        const auto at = attempts.find(each.id);
        if (at == attempts.end()) {
            faults.push_back("an attempt changed that was never made");
            continue;
        }
        if (!live(at->second.state))
            faults.push_back("L4: an ended attempt changed");
        else if (!live(each.state))
            --live_attempts_[each.workload];
        if (at->second.given_up_at && at->second.given_up_at != each.given_up_at)
            faults.push_back("an attempt that was given up is not any more");
        const auto counts = [](const attempt& a) {
            return live(a.state) && a.given_up_at ? 1u : 0u;
        };
        given_up_[each.workload] += counts(each) - counts(at->second);
        at->second = each;
    }
}

void memory_store::take_events(const change_set& changes) {
    for (const auto& each : changes.events) {
        if (each.seq != event_seq_[each.shard] + 1)
            faults.push_back("event seqs of a shard have a gap");
        event_seq_[each.shard] = each.seq;
        if (!each.workload.none()) {
            auto& last = last_event_[each.workload];
            if (each.prev_seq != last)
                faults.push_back("a workload's chain of events is broken");
            last = each.seq;
        }
        events.push_back(each);
    }
    for (const auto* list : {&changes.workloads_new, &changes.workloads_changed})
        for (const auto& each : *list)
            if (each.revision != last_event_[each.id])
                faults.push_back("a workload's revision is not its last event");
}

void memory_store::take_outbox(const change_set& changes) {
    const auto rows_of = [&](const outbox_item& row) -> std::uint32_t& {
        return row.verb == outbox_verb::launch ? launch_rows_[row.attempt] : cancel_rows_[row.attempt];
    };
    for (const auto& each : changes.outbox_new) {
        if (each.seq <= outbox_seq_)
            faults.push_back("an outbox seq did not rise");
        outbox_seq_ = std::max(outbox_seq_, each.seq);
        outbox.emplace(each.seq, each);
        if (each.verb != outbox_verb::archive_logs)
            ++rows_of(each);
    }
    last_done_.clear();
    for (const auto seq : changes.outbox_done) {
        const auto row = outbox.extract(seq);
        if (row.empty()) {
            faults.push_back("an outbox row was done twice");
            continue;
        }
        if (row.mapped().verb != outbox_verb::archive_logs)
            --rows_of(row.mapped());
        last_done_.emplace(seq, row.mapped());
    }
}

void memory_store::take_money(const change_set& changes) {
    for (const auto& each : changes.usages) {
        if (each.correction)
            corrections_ = std::max(corrections_, each.correction->number);
        else if (!metered_.insert(each.attempt).second)
            faults.push_back("an attempt was metered twice");
        usages.push_back(each);
        for (const auto& given : each.certificates)
            certificates_given_[{given.certificate, each.tenant}] += given.microkwh;
    }
    charges.insert(charges.end(), changes.charges.begin(), changes.charges.end());
}

std::vector<std::pair<attempt_id, provider_id>> memory_store::attempts_of(const workload_id& of) const {
    std::vector<std::pair<attempt_id, provider_id>> out;
    if (const auto at = attempts_of_.find(of); at != attempts_of_.end())
        for (const auto& id : at->second)
            out.emplace_back(id, attempts.at(id).provider);
    return out;
}

bool memory_store::retire(const workload_id& ended) {
    const auto at = workloads.find(ended);
    if (at == workloads.end() || !terminal(at->second.state) || live_attempts_[ended] != 0)
        return false;
    for (const auto& id : attempts_of_[ended]) {
        decisions.erase(attempts.at(id).decision);
        attempts.erase(id);
        launch_rows_.erase(id);
        cancel_rows_.erase(id);
        metered_.erase(id);
    }
    attempts_of_.erase(ended);
    live_attempts_.erase(ended);
    given_up_.erase(ended);
    last_event_.erase(ended);
    workloads.erase(at);
    return true;
}

void memory_store::drop_rows() {
    events.clear();
    usages.clear();
    charges.clear();
}

const outbox_item* memory_store::last_done(std::uint64_t seq) const {
    const auto at = last_done_.find(seq);
    return at == last_done_.end() ? nullptr : &at->second;
}

/// L1 in the records: a workload has one live attempt at most, and none when it has ended.
void memory_store::check_parts(const change_set& changes) {
    for (const auto* list : {&changes.attempts_new, &changes.attempts_changed})
        for (const auto& each : *list) {
            const auto live_now = live_attempts_[each.workload] - given_up_[each.workload];
            if (live_now > 1)
                faults.push_back("L1: two attempts of one workload are live in the records");
            if (live_now != 0 && terminal(workloads.at(each.workload).state))
                faults.push_back("an ended workload has a live attempt");
        }
}

/// Launches and cancels belong to live attempts; a launch whose outcome is open keeps its row.
void memory_store::check_outbox(const change_set& changes) {
    const auto rows = [](const auto& of, const attempt_id& id) {
        const auto at = of.find(id);
        return at == of.end() ? 0u : at->second;
    };
    const auto check = [&](const attempt_id& id) {
        const auto at = attempts.find(id);
        const bool lives = at != attempts.end() && live(at->second.state);
        if (!lives && rows(launch_rows_, id) + rows(cancel_rows_, id) != 0)
            faults.push_back("an outbox row is left of an ended attempt");
        const bool open =
            lives && (at->second.state == attempt_state::submitting || at->second.state == attempt_state::unknown);
        if (open && rows(launch_rows_, id) != 1)
            faults.push_back("an open launch has no outbox row");
    };
    for (const auto* list : {&changes.attempts_new, &changes.attempts_changed})
        for (const auto& each : *list)
            check(each.id);
    for (const auto& each : changes.outbox_new)
        if (each.verb != outbox_verb::archive_logs)
            check(each.attempt);
    for (const auto& [seq, row] : last_done_)
        if (row.verb != outbox_verb::archive_logs)
            check(row.attempt);
}

stored_state memory_store::load() {
    stored_state out;
    out.owner = owner_;
    out.sweeping = sweeping_;
    out.epoch = ++epoch_;
    out.outbox_seq = outbox_seq_;
    out.event_seq = event_seq_;
    out.corrections = corrections_;
    for (const auto& [id, each] : tenants)
        out.tenants.push_back(each);
    for (const auto& [id, each] : keys)
        out.keys.push_back(each);
    for (const auto& [id, cordoned] : cordons)
        out.cordons.push_back({id, cordoned});
    for (const auto& [id, use] : tenant_uses)
        out.tenant_uses.push_back(use);
    for (const auto& [id, each] : workloads) {
        const auto given_up = given_up_.find(id);
        if (terminal(each.state) && (given_up == given_up_.end() || given_up->second == 0))
            continue;
        out.workloads.push_back(each);
        const auto by = keeps_a_place(each, each.current ? &attempts.at(*each.current) : nullptr);
        if (const auto made = by ? decisions.find(*by) : decisions.end(); made != decisions.end())
            out.kept_places.push_back({id, *by, made->second.ranked.front().offer, made->second.ranked.front().units});
        if (each.current && !live(attempts.at(*each.current).state))
            out.attempts.push_back(attempts.at(*each.current));
    }
    for (const auto& [id, each] : attempts)
        if (live(each.state))
            out.attempts.push_back(each);
    for (const auto& [seq, row] : outbox)
        out.outbox.push_back(row);
    out.idempotency = idempotency_.all();
    for (const auto& [what, each] : speeds)
        out.speeds.push_back(each);
    for (const auto& [what, microkwh] : certificates_given_)
        out.certificates_given.push_back(
            {what.first, tenants.contains(what.second) ? tenants.at(what.second).name : std::string(), microkwh});
    return out;
}

}  // namespace westerly::testing_support
