#include "broker/codec/price_schedule_json.hpp"
#include "broker/codec/protocol_json.hpp"
#include "broker/codec/protocol_words.hpp"
#include "broker/codec/reader.hpp"
#include "broker/support/bytes.hpp"

namespace westerly {
namespace {

constexpr std::size_t config_bytes_max = 256 * 1024;
constexpr std::size_t sites_max = 256;
constexpr std::size_t offers_max = 4096;  // of one page
constexpr std::int64_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t exec_bytes_max = 131071;  // Linux refuses longer arguments and variables at exec

bool is_variable_name(std::string_view text) {
    return text.find('=') == std::string_view::npos;
}
bool is_token(std::string_view text) {
    return attempt_of_token(text).has_value();
}

constexpr text_rule name_rule{.length_min = 1, .length_max = protocol_name_max};
constexpr text_rule offer_rule{.length_min = 1, .length_max = protocol_offer_max};
constexpr text_rule path_rule{.length_min = 1, .length_max = protocol_path_max};
constexpr text_rule text_rule_any{.length_min = 0, .length_max = protocol_text_max};
constexpr text_rule token_rule{
    .length_min = 33, .length_max = 33, .allowed = is_token, .shape = "a launch token: w and 32 lower-case hex digits"};

/// Runs `read` over the object and turns what it found wrong into one error.
template <class T, class Read>
result<T> decode(const json_value& p, std::string_view what, Read read) {
    fault_list faults;
    T value{};
    object_reader::read_object(p, {}, faults, [&](object_reader& in) { read(in, value); });
    if (!faults.empty())
        return faults.to_error(what);
    return value;
}

void read_token(object_reader& in, std::string& token) {
    in.require({"token"});
    in.text("token", token, token_rule);
}

void read_base64(object_reader& in, std::string& bytes) {
    constexpr text_rule rule{.length_min = 0, .length_max = (protocol_piece_max + 2) / 3 * 4};
    std::string encoded;
    if (!in.text("base64", encoded, rule))
        return;
    auto read = from_base64(encoded);
    if (read && read->size() <= protocol_piece_max)
        bytes = std::move(*read);
    else
        in.faults().invalid(in.at("base64"), "is not base64 of at most 512 KiB", "write RFC 4648 base64 with padding");
}

void read_accelerators(object_reader& in, accelerator_facts& a) {
    in.require({"model", "count", "memory_gib", "fp16_tflops", "interconnect_gb_s", "stack", "training", "inference"});
    in.text("model", a.model, name_rule);
    in.whole("count", a.count, 1, 1024);
    in.whole("memory_gib", a.memory_gib, 0, u32_max);
    in.number("fp16_tflops", a.fp16_tflops, {});
    in.number("interconnect_gb_s", a.interconnect_gb_s, {});
    in.number("fp64_tflops", a.fp64_tflops, {});
    in.number("memory_gb_s", a.memory_gb_s, {});
    in.number("host_link_gb_s", a.host_link_gb_s, {});
    in.whole("scale_up_cards", a.scale_up_cards, 0, u32_max);
    in.number("scale_out_gb_s", a.scale_out_gb_s, {});
    in.text("stack", a.stack, name_rule);
    in.flag("training", a.training);
    in.flag("inference", a.inference);
}

void read_price(object_reader& in, unit_price& price) {
    constexpr text_rule amount_rule{.length_min = 1, .length_max = 32};
    in.require({"amount", "currency"});
    in.choice("currency", price.unit);
    std::string amount;
    if (!in.text("amount", amount, amount_rule))
        return;
    const auto nanos = parse_nanos(amount);
    if (nanos && *nanos >= 0)
        price.nanos = *nanos;
    else
        in.faults().invalid(in.at("amount"), "is not a price", "write a decimal of at most nine places, 0 or more");
}

void read_offer(object_reader& in, adapter_offer& o) {
    offer& s = o.shape;
    in.require({"site", "name", "compute", "billing", "unit", "divisible", "launchable", "vcpus", "memory_mib",
                "disk_mib", "architecture", "stacks", "units_ours", "increment_s", "minimum_s", "queue_wait_s"});
    in.text("site", o.site, name_rule);
    in.text("name", o.name, offer_rule);
    in.choice("compute", s.compute);
    in.choice("billing", s.mode);
    in.choice("unit", s.unit);
    in.flag("divisible", s.divisible);
    in.flag("launchable", s.launchable);
    in.whole("vcpus", s.vcpus, 0, u32_max);
    in.whole("memory_mib", s.memory_mib, 0, whole_max);
    in.whole("disk_mib", s.disk_mib, 0, whole_max);
    in.object("accelerators", [&](object_reader& a) { read_accelerators(a, s.accelerators.emplace()); });
    in.text("architecture", s.architecture, name_rule);
    in.texts("stacks", s.stacks, 1, 16, name_rule, true);
    in.whole("units_free", s.units_free, 0, whole_max);
    in.whole("units_ours", s.units_ours, 0, whole_max);
    in.object("price", [&](object_reader& price) { read_price(price, s.price.emplace()); });
    read_price_schedule(in, s.schedule);
    if (in.has("price_schedule"))
        in.require({"price"});
    in.whole("increment_s", s.increment_s, 1, u32_max);
    in.whole("minimum_s", s.minimum_s, 0, u32_max);
    in.choice("billing_starts", s.billing_starts);
    in.number("idle_w", s.idle_w, {});
    in.number("max_w", s.max_w, {});
    in.whole("queue_wait_s", s.queue_wait_s, 0, u32_max);
    in.whole("queue_wait_p90_s", s.queue_wait_p90_s, 0, u32_max);
    in.text_map("stack_versions", s.software.stack_versions, 16, name_rule, name_rule);
    in.text("driver_version", s.software.driver_version, name_rule);
    in.time("valid_until", s.supply.price_until);
    in.text("price_source", s.price_source, text_rule_any);
}

void read_rtt(object_reader& in, site_rtt& v) {
    in.require({"site", "region", "ms", "measured_at", "samples"});
    in.text("site", v.site, name_rule);
    in.text("region", v.rtt.region, name_rule);
    in.number("ms", v.rtt.ms, {0, 60'000});
    in.time("measured_at", v.rtt.measured_at);
    in.whole("samples", v.rtt.samples, 1, 1'000'000);
}

void read_variant(object_reader& in, variant& run) {
    constexpr text_rule argument_rule{.length_min = 0, .length_max = exec_bytes_max};
    constexpr text_rule variable_rule{
        .length_min = 1, .length_max = 255, .allowed = is_variable_name, .shape = "a variable's name, without '='"};
    in.require({"stack", "command", "env"});
    in.text("stack", run.stack, name_rule);
    in.texts("command", run.command, 1, 256, argument_rule);
    in.text_map("env", run.env, 1024, variable_rule, argument_rule);
    in.text("files", run.files, offer_rule);
}

void read_observation(object_reader& in, observation& v) {
    constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t high = std::numeric_limits<std::int32_t>::max();
    in.require({"phase", "seq"});
    in.choice("phase", v.at);
    read_token(in, v.token);
    in.text("handle", v.handle, text_rule_any);
    in.whole("seq", v.seq, 0, whole_max);
    in.time("started_at", v.started_at);
    in.time("ended_at", v.ended_at);
    in.whole("exit_code", v.exit_code, low, high);
    in.whole("exit_signal", v.exit_signal, low, high);
    in.whole("failed_rank", v.failed_rank, 0, u32_max);
    in.flag("timed_out", v.timed_out);
    in.flag("preempted", v.preempted);
    in.text("message", v.message, text_rule_any);
}

void read_observations(object_reader& in, std::vector<observation>& items) {
    in.require({"items"});
    in.objects("items", 0, protocol_entries_max,
               [&](object_reader& item, std::size_t /*index*/) { read_observation(item, items.emplace_back()); });
}

void read_piece(object_reader& in, byte_piece& v) {
    in.require({"from", "next", "base64"});
    in.whole("from", v.from, 0, whole_max);
    in.whole("next", v.next, 0, whole_max);
    read_base64(in, v.bytes);
    in.flag("complete", v.complete);
    if (in.faults().empty() && v.next != v.from + v.bytes.size())
        in.faults().invalid(in.at("next"), "is not from plus the bytes given", "give the offset to ask for next");
}

}  // namespace

result<initialize_request> decode_initialize_request(const json_value& p) {
    return decode<initialize_request>(p, "initialize params", [](object_reader& in, initialize_request& v) {
        in.require({"version", "provider", "owner", "state_dir", "config", "sites"});
        in.whole("version", v.version, 1, 1000);
        in.text("provider", v.provider, name_rule);
        in.text("owner", v.owner, name_rule);
        in.text("state_dir", v.state_dir, path_rule);
        in.texts("sites", v.sites, 0, sites_max, name_rule, true);
        const auto* config = in.take("config");
        if (config == nullptr)
            return;
        rapidjson::StringBuffer buffer;
        json_writer out(buffer);
        config->Accept(out);
        v.config_json = {buffer.GetString(), buffer.GetSize()};
        if (!config->IsObject() || v.config_json.size() > config_bytes_max)
            in.faults().invalid(in.at("config"), "is not an object of at most 256 KiB", "see the adapter's guide");
    });
}

result<initialize_reply> decode_initialize_reply(const json_value& p) {
    return decode<initialize_reply>(p, "initialize result", [](object_reader& in, initialize_reply& v) {
        in.require({"version", "kind", "adapter_version", "idempotency", "max_visibility_delay_s", "capabilities"});
        in.whole("version", v.version, 1, 1000);
        in.text("kind", v.kind, name_rule);
        in.text("adapter_version", v.adapter_version, name_rule);
        in.choice("idempotency", v.idempotency);
        in.whole("max_visibility_delay_s", v.max_visibility_delay_s, 0, u32_max);
        in.texts("capabilities", v.capabilities, 0, 64, name_rule, true);
    });
}

result<offers_reply> decode_offers_reply(const json_value& p) {
    return decode<offers_reply>(p, "offers result", [](object_reader& in, offers_reply& v) {
        in.require({"offers", "as_of"});
        in.objects("offers", 0, offers_max,
                   [&](object_reader& item, std::size_t /*index*/) { read_offer(item, v.offers.emplace_back()); });
        in.time("as_of", v.as_of);
        in.text("next_cursor", v.next_cursor, text_rule_any);
        in.objects("rtt_measured", 0, offers_max,
                   [&](object_reader& item, std::size_t /*index*/) { read_rtt(item, v.rtt_measured.emplace_back()); });
        constexpr text_rule warning_rule{.length_min = 1, .length_max = protocol_text_max};
        in.texts("warnings", v.warnings, 0, protocol_warnings_max, warning_rule);
        for (auto& item : v.offers)
            item.shape.as_of = v.as_of;
    });
}

result<launch_request> decode_launch_request(const json_value& p) {
    return decode<launch_request>(p, "launch params", [](object_reader& in, launch_request& v) {
        constexpr text_rule shown_rule{.length_min = 0, .length_max = protocol_name_max};
        in.require({"fence", "owner", "workload", "attempt", "name", "tenant", "site", "offer", "tasks", "units",
                    "vcpus", "memory_mib", "disk_mib", "run", "has_files", "grace_s"});
        read_token(in, v.token);
        in.whole("fence", v.fence, 0, whole_max);
        in.text("owner", v.owner, name_rule);
        in.text("workload", v.workload, name_rule);
        in.text("attempt", v.attempt, name_rule);
        in.text("name", v.name, shown_rule);
        in.text("tenant", v.tenant, name_rule);
        in.text("site", v.site, name_rule);
        in.text("offer", v.offer, offer_rule);
        in.whole("tasks", v.tasks, 1, 10000);
        in.whole("units", v.units, 1, whole_max);
        in.whole("vcpus", v.vcpus, 1, 4096);
        in.whole("memory_mib", v.memory_mib, 1, std::int64_t{1} << 26);
        in.whole("disk_mib", v.disk_mib, 0, whole_max);
        in.object("run", [&](object_reader& run) { read_variant(run, v.run); });
        in.flag("has_files", v.has_files);
        in.whole("max_runtime_s", v.max_runtime_s, 1, whole_max);
        in.whole("grace_s", v.grace_s, 0, 3600);
    });
}

result<mutation_reply> decode_mutation_reply(const json_value& p) {
    return decode<mutation_reply>(p, "mutation result", [](object_reader& in, mutation_reply& v) {
        in.require({"outcome"});
        in.choice("outcome", v.outcome);
        in.text("handle", v.handle, text_rule_any);
        in.choice("why", v.why);
        in.text("message", v.message, text_rule_any);
        in.whole("retry_after_s", v.retry_after_s, 0, u32_max);
    });
}

result<observation> decode_observation(const json_value& p) {
    return decode<observation>(p, "observation", read_observation);
}

result<std::vector<observation>> decode_observations(const json_value& p) {
    return decode<std::vector<observation>>(p, "get result", read_observations);
}

result<listing> decode_listing(const json_value& p) {
    return decode<listing>(p, "list result", [](object_reader& in, listing& v) {
        in.require({"complete", "as_of"});
        read_observations(in, v.items);
        in.flag("complete", v.complete);
        in.time("as_of", v.as_of);
        in.text("next_cursor", v.next_cursor, text_rule_any);
    });
}

result<log_request> decode_log_request(const json_value& p) {
    return decode<log_request>(p, "logs params", [](object_reader& in, log_request& v) {
        constexpr text_rule stream_rule{
            .length_min = 6,
            .length_max = 6,
            .allowed = [](std::string_view text) { return text == "stdout" || text == "stderr"; },
            .shape = "stdout or stderr"};
        std::string stream;
        in.require({"rank", "stream", "from"});
        read_token(in, v.token);
        in.whole("rank", v.rank, 0, u32_max);
        in.text("stream", stream, stream_rule);
        in.whole("from", v.from, 0, whole_max);
        v.error_stream = stream == "stderr";
    });
}

result<byte_piece> decode_byte_piece(const json_value& p) {
    return decode<byte_piece>(p, "piece", read_piece);
}

result<fetch_reply> decode_fetch_reply(const json_value& p) {
    return decode<fetch_reply>(p, "fetch result", [](object_reader& in, fetch_reply& v) {
        v.directory = in.has("entries");
        if (v.directory == in.has("piece"))
            in.faults().invalid(in.path(), "must hold either piece or entries", "give piece for a file");
        in.object("piece", [&](object_reader& piece) { read_piece(piece, v.piece.emplace()); });
        in.objects("entries", 0, protocol_entries_max, [&](object_reader& entry, std::size_t /*index*/) {
            auto& made = v.entries.emplace_back();
            entry.require({"path", "size_bytes"});
            entry.text("path", made.path, path_rule);
            entry.whole("size_bytes", made.size_bytes, 0, whole_max);
        });
        in.flag("truncated", v.truncated);
    });
}

result<probe_reply> decode_probe_reply(const json_value& p) {
    return decode<probe_reply>(p, "probe result", [](object_reader& in, probe_reply& v) {
        in.require({"ok"});
        in.flag("ok", v.ok);
        in.text("message", v.message, text_rule_any);
    });
}

result<offers_params> decode_offers_params(const json_value& p) {
    return decode<offers_params>(
        p, "offers params", [](object_reader& in, offers_params& v) { in.text("cursor", v.cursor, text_rule_any); });
}

result<cancel_call_params> decode_cancel_call_params(const json_value& p) {
    return decode<cancel_call_params>(p, "$/cancel params", [](object_reader& in, cancel_call_params& v) {
        in.require({"id"});
        in.whole("id", v.id, 0, whole_max);
    });
}

result<preemption_notice> decode_preemption_notice(const json_value& p) {
    return decode<preemption_notice>(p, "preemption.notice params", [](object_reader& in, preemption_notice& v) {
        in.require({"at"});
        read_token(in, v.token);
        in.time("at", v.at);
    });
}

result<token_params> decode_token_params(const json_value& p) {
    return decode<token_params>(p, "params", [](object_reader& in, token_params& v) {
        read_token(in, v.token);
        in.whole("grace_s", v.grace_s, 0, 3600);
    });
}

result<tokens_params> decode_tokens_params(const json_value& p) {
    return decode<tokens_params>(p, "get params", [](object_reader& in, tokens_params& v) {
        in.require({"tokens"});
        in.texts("tokens", v.tokens, 0, protocol_tokens_max, token_rule);
    });
}

result<list_params> decode_list_params(const json_value& p) {
    return decode<list_params>(p, "list params", [](object_reader& in, list_params& v) {
        in.require({"owner"});
        in.text("owner", v.owner, name_rule);
        in.text("cursor", v.cursor, text_rule_any);
    });
}

result<put_params> decode_put_params(const json_value& p) {
    return decode<put_params>(p, "put params", [](object_reader& in, put_params& v) {
        in.require({"path", "from", "base64"});
        read_token(in, v.token);
        in.text("path", v.path, path_rule);
        in.whole("from", v.from, 0, whole_max);
        read_base64(in, v.bytes);
    });
}

result<fetch_params> decode_fetch_params(const json_value& p) {
    return decode<fetch_params>(p, "fetch params", [](object_reader& in, fetch_params& v) {
        constexpr text_rule below_rule{.length_min = 0, .length_max = protocol_path_max};
        in.require({"path", "from"});
        read_token(in, v.token);
        in.text("path", v.path, below_rule);
        in.whole("from", v.from, 0, whole_max);
    });
}

}  // namespace westerly
