#include "broker/codec/views_json.hpp"

#include "broker/codec/price_schedule_json.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/codec/writer.hpp"
#include "broker/domain/explain.hpp"
#include "broker/domain/freshness.hpp"
#include "broker/domain/waiting.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double micros_per_one = 1e6;

void put_rates(json_writer& out, const exchange_rates& rates) {
    put_key(out, "exchange_rates");
    out.StartObject();
    put_text(out, "base", to_string(rates.base));
    put_text(out, "cny_per_usd", format_nanos(rates.usd_nanos));
    put_text(out, "source", rates.source);
    out.EndObject();
}

void put_run(json_writer& out, const run_estimate& run) {
    put_key(out, "run");
    out.StartObject();
    put_number(out, "cards", run.cards);
    if (run.speed.known()) {
        put_key(out, "speed");
        out.StartObject();
        put_number(out, "value", run.speed.value);
        put_number(out, "low", run.speed.low);
        put_number(out, "high", run.speed.high);
        put_text(out, "method", run.speed_method);
        out.EndObject();
        put_number(out, "efficiency", run.efficiency);
        put_number(out, "effective_cards", run.effective_cards);
    }
    put_number(out, "hazard_per_h", run.hazard_per_h);
    put_flag(out, "hazard_assumed", run.hazard_assumed);
    put_number(out, "interruptions", run.interruptions);
    put_whole(out, "work_s", run.work_s);
    put_whole(out, "wall_s", run.wall_s);
    out.EndObject();
}

/// What cost_base is made of, where something is brought. Differences, so to a millionth.
void put_cost_parts(json_writer& out, const appraisal& a) {
    if (!a.staging_base)
        return;
    const auto whole = [](double amount) {
        return std::round(amount * micros_per_one) / micros_per_one;
    };
    put_key(out, "cost_parts");
    out.StartObject();
    put_number(out, "compute", whole(a.cost_base - a.egress_base));
    put_number(out, "egress", whole(a.egress_base - *a.staging_base));
    put_number(out, "staging", whole(*a.staging_base));
    out.EndObject();
}

void put_appraisal(json_writer& out, const appraisal& a) {
    put_text(out, "offer", a.offer);
    put_text(out, "provider", a.provider);
    put_text(out, "site", a.site);
    put_text(out, "region", a.region);
    put_flag(out, "launchable", a.launchable);
    put_whole(out, "units", a.units);
    put_whole(out, "tasks", a.tasks);
    put_price(out, "price", a.price);
    put_money(out, "cost", a.cost);
    put_number(out, "cost_base", a.cost_base);
    if (a.egress_base > 0)
        put_number(out, "egress_base", a.egress_base);
    put_cost_parts(out, a);
    if (a.cost_low != a.cost_high) {
        put_number(out, "cost_low", a.cost_low);
        put_number(out, "cost_high", a.cost_high);
    }
    if (a.run)
        put_run(out, *a.run);
    put_objects(out, "terms", a.terms, [&](const auto& priced) {
        put_text(out, "term", priced.first);
        put_number(out, "amount", priced.second);
    });
    put_number(out, "j", a.j);
    if (!a.keys.empty()) {
        put_key(out, "keys");
        out.StartArray();
        for (const double key : a.keys)
            std::isfinite(key) ? out.Double(key) : out.Null();
        out.EndArray();
    }
    put_time(out, "start_at", a.start_at);
    put_time(out, "finish_at", a.finish_at);
    if (a.odds) {
        put_time(out, "finish_p50_at", a.finish_at);
        if (nearly_all_end(a))
            put_time(out, "finish_p90_at", a.odds->p90_at);
        put_number(out, "p_deadline", a.odds->by_deadline);
    }
    put_whole(out, "billed_s", a.billed_s);
    put_number(out, "data_movement_s", a.data_movement_s);
    put_number(out, "rtt_ms", a.rtt_ms);
    put_number(out, "rtt_p95_ms", a.rtt_p95_ms);
    put_text(out, "rtt_method", a.rtt_method);
    put_number(out, "energy_kwh", a.energy_kwh);
    put_number(out, "non_green_kwh", a.non_green_kwh);
    put_number(out, "carbon_kg", a.carbon_kg);
    if (a.carbon_market_kg) {
        put_number(out, "carbon_market_kg", a.carbon_market_kg);
        put_text(out, "carbon_market_rest_by",
                 all_by_certificates(a) ? "certificates"
                 : a.residual_known     ? "residual_mix"
                                        : "grid_average");
    }
    if (a.certificates_microkwh > 0)
        put_number(out, "certificates_kwh", static_cast<double>(a.certificates_microkwh) / 1e6);
    put_number(out, "green_power_share", a.green_power_share);
    put_number(out, "pue", a.pue);
}

