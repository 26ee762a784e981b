#include "broker/domain/phrases.hpp"
#include "tools/westerly/commands.hpp"
#include "tools/westerly/screen/decision_chart.hpp"
#include "tools/westerly/screen/decision_words.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace westerly {

namespace {

constexpr std::size_t rejected_shown_max = 20;

language language_of(const telling& how) {
    const auto asked = parse_language(how.language);
    return asked ? *asked : preferred_language([](const char* name) { return std::getenv(name); });
}

void add_ranked(text_table& table, const json_value& a, std::size_t place, std::string_view currency,
                const decision_words& words) {
    table.add({std::to_string(place), text_at(a, "offer"), text_at(a, "region"), text_at(a, "units"),
               money_at(a, "cost"), rounded_at(a, "j", currency), rounded_at(a, "rtt_ms", "ms"),
               percent_at(a, "green_power_share"), energy_at(a, "energy_kwh"), carbon_at(a, "carbon_kg"),
               text_at(a, "finish_at"), text_at(a, "launchable") == "no" ? std::string(words.plan_only) : ""});
}

void print_ranked(const cli& with, const json_value& decision, const decision_words& words) {
    text_table table(words.offer_headings);
    const auto currency = text_at(decision, "exchange_rates.base");
    if (const auto* ranked = value_at(decision, "ranked"); ranked != nullptr && ranked->IsArray())
        for (const auto& a : ranked->GetArray())
            add_ranked(table, a, 1 + static_cast<std::size_t>(&a - ranked->Begin()), currency, words);
    if (!table.empty())
        std::printf("%s\n", table.render(with.colour).c_str());
}

void print_rejected(const cli& with, const json_value& plan, language spoken) {
    const auto* rejected = value_at(plan, "rejected");
    if (rejected == nullptr || !rejected->IsArray() || rejected->Empty())
        return;
    const decision_words& words = decision_words_of(spoken);
    text_table table(words.rejection_headings);
    for (const auto& r : rejected->GetArray()) {
        if (static_cast<std::size_t>(&r - rejected->Begin()) >= rejected_shown_max)
            break;
        const auto reason = text_at(r, "reason");
        const auto known = parse_rejection(reason);  // a newer broker may have others
        table.add({text_at(r, "offer"), reason, known ? std::string(phrases_of(spoken)[*known]) : ""});
    }
    std::printf("\n%s", table.render(with.colour).c_str());
    const auto* unlisted = value_at(plan, "rejected_more");
    const std::uint64_t listed = rejected->Size(), all = listed + (unlisted ? unlisted->GetUint64() : 0);
    if (all > rejected_shown_max)
        std::printf("%s\n", fill(all > listed ? words.some_rejected : words.more_rejected,
                                 {std::to_string(all - rejected_shown_max), std::to_string(listed)})
                                .c_str());
}

void print_told(const json_value& decision, const telling& how) {
    if (const auto chart = how.no_chart ? std::nullopt : chart_of(decision, language_of(how)))
        std::printf("%s\n", draw(*chart, terminal_at(STDOUT_FILENO)).c_str());
    std::printf("%s", text_at(decision, "explanation").c_str());
}

}  // namespace

std::string language_query(const cli& with, const telling& how) {
    if (with.json)
        return how.language.empty() ? "" : "?language=" + how.language;
    const language spoken = language_of(how);
    return spoken == language::en ? "" : "?language=" + std::string(to_string(spoken));
}

void print_decision(const json_value& decision, const telling& how) {
    const decision_words& words = decision_words_of(language_of(how));
    std::printf("%s\n", fill(words.decided, {text_at(decision, "decided_at"), text_at(decision, "policy"),
                                             text_at(decision, "policy_version")})
                            .c_str());
    print_told(decision, how);
}

int plan(cli& with, const run_options& options, const telling& how) {
    const auto body = prepare(with, options);
    if (!body)
        return complain(body.error());
    const auto answer = post(with, "/v1/plans" + language_query(with, how), *body);
    if (!answer)
        return complain(answer.error());
    if (with.json) {
        print_json(*answer);
        return 0;
    }
    const auto* decision = value_at(*answer, "decision");
    if (decision == nullptr)
        return complain(fail(errc::internal, "the broker's answer has no decision"));
    print_ranked(with, *decision, decision_words_of(language_of(how)));
    print_told(*decision, how);
    if (const auto* spread = value_at(*answer, "spread"))
        std::printf("\n%s", text_at(*spread, "explanation").c_str());
    print_rejected(with, *answer, language_of(how));
    return 0;
}

int explain_decision(cli& with, const std::string& name_or_id, const telling& how) {
    const auto query = language_query(with, how);
    const auto id = find_workload_id(with, name_or_id);
    if (!id)
        return complain(id.error());
    auto found = get(with, "/v1/workloads/" + *id + "/decision" + query);
    if (!found && found.error().code == errc::not_found && parse_uuid(name_or_id))
        if (auto decision = get(with, "/v1/decisions/" + name_or_id + query))
            found = std::move(decision);
    if (!found)
        return complain(found.error());
    if (with.json) {
        print_json(*found);
        return 0;
    }
    print_ranked(with, *found, decision_words_of(language_of(how)));
    print_decision(*found, how);
    return 0;
}

}  // namespace westerly
