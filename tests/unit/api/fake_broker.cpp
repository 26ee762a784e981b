#include "tests/unit/api/fake_broker.hpp"

#include "broker/support/bytes.hpp"

#include <algorithm>

namespace westerly::testing {
namespace {

constexpr instant day_one{milliseconds(1'767'000'000'000)};

/// A page by plain index: the cursor is the number of items before it.
template <class T>
result<page<T>> cut(const std::vector<T>& all, const std::string& cursor, std::uint32_t limit) {
    std::size_t from = 0;
    if (!cursor.empty()) {
        if (cursor.find_first_not_of("0123456789") != std::string::npos || cursor.size() > 6)
            return fail(errc::invalid, "that is not a cursor of ours", "use next_cursor as it came");
        from = std::stoul(cursor);
    }
    page<T> out;
    for (std::size_t i = from; i < all.size() && out.items.size() < limit; ++i)
        out.items.push_back(all[i]);
    if (from + out.items.size() < all.size())
        out.next_cursor = std::to_string(from + out.items.size());
    return out;
}

error missing() {
    return fail(errc::not_found, "there is none");
}

std::shared_ptr<const workload_spec> small_spec(const std::string& name) {
    workload_spec spec;
    spec.name = name;
    spec.variants.push_back({.stack = "none", .command = {"/bin/true"}, .env = {}, .files = {}});
    return std::make_shared<const workload_spec>(std::move(spec));
}

offer make_offer(const std::string& provider, const std::string& site, const std::string& name) {
    offer one;
    one.id = provider + "/" + site + "/" + name + "/on_demand";
    one.provider = provider;
    one.site.site = site;
    one.site.region = "cn-" + site;
    one.site.green_power_share = sourced{0.8, "example", quality_class::declared};
    one.vcpus = 4;
    one.memory_mib = 8192;
    one.price = unit_price{45'000'000, currency::cny};
    one.units_free = 8;
    one.as_of = day_one;
    return one;
}

std::shared_ptr<market_view> make_market() {
    auto view = std::make_shared<market_view>();
    view->book_version = 3;
    view->offers = {make_offer("hall", "east", "cpu"), make_offer("hall", "west", "cpu"),
                    make_offer("paper", "west", "gpu")};
    provider_config hall;
    hall.id = "hall";
    hall.kind = "local";
    hall.sites = {view->offers[0].site, view->offers[1].site};
    provider_config paper;
    paper.id = "paper";
    paper.kind = "catalogue";
    paper.sites = {view->offers[2].site};
    view->provider_configs = {hall, paper};
    provider_health health;
    health.id = "hall";
    health.state = provider_state::ready;
    health.since = day_one;
    view->providers = {health};
    policy cheapest;
    cheapest.name = "cheapest";
    cheapest.version = "sha256:0123456789ab";
    policy balanced;
    balanced.name = "balanced";
    balanced.version = "sha256:ba9876543210";
    priced_term green;
    green.term = "green_power";
    green.per_unit = 0.61;
    balanced.prices = {green};
    view->policies = {balanced, cheapest};
    signal_series hours;
    hours.zone = "CN-GD";
    hours.source = "grid";
    hours.quality = quality_class::modelled_hourly;
    hours.received_at = day_one;
    hours.intervals = {{day_one, day_one + std::chrono::hours(1), 400, true}};
    view->signals = {
        {"signals/grid.json#000000", "signals/grid.json", std::make_shared<signal_series>(hours), true, ""}};
    view->orphans = {{"hall", "w0123456789abcdef0123456789abcdef", "running", day_one}};
    return view;
}

}  // namespace

fake_broker::fake_broker() : market(make_market()) {
    for (auto [id, name] : {std::pair(&owner, "owner"), std::pair(&east, "east"), std::pair(&west, "west")}) {
        *id = make_id<tenant_id>();
        tenants.push_back({*id, name, day_one});
    }
    operator_key = add_key(owner, role::operator_);
    east_key = add_key(east, role::member);
    west_key = add_key(west, role::member);
    thread_ = std::thread([this] { serve(); });
}

fake_broker::~fake_broker() {
    {
        const std::lock_guard guard(lock);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::string fake_broker::add_key(const tenant_id& of, role as) {
    std::array<std::uint8_t, 32> bytes;
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random_.next());
    std::string secret = "wk_" + to_hex(bytes);
    const std::lock_guard guard(lock);
    const auto name = std::ranges::find(tenants, of, &tenant::id)->name;
    keys.push_back({make_id<key_id>(), of, as, "first", sha256(secret), day_one, std::nullopt});
    principals_[sha256(secret)] = {of, name, as, keys.back().id};
    return secret;
}

workload* fake_broker::find(const workload_id& id) {
    const auto at = std::ranges::find(workloads, id, &workload::id);
    return at == workloads.end() ? nullptr : &*at;
}

workload fake_broker::add_workload(const tenant_id& of, const std::string& name, workload_state state) {
    const std::lock_guard guard(lock);
    workload made;
    made.id = make_id<workload_id>();
    made.tenant = of;
    made.spec = small_spec(name);
    made.created_at = made.updated_at = day_one;
    made.state = state;
    made.revision = 1;
    workloads.push_back(made);
    return made;
}

attempt fake_broker::add_attempt(workload& of, attempt_state state) {
    const std::lock_guard guard(lock);
    attempt made;
    made.id = make_id<attempt_id>();
    made.workload = of.id;
    made.tenant = of.tenant;
    made.number = ++of.attempts;
    made.provider = "hall";
    made.site = "east";
    made.offer = "hall/east/cpu/on_demand";
    made.decision = make_id<decision_id>();
    made.terms.price = {45'000'000, currency::cny};
    made.terms.units = 1;
    made.state = state;
    made.created_at = made.updated_at = day_one;
    of.current = made.id;
    *find(of.id) = of;
    attempts.push_back(made);
    return made;
}

decision fake_broker::add_decision(workload& of) {
    const std::lock_guard guard(lock);
    decision made;
    made.id = make_id<decision_id>();
    made.workload = of.id;
    made.at = day_one;
    made.policy = "cheapest";
    made.policy_version = "sha256:0123456789ab";
    made.considered = 3;
    made.rejections = {{rejection::plan_only, 1}};
    appraisal first;
    first.offer = "hall/east/cpu/on_demand";
    first.provider = "hall";
    first.site = "east";
    first.units = 1;
    first.price = {45'000'000, currency::cny};
    first.cost = {45'000, currency::cny};
    first.cost_base = 0.045;
    first.j = 0.045;
    first.start_at = day_one;
    first.finish_at = day_one + seconds(3600);
    first.billed_s = 3600;
    first.green_power_share = 0.8;
    made.ranked = {first};
    made.baseline = first;
    made.pareto = {first.offer};
    of.last_decision = made.id;
    *find(of.id) = of;
    decisions.push_back(made);
    return made;
}

void fake_broker::add_usage(const workload& of, const attempt& run) {
    const std::lock_guard guard(lock);
    usage used;
    used.id = make_id<usage_id>();
    used.attempt = run.id;
    used.workload = of.id;
    used.tenant = of.tenant;
    used.provider = "hall";
    used.site = "east";
    used.region = "cn-east";
    used.offer = run.offer;
    used.start_at = day_one;
    used.end_at = day_one + seconds(10);
    used.units = 1;
    used.energy_microkwh = 1500;
    used.carbon_mg = 700;
    used.carbon_source = "example";
    used.grid_zone = "CN-EAST";
    usages.push_back(used);
    charge made;
    made.usage = used.id;
    made.attempt = run.id;
    made.workload = of.id;
    made.tenant = of.tenant;
    made.provider = "hall";
    made.offer = run.offer;
    made.start_at = used.start_at;
    made.end_at = used.end_at;
    made.price = run.terms.price;
    made.units = 1;
    made.billed_ms = 10'000;
    made.list_micros = made.contracted_micros = made.billed_micros = made.effective_micros = 125;
    charges.push_back(made);
}

void fake_broker::change(const workload& w) {
    const std::lock_guard guard(lock);
    *find(w.id) = w;
}

void fake_broker::add_event(const workload& of, const std::string& type) {
    event made;
    std::vector<std::function<void(const event&)>> tell;
    {
        const std::lock_guard guard(lock);
        made.seq = events.size() + 1;
        made.at = day_one;
        made.tenant = of.tenant;
        made.workload = of.id;
        made.type = type;
        events.push_back(made);
        for (const auto& [id, one] : subscribers_)
            tell.push_back(one);
    }
    for (const auto& one : tell)
        one(made);
}

void fake_broker::write_log(const attempt_id& of, std::string_view text, bool complete) {
    const std::lock_guard guard(lock);
    logs[of].first += text;
    logs[of].second = complete;
}

void fake_broker::hold(bool on) {
    {
        const std::lock_guard guard(lock);
        held_ = on;
    }
    changed_.notify_all();
}

std::size_t fake_broker::subscribers() const {
    return subscribers_.size();
}

void fake_broker::serve() {
    std::unique_lock guard(lock);
    while (true) {
        changed_.wait(guard, [&] { return stopped_ || (!held_ && !waiting_.empty()); });
        if (stopped_)
            return;
        auto [in, done] = std::move(waiting_.front());
        waiting_.pop_front();
        auto said = handle(in);
        guard.unlock();
        done(std::move(said));
        guard.lock();
    }
}

result<answer> fake_broker::submit(const principal& who, std::shared_ptr<const workload_spec> spec,
                                   const std::string& key, const sha256_digest& body) {
    if (const auto known = idempotency_.find(key); !key.empty() && known != idempotency_.end()) {
        if (known->second.first != body)
            return fail(errc::key_reused, "this key came with another body", "use a new key");
        return answer(submitted{*find(known->second.second), true});
    }
    workload made;
    made.id = make_id<workload_id>();
    made.tenant = who.tenant;
    made.spec = std::move(spec);
    made.created_at = made.updated_at = system_wall_clock().now();
    made.revision = 1;
    made.waiting = {{"no_capacity", "every offer is full"}};
    workloads.push_back(made);
    if (!key.empty())
        idempotency_[key] = {body, made.id};
    return answer(submitted{made, false});
}

result<answer> fake_broker::handle(const input& in) {
    if (refuse_with)
        return *refuse_with;
    if (const auto* it = std::get_if<submit_workload>(&in))
        return submit(it->who, it->spec, it->idempotency_key, it->body);
    if (const auto* it = std::get_if<retry_workload>(&in)) {
        if (!terminal(find(it->workload)->state))
            return fail(errc::conflict, "it has not ended", "cancel it first");
        return submit(it->who, it->spec, it->idempotency_key, it->body);
    }
    if (const auto* it = std::get_if<cancel_workload>(&in)) {
        auto* w = find(it->workload);
        if (w == nullptr || (it->who.as == role::member && w->tenant != it->who.tenant))
            return fail(errc::not_found, "there is no such workload", "check the id");
        if (it->if_revision && *it->if_revision != w->revision)
            return fail(errc::precondition_failed, "it has changed", "read it again");
        w->cancel_wanted = true;
        ++w->revision;
        return answer(*w);
    }
    if (const auto* it = std::get_if<give_up_attempt>(&in)) {
        auto* w = find(it->workload);
        if (w == nullptr || w->current != it->attempt)
            return fail(errc::conflict, "nothing of it is unknown", "wait for it");
        ++w->revision;
        return answer(*w);
    }
    if (const auto* it = std::get_if<plan_workload>(&in)) {
        plan_result plan;
        plan.made.id = make_id<decision_id>();
        plan.made.policy = it->spec->policy.empty() ? "balanced" : it->spec->policy;
        plan.rejected = {{"paper/west/gpu/on_demand", rejection::plan_only}};
        plan.preemption = foreseen_preemption{"local/east/gpu/spot", 2, 1, 0.39};
        return answer(plan);
    }
    if (const auto* it = std::get_if<create_tenant>(&in)) {
        if (std::ranges::find(tenants, it->name, &tenant::name) != tenants.end())
            return fail(errc::conflict, "a tenant has that name", "use another name");
        tenants.push_back({make_id<tenant_id>(), it->name, day_one});
        return answer(tenants.back());
    }
    if (const auto* it = std::get_if<create_key>(&in)) {
        keys.push_back({make_id<key_id>(), it->tenant, it->as, it->name, it->hash, day_one, std::nullopt});
        principals_[it->hash] = {it->tenant, "", it->as, keys.back().id};
        return answer(keys.back());
    }
    if (const auto* it = std::get_if<correct_carbon>(&in)) {
        corrections_made made;
        made.dry_run = it->dry_run;
        made.next_cursor = it->read.next_cursor;
        for (const auto& each : it->read.rows) {
            usage& row = made.rows.emplace_back(each.metered);
            row.correction = carbon_correction{
                .of = row.id, .g_per_kwh = it->told->factors[0].value, .year = 2026, .reason = it->told->reason};
            ++made.counts[0];
        }
        return answer(made);
    }
    if (const auto* it = std::get_if<revoke_key>(&in)) {
        const auto at = std::ranges::find(keys, it->key, &api_key::id);
        if (at == keys.end())
            return missing();
        principals_.erase(at->hash);
        at->revoked_at = day_one;
    }
    return answer(done_answer{});
}

result<workload> fake_broker::find_workload(std::optional<tenant_id> tenant, workload_id id) {
    const std::lock_guard guard(lock);
    if (readers_throw)
        throw std::runtime_error("a reader broke");
    const auto* found = find(id);
    if (found == nullptr || (tenant && found->tenant != *tenant))
        return missing();
    return *found;
}

result<page<workload>> fake_broker::list_workloads(const workload_filter& filter, const std::string& cursor,
                                                   std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<workload> matching;
    for (const auto& w : workloads) {
        const bool state = filter.states.empty() || std::ranges::count(filter.states, w.state) != 0;
        const bool labels = std::ranges::all_of(
            filter.labels, [&](const auto& label) { return std::ranges::count(w.spec->labels, label) != 0; });
        if ((!filter.tenant || w.tenant == *filter.tenant) && state && labels &&
            (filter.name.empty() || w.spec->name == filter.name) &&
            (filter.project.empty() || w.spec->project == filter.project))
            matching.push_back(w);
    }
    return cut(matching, cursor, limit);
}

result<std::vector<attempt>> fake_broker::attempts_of(workload_id id) {
    const std::lock_guard guard(lock);
    std::vector<attempt> out;
    for (const auto& one : attempts)
        if (one.workload == id)
            out.push_back(one);
    return out;
}

result<attempt> fake_broker::find_attempt(attempt_id id) {
    const std::lock_guard guard(lock);
    const auto at = std::ranges::find(attempts, id, &attempt::id);
    if (at == attempts.end())
        return missing();
    return *at;
}

result<decision> fake_broker::find_decision(decision_id id) {
    const std::lock_guard guard(lock);
    const auto at = std::ranges::find(decisions, id, &decision::id);
    if (at == decisions.end())
        return missing();
    return *at;
}

result<page<decision_id>> fake_broker::list_decisions(const std::string& cursor, std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<decision_id> ids;
    for (const auto& one : decisions)
        ids.push_back(one.id);
    return cut(ids, cursor, limit);
}

// What only a replay reads, which is a service of its own here.
result<recorded_decision> fake_broker::find_recorded_decision(decision_id) {
    return missing();
}
result<market_past> fake_broker::market_at(std::uint64_t) {
    return missing();
}
result<std::vector<foreign_column>> fake_broker::terms_said_at(std::uint64_t) {
    return missing();
}
result<std::vector<offer_past>> fake_broker::history_of(const offer_id& id, instant from, instant until) {
    const std::lock_guard guard(lock);
    std::vector<offer_past> told;
    for (const offer& o : market->offers)
        if (o.id == id && from < until)
            told.push_back({from, true, o.price, o.units_free, o.price_source, o.as_of, o.schedule});
    return told;
}
result<policy_text> fake_broker::find_policy_text(const std::string&, const std::string&) {
    return missing();
}

result<page<event>> fake_broker::list_events(const event_filter& filter, const std::string& cursor,
                                             std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<event> matching;
    for (const auto& one : events)
        if ((!filter.tenant || one.tenant == *filter.tenant) && (!filter.workload || one.workload == *filter.workload))
            matching.push_back(one);
    auto out = cut(matching, cursor, limit);
    if (out && out->next_cursor.empty())
        out->next_cursor = std::to_string(matching.size());
    return out;
}

result<page<usage>> fake_broker::list_usage(const usage_filter& filter, const std::string& cursor,
                                            std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<usage> matching;
    for (const auto& one : usages)
        if (!filter.tenant || one.tenant == *filter.tenant)
            matching.push_back(one);
    return cut(matching, cursor, limit);
}

result<page<charge>> fake_broker::list_charges(const usage_filter& filter, const std::string& cursor,
                                               std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<charge> matching;
    for (const auto& one : charges)
        if (!filter.tenant || one.tenant == *filter.tenant)
            matching.push_back(one);
    return cut(matching, cursor, limit);
}

result<usage_total> fake_broker::total_usage(const usage_filter& filter) {
    const auto all = list_usage(filter, "", page_size_max);
    usage_total sum;
    for (const auto& one : all->items) {
        sum.energy_microkwh += one.energy_microkwh.value_or(0);
        ++sum.rows;
    }
    return sum;
}

result<correctable_page> fake_broker::list_correctable(const correction_filter& filter, const std::string& cursor,
                                                       std::uint32_t limit) {
    const std::lock_guard guard(lock);
    std::vector<correctable> matching;
    for (const auto& one : usages)
        if (one.grid_zone == filter.zone)
            matching.push_back({one, {}});
    auto some = cut(matching, cursor, limit);
    if (!some)
        return some.error();
    return correctable_page{std::move(some->items), std::move(some->next_cursor), 0};
}

result<std::vector<charge_total>> fake_broker::total_charges(const usage_filter& filter) {
    const auto all = list_charges(filter, "", page_size_max);
    charge_total sum;
    for (const auto& one : all->items) {
        sum.billed_micros += one.billed_micros;
        ++sum.rows;
    }
    return std::vector<charge_total>{sum};
}

result<std::vector<tenant>> fake_broker::list_tenants() {
    const std::lock_guard guard(lock);
    return tenants;
}

result<std::vector<api_key>> fake_broker::list_keys(std::optional<tenant_id> tenant) {
    const std::lock_guard guard(lock);
    std::vector<api_key> out;
    for (const auto& one : keys)
        if (!tenant || one.tenant == *tenant)
            out.push_back(one);
    return out;
}

result<std::vector<attempt_id>> fake_broker::known_attempts(const std::vector<attempt_id>&) {
    return std::vector<attempt_id>();
}

}  // namespace westerly::testing