/// The terms that the notes name: priced ones, or the keys of an order.
void put_ranked_by(json_writer& out, const std::vector<note>& notes) {
    const auto by = std::ranges::find_if(notes, [](const note& told) {
        return told.kind == note_kind::ranked_by_sum || told.kind == note_kind::ranked_in_order;
    });
    if (by == notes.end() || by->words.size() != 2 * by->figures.size())
        return;
    std::size_t i = 0;
    put_objects(out, "ranked_by", by->figures, [&](double figure) {
        put_text(out, "term", by->words[2 * i]);
        put_text(out, "unit", by->words[2 * i + 1]);
        put_number(out, by->kind == note_kind::ranked_by_sum ? "price" : "step", figure);
        ++i;
    });
}

/// The frozen baseline of within_of_least.
void put_least(json_writer& out, const std::vector<note>& notes) {
    const auto least = std::ranges::find(notes, note_kind::within_of_least, &note::kind);
    if (least == notes.end() || least->words.size() != 3 || least->figures.size() != 2)
        return;
    put_key(out, "within_of_least");
    out.StartObject();
    put_text(out, "offer", least->words[0]);
    put_text(out, "term", least->words[1]);
    put_text(out, "unit", least->words[2]);
    put_number(out, "within", least->figures[0]);
    put_number(out, "least", least->figures[1]);
    out.EndObject();
}

void put_decision(json_writer& out, const decision& d, language spoken) {
    put_id(out, "id", d.id);
    put_id(out, "workload", d.workload);
    put_time(out, "decided_at", d.at);
    put_text(out, "policy", d.policy);
    put_text(out, "policy_version", d.policy_version);
    put_whole(out, "book_version", d.book_version);
    put_rates(out, d.rates);
    put_whole(out, "runtime_s", d.runtime_s);
    put_flag(out, "runtime_assumed", d.runtime_assumed);
    put_whole(out, "considered", d.considered);
    put_objects(out, "rejections", d.rejections, [&](const auto& counted) {
        put_text(out, "reason", to_string(counted.first));
        put_whole(out, "count", counted.second);
    });
    put_objects(out, "ranked", d.ranked, [&](const appraisal& a) { put_appraisal(out, a); });
    if (d.baseline) {
        put_key(out, "baseline");
        out.StartObject();
        put_appraisal(out, *d.baseline);
        out.EndObject();
    }
    put_flag(out, "robust", d.rivals.empty());
    put_texts(out, "rivals", d.rivals);
    put_texts(out, "pareto", d.pareto);
    put_objects(out, "switch_prices", d.switches, [&](const switch_price& s) {
        put_text(out, "alternative", s.alternative);
        put_text(out, "term", s.term);
        put_number(out, "at", s.at);
        put_text(out, "direction", s.below ? "below" : "from");
    });
    if (d.put_off) {
        put_key(out, "put_off");
        out.StartObject();
        put_time(out, "launch_at", d.put_off->launch_at);
        put_time(out, "start_at", d.put_off->start_at);
        put_time(out, "at_once_at", d.put_off->at_once_at);
        put_number(out, "carbon_saved_kg", d.put_off->carbon_saved_kg);
        put_number(out, "non_green_saved_kwh", d.put_off->non_green_saved_kwh);
        put_number(out, "saved_base", d.put_off->saved_base);
        put_text(out, "why", d.put_off->why);
        out.EndObject();
    }
    put_ranked_by(out, d.notes);
    put_least(out, d.notes);
    std::vector<std::string> notes;
    for (const note& told : d.notes)
        notes.push_back(in_words(told, d.rates.base, spoken));
    put_texts(out, "notes", notes);
    put_text(out, "explanation", explain(d, spoken));
}

