#include "broker/placement/overrides.hpp"

#include "broker/domain/wording.hpp"
#include "broker/support/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace westerly {
namespace {

constexpr double nanos_per_one = 1e9;
constexpr std::string_view time_term = "time";  // as policies/ names it

std::string in_digits(double value) {
    std::string text = fixed(value, 9);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
        text.pop_back();
    return text;
}

std::string price_in_words(std::int64_t nanos) {
    return in_digits(static_cast<double>(nanos) / nanos_per_one) + " CNY";
}

/// Holds each figure against its bound.
class bound_checker {
public:
    bound_checker(const policy& rules, std::vector<fault>& faults) : rules_(rules), faults_(faults) {}

    void number(const char* name, const std::optional<double>& asked, const std::optional<number_bounds>& bounds) {
        if (!asked)
            return;
        const std::string pointer = std::string("/policy/overrides/") + name;
        if (!bounds)
            return locked(name, pointer);
        if (*asked >= bounds->min && *asked <= bounds->max)
            return;
        outside(pointer, in_digits(*asked), in_digits(bounds->min),
                std::isfinite(bounds->max) ? in_digits(bounds->max) : std::string());
    }

    void price(const std::string& term, unit_price asked) {
        price(term, asked, "prices/" + term, "/policy/overrides/prices/" + term);
    }
    void value_of_time(unit_price asked) {
        price(std::string(time_term), asked, "timing/value_of_time", "/timing/value_of_time");
    }

private:
    void price(const std::string& term, unit_price asked, const std::string& name, const std::string& pointer) {
        const auto& list = rules_.overrides.prices;
        const auto bounds = std::ranges::find(list, term, &price_bounds::term);
        if (bounds == list.end())
            return locked(name, pointer);
        if (asked.nanos >= bounds->min_nanos && asked.nanos <= bounds->max_nanos)
            return;
        const bool open = bounds->max_nanos == price_bounds{}.max_nanos;
        outside(pointer, price_in_words(asked.nanos), price_in_words(bounds->min_nanos),
                open ? std::string() : price_in_words(bounds->max_nanos));
    }
    void locked(const std::string& name, const std::string& pointer) {
        faults_.push_back(
            {pointer, "The policy \"" + rules_.name + "\" does not let workloads set " + name + ".",
             "Leave it out, or name a policy that allows it: `westerly policies show` lists the bounds."});
    }
    /// `max` empty: there is none.
    void outside(const std::string& pointer, const std::string& asked, const std::string& min, const std::string& max) {
        const std::string allowed = max.empty() ? min + " or more" : min + " to " + max;
        faults_.push_back({pointer,
                           asked + " is outside what the policy \"" + rules_.name + "\" allows: " + allowed + ".",
                           "Give a figure within " + allowed + "."});
    }

    const policy& rules_;
    std::vector<fault>& faults_;
};

bool prices(const policy& rules, std::string_view term) {
    return std::ranges::any_of(rules.prices, [&](const auto& p) { return p.term == term && p.per_unit > 0; });
}

void check_counted_twice(const policy& rules, const workload_spec& spec, std::vector<fault>& faults) {
    const policy made = effective_policy(rules, spec);
    if (made.counted_twice_meant || !prices(made, "carbon") || !prices(made, "green_power"))
        return;
    const auto sets = [&](std::string_view term) {
        return std::ranges::any_of(spec.overrides.prices, [&](const auto& p) { return p.first == term; });
    };
    const std::string term = sets("carbon") ? "carbon" : "green_power";
    faults.push_back({"/policy/overrides/prices/" + term,
                      "With it carbon and green power are priced both: counted twice.", "Set the other price to 0."});
}

/// One change after another, in words and for the version.
class change_list {
public:
    void figure(const char* name, const std::optional<double>& asked, std::optional<double>& of) {
        if (!asked)
            return;
        const std::string before = of ? in_digits(*of) : none;
        of = asked;
        add(name, *asked, before);
    }
    void price(const std::string& term, unit_price asked, std::vector<priced_term>& list) {
        const std::string before = set(term, asked, list);
        add("prices." + term, in_units(asked), before);
    }
    /// A note of its own tells it.
    void value_of_time(unit_price asked, std::vector<priced_term>& list) {
        set(std::string(time_term), asked, list);
        remember("prices." + std::string(time_term), in_units(asked));
    }
    /// "within_of_cheapest: 0.5 → 0.25" for each.
    std::vector<std::string> take_words() { return std::move(words_); }
    std::string version() const { return "+overrides:" + to_hex(sha256(told_)).substr(0, 12); }

private:
    static double in_units(unit_price asked) { return static_cast<double>(asked.nanos) / nanos_per_one; }
    /// What it was before, in words.
    static std::string set(const std::string& term, unit_price asked, std::vector<priced_term>& list) {
        auto at = std::ranges::find(list, term, &priced_term::term);
        const bool fresh = at == list.end();
        if (fresh)
            at = list.insert(list.end(), priced_term{.term = term});
        std::string before = fresh ? none : in_digits(at->per_unit);
        at->per_unit = in_units(asked);
        at->weight = at->reference = 0;
        return before;
    }
    void add(const std::string& name, double now, const std::string& before) {
        words_.push_back(name + ": " + before + " → " + in_digits(now));
        remember(name, now);
    }
    void remember(const std::string& name, double now) {
        char exact[32];
        told_ += name + '=' + std::string(exact, std::to_chars(exact, exact + sizeof exact, now).ptr) + ';';
    }
    static constexpr const char* none = "–";  // not in the file
    std::vector<std::string> words_;
    std::string told_;
};

}  // namespace

result<void> check_overrides(const policy& rules, const workload_spec& spec) {
    const policy_overrides& asked = spec.overrides;
    if (!asked.any() && !spec.when.value_of_time)
        return {};
    std::vector<fault> faults;
    bound_checker check(rules, faults);
    for (const auto& [term, price] : asked.prices)
        check.price(term, price);
    if (spec.when.value_of_time)
        check.value_of_time(*spec.when.value_of_time);
    check.number("within_of_cheapest", asked.within_of_cheapest, rules.overrides.within_of_cheapest);
    check.number("min_green_power_share", asked.min_green_power_share, rules.overrides.min_green_power_share);
    check.number("max_pue", asked.max_pue, rules.overrides.max_pue);
    if (faults.empty())
        check_counted_twice(rules, spec, faults);
    if (faults.empty())
        return {};
    error refused = fail(errc::invalid, faults.front().message, faults.front().remedy);
    refused.faults = std::move(faults);
    return refused;
}

policy effective_policy(const policy& rules, const workload_spec& spec) {
    policy made = rules;
    const policy_overrides& asked = spec.overrides;
    const std::optional<unit_price> value_of_time = rules.ordered() ? std::nullopt : spec.when.value_of_time;
    if (!asked.any() && !value_of_time)
        return made;
    change_list changes;
    for (const auto& [term, price] : asked.prices)
        changes.price(term, price, made.prices);
    if (value_of_time)
        changes.value_of_time(*value_of_time, made.prices);
    changes.figure("within_of_cheapest", asked.within_of_cheapest, made.within_of_cheapest);
    changes.figure("min_green_power_share", asked.min_green_power_share, made.min_green_power_share);
    changes.figure("max_pue", asked.max_pue, made.max_pue);
    made.version += changes.version();
    made.overridden = changes.take_words();
    return made;
}

}  // namespace westerly
