#include "broker/codec/config_json.hpp"
#include "broker/domain/wording.hpp"
#include "broker/placement/decide.hpp"
#include "broker/placement/policy_choice.hpp"
#include "broker/support/files.hpp"
#include "policies/table.hpp"
#include "tools/westerly/commands.hpp"

#include <cstdio>

namespace westerly {

namespace {

constexpr std::size_t policy_bytes_max = 1 << 20;

/// "0.1 CNY/kWh", with what a tonne comes to beside carbon, and whether a weight implies it.
std::string price_in_words(const json_value& term) {
    const auto per_tonne = rounded_at(term, "price_per_tonne", "CNY/t");
    return rounded_at(term, "price", "CNY/") + text_at(term, "per") + (per_tonne == "-" ? "" : ", " + per_tonne) +
           (text_at(term, "weight").empty() ? "" : ", implied by its weight");
}

template <class Each>
void for_each_of(const json_value& v, const char* name, Each each) {
    if (const auto* list = value_at(v, name); list != nullptr && list->IsArray())
        for (const auto& item : list->GetArray())
            each(item);
}

/// "rtt in steps of 1 ms, then cost"
std::string keys_in_words(const json_value& p, const char* list) {
    std::string text;
    for_each_of(p, list, [&](const json_value& key) {
        const auto name = text_at(key, "term");
        const term* const known = find_term(built_in_terms(), name);
        text += (text.empty() ? "" : ", then ") + name;
        if (number_at(key, "step", 0) > 0)
            text += " in steps of " + text_at(key, "step") + (known ? " " + std::string(known->unit) : "");
    });
    return text;
}

/// The three lists of an order, those that are alike told once.
std::string order_in_words(const json_value& p) {
    const auto services = keys_in_words(p, "order.service"), interactive = keys_in_words(p, "order.interactive"),
               batch = keys_in_words(p, "order.batch");
    if (services == interactive && interactive == batch)
        return batch;
    if (services == interactive)
        return "services and interactive work: " + services + "; other batch: " + batch;
    return "services: " + services +
           (interactive == batch ? "; batch: " + batch
                                 : "; interactive batch: " + interactive + "; other batch: " + batch);
}

/// "cost + latency 0.1 CNY/ms·replica-h + time 5 CNY/h", "non_green_energy, then carbon, then cost", "cost alone".
std::string rule_in_words(const json_value& p) {
    if (value_at(p, "order") != nullptr)
        return order_in_words(p);
    std::string text;
    for_each_of(p, "terms", [&](const json_value& t) { text += " + " + text_at(t, "term") + " " + price_in_words(t); });
    return text.empty() ? "cost alone" : "cost" + text;
}

/// Which offers the rule chooses among.
std::string within_in_words(const json_value& p) {
    const auto among = [&](const char* figure) {
        return ", among those within " + shortest(number_at(p, figure, 0) * 100) + " % of the ";
    };
    if (value_at(p, "within_of_cheapest") != nullptr)
        return among("within_of_cheapest") + "cheapest";
    if (value_at(p, "within_of_least") != nullptr)
        return among("within_of_least.within") + "least " + text_at(p, "within_of_least.term");
    return {};
}

/// What decides beside the rule: how long work may wait, and how long it is taken to run.
void print_times(const json_value& p) {
    for (const auto& [figure, means] :
         {std::pair{"max_delay_s", "seconds: no start is put off for longer, whatever the workload allows"},
          {"default_runtime_s", "seconds: what a run is taken to last where nothing tells"}})
        if (const auto value = text_at(p, figure); !value.empty())
            std::printf("%s: %s (%s)\n", figure, value.c_str(), means);
}

workload_group group_of(const json_value& v) {
    workload_group group;
    for_each_of(v, "tenants", [&](const json_value& t) { group.tenants.emplace_back(t.GetString()); });
    if (const auto* labels = value_at(v, "labels"); labels != nullptr && labels->IsObject())
        for (const auto& label : labels->GetObject()) {
            auto& kept = group.labels.emplace_back(label.name.GetString(), std::vector<std::string>());
            for (const auto& value : label.value.GetArray())
                kept.second.emplace_back(value.GetString());
        }
    return group;
}

std::string groups_in_words(const json_value& p, const char* name) {
    std::string text;
    for_each_of(p, name,
                [&](const json_value& group) { text += (text.empty() ? "" : "; ") + in_words(group_of(group)); });
    return text;
}

/// Whom it is for, in a table's cell.
std::string audience(const json_value& p) {
    std::string text = groups_in_words(p, "applies_to");
    for (const auto& [name, word] : {std::pair{"default_for", "default for "}, {"forced_for", "forced for "}})
        if (const auto groups = groups_in_words(p, name); !groups.empty())
            text += (text.empty() ? "" : "; ") + std::string(word) + groups;
    return text.empty() ? "everybody" : text;
}

std::string range_in_words(const json_value& bounds, const char* unit) {
    const auto max = text_at(bounds, "max");
    return text_at(bounds, "min") + (max.empty() ? " or more" : " to " + max) + unit;
}

void print_bounds(const json_value& p) {
    const auto* allowed = value_at(p, "overrides");
    if (allowed == nullptr) {
        std::printf("workloads may override nothing\n");
        return;
    }
    for (const auto& each : allowed->GetObject())
        if (std::string_view(each.name.GetString()) == "prices")
            for (const auto& price : each.value.GetObject())
                std::printf("workloads may set the price of %s: %s\n", price.name.GetString(),
                            range_in_words(price.value, " CNY").c_str());
        else
            std::printf("workloads may set %s: %s\n", each.name.GetString(), range_in_words(each.value, "").c_str());
}

void print_compliance(const json_value& p) {
    const auto* filters = value_at(p, "filters");
    const auto* rules = filters ? value_at(*filters, "compliance") : nullptr;
    if (rules == nullptr)
        return;
    for (const auto& rule : rules->GetArray()) {
        std::string times;
        for (const auto& [field, word] : {std::pair{"from_at", " from "}, std::pair{"until_at", " until "}})
            if (const auto at = text_at(rule, field); !at.empty())
                times += word + at;
        std::printf("filters.compliance: %s%s\n", text_at(rule, "name").c_str(), times.c_str());
    }
}

/// When what runs is moved, with defaults filled in.
std::string moves_in_words(const std::optional<replacement_rule>& rule) {
    if (!rule)
        return "moves nothing that runs (no replacement)";
    return "moves what runs for a gain of more than " + shortest(rule->min_gain * 100) +
           " % of what staying costs and more than " + shortest(rule->min_gain_amount) + " CNY; looks every " +
           std::to_string(rule->look_every_s) + " s, moves a run " + std::to_string(rule->at_most_every_s) +
           " s after its start at the earliest, and a workload " + std::to_string(rule->moves_max) + " times at most";
}

std::optional<replacement_rule> replacement_of(const json_value& p) {
    const auto* told = value_at(p, "replacement");
    if (told == nullptr)
        return std::nullopt;
    replacement_rule rule;
    rule.min_gain = number_at(*told, "min_gain", rule.min_gain);
    rule.min_gain_amount = number_at(*told, "min_gain_amount", rule.min_gain_amount);
    const auto whole = [&](const char* name, auto absent) {
        return static_cast<decltype(absent)>(number_at(*told, name, static_cast<double>(absent)));
    };
    rule.at_most_every_s = whole("at_most_every_s", rule.at_most_every_s);
    rule.look_every_s = whole("look_every_s", rule.look_every_s);
    rule.moves_max = whole("moves_max", rule.moves_max);
    return rule;
}

/// One sound policy of `check`, for people: prices as weights imply them.
void print_prices(const policy& p) {
    for (const priced_term& t : p.prices) {
        std::printf("  %s: %.6g CNY per %s", t.term.c_str(), t.per_unit, t.per.c_str());
        if (t.term == "carbon")
            std::printf(", %.6g CNY per tonne", t.per_unit * 1000);
        std::printf("%s\n", t.weight > 0 ? ", implied by its weight" : "");
    }
}

rapidjson::Document as_document(const policy& p) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    encode_policy(out, p);
    rapidjson::Document made;
    made.Parse(buffer.GetString(), buffer.GetSize());
    return made;
}

error about(const std::string& file, error why) {
    why.detail = file + ": " + why.detail;
    return why;
}

}  // namespace

