#include "broker/codec/config_json.hpp"
#include "broker/codec/price_schedule_json.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/writer.hpp"

namespace westerly {
namespace {

void put_card_figures(json_writer& out, const accelerator_facts& a) {
    if (a.fp16_tflops > 0)
        put_number(out, "fp16_tflops", a.fp16_tflops);
    if (a.interconnect_gb_s > 0)
        put_number(out, "interconnect_gb_s", a.interconnect_gb_s);
    if (a.fp64_tflops > 0)
        put_number(out, "fp64_tflops", a.fp64_tflops);
    if (a.fp32_tflops > 0)
        put_number(out, "fp32_tflops", a.fp32_tflops);
    if (a.bf16_tflops > 0)
        put_number(out, "bf16_tflops", a.bf16_tflops);
    if (a.fp8_tflops > 0)
        put_number(out, "fp8_tflops", a.fp8_tflops);
    if (a.int8_tops > 0)
        put_number(out, "int8_tops", a.int8_tops);
    if (a.memory_gb_s > 0)
        put_number(out, "memory_gb_s", a.memory_gb_s);
    if (a.host_link_gb_s > 0)
        put_number(out, "host_link_gb_s", a.host_link_gb_s);
    if (a.scale_up_cards > 0)
        put_whole(out, "scale_up_cards", a.scale_up_cards);
    if (a.scale_out_gb_s > 0)
        put_number(out, "scale_out_gb_s", a.scale_out_gb_s);
}

void put_accelerators(json_writer& out, const accelerator_facts& a) {
    put_key(out, "accelerators");
    out.StartObject();
    put_text(out, "model", a.model);
    put_whole(out, "count", a.count);
    put_whole(out, "memory_gib", a.memory_gib);
    put_card_figures(out, a);
    put_text(out, "stack", a.stack);
    put_flag(out, "training", a.training);
    put_flag(out, "inference", a.inference);
    out.EndObject();
}

void put_supply(json_writer& out, const supply_terms& supply) {
    if (supply.hazard != hazard_facts{}) {
        put_key(out, "hazard");
        out.StartObject();
        put_number(out, "spot_per_h", supply.hazard.spot_per_h);
        put_number(out, "hardware_per_card_h", supply.hazard.hardware_per_card_h);
        put_number(out, "provider_per_h", supply.hazard.provider_per_h);
        if (supply.hazard.notice_s > 0)
            put_whole(out, "notice_s", supply.hazard.notice_s);
        out.EndObject();
    }
    if (supply.minimum_units > 1)
        put_whole(out, "minimum_units", supply.minimum_units);
    if (supply.latency_headroom > 0)
        put_whole(out, "latency_headroom", supply.latency_headroom);
    put_time(out, "available_from", supply.available_from);
    put_number(out, "tax_rate", supply.tax_rate);
    if (!supply.firm)
        put_flag(out, "firm", false);
    put_text(out, "host", supply.host);
    if (supply.host_units)
        put_whole(out, "host_units", *supply.host_units);
    put_time(out, "valid_until", supply.price_until);
    if (supply.fee) {
        put_text(out, "term", name_of(supply.fee->term));
        put_money(out, "term_price", supply.fee->per_unit);
    }
    if (supply.owned)
        put_flag(out, "owned", true);
    if (supply.shadow_price)
        put_price(out, "shadow_price", *supply.shadow_price);
}

void put_software(json_writer& out, const software_facts& software) {
    put_text_map(out, "stack_versions", software.stack_versions);
    put_text(out, "driver_version", software.driver_version);
}

void put_price_override(json_writer& out, const price_override& p) {
    put_text(out, "site", p.site);
    put_text(out, "offer", p.offer);
    put_price(out, "price", p.price);
    put_price_schedule(out, p.schedule);
    put_text(out, "source", p.source);
    if (p.increment_s)
        put_whole(out, "increment_s", *p.increment_s);
    if (p.minimum_s)
        put_whole(out, "minimum_s", *p.minimum_s);
    if (p.billing_starts)
        put_text(out, "billing_starts", name_of(*p.billing_starts));
    put_number(out, "idle_w", p.idle_w);
    put_number(out, "max_w", p.max_w);
    if (p.cards != accelerator_facts{}) {
        put_key(out, "accelerators");
        out.StartObject();
        put_card_figures(out, p.cards);
        out.EndObject();
    }
    put_supply(out, p.supply);
    put_software(out, p.software);
}

void put_provider(json_writer& out, const provider_config& p) {
    put_text(out, "id", p.id);
    put_text(out, "kind", p.kind);
    put_text(out, "display_name", p.display_name);
    put_flag(out, "cordoned", p.cordoned);
    put_objects(out, "sites", p.sites, [&](const site_facts& site) { put_site_facts(out, site); });
    if (!p.prices.empty())
        put_objects(out, "prices", p.prices, [&](const price_override& price) { put_price_override(out, price); });
    put_key(out, "limits");
    out.StartObject();
    put_whole(out, "calls_max", p.calls_max);
    put_whole(out, "call_timeout_s", p.call_timeout_s);
    out.EndObject();
    put_whole(out, "offers_refresh_s", p.offers_refresh_s);
    if (p.stale_after_s)
        put_whole(out, "stale_after_s", *p.stale_after_s);
    put_whole(out, "poll_s", p.poll_s);
    put_whole(out, "lost_after_s", p.lost_after_s);
}

}  // namespace

void put_sourced(json_writer& out, std::string_view name, const std::optional<sourced>& value) {
    if (!value || !std::isfinite(value->value))
        return;
    put_key(out, name);
    out.StartObject();
    put_number(out, "value", value->value);
    put_text(out, "source", value->source);
    put_text(out, "quality", name_of(value->quality));
    out.EndObject();
}

void put_site_facts(json_writer& out, const site_facts& site) {
    put_text(out, "site", site.site);
    put_text(out, "region", site.region);
    put_text(out, "zone", site.zone);
    put_text(out, "jurisdiction", site.jurisdiction);
    if (site.latitude_longitude) {
        put_number(out, "latitude", site.latitude_longitude->first);
        put_number(out, "longitude", site.latitude_longitude->second);
    }
    if (!site.rtt_ms.empty()) {
        put_key(out, "rtt_ms");
        out.StartObject();
        for (const auto& [region, rtt] : site.rtt_ms)
            put_number(out, region, rtt);
        out.EndObject();
    }
    if (!site.rtt_measured.empty())
        put_objects(out, "rtt_measured", site.rtt_measured, [&](const measured_rtt& each) {
            put_text(out, "region", each.region);
            put_number(out, "ms", each.ms);
            put_time(out, "measured_at", each.measured_at);
            put_whole(out, "samples", each.samples);
        });
    if (!site.rtt_measured.empty() || site.rtt_max_age_s != rtt_max_age_default_s)
        put_whole(out, "rtt_max_age_s", site.rtt_max_age_s);
    put_sourced(out, "pue", site.pue);
    put_sourced(out, "green_power_share", site.green_power_share);
    put_sourced(out, "carbon_g_per_kwh", site.carbon_g_per_kwh);
    put_sourced(out, "residual_g_per_kwh", site.residual_g_per_kwh);
    put_text(out, "grid_zone", site.grid_zone);
    put_number(out, "ingress_gbps", site.ingress_gbps);
    if (site.staging_per_gib)
        put_money(out, "staging_per_gib", *site.staging_per_gib);
    put_texts(out, "data_classes", site.data_classes);
    put_texts(out, "licences", site.licences);
}

void put_offer_shape(json_writer& out, const offer& o) {
    put_text(out, "compute_class", name_of(o.compute));
    put_text(out, "billing_mode", name_of(o.mode));
    put_text(out, "unit", name_of(o.unit));
    put_flag(out, "divisible", o.divisible);
    put_whole(out, "vcpus", o.vcpus);
    put_whole(out, "memory_mib", o.memory_mib);
    if (o.disk_mib > 0)
        put_whole(out, "disk_mib", o.disk_mib);
    if (o.accelerators)
        put_accelerators(out, *o.accelerators);
    put_text(out, "architecture", o.architecture);
    put_texts(out, "stacks", o.stacks);
    if (o.price)
        put_price(out, "price", *o.price);
    put_price_schedule(out, o.schedule);
    put_text(out, "price_source", o.price_source);
    put_whole(out, "increment_s", o.increment_s);
    put_whole(out, "minimum_s", o.minimum_s);
    if (o.billing_starts != billing_start::run)
        put_text(out, "billing_starts", name_of(o.billing_starts));
    put_number(out, "idle_w", o.idle_w);
    put_number(out, "max_w", o.max_w);
    put_whole(out, "queue_wait_s", o.queue_wait_s);
    if (o.queue_wait_p90_s > 0)
        put_whole(out, "queue_wait_p90_s", o.queue_wait_p90_s);
    put_software(out, o.software);
    put_supply(out, o.supply);
}

void encode_provider(json_writer& out, const provider_config& p) {
    out.StartObject();
    put_provider(out, p);
    out.EndObject();
}

void encode(json_writer& out, const provider_config& c, const provider_health* health, const quarantine* distrust) {
    out.StartObject();
    put_provider(out, c);
    if (health != nullptr) {
        put_key(out, "health");
        out.StartObject();
        put_text(out, "state", to_string(health->state));
        put_text(out, "message", health->message);
        put_time(out, "since", health->since);
        put_text(out, "adapter_version", health->adapter_version);
        put_whole(out, "max_visibility_delay_s", health->max_visibility_delay_s);
        out.EndObject();
    }
    if (distrust != nullptr) {
        put_key(out, "quarantine");
        out.StartObject();
        put_text(out, "kind", distrust->unauthorised ? "unauthorised" : "launches_fail");
        put_time(out, "since", distrust->since);
        put_time(out, "until", distrust->until);
        put_whole(out, "failures", distrust->failures);
        put_text(out, "reason", distrust->why);
        out.EndObject();
    }
    out.EndObject();
}

}  // namespace westerly
