#include "broker/codec/policy_parts.hpp"

#include "broker/codec/shapes.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::size_t terms_max = 32;
constexpr std::size_t groups_max = 64;
constexpr std::size_t tenants_max = 256;
constexpr std::size_t labels_max = 16;
constexpr std::size_t values_max = 64;
constexpr std::int64_t ten_years_s = 315'360'000;

constexpr number_range within_range{0, 1000};
constexpr number_range share_range{0, 1};
constexpr number_range pue_range{1, 10};

constexpr text_rule amount_rule{1, 19, is_price_amount,
                                "a decimal text such as \"0.10\", not negative, at most 9 decimals"};
constexpr text_rule currency_rule{3, 3, [](std::string_view text) { return text == "CNY"; },
                                  "CNY, the currency that decisions are made in"};
constexpr text_rule label_key_rule{1, 63, is_label_key,
                                   "letters, digits and . _ / -, with a letter or digit at both ends"};
constexpr text_rule label_value_rule{0, 255};

/// The names of a free map's members, sorted; fewer than `count_min` or more than `count_max` is a fault.
std::vector<std::string_view> names_of(object_reader& o, std::string_view field, std::size_t count_min,
                                       std::size_t count_max, const text_rule& rule) {
    std::vector<std::string_view> names;
    const auto* map = o.take(field);
    if (map == nullptr || !map->IsObject())
        return names;
    const json_path here = o.at(field);
    for (const auto& member : map->GetObject()) {
        check_text(member.name, json_path(here, text_of(member.name)), rule, o.faults());
        names.push_back(text_of(member.name));
    }
    if (map->MemberCount() < count_min || map->MemberCount() > count_max)
        o.faults().invalid(here, "has " + std::to_string(map->MemberCount()) + " entries",
                           "give " + std::to_string(count_min) + " to " + std::to_string(count_max));
    std::ranges::sort(names);
    return names;
}

void check_bounds(object_reader& o, bool crossed) {
    if (!o.has("min") && !o.has("max"))
        o.faults().invalid(o.path(), "states no bound", "give min, max or both");
    else if (crossed)
        o.faults().invalid(o.at("max"), "is below min", "exchange them");
}

void read_number_bounds(object_reader& o, std::string_view name, std::optional<number_bounds>& into,
                        number_range range) {
    o.object(name, [&](object_reader& b) {
        number_bounds& read = into.emplace(number_bounds{.min = range.low, .max = range.high});
        b.number("min", read.min, range);
        b.number("max", read.max, range);
        check_bounds(b, read.max < read.min);
    });
}

void read_nanos(object_reader& o, std::string_view name, std::int64_t& nanos) {
    std::string text;
    if (o.text(name, text, amount_rule))
        nanos = *parse_nanos(text);  // the rule lets nothing else through
}

void read_group(object_reader& o, workload_group& group) {
    o.texts("tenants", group.tenants, 1, tenants_max, slug_rule, true);
    const auto keys = names_of(o, "labels", 1, labels_max, label_key_rule);
    o.object("labels", [&](object_reader& labels) {
        for (const auto key : keys) {
            auto& read = group.labels.emplace_back(std::string(key), std::vector<std::string>());
            labels.texts(key, read.second, 1, values_max, label_value_rule, true);
        }
    });
}

void put_number_bounds(json_writer& out, std::string_view name, const std::optional<number_bounds>& bounds) {
    if (!bounds)
        return;
    put_key(out, name);
    out.StartObject();
    put_number(out, "min", bounds->min);
    put_number(out, "max", bounds->max);
    out.EndObject();
}

}  // namespace

void read_bounds(object_reader& o, override_bounds& bounds, bool ordered) {
    o.object("overrides", [&](object_reader& allowed) {
        const auto terms = names_of(allowed, "prices", 1, terms_max, term_name_rule);
        allowed.object("prices", [&](object_reader& prices) {
            for (const auto term : terms)
                prices.object(term, [&](object_reader& b) {
                    auto& read = bounds.prices.emplace_back(price_bounds{.term = std::string(term)});
                    read_nanos(b, "min", read.min_nanos);
                    read_nanos(b, "max", read.max_nanos);
                    check_bounds(b, read.max_nanos < read.min_nanos);
                });
        });
        if (ordered && allowed.has("prices"))
            allowed.faults().invalid(allowed.at("prices"), "has no meaning in a policy with an order",
                                     "remove it: an order weighs no prices");
        read_number_bounds(allowed, "within_of_cheapest", bounds.within_of_cheapest, within_range);
        read_number_bounds(allowed, "min_green_power_share", bounds.min_green_power_share, share_range);
        read_number_bounds(allowed, "max_pue", bounds.max_pue, pue_range);
    });
}