int policies(cli& with) {
    const auto items = get_all(with, "/v1/policies");
    if (!items)
        return complain(items.error());
    if (with.json) {
        print_json(*items);
        return 0;
    }
    text_table table({"POLICY", "VERSION", "CHOOSES BY", "FOR", "DESCRIPTION"});
    for (const auto& p : items->GetArray())
        table.add({text_at(p, "name"), text_at(p, "version"), rule_in_words(p) + within_in_words(p), audience(p),
                   text_at(p, "description")});
    std::printf("%s", table.empty() ? "no policies\n" : table.render(with.colour).c_str());
    return 0;
}

int show_policy(cli& with, const std::string& name) {
    const auto p = get(with, "/v1/policies/" + url_encode(name));
    if (!p)
        return complain(p.error());
    if (with.json) {
        print_json(*p);
        return 0;
    }
    std::printf("%s, version %s\n", text_at(*p, "name").c_str(), text_at(*p, "version").c_str());
    if (const auto text = text_at(*p, "description"); !text.empty())
        std::printf("%s\n", text.c_str());
    std::printf("chooses by: %s\nfor: %s\n", rule_in_words(*p).c_str(), audience(*p).c_str());
    for (const char* figure : {"within_of_cheapest", "within_of_least.term", "within_of_least.within",
                               "filters.min_green_power_share", "filters.max_pue"})
        if (const auto value = text_at(*p, figure); !value.empty())
            std::printf("%s: %s\n", figure, value.c_str());
    print_compliance(*p);
    std::printf("%s\n", moves_in_words(replacement_of(*p)).c_str());
    print_times(*p);
    print_bounds(*p);
    return 0;
}

