#include "broker/codec/price_schedule_json.hpp"
#include "broker/codec/protocol_json.hpp"
#include "broker/codec/protocol_words.hpp"
#include "broker/support/bytes.hpp"
#include "broker/support/time.hpp"

#include <algorithm>

namespace westerly {
namespace {

void text(json_writer& out, std::string_view value) {
    out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void member(json_writer& out, std::string_view key) {
    out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}
void put(json_writer& out, std::string_view key, std::string_view value) {
    member(out, key);
    text(out, value);
}
void put(json_writer& out, std::string_view key, std::uint64_t value) {
    member(out, key);
    out.Uint64(value);
}
void put(json_writer& out, std::string_view key, double value) {
    member(out, key);
    out.Double(value);
}
void put_flag(json_writer& out, std::string_view key, bool value) {
    member(out, key);
    out.Bool(value);
}
void put(json_writer& out, std::string_view key, instant value) {
    put(out, key, std::string_view(format_rfc3339(value)));
}
void put(json_writer& out, std::string_view key, const std::vector<std::string>& values) {
    member(out, key);
    out.StartArray();
    for (const auto& value : values)
        text(out, value);
    out.EndArray();
}
/// What is absent is left out, never null.
template <class T>
void put_optional(json_writer& out, std::string_view key, const std::optional<T>& value) {
    if (value)
        put(out, key, *value);
}
void put_filled(json_writer& out, std::string_view key, std::string_view value) {
    if (!value.empty())
        put(out, key, value);
}
void put_set(json_writer& out, std::string_view key, bool value) {
    if (value)
        put_flag(out, key, true);
}
void put_signed(json_writer& out, std::string_view key, const std::optional<std::int32_t>& value) {
    if (value) {
        member(out, key);
        out.Int(*value);
    }
}

template <class Fill>
std::string object(Fill fill) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    fill(out);
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

void put_known(json_writer& out, std::string_view key, double value) {
    if (value > 0)
        put(out, key, value);
}

void put_accelerators(json_writer& out, const accelerator_facts& a) {
    member(out, "accelerators");
    out.StartObject();
    put(out, "model", a.model);
    put(out, "count", std::uint64_t{a.count});
    put(out, "memory_gib", std::uint64_t{a.memory_gib});
    put(out, "fp16_tflops", a.fp16_tflops);
    put(out, "interconnect_gb_s", a.interconnect_gb_s);
    put_known(out, "fp64_tflops", a.fp64_tflops);
    put_known(out, "memory_gb_s", a.memory_gb_s);
    put_known(out, "host_link_gb_s", a.host_link_gb_s);
    if (a.scale_up_cards > 0)
        put(out, "scale_up_cards", std::uint64_t{a.scale_up_cards});
    put_known(out, "scale_out_gb_s", a.scale_out_gb_s);
    put(out, "stack", a.stack);
    put_flag(out, "training", a.training);
    put_flag(out, "inference", a.inference);
    out.EndObject();
}

void put_offer(json_writer& out, const adapter_offer& o) {
    const offer& s = o.shape;
    out.StartObject();
    put(out, "site", o.site);
    put(out, "name", o.name);
    put(out, "compute", name_of(s.compute));
    put(out, "billing", name_of(s.mode));
    put(out, "unit", name_of(s.unit));
    put_flag(out, "divisible", s.divisible);
    put_flag(out, "launchable", s.launchable);
    put(out, "vcpus", std::uint64_t{s.vcpus});
    put(out, "memory_mib", s.memory_mib);
    put(out, "disk_mib", s.disk_mib);
    if (s.accelerators)
        put_accelerators(out, *s.accelerators);
    put(out, "architecture", s.architecture);
    put(out, "stacks", s.stacks);
    put_optional(out, "units_free", s.units_free);
    put(out, "units_ours", s.units_ours);
    if (s.price) {
        member(out, "price");
        out.StartObject();
        put(out, "amount", std::string_view(format_nanos(s.price->nanos)));
        put(out, "currency", to_string(s.price->unit));
        out.EndObject();
    }
    put_price_schedule(out, s.schedule);
    put(out, "increment_s", std::uint64_t{s.increment_s});
    put(out, "minimum_s", std::uint64_t{s.minimum_s});
    if (s.billing_starts != billing_start::run)
        put(out, "billing_starts", name_of(s.billing_starts));
    put_optional(out, "idle_w", s.idle_w);
    put_optional(out, "max_w", s.max_w);
    put(out, "queue_wait_s", std::uint64_t{s.queue_wait_s});
    if (s.queue_wait_p90_s > 0)
        put(out, "queue_wait_p90_s", std::uint64_t{s.queue_wait_p90_s});
    if (!s.software.stack_versions.empty()) {
        member(out, "stack_versions");
        out.StartObject();
        for (const auto& [stack, version] : s.software.stack_versions)
            put(out, stack, std::string_view(version));
        out.EndObject();
    }
    put_filled(out, "driver_version", s.software.driver_version);
    put_optional(out, "valid_until", s.supply.price_until);
    put_filled(out, "price_source", s.price_source);
    out.EndObject();
}

void put_rtt(json_writer& out, const site_rtt& v) {
    out.StartObject();
    put(out, "site", v.site);
    put(out, "region", v.rtt.region);
    put(out, "ms", v.rtt.ms);
    put(out, "measured_at", v.rtt.measured_at);
    put(out, "samples", std::uint64_t{v.rtt.samples});
    out.EndObject();
}

void put_variant(json_writer& out, const variant& run) {
    member(out, "run");
    out.StartObject();
    put(out, "stack", run.stack);
    put(out, "command", run.command);
    member(out, "env");
    out.StartObject();
    for (const auto& [name, value] : run.env)
        put(out, name, std::string_view(value));
    out.EndObject();
    put_filled(out, "files", run.files);
    out.EndObject();
}

void put_observation_members(json_writer& out, const observation& v) {
    put(out, "phase", name_of(v.at));
    put(out, "token", v.token);
    put_filled(out, "handle", v.handle);
    put(out, "seq", v.seq);
    put_optional(out, "started_at", v.started_at);
    put_optional(out, "ended_at", v.ended_at);
    put_signed(out, "exit_code", v.exit_code);
    put_signed(out, "exit_signal", v.exit_signal);
    if (v.failed_rank)
        put(out, "failed_rank", std::uint64_t{*v.failed_rank});
    put_set(out, "timed_out", v.timed_out);
    put_set(out, "preempted", v.preempted);
    put_filled(out, "message", v.message);
}

void put_observations(json_writer& out, const std::vector<observation>& items) {
    member(out, "items");
    out.StartArray();
    for (const auto& item : items) {
        out.StartObject();
        put_observation_members(out, item);
        out.EndObject();
    }
    out.EndArray();
}

void put_piece_members(json_writer& out, const byte_piece& v) {
    put(out, "from", v.from);
    put(out, "next", v.next);
    put(out, "base64", std::string_view(to_base64(v.bytes)));
    put_flag(out, "complete", v.complete);
}

void put_retry(json_writer& out, const std::optional<std::uint32_t>& retry_after_s) {
    if (retry_after_s)
        put(out, "retry_after_s", std::uint64_t{*retry_after_s});
}

}  // namespace

std::string encode(const initialize_request& v) {
    return object([&](json_writer& out) {
        put(out, "version", static_cast<std::uint64_t>(v.version));
        put(out, "provider", v.provider);
        put(out, "owner", v.owner);
        put(out, "state_dir", v.state_dir);
        member(out, "config");
        // As is, but on one line: line breaks of JSON stand between its tokens only.
        std::string config = v.config_json.empty() ? "{}" : v.config_json;
        std::ranges::replace_if(
            config, [](char c) { return c == '\n' || c == '\r'; }, ' ');
        out.RawValue(config.data(), config.size(), rapidjson::kObjectType);
        put(out, "sites", v.sites);
    });
}

std::string encode(const initialize_reply& v) {
    return object([&](json_writer& out) {
        put(out, "version", static_cast<std::uint64_t>(v.version));
        put(out, "kind", v.kind);
        put(out, "adapter_version", v.adapter_version);
        put(out, "idempotency", name_of(v.idempotency));
        put(out, "max_visibility_delay_s", std::uint64_t{v.max_visibility_delay_s});
        put(out, "capabilities", v.capabilities);
    });
}

std::string encode(const offers_reply& v) {
    return object([&](json_writer& out) {
        member(out, "offers");
        out.StartArray();
        for (const auto& item : v.offers)
            put_offer(out, item);
        out.EndArray();
        put(out, "as_of", v.as_of);
        put_filled(out, "next_cursor", v.next_cursor);
        if (!v.rtt_measured.empty()) {
            member(out, "rtt_measured");
            out.StartArray();
            for (const auto& item : v.rtt_measured)
                put_rtt(out, item);
            out.EndArray();
        }
        if (!v.warnings.empty())
            put(out, "warnings", v.warnings);
    });
}

std::string encode(const launch_request& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "fence", v.fence);
        put(out, "owner", v.owner);
        put(out, "workload", v.workload);
        put(out, "attempt", v.attempt);
        put(out, "name", v.name);
        put(out, "tenant", v.tenant);
        put(out, "site", v.site);
        put(out, "offer", v.offer);
        put(out, "tasks", std::uint64_t{v.tasks});
        put(out, "units", v.units);
        put(out, "vcpus", std::uint64_t{v.vcpus});
        put(out, "memory_mib", v.memory_mib);
        put(out, "disk_mib", v.disk_mib);
        put_variant(out, v.run);
        put_flag(out, "has_files", v.has_files);
        put_optional(out, "max_runtime_s", v.max_runtime_s);
        put(out, "grace_s", std::uint64_t{v.grace_s});
    });
}