void read_groups(object_reader& o, policy& p) {
    const auto read = [&](std::string_view name, std::vector<workload_group>& into) {
        o.objects(name, 1, groups_max,
                  [&](object_reader& group, std::size_t /*index*/) { read_group(group, into.emplace_back()); });
    };
    read("applies_to", p.applies_to);
    read("default_for", p.default_for);
    read("forced_for", p.forced_for);
}

void read_term_price(object_reader& o, unit_price& into) {
    o.require({"amount", "currency"});
    std::string unit;
    read_nanos(o, "amount", into.nanos);
    o.text("currency", unit, currency_rule);
}

void read_overrides(object_reader& o, policy_overrides& asked) {
    o.object("overrides", [&](object_reader& set) {
        const auto terms = names_of(set, "prices", 0, terms_max, term_name_rule);
        set.object("prices", [&](object_reader& prices) {
            for (const auto term : terms)
                prices.object(term, [&](object_reader& priced) {
                    read_term_price(priced, asked.prices.emplace_back(std::string(term), unit_price{}).second);
                });
        });
        set.number("within_of_cheapest", asked.within_of_cheapest, within_range);
        set.number("min_green_power_share", asked.min_green_power_share, share_range);
        set.number("max_pue", asked.max_pue, pue_range);
    });
}

void read_replacement(object_reader& o, replacement_rule& rule) {
    o.number("min_gain", rule.min_gain, {0, 10});
    o.number("min_gain_amount", rule.min_gain_amount, {0, 1e9});
    o.whole("at_most_every_s", rule.at_most_every_s, 1, ten_years_s);
    o.whole("look_every_s", rule.look_every_s, 1, ten_years_s);
    o.whole("moves_max", rule.moves_max, 1, 1000);
}

void put_replacement(json_writer& out, const policy& p) {
    if (!p.replacement)
        return;
    put_key(out, "replacement");
    out.StartObject();
    put_number(out, "min_gain", p.replacement->min_gain);
    put_number(out, "min_gain_amount", p.replacement->min_gain_amount);
    put_whole(out, "at_most_every_s", p.replacement->at_most_every_s);
    put_whole(out, "look_every_s", p.replacement->look_every_s);
    put_whole(out, "moves_max", p.replacement->moves_max);
    out.EndObject();
}

void put_bounds(json_writer& out, const override_bounds& bounds) {
    if (bounds == override_bounds{})
        return;
    put_key(out, "overrides");
    out.StartObject();
    if (!bounds.prices.empty()) {
        put_key(out, "prices");
        out.StartObject();
        for (const auto& [term, min, max] : bounds.prices) {
            put_key(out, term);
            out.StartObject();
            put_text(out, "min", format_nanos(min));
            if (max != price_bounds{}.max_nanos)
                put_text(out, "max", format_nanos(max));
            out.EndObject();
        }
        out.EndObject();
    }
    put_number_bounds(out, "within_of_cheapest", bounds.within_of_cheapest);
    put_number_bounds(out, "min_green_power_share", bounds.min_green_power_share);
    put_number_bounds(out, "max_pue", bounds.max_pue);
    out.EndObject();
}

void put_groups(json_writer& out, const policy& p) {
    const auto put = [&](std::string_view name, const std::vector<workload_group>& groups) {
        if (groups.empty())
            return;
        put_objects(out, name, groups, [&](const workload_group& group) {
            put_texts(out, "tenants", group.tenants);
            if (group.labels.empty())
                return;
            put_key(out, "labels");
            out.StartObject();
            for (const auto& [key, values] : group.labels)
                put_texts(out, key, values);
            out.EndObject();
        });
    };
    put("applies_to", p.applies_to);
    put("default_for", p.default_for);
    put("forced_for", p.forced_for);
}

void put_policy_choice(json_writer& out, const workload_spec& spec) {
    const policy_overrides& set = spec.overrides;
    if (!set.any())
        return put_text(out, "policy", spec.policy);
    put_key(out, "policy");
    out.StartObject();
    put_text(out, "name", spec.policy);
    put_key(out, "overrides");
    out.StartObject();
    if (!set.prices.empty()) {
        put_key(out, "prices");
        out.StartObject();
        for (const auto& [term, price] : set.prices)
            put_price(out, term, price);
        out.EndObject();
    }
    put_number(out, "within_of_cheapest", set.within_of_cheapest);
    put_number(out, "min_green_power_share", set.min_green_power_share);
    put_number(out, "max_pue", set.max_pue);
    out.EndObject();
    out.EndObject();
}

}  // namespace westerly