int check_policies(const std::vector<std::string>& files, bool json) {
    int code = 0;
    rapidjson::Document sound_ones(rapidjson::kArrayType);
    auto& memory = sound_ones.GetAllocator();
    policy_table all;
    for (const auto& file : files) {
        const auto text = read_file(file, policy_bytes_max);
        if (!text) {
            code = complain(missing_file(text.error()));
            continue;
        }
        auto read = decode_policy(std::filesystem::path(file).stem().string(), *text);
        const auto sound =
            read ? check_policy(*read, built_in_terms()) : result<void>(with_units(read.error(), built_in_terms()));
        if (!sound) {
            complain(about(file, sound.error()));
            code = refused;
            continue;
        }
        complete_units(*read, built_in_terms());
        all[read->name] = *read;
        if (json) {
            rapidjson::Value one(rapidjson::kObjectType);
            one.AddMember("file", rapidjson::Value(file, memory), memory);
            one.AddMember("version", rapidjson::Value(read->version, memory), memory);
            one.AddMember("policy", rapidjson::Value(as_document(*read), memory), memory);
            sound_ones.PushBack(one, memory);
            continue;
        }
        std::printf("%s: sound, version %s\n", file.c_str(), read->version.c_str());
        print_prices(*read);
        const auto told = as_document(*read);
        std::printf("  chooses by: %s%s\n  for: %s\n", rule_in_words(told).c_str(), within_in_words(told).c_str(),
                    audience(told).c_str());
        for (const char* figure : {"filters.min_green_power_share", "filters.max_pue"})
            if (const auto value = text_at(told, figure); !value.empty())
                std::printf("  %s: %s\n", figure, value.c_str());
        print_compliance(told);
        std::printf("  %s\n", moves_in_words(read->replacement).c_str());
        print_times(told);
        print_bounds(told);
    }
    for (auto& [name, doubt] : check_groups(all)) {
        error why = fail(errc::invalid, name + ": " + doubt.message, doubt.remedy);
        why.faults.push_back(std::move(doubt));
        complain(why);
        code = refused;
    }
    if (json)
        print_json(sound_ones);
    return code;
}

}  // namespace westerly
