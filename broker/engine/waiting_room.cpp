#include "broker/engine/waiting_room.hpp"

namespace westerly {

namespace {

/// Fields one after another, each with its length where it varies, so that different values never look alike.
class digest_text {
public:
    void number(std::uint64_t value) { text_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    void real(double value) { text_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    void word(const std::string& value) {
        number(value.size());
        text_ += value;
    }
    void words(const std::vector<std::string>& values) {
        number(values.size());
        for (const auto& value : values)
            word(value);
    }
    template <class T>
    void maybe(const std::optional<T>& value) {
        number(value ? 1 : 0);
        if (!value)
            return;
        if constexpr (std::is_same_v<T, double>)
            real(*value);
        else if constexpr (std::is_same_v<T, instant>)
            number(static_cast<std::uint64_t>(value->time_since_epoch().count()));
        else if constexpr (std::is_same_v<T, money>)
            number(static_cast<std::uint64_t>(value->micros)), number(static_cast<std::uint64_t>(value->unit));
        else
            number(*value);
    }
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

void write_resources(digest_text& out, const task_resources& need) {
    out.number(need.vcpus);
    out.number(need.memory_mib);
    out.number(need.disk_mib);
    out.word(need.architecture);
    out.number(need.precision ? 1 + static_cast<std::uint64_t>(*need.precision) : 0);
    out.number(need.accelerators.size());
    for (const auto& card : need.accelerators) {
        out.word(card.model);
        out.number(card.count);
        out.number(card.min_memory_gib);
        out.real(card.min_fp16_tflops);
        out.real(card.min_interconnect_gb_s);
        out.word(card.stack);
        out.number(static_cast<std::uint64_t>(card.fit));
    }
}

void write_origin(digest_text& out, const origin& from) {
    out.word(from.region);
    const auto& place = from.latitude_longitude;
    out.maybe(place ? std::optional(place->first) : std::nullopt);
    out.maybe(place ? std::optional(place->second) : std::nullopt);
}

void write_expression(digest_text& out, const fact_expression& by) {
    out.number(static_cast<std::uint64_t>(by.is));
    out.number(static_cast<std::uint64_t>(by.fact));
    out.number(static_cast<std::uint64_t>(by.comparison));
    out.real(by.value);
    out.words(by.words);
    out.number(by.parts.size());
    for (const auto& part : by.parts)
        write_expression(out, part);
}

void write_work(digest_text& out, const workload_spec& spec) {
    const work_estimate& work = spec.work;
    out.maybe(work.runtime_s);
    out.maybe(work.runtime_p90_s);
    out.maybe(work.accelerator_hours);
    out.word(work.reference ? work.reference->model : std::string());
    out.number(work.reference ? work.reference->count : 0);
    out.number(work.reference ? work.reference->scale_up_cards : 0);
    out.real(work.reference ? work.reference->interconnect_gb_s : 0);
    out.real(work.reference ? work.reference->scale_out_gb_s : 0);
    out.number(work.kind ? 1 + static_cast<std::uint64_t>(*work.kind) : 0);
    out.real(work.communication);
    out.real(work.batch_exponent);
    out.number(work.utilisation ? 1 : 0);
    out.real(work.utilisation.value_or(1));
    out.number(work.speeds.size());
    for (const auto& [model, speed] : work.speeds) {
        out.word(model);
        out.real(speed.value);
        out.real(speed.low);
        out.real(speed.high);
    }
    out.number(spec.checkpoint ? spec.checkpoint->interval_s : 0);
    out.real(spec.checkpoint ? spec.checkpoint->write_s : 0);
    out.real(spec.checkpoint ? spec.checkpoint->restore_s : 0);
}

void write_limits(digest_text& out, const constraints& limits) {
    out.words(limits.regions);
    out.words(limits.jurisdictions);
    out.words(limits.providers_allow);
    out.words(limits.providers_deny);
    out.number(limits.from ? 1 : 0);
    if (limits.from)
        write_origin(out, *limits.from);
    out.number(limits.origins.size());
    for (const auto& each : limits.origins) {
        write_origin(out, each.from);
        out.real(each.weight);
    }
    out.number(limits.compliance.size());
    for (const auto& rule : limits.compliance) {
        out.maybe(rule.from_at);
        out.maybe(rule.until_at);
        write_expression(out, rule.forbid);
    }
    out.maybe(limits.max_rtt_ms);
    out.maybe(limits.max_pue);
    out.maybe(limits.min_green_power_share);
    out.maybe(limits.max_carbon_kg);
    out.maybe(limits.max_price_per_hour);
}

/// What of it decides where it may run.
void write_variant(digest_text& out, const variant& way) {
    out.word(way.stack);
    out.word(way.stack_version);
    out.word(way.driver_version);
    out.number(way.files.empty() ? 0 : 1);
}

void write_overrides(digest_text& out, const policy_overrides& asked) {
    out.number(asked.prices.size());
    for (const auto& [term, price] : asked.prices) {
        out.word(term);
        out.number(static_cast<std::uint64_t>(price.nanos));
    }
    out.maybe(asked.within_of_cheapest);
    out.maybe(asked.min_green_power_share);
    out.maybe(asked.max_pue);
}

void write_value_of_time(digest_text& out, const std::optional<unit_price>& price) {
    out.number(price ? 1 : 0);
    out.number(price ? static_cast<std::uint64_t>(price->nanos) : 0);
}

}  // namespace

demand_shape shape_of(const workload_spec& spec, const std::string& policy, const std::optional<money>& budget_left,
                      std::span<const measured_speed> measured, const std::optional<instant>& asked_at,
                      const std::optional<run_progress>& left) {
    digest_text out;
    out.number(static_cast<std::uint64_t>(spec.kind));
    out.number(static_cast<std::uint64_t>(spec.compute));
    out.number(spec.interactive ? 1 : 0);
    out.word(policy);
    write_overrides(out, spec.overrides);
    out.number(spec.tasks);
    out.number(spec.tasks_max);
    write_resources(out, spec.resources);
    out.number(spec.variants.size());
    for (const auto& way : spec.variants)
        write_variant(out, way);
    write_work(out, spec);
    out.number(spec.inputs.size());
    for (const auto& data : spec.inputs) {
        out.real(data.size_gib);
        out.word(data.region);
        out.maybe(data.egress_per_gib);
    }
    write_limits(out, spec.limits);
    out.word(spec.data_class);
    out.words(spec.licences);
    out.maybe(spec.when.earliest_start_at);
    out.maybe(spec.when.deadline_at);
    out.maybe(spec.when.target_at);
    out.real(spec.when.deadline_probability);
    out.maybe(spec.when.max_runtime_s);
    out.maybe(spec.when.max_delay_s);
    write_value_of_time(out, spec.when.value_of_time);
    out.maybe(budget_left);
    out.maybe(asked_at);
    out.number(left ? 1 : 0);
    out.real(left ? left->work_left : 1);
    out.number(left && left->restores ? 1 : 0);
    out.number(measured.size());
    for (const measured_speed& one : measured) {
        out.word(one.model);
        out.number(one.shown.runs);
        out.real(one.shown.sum);
        out.real(one.shown.sum_of_squares);
    }
    return sha256(out.text());
}

std::size_t waiting_room::group_hash::operator()(const group_name& n) const noexcept {
    std::size_t head = 0;
    std::memcpy(&head, n.shape.data(), sizeof head);
    return head ^ static_cast<std::size_t>(n.priority);
}

void waiting_room::line_up(const group& g, const tenant_id& tenant) {
    lanes_[-std::int64_t{g.name.priority}][tenant].insert(*g.members.at(tenant).begin());
}

void waiting_room::step_out(const group& g, const tenant_id& tenant) {
    const auto level = lanes_.find(-std::int64_t{g.name.priority});
    const auto lane = level->second.find(tenant);
    lane->second.erase(*g.members.at(tenant).begin());
    if (lane->second.empty())
        level->second.erase(lane);
    if (level->second.empty())
        lanes_.erase(level);
}

void waiting_room::line_up(const group& g) {
    for (const auto& [tenant, members] : g.members)
        line_up(g, tenant);
    longest_.insert(*g.by_wait.begin());
}

void waiting_room::step_out(const group& g) {
    for (const auto& [tenant, members] : g.members)
        step_out(g, tenant);
    longest_.erase(*g.by_wait.begin());
}

const std::vector<wait_reason>* waiting_room::add(const seat& who) {
    const group_name name{who.priority, who.shape};
    group& g = groups_.try_emplace(name).first->second;
    const bool ready = g.asleep_mask == 0;
    if (g.by_wait.empty()) {
        g.name = name;
    } else if (ready) {
        longest_.erase(*g.by_wait.begin());
        if (g.members.contains(who.tenant))
            step_out(g, who.tenant);
    }
    g.members[who.tenant].emplace(who.created_at, who.id);
    size_ += g.by_wait.emplace(who.waits_since, who.id).second ? 1 : 0;
    if (!ready)
        return &g.reasons;
    line_up(g, who.tenant);
    longest_.insert(*g.by_wait.begin());
    return nullptr;
}

void waiting_room::remove(const seat& who) {
    const auto at = groups_.find({who.priority, who.shape});
    if (at == groups_.end())
        return;
    group& g = at->second;
    const auto own = g.members.find(who.tenant);
    if (own == g.members.end() || !own->second.contains({who.created_at, who.id}))
        return;
    const bool ready = g.asleep_mask == 0;
    if (ready) {
        step_out(g, who.tenant);
        longest_.erase(*g.by_wait.begin());
    }
    own->second.erase({who.created_at, who.id});
    size_ -= g.by_wait.erase({who.waits_since, who.id});
    const bool none_of_tenant = own->second.empty();
    if (none_of_tenant)
        g.members.erase(own);
    if (g.by_wait.empty()) {
        leave_sleep(g);
        groups_.erase(at);
        return;
    }
    if (!ready)
        return;
    if (!none_of_tenant)
        line_up(g, who.tenant);
    longest_.insert(*g.by_wait.begin());
}

const workload_id* waiting_room::next(const fair_order& order, instant now) const {
    if (lanes_.empty())
        return nullptr;
    if (const member& longest = *longest_.begin(); longest.first + order.overdue_after() <= now)
        return &longest.second;
    const auto& level = lanes_.begin()->second;
    const member* best = nullptr;
    double least = 0;
    for (const auto& [tenant, lane] : level) {
        const double served = level.size() == 1 ? 0.0 : order.served(tenant, now);
        const member& oldest = *lane.begin();
        if (!best || served < least || (served == least && oldest < *best)) {
            best = &oldest;
            least = served;
        }
    }
    return &best->second;
}

void waiting_room::sleep(const seat& who, std::uint8_t mask, std::vector<wait_reason> reasons,
                         std::optional<instant> until) {
    const auto at = groups_.find({who.priority, who.shape});
    if (at == groups_.end())
        return;
    group& g = at->second;
    if (g.asleep_mask == 0)
        step_out(g);
    leave_sleep(g);
    g.asleep_mask = mask;
    g.asleep_index = asleep_[mask].size();
    g.reasons = std::move(reasons);
    asleep_[mask].push_back(&g);
    g.until = until;
    if (until)
        dated_.emplace(*until, &g);
}

void waiting_room::forget_date(group& g) {
    if (g.until)
        dated_.erase({*g.until, &g});
    g.until.reset();
}

std::optional<instant> waiting_room::next_date() const noexcept {
    return dated_.empty() ? std::nullopt : std::optional(dated_.begin()->first);
}

bool waiting_room::wake_dated(instant now) {
    bool any = false;
    for (; !dated_.empty() && dated_.begin()->first <= now; any = true) {
        group& g = *dated_.begin()->second;
        leave_sleep(g);
        line_up(g);
    }
    return any;
}

void waiting_room::leave_sleep(group& g) {
    if (g.asleep_mask == 0)
        return;
    auto& row = asleep_[g.asleep_mask];
    row[g.asleep_index] = row.back();
    row[g.asleep_index]->asleep_index = g.asleep_index;
    row.pop_back();
    g.asleep_mask = 0;
    forget_date(g);
}

void waiting_room::wake(std::uint8_t mask) {
    wake_later_ |= mask;
    turn_over();
}

void waiting_room::wake_like(std::int32_t priority, const demand_shape& shape) {
    const auto at = groups_.find({priority, shape});
    if (at == groups_.end() || at->second.asleep_mask == 0)
        return;
    leave_sleep(at->second);
    line_up(at->second);
}

void waiting_room::turn_over() {
    if (!lanes_.empty() || wake_later_ == 0)
        return;
    wake_now(wake_later_);
    wake_later_ = 0;
}

void waiting_room::wake_now(std::uint8_t mask) {
    for (std::size_t set = 1; set < asleep_.size(); ++set) {
        if ((set & mask) == 0)
            continue;
        for (group* g : asleep_[set]) {
            g->asleep_mask = 0;
            forget_date(*g);
            line_up(*g);
        }
        asleep_[set].clear();
    }
}

std::vector<workload_id> waiting_room::members_like(const seat& who, std::size_t max) const {
    std::vector<workload_id> ids;
    const auto at = groups_.find({who.priority, who.shape});
    if (at == groups_.end())
        return ids;
    for (const auto& [since, id] : at->second.by_wait) {
        if (ids.size() == max)
            break;
        ids.push_back(id);
    }
    return ids;
}

}  // namespace westerly