std::string encode(const mutation_reply& v) {
    return object([&](json_writer& out) {
        put(out, "outcome", name_of(v.outcome));
        put_filled(out, "handle", v.handle);
        if (v.why != adapter_error::none)
            put(out, "why", name_of(v.why));
        put_filled(out, "message", v.message);
        put_retry(out, v.retry_after_s);
    });
}

std::string encode(const observation& v) {
    return object([&](json_writer& out) { put_observation_members(out, v); });
}

std::string encode(const std::vector<observation>& v) {
    return object([&](json_writer& out) { put_observations(out, v); });
}

std::string encode(const listing& v) {
    return object([&](json_writer& out) {
        put_observations(out, v.items);
        put_flag(out, "complete", v.complete);
        put(out, "as_of", v.as_of);
        put_filled(out, "next_cursor", v.next_cursor);
    });
}

std::string encode(const log_request& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "rank", std::uint64_t{v.rank});
        put(out, "stream", std::string_view(v.error_stream ? "stderr" : "stdout"));
        put(out, "from", v.from);
    });
}

std::string encode(const byte_piece& v) {
    return object([&](json_writer& out) { put_piece_members(out, v); });
}

std::string encode(const fetch_reply& v) {
    return object([&](json_writer& out) {
        if (v.piece) {
            member(out, "piece");
            out.StartObject();
            put_piece_members(out, *v.piece);
            out.EndObject();
        }
        if (!v.directory)
            return;
        member(out, "entries");
        out.StartArray();
        for (const auto& entry : v.entries) {
            out.StartObject();
            put(out, "path", entry.path);
            put(out, "size_bytes", entry.size_bytes);
            out.EndObject();
        }
        out.EndArray();
        put_set(out, "truncated", v.truncated);
    });
}