void put_lease(json_writer& out, const lease& l) {
    put_price(out, "price", l.price);
    if (l.list_price)
        put_price(out, "list_price", *l.list_price);
    put_price_schedule(out, l.schedule);
    put_text(out, "billing_mode", name_of(l.mode));
    put_whole(out, "units", l.units);
    if (l.tasks > 0)
        put_whole(out, "tasks", l.tasks);
    put_whole(out, "increment_s", l.increment_s);
    put_whole(out, "minimum_s", l.minimum_s);
    put_rates(out, l.rates);
    put_number(out, "idle_w", l.idle_w);
    put_number(out, "max_w", l.max_w);
    put_sourced(out, "pue", l.pue);
    put_sourced(out, "green_power_share", l.green_power_share);
    put_sourced(out, "carbon_g_per_kwh", l.carbon_g_per_kwh);
    put_sourced(out, "residual_g_per_kwh", l.residual_g_per_kwh);
}

/// How a run ended; workloads and attempts tell it alike.
template <class Run>
void put_end(json_writer& out, const Run& run) {
    put_time(out, "started_at", run.started_at);
    put_time(out, "ended_at", run.ended_at);
    if (run.exit_code)
        put_signed(out, "exit_code", *run.exit_code);
    if (run.exit_signal)
        put_signed(out, "exit_signal", *run.exit_signal);
    put_text(out, "message", run.message);
}

}  // namespace

void encode(json_writer& out, const workload& w, language spoken) {
    out.StartObject();
    put_id(out, "id", w.id);
    put_id(out, "tenant", w.tenant);
    put_text(out, "state", to_string(w.state));
    put_time(out, "created_at", w.created_at);
    put_time(out, "updated_at", w.updated_at);
    put_whole(out, "revision", w.revision);
    if (!w.waiting.empty())
        put_objects(out, "waiting", w.waiting, [&](const wait_reason& why) {
            put_text(out, "code", why.code);
            put_text(out, "detail", in_words(why, spoken));
        });
    put_whole(out, "attempts", w.attempts);
    if (w.current)
        put_id(out, "current_attempt", *w.current);
    if (w.last_decision)
        put_id(out, "last_decision", *w.last_decision);
    put_time(out, "next_action_at", w.next_action_at);
    put_flag(out, "cancel_wanted", w.cancel_wanted);
    put_end(out, w);
    if (w.spec_text || w.spec)
        put_key(out, "spec");
    if (w.spec_text)
        out.RawValue(w.spec_text->data(), w.spec_text->size(), rapidjson::kObjectType);
    else if (w.spec)
        encode_workload_spec(out, *w.spec);
    out.EndObject();
}

void encode(json_writer& out, const attempt& a) {
    out.StartObject();
    put_id(out, "id", a.id);
    put_id(out, "workload", a.workload);
    put_id(out, "tenant", a.tenant);
    put_whole(out, "number", a.number);
    put_text(out, "launch_token", launch_token(a.id));
    put_text(out, "state", to_string(a.state));
    if (a.outcome != attempt_outcome::none)
        put_text(out, "outcome", to_string(a.outcome));
    put_text(out, "provider", a.provider);
    put_text(out, "site", a.site);
    put_text(out, "offer", a.offer);
    put_id(out, "decision", a.decision);
    put_text(out, "handle", a.handle);
    put_flag(out, "cancel_wanted", a.cancel_wanted);
    if (a.displaced_for != displacement::none)
        put_text(out, "displaced_for", to_string(a.displaced_for));
    put_time(out, "created_at", a.created_at);
    put_time(out, "updated_at", a.updated_at);
    put_time(out, "last_seen_at", a.last_seen_at);
    put_time(out, "uncertain_since", a.uncertain_since);
    put_time(out, "given_up_at", a.given_up_at);
    put_end(out, a);
    if (a.failed_rank)
        put_whole(out, "failed_rank", *a.failed_rank);
    put_key(out, "lease");
    out.StartObject();
    put_lease(out, a.terms);
    out.EndObject();
    out.EndObject();
}

void encode(json_writer& out, const decision& d, language spoken) {
    out.StartObject();
    put_decision(out, d, spoken);
    out.EndObject();
}

