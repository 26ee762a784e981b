#include "broker/runtime/replayer.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/difference.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/workload_json.hpp"

#include <algorithm>
#include <chrono>

namespace westerly {
namespace {

/// A request is answered within 30 s.
constexpr std::chrono::seconds comparison_time_max{20};

error not_kept(std::string why) {
    return fail(errc::conflict, std::move(why),
                "what decisions are made from is kept for 90 days, and by this version on");
}

/// The best that could be launched, as work is placed: records are of placed work.
std::optional<appraisal> choice_of(const decision& made) {
    if (made.ranked.empty())
        return std::nullopt;
    return made.ranked.front();
}

}  // namespace

result<replayer::record> replayer::read_record(const decision_id& id) {
    auto stored = read_.find_recorded_decision(id);
    if (!stored)
        return stored.error();
    auto made = unpack_decision(stored->packed);
    if (!made)
        return made.error();
    if (!stored->basis)
        return not_kept("the record of this decision does not tell what it was made from");
    const auto of = read_.find_workload(std::nullopt, made->workload);
    if (!of)
        return of.error().code == errc::not_found ? not_kept("its workload is no longer kept") : of.error();
    auto spec = spec_of(*of);
    if (!spec)
        return fail(errc::storage_failed, "the stored workload does not read: " + spec.error().detail);
    auto said = said_to(*stored->basis);
    if (!said)
        return said.error();
    return record{std::move(*made), std::move(*stored->basis), std::move(*spec), std::move(*said)};
}

result<std::vector<foreign_column>> replayer::said_to(const decision_basis& basis) {
    if (basis.heard.how != heard_terms::kept::whole)
        return std::vector<foreign_column>();
    auto said = read_.terms_said_at(basis.heard.seq);
    if (!said && said.error().code == errc::not_found)
        return not_kept("what libraries of terms said at that time is no longer kept");
    return said;
}

result<past_book*> replayer::book_at(std::uint64_t seq) {
    if (book_ && book_->seq() == seq)
        return book_.get();
    const auto past = read_.market_at(seq);
    if (!past)
        return past.error().code == errc::not_found ? not_kept("the offers of that time are no longer kept")
                                                    : past.error();
    accelerator_table accelerators;
    if (!past->facts.accelerators.empty()) {
        auto models = decode_accelerators(past->facts.accelerators);
        if (!models)
            return fail(errc::storage_failed, "the kept facts of accelerators do not read: " + models.error().detail);
        accelerators = accelerator_table(std::move(*models));
    }
    book_ = std::make_unique<past_book>(*past, std::move(accelerators));
    return book_.get();
}

/// What a workload overrode stands behind the file's version, and in its spec.
result<policy> replayer::policy_of_the_past(const std::string& name, const std::string& recorded) {
    const std::string version = recorded.substr(0, recorded.find('+'));
    const auto kept = read_.find_policy_text(name, version);
    if (!kept)
        return kept.error().code == errc::not_found
                   ? not_kept("the policy " + name + " " + version + " is not among those kept")
                   : kept.error();
    auto rules = decode_policy(name, kept->text);
    if (!rules)
        return rules.error();
    if (rules->version != version)
        return fail(errc::storage_failed, "the kept text of policy " + name + " " + version + " was changed",
                    "restore the database from a backup");
    return rules;
}

result<replay_report> replayer::replay(const decision_id& id) {
    const std::lock_guard lock(mutex_);
    const auto from = read_record(id);
    if (!from)
        return from.error();
    const auto rules = policy_of_the_past(from->made.policy, from->made.policy_version);
    if (!rules)
        return rules.error();
    const auto again = make_again(*from, *rules);
    if (!again && again.error().code != errc::invalid)
        return again.error();
    replay_report report;
    report.decision = id;
    if (!again) {
        report.recorded = again.error().detail;
        return report;
    }
    report.identical = pack_decision(*again) == pack_decision(from->made) && from->made.id == id;
    if (report.identical)
        return report;
    report.recorded = report.replayed = "the same as text; only bits that it does not show differ";
    if (const auto first = first_difference(to_json(from->made), to_json(*again))) {
        report.pointer = first->pointer;
        report.recorded = first->left;
        report.replayed = first->right;
    }
    return report;
}

result<decision> replayer::make_again(const record& from, const policy& rules) {
    const auto book = book_at(from.basis.history_seq);
    if (!book)
        return book.error();
    return (*book)->decide_again(from.made, from.basis, rules, terms_, *from.spec, from.said);
}

result<policy> replayer::policy_asked(const policy_choice& asked, std::span<const policy> in_use) {
    if (!asked.text.empty()) {
        auto rules = decode_policy(asked.name, asked.text);
        if (!rules)
            return rules.error();
        if (auto sound = check_policy(*rules, terms_); !sound)
            return sound.error();
        return rules;
    }
    if (!asked.version.empty())
        return policy_of_the_past(asked.name, asked.version);
    const auto known = std::ranges::find(in_use, asked.name, &policy::name);
    if (known == in_use.end())
        return fail(errc::not_found, "there is no policy \"" + asked.name + '"', "see `westerly policies`");
    return *known;
}

result<policy_comparison> replayer::compare(const policy_comparison_request& asked, std::span<const policy> in_use) {
    const std::lock_guard lock(mutex_);
    const auto before = policy_asked(asked.before, in_use);
    if (!before)
        return before.error();
    const auto after = policy_asked(asked.after, in_use);
    if (!after)
        return after.error();
    policy_comparison report;
    report.before = {before->name, before->version, {}};
    report.after = {after->name, after->version, {}};
    const auto until = std::chrono::steady_clock::now() + comparison_time_max;
    std::string cursor;
    std::uint32_t left = std::min(asked.last, compared_max);
    do {
        const auto page = read_.list_decisions(cursor, std::min(left, page_size_max));
        if (!page)
            return page.error();
        for (const auto& id : page->items) {
            if (std::chrono::steady_clock::now() > until) {
                report.complete = false;
                return report;
            }
            const auto from = read_record(id);
            if (from && asked.since && from->made.at < *asked.since)
                return report;
            const auto by = [&](const policy& rules) {
                return from ? make_again(*from, rules) : result<decision>(from.error());
            };
            const auto as_before = by(*before);
            const auto as_after = by(*after);
            --left;
            if (!as_before || !as_after) {
                ++report.not_comparable;
                continue;
            }
            ++report.compared;
            report.base = from->made.rates.base;
            compared_decision one{id, from->made.workload, from->made.at, choice_of(*as_before), choice_of(*as_after)};
            if (one.differs())
                report.differ.push_back(std::move(one));
        }
        cursor = page->next_cursor;
    } while (!cursor.empty() && left > 0);
    return report;
}

}  // namespace westerly