std::string encode(const probe_reply& v) {
    return object([&](json_writer& out) {
        put_flag(out, "ok", v.ok);
        put_filled(out, "message", v.message);
    });
}

std::string encode(const offers_params& v) {
    return object([&](json_writer& out) { put_filled(out, "cursor", v.cursor); });
}

std::string encode(const cancel_call_params& v) {
    return object([&](json_writer& out) { put(out, "id", v.id); });
}

std::string encode(const preemption_notice& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "at", v.at);
    });
}

std::string encode(const token_params& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "grace_s", std::uint64_t{v.grace_s});
    });
}

std::string encode_find(const std::string& token) {
    return object([&](json_writer& out) { put(out, "token", token); });
}

std::string encode(const tokens_params& v) {
    return object([&](json_writer& out) { put(out, "tokens", v.tokens); });
}

std::string encode(const list_params& v) {
    return object([&](json_writer& out) {
        put(out, "owner", v.owner);
        put_filled(out, "cursor", v.cursor);
    });
}

std::string encode(const put_params& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "path", v.path);
        put(out, "from", v.from);
        put(out, "base64", std::string_view(to_base64(v.bytes)));
    });
}

std::string encode(const fetch_params& v) {
    return object([&](json_writer& out) {
        put(out, "token", v.token);
        put(out, "path", v.path);
        put(out, "from", v.from);
    });
}

}  // namespace westerly