void encode(json_writer& out, const plan_result& p, language spoken) {
    out.StartObject();
    put_key(out, "decision");
    encode(out, p.made, spoken);
    put_objects(out, "rejected", p.rejected, [&](const auto& rejected) {
        put_text(out, "offer", rejected.first);
        put_text(out, "reason", to_string(rejected.second));
    });
    if (p.rejected_more > 0)
        put_whole(out, "rejected_more", p.rejected_more);
    if (!p.pareto.empty())
        put_objects(out, "pareto", p.pareto, [&](const appraisal& a) { put_appraisal(out, a); });
    if (p.spread) {
        put_key(out, "spread");
        encode(out, *p.spread, p.made.rates.base, spoken);
    }
    if (p.preemption) {
        put_key(out, "preemption");
        out.StartObject();
        put_text(out, "offer", p.preemption->offer);
        put_whole(out, "runs", p.preemption->runs);
        put_whole(out, "tenants", p.preemption->tenants);
        put_number(out, "charge_base", p.preemption->charge_base);
        out.EndObject();
    }
    out.EndObject();
}

void encode(json_writer& out, const event& e) {
    out.StartObject();
    put_whole(out, "seq", e.seq);
    put_time(out, "at", e.at);
    put_text(out, "type", e.type);
    put_id(out, "tenant", e.tenant);
    put_id(out, "workload", e.workload);
    if (e.attempt)
        put_id(out, "attempt", *e.attempt);
    put_text(out, "detail", e.detail);
    out.EndObject();
}

void encode(json_writer& out, const offer_past& told) {
    out.StartObject();
    put_time(out, "at", told.at);
    put_flag(out, "offered", told.offered);
    if (told.price)
        put_price(out, "price", *told.price);
    put_price_schedule(out, told.schedule);
    if (told.price)
        put_hourly_price(out, *told.price, told.schedule, std::nullopt);
    if (told.units_free)
        put_whole(out, "units_free", *told.units_free);
    put_text(out, "price_source", told.price_source);
    if (told.as_of != instant{})
        put_time(out, "as_of", told.as_of);
    out.EndObject();
}

void encode(json_writer& out, const offer& o, instant now) {
    out.StartObject();
    put_text(out, "id", o.id);
    put_text(out, "provider", o.provider);
    put_text(out, "site", o.site.site);
    put_flag(out, "launchable", o.launchable);
    put_offer_shape(out, o);
    if (o.price)
        put_hourly_price(out, *o.price, o.schedule, now);
    if (o.units_free)
        put_whole(out, "units_free", *o.units_free);
    if (o.as_of != instant{}) {
        put_time(out, "as_of", o.as_of);
        put_whole(out, "age_s", static_cast<std::uint64_t>(std::max<std::int64_t>((now - o.as_of).count(), 0) / 1000));
    }
    if (o.stale_after_s > 0) {
        put_whole(out, "stale_after_s", o.stale_after_s);
        put_flag(out, "stale", stale_from(o) <= now);
    }
    put_key(out, "site_facts");
    out.StartObject();
    put_site_facts(out, o.site);
    out.EndObject();
    out.EndObject();
}

void encode(json_writer& out, const tenant& t) {
    out.StartObject();
    put_id(out, "id", t.id);
    put_text(out, "name", t.name);
    put_time(out, "created_at", t.created_at);
    out.EndObject();
}

void encode(json_writer& out, const api_key& k) {
    out.StartObject();
    put_id(out, "id", k.id);
    put_id(out, "tenant", k.tenant);
    put_text(out, "role", to_string(k.as));
    put_text(out, "name", k.name);
    put_time(out, "created_at", k.created_at);
    put_time(out, "revoked_at", k.revoked_at);
    out.EndObject();
}

void encode(json_writer& out, const orphan& o) {
    out.StartObject();
    put_text(out, "provider", o.provider);
    put_text(out, "token", o.token);
    put_text(out, "phase", o.phase);
    put_time(out, "first_seen_at", o.first_seen_at);
    out.EndObject();
}

void encode(json_writer& out, const money& m) {
    out.StartObject();
    put_text(out, "amount", format_micros(m.micros));
    put_text(out, "currency", to_string(m.unit));
    out.EndObject();
}

}  // namespace westerly
