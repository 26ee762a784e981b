#include "broker/placement/replay.hpp"

#include "broker/placement/market_based.hpp"
#include "broker/placement/overrides.hpp"
#include "broker/placement/policy_choice.hpp"
#include "tests/property/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace westerly::laws {
namespace {

/// What the store would give of that moment.
market_past past_of(const world& w) {
    market_past past;
    past.seq = 1;
    past.facts.regions = w.regions;
    std::vector<provider_id> providers;
    for (const offer& o : w.offers)
        providers.push_back(o.provider);
    std::ranges::sort(providers);
    providers.erase(std::ranges::unique(providers).begin(), providers.end());
    for (const provider_id& p : providers) {
        std::vector<offer> of_it;
        std::ranges::copy_if(w.offers, std::back_inserter(of_it), [&](const offer& o) { return o.provider == p; });
        past.offers.emplace_back(p, offer_list(std::move(of_it)));
    }
    for (const auto& feed : w.signals.feeds())
        past.signals.emplace_back(feed, w.signals.told_by(feed));
    return past;
}

decision_basis basis_of(const world& w, const decision_world& seen, const offer_book& book) {
    decision_basis basis;
    for (const provider_block& block : w.blocked)
        basis.blocked.push_back(block.provider);
    basis.budget_left = seen.budget_left;
    basis.measured.assign(seen.measured.begin(), seen.measured.end());
    basis.progress = seen.progress;
    basis.asked_at = seen.asked_at;
    basis.with_signals = seen.signals != nullptr;
    if (basis.with_signals)
        basis.signals_chosen_at = w.signals.chosen_at();
    for (const auto& [index, free] : book.less_free())
        basis.less_free.push_back({index, free});
    basis.heard.how = seen.foreign.empty() ? heard_terms::kept::nothing : heard_terms::kept::whole;
    return basis;
}

/// A library's word on every offer, for each size that is asked; a part is unknown.
std::vector<foreign_column> random_words(dice& chance, const world& w, std::size_t offers) {
    std::vector<foreign_column> said;
    for (std::uint32_t tasks = w.spec.tasks; tasks <= std::max(w.spec.tasks, w.spec.tasks_max); ++tasks) {
        foreign_column& one = said.emplace_back();
        one.term = "water";
        one.tasks = tasks;
        if (chance.once_in(9)) {
            one.failure = "it broke";
            continue;
        }
        for (std::size_t i = 0; i < offers; ++i)
            one.quantity.push_back(chance.once_in(8)   ? std::numeric_limits<double>::quiet_NaN()
                                   : chance.once_in(2) ? 0.5
                                                       : chance.between(0, 9));
        tidy(one);
    }
    return said;
}

/// As a version told it that looked at one start and one size only.
void tell_as_before(decision& made, const workload_spec& spec) {
    made.narrow_switches = true;
    made.switches = {{"p/s/n/on_demand", "carbon", 2}};
    if (spec.tasks_max <= spec.tasks)
        return;
    made.rivals.clear();
    std::erase_if(made.notes, [](const note& each) { return each.kind == note_kind::not_robust; });
}

/// Certificates of the grids that are told of, and of others.
std::vector<allocable_power> random_certificates(dice& chance, const world& w) {
    std::vector<allocable_power> all;
    for (auto left = chance.below(4); left > 0; --left) {
        const offer& on = w.offers[chance.below(w.offers.size())];
        all.push_back({on.site.grid_zone, w.around.now, w.around.now + seconds(chance.below(200'000)),
                       chance.once_in(2) ? matching_period::year : matching_period::month, chance.between(0, 50),
                       static_cast<std::int64_t>(chance.below(5'000'000))});
    }
    return all;
}

/// With signals, words of libraries, certificates, less free than is told, budgets, sizes and blocked providers.
TEST(replay_laws, a_decision_is_made_again_from_its_record) {
    std::vector<term> terms(built_in_terms().begin(), built_in_terms().end());
    terms.push_back(foreign_term("water", "L", "Litres."));
    std::uint64_t with_signals = 0, put_off = 0, with_words = 0, with_certificates = 0;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        dice chance(seed);
        world w = random_world_with_signals(chance);
        w.around.plan_only_too = false;
        if (chance.once_in(3))
            w.around.asked_at = w.around.now - seconds(chance.below(30'000));
        if (chance.once_in(8))
            w.spec.tasks_max = w.spec.tasks + 1 + static_cast<std::uint32_t>(chance.below(3));
        const offer_book book = w.book();
        const bool wet = chance.once_in(3) && !w.rules.ordered() && w.spec.tasks_max < 64;
        const auto said = wet ? random_words(chance, w, book.size()) : std::vector<foreign_column>();
        if (wet)
            w.rules.prices.push_back(
                {.term = "water", .per_unit = chance.between(0, 3), .ignored_on_failure = chance.once_in(2)});
        decision_world seen = w.surroundings();
        seen.foreign = said;
        decision first = decide(book, effective_policy(w.rules, w.spec), terms, w.spec, seen);
        if (auto why = why_chosen(w.rules, w.spec))
            first.notes.push_back(std::move(*why));
        if (chance.once_in(4))
            tell_as_before(first, w.spec);
        decision_basis basis = basis_of(w, seen, book);
        basis.certificates = count_certificates(book, random_certificates(chance, w), told_of_offers(first));

        past_book past(past_of(w), w.accelerators);
        const auto runs = runs_of(said);
        ASSERT_TRUE(runs);
        const auto kept = columns_of(*runs);
        for (int time = 0; time < 2; ++time) {
            const auto again = past.decide_again(first, basis, w.rules, terms, w.spec, kept);
            ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().detail;
            ASSERT_EQ(*again, first) << "seed " << seed;
        }
        with_signals += seen.signals ? 1 : 0;
        put_off += first.put_off ? 1 : 0;
        with_certificates += !first.ranked.empty() && first.ranked.front().certificates_microkwh > 0 ? 1 : 0;
        with_words += wet && !first.ranked.empty() ? 1 : 0;
    }
    EXPECT_GT(with_certificates, worlds / 50);
    EXPECT_GT(with_signals, worlds / 4);
    EXPECT_GT(put_off, worlds / 200);
    EXPECT_GT(with_words, worlds / 50);
}

}  // namespace
}  // namespace westerly::laws
