#include "broker/domain/wording.hpp"
#include "broker/placement/decide.hpp"
#include "broker/placement/scan.hpp"

namespace westerly {
namespace {

std::string known_names(term_table terms, bool term::*may_stand) {
    std::vector<std::string> names;
    for (const term& t : terms)
        if (t.*may_stand)
            names.emplace_back(t.name);
    return "use " + joined(names);
}

/// One name at one place of the file: unknown, or known but not allowed there. The term, if all is well.
const term* check_name(const std::string& name, const std::string& pointer, term_table terms, bool term::*may_stand,
                       std::string_view place, std::vector<fault>& faults) {
    const term* known = find_term(terms, name);
    if (known && known->*may_stand)
        return known;
    const std::string what = known ? "\" may not stand under \"" + std::string(place) + "\""
                                   : std::string("\" is not a term of this broker");
    faults.push_back({pointer, "\"" + name + what, known_names(terms, may_stand)});
    return nullptr;
}

fault never_fails(const std::string& pointer, const std::string& name) {
    return {pointer + "/on_failure", "\"" + name + "\" is built in: it does not fail", "leave on_failure out"};
}

void check_price(const priced_term& price, term_table terms, std::vector<fault>& faults) {
    const bool weighed = price.reference > 0;
    const std::string pointer = (weighed ? "/weights/" : "/prices/") + price.term;
    const term* known =
        check_name(price.term, pointer, terms, &term::priceable, weighed ? "weights" : "prices", faults);
    if (known && price.ignored_on_failure && !known->foreign)
        faults.push_back(never_fails(pointer, price.term));
    if (known && !price.per.empty() && price.per != known->unit)
        faults.push_back({pointer + "/per", "\"" + price.per + "\" is not the unit of \"" + price.term + "\"",
                          "state the price per " + std::string(known->unit)});
}

void check_order(const std::vector<ordered_key>& keys, const std::string& pointer, term_table terms,
                 std::vector<fault>& faults) {
    if (keys.size() > order_keys_max)
        faults.push_back({pointer, "more than " + std::to_string(order_keys_max) + " keys", "leave the last ones out"});
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string here = pointer + "/" + std::to_string(i);
        const term* known = check_name(keys[i].term, here + "/term", terms, &term::orderable, "order", faults);
        if (known && keys[i].ignored_on_failure && !known->foreign)
            faults.push_back(never_fails(here, keys[i].term));
    }
}

/// A library is asked of what a policy weighs, not of what bounds it.
void check_least(const std::string& name, term_table terms, std::vector<fault>& faults) {
    const term* known = find_term(terms, name);
    if (known && !known->foreign)
        return;
    std::vector<std::string> names;
    for (const term& t : terms)
        if (!t.foreign)
            names.emplace_back(t.name);
    faults.push_back(
        {"/within_of_least/term",
         '"' + name + (known ? "\" is of a library, which bounds nothing" : "\" is not a term of this broker"),
         "use " + joined(names)});
}

}  // namespace

error with_units(error refused, term_table terms) {
    constexpr std::string_view before = "/prices/", after = "/per";
    for (fault& f : refused.faults) {
        const std::string_view at = f.pointer;
        if (!at.starts_with(before) || !at.ends_with(after) || !f.message.ends_with("is missing") ||
            at.size() <= before.size() + after.size())
            continue;
        const auto name = at.substr(before.size(), at.size() - before.size() - after.size());
        const term* known = find_term(terms, name);
        if (known == nullptr || !known->priceable)
            continue;
        const bool only = refused.remedy == f.remedy;  // a single fault's remedy is the whole's, too
        const std::string unit(known->unit);
        f.remedy = "state the price per " + unit + ": \"per\": \"" + unit + '"';
        if (only)
            refused.remedy = f.remedy;
    }
    return refused;
}

void complete_units(policy& policy, term_table terms) {
    for (auto& price : policy.prices)
        if (const term* known = find_term(terms, price.term); known && price.per.empty())
            price.per = known->unit;
}

result<void> check_policy(const policy& policy, term_table terms) {
    std::vector<fault> faults;
    for (const auto& price : policy.prices)
        check_price(price, terms, faults);
    for (const auto& bounds : policy.overrides.prices)
        check_name(bounds.term, "/overrides/prices/" + bounds.term, terms, &term::priceable, "overrides", faults);
    if (policy.within_of_least)
        check_least(policy.within_of_least->term, terms, faults);
    check_order(policy.order_service, "/order/service", terms, faults);
    check_order(policy.order_interactive, "/order/interactive", terms, faults);
    check_order(policy.order_batch, "/order/batch", terms, faults);
    if (faults.empty())
        return {};
    error refused = fail(errc::invalid, "the policy \"" + policy.name + "\" names terms wrongly",
                         "correct the names; docs and `westerly policies check` list them");
    refused.faults = std::move(faults);
    return refused;
}

}  // namespace westerly
