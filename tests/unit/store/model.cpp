// The readers' half of the model: plain loops over plain values.
#include "broker/codec/workload_json.hpp"
#include "broker/domain/explain.hpp"
#include "tests/unit/store/world.hpp"

#include <algorithm>

namespace westerly::test {

bool same(const workload& a, const workload& b) {
    workload with_spec_of_b = a;
    with_spec_of_b.spec = b.spec;
    with_spec_of_b.spec_text = b.spec_text;
    return **spec_of(a) == **spec_of(b) && with_spec_of_b == b;
}

bool same(const std::vector<workload>& a, const std::vector<workload>& b) {
    return std::ranges::equal(a, b, [](const workload& x, const workload& y) { return same(x, y); });
}

stored_state world::live(instant now) const {
    stored_state state;
    state.epoch = epoch_;
    state.outbox_seq = outbox_seq_;
    state.event_seq = event_seq_;
    state.tenants = tenants_;
    state.keys = keys_;
    for (const auto& [provider, cordoned] : cordons_)
        state.cordons.push_back({provider, cordoned});
    for (const auto& [tenant, use] : uses_)
        state.tenant_uses.push_back(use);
    for (const workload& w : workloads_)
        if (!terminal(w.state))
            state.workloads.push_back(w);
    for (const workload& w : workloads_)  // after them, as they are few
        if (terminal(w.state) && std::ranges::any_of(attempts_, [&](const attempt& a) {
                return a.workload == w.id && westerly::live(a.state) && a.given_up_at;
            }))
            state.workloads.push_back(w);
    for (const attempt& a : attempts_) {
        const bool current = std::ranges::any_of(state.workloads, [&](const workload& w) { return w.current == a.id; });
        if (westerly::live(a.state) || current)
            state.attempts.push_back(a);
    }
    state.outbox = outbox_;
    for (const idempotency_record& r : idempotency_)
        if (r.created_at >= now - std::chrono::hours(24))
            state.idempotency.push_back(r);
    for (const auto& [what, each] : speeds_)
        state.speeds.push_back(each);
    for (const workload& w : state.workloads) {
        const auto current =
            std::ranges::find_if(state.attempts, [&](const attempt& a) { return w.current && a.id == *w.current; });
        const auto by = keeps_a_place(w, current == state.attempts.end() ? nullptr : &*current);
        if (by && !decisions_.at(*by).ranked.empty())
            state.kept_places.push_back(
                {w.id, *by, winner_of(decisions_.at(*by))->offer, winner_of(decisions_.at(*by))->units});
    }
    for (const auto& [what, microkwh] : certificates_given_)
        state.certificates_given.push_back({std::get<0>(what), std::get<2>(what), microkwh});
    return state;
}

std::vector<workload> world::list(const workload_filter& filter) const {
    std::vector<workload> found;
    for (const workload& w : workloads_) {
        const bool labelled = std::ranges::all_of(filter.labels, [&](const auto& label) {
            return std::ranges::find(w.spec->labels, label) != w.spec->labels.end();
        });
        if (labelled && (!filter.tenant || w.tenant == *filter.tenant) &&
            (filter.states.empty() || std::ranges::find(filter.states, w.state) != filter.states.end()) &&
            (filter.name.empty() || w.spec->name == filter.name) &&
            (filter.project.empty() || w.spec->project == filter.project))
            found.push_back(w);
    }
    std::ranges::reverse(found);
    return found;
}

std::vector<event> world::list(const event_filter& filter) const {
    std::vector<event> found;
    for (const event& e : events_)
        if ((!filter.tenant || e.tenant == *filter.tenant) && (!filter.workload || e.workload == *filter.workload))
            found.push_back(e);
    return found;
}

namespace {
template <class T>
std::vector<T> filtered(const std::vector<T>& rows, const usage_filter& filter) {
    std::vector<T> found;
    for (const T& row : rows)
        if ((!filter.tenant || row.tenant == *filter.tenant) &&
            (!filter.workload || row.workload == *filter.workload) &&
            (filter.project.empty() || row.project == filter.project) && (!filter.from || row.end_at > *filter.from) &&
            (!filter.until || row.start_at < *filter.until))
            found.push_back(row);
    std::ranges::reverse(found);
    return found;
}
}  // namespace

std::vector<usage> world::list_usage(const usage_filter& filter) const {
    return filtered(usages_, filter);
}

std::vector<charge> world::list_charges(const usage_filter& filter) const {
    return filtered(charges_, filter);
}

std::vector<attempt> world::attempts_of(const workload_id& id) const {
    std::vector<attempt> found;
    for (const attempt& a : attempts_)
        if (a.workload == id)
            found.push_back(a);
    return found;
}

workload_filter world::random_workload_filter() {
    workload_filter filter;
    if (chance(0.6))
        filter.tenant = tenants_[pick(tenants_.size())].id;
    for (std::uint64_t i = pick(4); i > 0 && chance(0.5); --i)
        filter.states.push_back(static_cast<workload_state>(pick(8)));
    for (const char* key : {"app", "team"})
        if (chance(0.3))
            filter.labels.emplace_back(key, "v" + std::to_string(pick(2)));
    if (chance(0.2))
        filter.name = "job-" + std::to_string(pick(4));
    if (chance(0.2))
        filter.project = "p" + std::to_string(pick(2));
    return filter;
}

usage_filter world::random_usage_filter() {
    usage_filter filter;
    if (chance(0.5))
        filter.tenant = tenants_[pick(tenants_.size())].id;
    if (chance(0.3))
        filter.workload = workloads_[pick(workloads_.size())].id;
    if (chance(0.3))
        filter.project = "p0";
    const auto span = static_cast<std::uint64_t>((now_ - day_one).count()) + 1;
    if (chance(0.4))
        filter.from = day_one + milliseconds(pick(span));
    if (chance(0.4))
        filter.until = day_one + milliseconds(pick(span));
    return filter;
}

}  // namespace westerly::test
