#include "adapters/slurm/words/config.hpp"

#include "broker/codec/reader.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr std::size_t config_bytes_max = 256 * 1024;

bool is_endpoint(std::string_view text) {
    const bool scheme = text.starts_with("http://") || text.starts_with("https://");
    const auto host = text.substr(std::min(text.size(), text.find("://") + 3));
    return scheme && !host.empty() && host.find_first_of("/?#@ ") == std::string_view::npos;
}
bool is_folder(std::string_view text) {
    return text.starts_with('/') && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("/._+-").find(c) != std::string_view::npos;
           });
}
bool is_word(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.' || c == ':';
    });
}

bool is_unit(std::string_view text) {
    return text == "core" || text == "card" || text == "node";
}

constexpr text_rule endpoint_rule{1, 255, is_endpoint, "http:// or https://, host and port, no path"};
// It goes through shells and Slurm's own % patterns.
constexpr text_rule folder_rule{1, 200, is_folder, "an absolute path of letters, digits and . _ + -"};
constexpr text_rule word_rule{1, 64, is_word, "letters, digits and . _ : -"};
constexpr text_rule path_rule{.length_min = 1, .length_max = 4096};
constexpr text_rule text_63{.length_min = 1, .length_max = 63};

void read_token(object_reader& in, slurm_config& config) {
    int sources = 0;
    in.object("token", [&](object_reader& from) {
        sources += from.text("file", config.token.file, path_rule) ? 1 : 0;
        sources += from.text("env", config.token.env, word_rule) ? 1 : 0;
    });
    in.object("signing_key", [&](object_reader& from) {
        from.require({"file"});
        sources += from.text("file", config.token.signing_key_file, path_rule) ? 1 : 0;
    });
    sources += in.texts("token_command", config.token.command, 1, 64, {.length_min = 0, .length_max = 4096}) ? 1 : 0;
    if (sources != 1)
        in.faults().invalid(in.path(), "must say in one way where the token comes from",
                            "give one of token {file} or {env}, token_command, signing_key {file}");
}

void read_partition(object_reader& in, partition_config& one, const std::vector<std::string>& known) {
    in.require({"partition"});
    in.text("partition", one.partition, word_rule);
    const bool given = in.text("site", one.site, text_63);
    if (!given && known.size() == 1)
        one.site = known.front();
    else if (std::ranges::find(known, one.site) == known.end())
        in.faults().invalid(in.at("site"), "is not a site of the provider file", "name one of the file's sites");
    in.choice("compute_class", one.compute);
    std::vector<std::string> units;
    if (in.texts("units", units, 1, 3, {.allowed = is_unit, .shape = "core, card or node"}, true)) {
        one.units.clear();
        for (const auto& unit : units)
            one.units.push_back(unit == "core"   ? offer_unit::core
                                : unit == "card" ? offer_unit::card
                                                 : offer_unit::node);
    }
}

void read_gres(object_reader& in, gres_facts& one) {
    in.require({"gres", "model", "memory_gib", "stack"});
    in.text("gres", one.gres, word_rule);
    in.text("model", one.card.model, text_63);
    in.whole("memory_gib", one.card.memory_gib, 1, 4096);
    in.number("fp16_tflops", one.card.fp16_tflops, {.high = 1e6});
    in.number("interconnect_gb_s", one.card.interconnect_gb_s, {.high = 1e6});
    in.number("fp64_tflops", one.card.fp64_tflops, {.high = 1e6});
    in.number("memory_gb_s", one.card.memory_gb_s, {.high = 1e6});
    in.number("host_link_gb_s", one.card.host_link_gb_s, {.high = 1e6});
    in.whole("scale_up_cards", one.card.scale_up_cards, 0, 1'000'000);
    in.number("scale_out_gb_s", one.card.scale_out_gb_s, {.high = 1e6});
    in.text("stack", one.card.stack, text_rule{.length_min = 1, .length_max = 32});
    in.flag("training", one.card.training);
    in.flag("inference", one.card.inference);
    one.card.count = 1;
}

}  // namespace

result<slurm_config> decode_slurm_config(std::string_view json, const std::vector<std::string>& known) {
    const auto document = parse_json(json, config_bytes_max);
    if (!document)
        return document.error();
    fault_list faults;
    slurm_config config;
    object_reader::read_object(*document, {}, faults, [&](object_reader& in) {
        in.require({"endpoint", "user", "shared_directory"});
        in.text("endpoint", config.endpoint, endpoint_rule);
        in.text("ca_file", config.ca_file, path_rule);
        in.text("user", config.user, word_rule);
        read_token(in, config);
        in.whole("token_lifetime_s", config.token_lifetime_s, 120, 86'400);
        in.whole("request_timeout_s", config.request_timeout_s, 1, 300);
        in.text("shared_directory", config.shared_directory, folder_rule);
        in.text("scratch_directory", config.scratch_directory, folder_rule);
        in.text("account", config.account, word_rule);
        in.text("qos", config.qos, word_rule);
        in.whole("retention_s", config.retention_s, 60, 366 * 86'400);
        in.whole("max_visibility_delay_s", config.max_visibility_delay_s, 1, 3600);
        in.objects("partitions", 1, 256, [&](object_reader& item, std::size_t /*index*/) {
            read_partition(item, config.partitions.emplace_back(), known);
        });
        in.objects("accelerators", 1, 64, [&](object_reader& item, std::size_t /*index*/) {
            read_gres(item, config.accelerators.emplace_back());
        });
        if (config.partitions.empty() && known.size() != 1)
            in.faults().invalid(in.at("partitions"), "must stand where the provider has several sites",
                                "list each partition with its site");
    });
    if (!faults.empty())
        return faults.to_error("the config of the Slurm provider");
    if (!known.empty())
        config.default_site = known.front();
    return config;
}

}  // namespace westerly
