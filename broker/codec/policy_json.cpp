#include "broker/codec/config_json.hpp"
#include "broker/codec/policy_parts.hpp"
#include "broker/codec/positions.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/codec/workload_parts.hpp"
#include "broker/codec/writer.hpp"
#include "broker/support/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t terms_max = 32;
constexpr std::int64_t ten_years_s = 315'360'000;
constexpr double kg_per_tonne = 1000;

constexpr text_rule amount_rule{1, 19, is_price_amount,
                                "a decimal text such as \"0.10\", not negative, at most 9 decimals"};
constexpr text_rule unit_rule{1, 63};
constexpr text_rule currency_rule{3, 3, [](std::string_view text) { return text == "CNY"; },
                                  "CNY, the currency that decisions are made in"};

constexpr text_rule on_failure_rule{4, 6, [](std::string_view text) { return text == "wait" || text == "ignore"; },
                                    "wait or ignore"};

double decimal(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// What is done when a library's term fails.
void read_on_failure(object_reader& o, bool& ignored) {
    std::string said;
    if (o.text("on_failure", said, on_failure_rule))
        ignored = said == "ignore";
}

/// The names of an object's members, which must be terms' names.
std::vector<std::string_view> term_names(object_reader& o, std::string_view field) {
    std::vector<std::string_view> names;
    const auto* map = o.take(field);
    if (map == nullptr || !map->IsObject())
        return names;
    const json_path here = o.at(field);
    for (const auto& member : map->GetObject()) {
        const auto name = text_of(member.name);
        const json_path at(here, name);
        if (field == "weights" && name == "price")
            continue;
        check_text(member.name, at, term_name_rule, o.faults());
        names.push_back(name);
    }
    if (map->MemberCount() == 0 || map->MemberCount() > terms_max)
        o.faults().invalid(here, "has " + std::to_string(map->MemberCount()) + " entries",
                           "give 1 to " + std::to_string(terms_max));
    return names;
}

void read_prices(object_reader& o, policy& p) {
    const auto names = term_names(o, "prices");
    o.object("prices", [&](object_reader& prices) {
        for (const auto name : names)
            prices.object(name, [&](object_reader& priced) {
                priced.require({"amount", "currency", "per"});
                auto& read = p.prices.emplace_back(priced_term{.term = std::string(name)});
                std::string amount = "0";
                std::string unit;
                priced.text("amount", amount, amount_rule);
                priced.text("currency", unit, currency_rule);
                priced.text("per", read.per, unit_rule);
                read_on_failure(priced, read.ignored_on_failure);
                read.per_unit = decimal(amount);
            });
    });
}

struct weighed {
    double weight = 1;
    double reference = 1;
};

/// A positive number, or a decimal text.
void read_reference(object_reader& o, double& reference) {
    const auto* v = o.take("reference");
    if (v == nullptr)
        return;
    if (!v->IsString()) {
        o.number("reference", reference, {.low = 0, .high = 1e15, .above_low = true});
        return;
    }
    std::string text;
    if (!o.text("reference", text, amount_rule))
        return;
    reference = decimal(text);
    if (reference <= 0)
        o.faults().invalid(o.at("reference"), "must be above 0", "give the scale that the weight refers to");
}

weighed read_weight(object_reader& o, bool above_zero) {
    weighed read;
    o.require({"weight", "reference"});
    o.number("weight", read.weight, {.low = 0, .high = 1e9, .above_low = above_zero});
    read_reference(o, read.reference);
    return read;
}

void read_weights(object_reader& o, policy& p) {
    const auto names = term_names(o, "weights");
    o.object("weights", [&](object_reader& weights) {
        weights.require({"price"});
        weighed price;
        weights.object("price", [&](object_reader& w) {
            std::string unit;
            price = read_weight(w, true);
            w.text("currency", unit, currency_rule);
        });
        for (const auto name : names)
            weights.object(name, [&](object_reader& w) {
                const auto scale = read_weight(w, false);
                auto& read = p.prices.emplace_back(priced_term{.term = std::string(name)});
                w.text("per", read.per, unit_rule);
                read_on_failure(w, read.ignored_on_failure);
                read.per_unit = scale.weight / price.weight * (price.reference / scale.reference);
                read.weight = scale.weight;
                read.reference = scale.reference;
            });
    });
    for (const auto& each : p.prices)
        if (!std::isfinite(each.per_unit))
            o.faults().invalid(o.at("weights"), "makes the price of \"" + each.term + "\" overflow",
                               "give weights and references of ordinary size");
}

void read_keys(object_reader& o, std::string_view name, std::vector<ordered_key>& keys) {
    o.objects(name, 1, 8, [&](object_reader& key, std::size_t /*index*/) {
        ordered_key read;
        key.require({"term"});
        if (key.text("term", read.term, term_name_rule)) {
            if (std::ranges::find(keys, read.term, &ordered_key::term) != keys.end())
                key.faults().invalid(key.at("term"), '"' + read.term + "\" stands twice in this order",
                                     "keep the earlier one");
        }
        key.number("step", read.step, {0, 1e12});
        read_on_failure(key, read.ignored_on_failure);
        keys.push_back(read);
    });
}

void read_order(object_reader& o, policy& p) {
    o.object("order", [&](object_reader& order) {
        order.require({"service", "interactive", "batch"});
        read_keys(order, "service", p.order_service);
        read_keys(order, "interactive", p.order_interactive);
        read_keys(order, "batch", p.order_batch);
    });
}

void read_least(object_reader& o, policy& p) {
    o.object("within_of_least", [&](object_reader& least) {
        least.require({"term", "within"});
        least_rule& read = p.within_of_least.emplace();
        least.text("term", read.term, term_name_rule);
        least.number("within", read.within, {0, 1000});
    });
    if (p.within_of_least && (o.has("within_of_cheapest") || p.overrides.within_of_cheapest))
        o.faults().invalid(o.at("within_of_least"), "stands beside \"within_of_cheapest\"",
                           "keep one of the two, in \"overrides\", too");
}

void check_rules(object_reader& o, const policy& p) {
    std::string_view first;
    for (const std::string_view form : {"prices", "weights", "order"}) {
        if (!o.has(form))
            continue;
        if (!first.empty())
            o.faults().invalid(o.at(form), "stands beside \"" + std::string(first) + '"',
                               "keep one of prices, weights and order");
        first = form;
    }
    const auto priced = [&](std::string_view term) {
        return std::ranges::any_of(p.prices, [&](const auto& each) { return each.term == term && each.per_unit > 0; });
    };
    if (priced("carbon") && priced("green_power") && !p.counted_twice_meant)
        o.faults().invalid(o.at(first), "prices carbon and green power both: counted twice",
                           "price one of the two, or state \"counted_twice_meant\": true");
}

void read_policy(object_reader& o, policy& p) {
    o.text("description", p.description, {1, 1000});
    read_prices(o, p);
    read_weights(o, p);
    read_order(o, p);
    o.number("within_of_cheapest", p.within_of_cheapest, {0, 1000});
    o.object("filters", [&](object_reader& f) {
        f.number("min_green_power_share", p.min_green_power_share, {0, 1});
        f.number("max_pue", p.max_pue, {1, 10});
        read_compliance(f, p.compliance);
    });
    read_bounds(o, p.overrides, o.has("order"));
    read_least(o, p);
    read_groups(o, p);
    o.whole("default_runtime_s", p.default_runtime_s, 1, ten_years_s);
    o.whole("max_delay_s", p.max_delay_s, 0, ten_years_s);
    o.object("replacement", [&](object_reader& r) { read_replacement(r, p.replacement.emplace()); });
    o.flag("counted_twice_meant", p.counted_twice_meant);
    check_rules(o, p);
}

void put_keys(json_writer& out, std::string_view name, const std::vector<ordered_key>& keys) {
    put_objects(out, name, keys, [&](const ordered_key& key) {
        put_text(out, "term", key.term);
        put_number(out, "step", key.step);
        if (key.ignored_on_failure)
            put_text(out, "on_failure", "ignore");
    });
}

}  // namespace

