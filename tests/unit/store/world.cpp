#include "tests/unit/store/world.hpp"

#include "broker/codec/views_json.hpp"

#include <stdlib.h>

#include <algorithm>

namespace westerly::test {

temporary_folder::temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "westerly-store-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
        throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string world::word() {
    static constexpr std::string_view words[] = {"", "tide", "夜", "a'b\"c", "line\nbreak", "west"};
    return std::string(words[pick(std::size(words))]);
}

std::shared_ptr<const workload_spec> world::random_spec() {
    workload_spec spec;
    spec.name = "job-" + std::to_string(pick(3));
    spec.project = chance(0.5) ? "p" + std::to_string(pick(2)) : "";
    for (const char* key : {"app", "team", "tier"})
        if (chance(0.5))
            spec.labels.emplace_back(key, "v" + std::to_string(pick(2)));
    spec.tasks = 1 + static_cast<std::uint32_t>(pick(4));
    spec.variants = {variant{"none", {"/bin/echo", "x" + word()}, {}, {}}};
    if (chance(0.5))
        spec.work.runtime_s = 1 + pick(1000);
    return std::make_shared<const workload_spec>(spec);
}

lease world::random_lease() {
    lease terms;
    terms.price = {static_cast<std::int64_t>(pick(1'000'000'000)), chance(0.5) ? currency::cny : currency::usd};
    terms.units = pick(100);
    terms.increment_s = 1 + static_cast<std::uint32_t>(pick(3600));
    if (chance(0.5))
        terms.pue = sourced{1.25, word(), quality_class::monthly};
    return terms;
}

void world::add_tenant(change_set& changes) {
    tenant t{id<tenant_id>(), "tenant-" + std::to_string(tenants_.size()), now()};
    changes.tenants.push_back(t);
    tenants_.push_back(t);
}

void world::add_key(change_set& changes) {
    api_key k;
    k.id = id<key_id>();
    k.tenant = tenants_[pick(tenants_.size())].id;
    k.as = chance(0.5) ? role::member : role::operator_;
    k.name = word();
    k.hash[pick(32)] = static_cast<std::uint8_t>(pick(256));
    k.created_at = now();
    if (!keys_.empty() && chance(0.3)) {  // a stored one is revoked instead
        api_key& old = keys_[pick(keys_.size())];
        old.revoked_at = now();
        changes.keys.push_back(old);
        return;
    }
    changes.keys.push_back(k);
    keys_.push_back(k);
}

void world::set_cordon(change_set& changes) {
    const cordon c{"provider-" + std::to_string(pick(3)), chance(0.5)};
    changes.cordons.push_back(c);
    cordons_[c.provider] = c.cordoned;
}

void world::set_use(change_set& changes) {
    const tenant_use u{tenants_[pick(tenants_.size())].id, static_cast<double>(pick(1 << 20)) / 3, now()};
    changes.tenant_uses.push_back(u);
    uses_[u.tenant] = u;
}

void world::add_event(change_set& changes, workload& of, std::optional<attempt_id> attempt) {
    event e;
    e.shard = shard_of(of.tenant);
    e.seq = ++event_seq_[e.shard];
    e.prev_seq = std::exchange(chain_[of.id], e.seq);
    e.at = now();
    e.tenant = of.tenant;
    e.workload = of.id;
    e.attempt = attempt;
    e.type = "workload.seen";
    e.detail = word();
    changes.events.push_back(e);
    events_.push_back(e);
}

workload& world::add_workload(change_set& changes) {
    workload w;
    w.id = id<workload_id>();
    w.tenant = tenants_[pick(tenants_.size())].id;
    w.spec = random_spec();
    w.created_at = w.updated_at = now();
    if (chance(0.5))
        w.waiting = {{chance(0.5) ? "preempting" : "no_capacity", word()}, {"back_off", word()}};
    if (w.waiting.size() > 1)  // the first as versions wrote it that had no pieces
        w.waiting[1] = {"back_off",
                        word(),
                        {{note_kind::sentence, {word(), ""}, {0.1, -1e300}}, {note_kind::wait_asked_again, {}, {}}},
                        currency::usd};
    workloads_.push_back(w);
    workload& kept = workloads_.back();
    add_event(changes, kept, std::nullopt);
    kept.revision = chain_[kept.id];
    changes.workloads_new.push_back(kept);

    idempotency_record record{kept.tenant, "POST /v1/workloads", "key-" + to_string(kept.id), {}, kept.id, now()};
    record.body[3] = 7;
    changes.idempotency_new.push_back(record);
    idempotency_.push_back(record);
    return kept;
}

/// The last state of a workload in one set goes into that set once.
void world::note(change_set& changes, const workload& changed) {
    for (auto* rows : {&changes.workloads_new, &changes.workloads_changed})
        for (workload& row : *rows)
            if (row.id == changed.id) {
                row = changed;
                return;
            }
    changes.workloads_changed.push_back(changed);
}

void world::change_workload(change_set& changes) {
    workload& w = workloads_[pick(workloads_.size())];
    if (terminal(w.state))
        return;
    if (chance(0.3)) {  // something was seen that changes no row: the chain grows all the same
        add_event(changes, w, std::nullopt);
        return;
    }
    w.state = static_cast<workload_state>(pick(8));
    w.updated_at = now();
    w.waiting.clear();
    w.attempts_counted += 1;
    w.attempts_forgiven += static_cast<std::uint32_t>(pick(2));
    w.attempts_displaced += static_cast<std::uint32_t>(pick(2));
    w.work_done = static_cast<double>(pick(1000)) / 999;
    w.billed_micros += static_cast<std::int64_t>(pick(1000));
    w.cancel_wanted = chance(0.5);
    w.next_action_at = chance(0.5) ? std::optional(now()) : std::nullopt;
    w.started_at = now();
    if (terminal(w.state)) {
        w.ended_at = now();
        w.exit_code = static_cast<std::int32_t>(pick(256)) - 128;
        w.exit_signal = 9;
        w.message = word();
    }
    add_event(changes, w, w.current);
    w.revision = chain_[w.id];
    note(changes, w);
}

void world::add_attempt(change_set& changes, workload& of) {
    decision made;
    made.id = id<decision_id>();
    made.workload = of.id;
    made.at = now();
    made.policy = "balanced";
    made.considered = static_cast<std::uint32_t>(pick(100));
    made.notes = {{note_kind::sentence, {word()}, {}}, {note_kind::origin_missing, {word()}, {}}};
    changes.decisions.push_back(made);
    decisions_[made.id] = made;

    attempt a;
    a.id = id<attempt_id>();
    a.workload = of.id;
    a.tenant = of.tenant;
    a.number = ++of.attempts;
    a.provider = "local";
    a.site = "west";
    a.offer = "local/west/core/on_demand";
    a.decision = made.id;
    a.terms = random_lease();
    a.fence = epoch_;
    a.created_at = a.updated_at = now();
    changes.attempts_new.push_back(a);
    attempts_.push_back(a);

    of.current = a.id;
    of.last_decision = made.id;
    add_event(changes, of, a.id);
    of.revision = chain_[of.id];
    note(changes, of);
    if (pick(2) == 0) {
        changes.decisions.pop_back();
        changes.decisions_packed.push_back({made.id, made.workload, pack_decision(made), {}});
    }

    outbox_item item{++outbox_seq_, static_cast<std::uint8_t>(pick(256)), a.provider, a.id, outbox_verb::launch, 3};
    changes.outbox_new.push_back(item);
    outbox_.push_back(item);
}

void world::add_full_attempt(change_set& changes) {
    add_attempt(changes, workloads_.back());
    changes.decisions_packed.clear();
    decision made = decisions_.at(*workloads_.back().last_decision);
    for (std::size_t i = 0; i < ranked_max; ++i) {
        appraisal a;
        a.offer = "provider-" + std::to_string(i) + "/site/core/on_demand";
        a.provider = "provider-" + std::to_string(i);
        a.site = "site";
        a.region = "cn-ningxia";
        a.terms = {{"latency", 0.1}, {"green_power", 0.2}};
        a.rtt_ms = 12.5;
        a.rtt_method = "declared";
        a.energy_kwh = a.non_green_kwh = a.carbon_kg = a.green_power_share = a.pue = 1.5;
        made.ranked.push_back(a);
    }
    made.baseline = made.ranked.front();
    changes.decisions = {made};
    decisions_[made.id] = made;
}

void world::change_attempt(change_set& changes) {
    attempt& a = attempts_[pick(attempts_.size())];
    if (!westerly::live(a.state))
        return;
    a.state = static_cast<attempt_state>(pick(8));
    a.outcome = a.state == attempt_state::ended ? attempt_outcome::vanished : attempt_outcome::none;
    a.cancel_wanted = chance(0.5);
    a.deadline_cancel = chance(0.5);
    a.displaced_for = static_cast<displacement>(pick(4));
    a.handle = word();
    a.seen_seq += pick(3);
    a.updated_at = now();
    a.uncertain_since = chance(0.5) ? std::optional(now()) : std::nullopt;
    if (chance(0.2))
        a.given_up_at = now();
    a.started_at = chance(0.8) ? std::optional(now()) : std::nullopt;
    a.last_seen_at = now();
    a.message = word();
    if (!westerly::live(a.state)) {
        a.ended_at = now();
        a.exit_code = -1;
        a.exit_signal = 15;
        a.failed_rank = static_cast<std::uint32_t>(pick(4));
        add_usage(changes, a);
    }
    for (attempt& row : changes.attempts_changed)
        if (row.id == a.id) {
            row = a;
            return;
        }
    changes.attempts_changed.push_back(a);
}

void world::add_usage(change_set& changes, const attempt& of) {
    usage u;
    u.id = id<usage_id>();
    u.attempt = of.id;
    u.workload = of.workload;
    u.tenant = of.tenant;
    u.project = chance(0.5) ? "p0" : "";
    u.provider = of.provider;
    u.site = of.site;
    u.region = "cn-ningxia";
    u.offer = of.offer;
    u.start_at = now();
    u.end_at = now() + milliseconds(1);
    u.units = pick(9);
    if (chance(0.7)) {
        u.energy_microkwh = static_cast<std::int64_t>(pick(1'000'000));
        u.non_green_microkwh = static_cast<std::int64_t>(pick(1'000));
        u.carbon_mg = static_cast<std::int64_t>(pick(1'000));
        u.green_power_share = 0.1 * static_cast<double>(pick(10));
        u.pue = 1.1;
    }
    u.carbon_source = word();
    u.carbon_quality = static_cast<quality_class>(pick(7));
    u.measured = chance(0.5);
    if (chance(0.5)) {
        u.carbon_market_mg = static_cast<std::int64_t>(pick(1'000));
        u.carbon_market_source = word();
    }
    u.grid_zone = chance(0.5) ? "Z" : "";
    if (chance(0.5))
        u.by_grid_microkwh = static_cast<std::int64_t>(pick(1'000));
    if (!usages_.empty() && chance(0.2)) {
        const auto number = static_cast<std::uint64_t>(
            std::ranges::count_if(usages_, [](const usage& row) { return row.correction.has_value(); }));
        u.correction =
            carbon_correction{usages_[pick(usages_.size())].id,      number + 1, now(), now() + milliseconds(1),
                              0.1 * static_cast<double>(pick(5000)), 2026,       word()};
    }
    usages_.push_back(u);
    if (chance(0.3)) {  // rows are read without them
        u.certificates = {{"c" + std::to_string(pick(3)), 1 + static_cast<std::int64_t>(pick(1'000))}};
        const auto name = std::ranges::find(tenants_, u.tenant, &tenant::id)->name;
        certificates_given_[{u.certificates[0].certificate, u.tenant, name}] += u.certificates[0].microkwh;
    }
    changes.usages.push_back(u);
    if (chance(0.3)) {
        stored_speed shown{u.tenant, word(), {"H100", {static_cast<std::uint32_t>(pick(9)), 0.1, 1.0 / 3}}};
        speeds_[{shown.tenant, shown.name}] = shown;
        changes.speeds.push_back(std::move(shown));
    }

    charge c{u.id,     u.attempt,      u.workload,      u.tenant, u.project, u.provider, u.site, u.offer, u.start_at,
             u.end_at, of.terms.price, pick(1'000'000), u.units,  1,         2,          0,      4};
    c.billed_micros = static_cast<std::int64_t>(pick(1'000'000'000)) - 1000;
    changes.charges.push_back(c);
    charges_.push_back(c);
}

void world::settle_outbox(change_set& changes) {
    if (outbox_.empty())
        return;
    const auto at = outbox_.begin() + static_cast<std::ptrdiff_t>(pick(outbox_.size()));
    changes.outbox_done.push_back(at->seq);
    outbox_.erase(at);
}

change_set world::next() {
    change_set changes;
    changes.epoch = epoch_;
    if (tenants_.empty() || (tenants_.size() < 5 && chance(0.1)))
        add_tenant(changes);
    if (chance(0.1))
        add_key(changes);
    if (chance(0.1))
        set_cordon(changes);
    if (chance(0.1))
        set_use(changes);
    if (workloads_.empty() || chance(0.5)) {
        workload& added = add_workload(changes);
        if (chance(0.7))
            add_attempt(changes, added);
    }
    for (std::uint64_t i = pick(3); i > 0; --i)
        change_workload(changes);
    if (workload& again = workloads_[pick(workloads_.size())]; chance(0.1) && !terminal(again.state))
        add_attempt(changes, again);
    if (!attempts_.empty())
        for (std::uint64_t i = pick(3); i > 0; --i)
            change_attempt(changes);
    if (chance(0.4))
        settle_outbox(changes);
    if (!usages_.empty() && chance(0.1)) {  // a repeat changes nothing
        changes.usages.push_back(usages_[pick(usages_.size())]);
        changes.charges.push_back(charges_[pick(charges_.size())]);
    }
    if (chance(0.05)) {
        const instant before = now_ - milliseconds(200);
        changes.idempotency_expired_before = before;
        std::erase_if(idempotency_, [&](const idempotency_record& r) { return r.created_at < before; });
    }
    return changes;
}

}  // namespace westerly::test