result<policy> decode_policy(std::string_view name, std::string_view json) {
    const auto document = parse_json(json, config_json_max);
    if (!document)
        return document.error();
    policy p;
    p.name = name;
    p.version = "sha256:" + to_hex(sha256(json)).substr(0, 12);
    p.text = json;
    fault_list faults;
    if (!is_policy_name(name) || name.size() > policy_name_rule.length_max)
        faults.invalid({}, "the file's name \"" + p.name + "\" is not a policy name",
                       "name it with " + std::string(policy_name_rule.shape));
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) { read_policy(o, p); });
    if (!faults.empty())
        return with_places(faults.to_error("the policy " + p.name + " is not acceptable"), json);
    return p;
}

void encode_policy(json_writer& out, const policy& p) {
    out.StartObject();
    put_text(out, "name", p.name);
    put_text(out, "version", p.version);
    put_text(out, "description", p.description);
    put_objects(out, "terms", p.prices, [&](const priced_term& each) {
        put_text(out, "term", each.term);
        put_number(out, "price", each.per_unit);
        put_text(out, "per", each.per);
        if (each.ignored_on_failure)
            put_text(out, "on_failure", "ignore");
        // What carbon markets and targets speak in.
        if (each.term == "carbon")
            put_number(out, "price_per_tonne", each.per_unit * kg_per_tonne);
        if (each.reference > 0) {
            put_number(out, "weight", each.weight);
            put_number(out, "reference", each.reference);
        }
    });
    if (p.ordered()) {
        put_key(out, "order");
        out.StartObject();
        put_keys(out, "service", p.order_service);
        put_keys(out, "interactive", p.order_interactive);
        put_keys(out, "batch", p.order_batch);
        out.EndObject();
    }
    put_number(out, "within_of_cheapest", p.within_of_cheapest);
    if (p.within_of_least) {
        put_key(out, "within_of_least");
        out.StartObject();
        put_text(out, "term", p.within_of_least->term);
        put_number(out, "within", p.within_of_least->within);
        out.EndObject();
    }
    if (p.min_green_power_share || p.max_pue || !p.compliance.empty()) {
        put_key(out, "filters");
        out.StartObject();
        put_number(out, "min_green_power_share", p.min_green_power_share);
        put_number(out, "max_pue", p.max_pue);
        put_compliance(out, p.compliance);
        out.EndObject();
    }
    put_bounds(out, p.overrides);
    put_groups(out, p);
    put_whole(out, "default_runtime_s", p.default_runtime_s);
    put_whole(out, "max_delay_s", p.max_delay_s);
    put_replacement(out, p);
    if (p.counted_twice_meant)
        put_flag(out, "counted_twice_meant", true);
    out.EndObject();
}

}  // namespace westerly
