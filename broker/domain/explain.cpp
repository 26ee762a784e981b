#include "broker/domain/explain.hpp"

#include "broker/domain/phrases.hpp"
#include "broker/domain/wording.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t switches_shown_max = 6;  // in each direction

/// One decision in one language: which sentences there are, and with what. The words are phrases'.
class explanation {
public:
    explanation(const decision& made, language spoken)
        : made_(made),
          spoken_(spoken),
          say_(phrases_of(spoken)),
          won_(winner_of(made)),
          endless_(std::ranges::find(made.notes, note_kind::costs_per_hour, &note::kind) != made.notes.end()) {}

    std::string text() {
        winner();
        runner_up();
        baseline();
        pareto();
        switches();
        rejections();
        for (const auto& told : made_.notes)
            line(in_words(told, made_.rates.base, spoken_));
        return std::move(text_);
    }

private:
    template <class... Words>
    std::string say(phrase what, Words&&... with) const {
        return fill(say_[what], {std::string(std::forward<Words>(with))...});
    }
    void line(const std::string& sentence) { text_ += sentence + "\n"; }
    std::string money_of(double amount) const { return in_words(amount, made_.rates.base); }
    std::string listed(const std::vector<std::string>& words) const {
        return joined(words, say_[phrase::between], say_[phrase::before_last]);
    }
    std::string counted(phrase one, phrase many, double number) const {
        return number == 1 ? say(one) : say(many, fixed(number, 0));
    }
    std::string name_of(const appraisal& a) const { return a.launchable ? a.offer : say(phrase::plan_only, a.offer); }
    /// With its size, where the winner has another one.
    std::string name_beside_winner(const appraisal& a) const {
        return a.tasks == won_->tasks ? name_of(a) : say(phrase::gang_of, name_of(a), std::to_string(a.tasks));
    }

    void run_facts(const run_estimate& run, std::vector<std::string>& facts) const {
        if (run.speed.known()) {
            std::string method(say_.method(run.speed_method));
            if (!run.speed.exact())
                method = say(phrase::speed_range, fixed(run.speed.low, 3), fixed(run.speed.high, 3), method);
            facts.push_back(say(phrase::run, counted(phrase::one_card, phrase::cards, run.cards),
                                fixed(run.speed.value, 3), method, fixed(run.efficiency * 100, 1),
                                fixed(run.effective_cards, 1)));
        }
        if (run.hazard_per_h > 0)
            facts.push_back(
                say(run.hazard_assumed ? phrase::hazard_assumed : phrase::interruptions, fixed(run.interruptions, 2)));
    }

    std::string with_brought(const appraisal& a) const {
        if (!a.staging_base)
            return say(phrase::with_egress, money_of(a.cost_base));
        return say(phrase::with_what_is_brought, money_of(a.cost_base),
                   money_of(std::max(a.egress_base - *a.staging_base, 0.0)), money_of(*a.staging_base));
    }
    std::string cost_of(const appraisal& a) const {
        return a.egress_base > 0 ? in_words(a.cost) + std::string(say_[phrase::between_facts]) + with_brought(a)
                                 : in_words(a.cost);
    }

    std::string facts_of(const appraisal& a) const {
        const auto told = [&](phrase known, phrase unknown, const std::optional<double>& value, double factor,
                              int decimals) {
            return value ? say(known, fixed(*value * factor, decimals)) : say(unknown);
        };
        std::vector<std::string> facts{say(phrase::cost_of_run, in_words(a.cost),
                                           counted(phrase::one_unit, phrase::units, static_cast<double>(a.units)),
                                           std::to_string(a.billed_s))};
        if (a.egress_base > 0 || a.staging_base)
            facts.push_back(with_brought(a));
        if (a.run)
            run_facts(*a.run, facts);
        if (a.rtt_ms)
            facts.push_back(say(phrase::rtt, fixed(*a.rtt_ms, 1), say_.method(a.rtt_method)));
        facts.push_back(told(phrase::green_power, phrase::green_power_unknown, a.green_power_share, 100, 0));
        facts.push_back(told(phrase::energy, phrase::energy_unknown, a.energy_kwh, 1, 4));
        facts.push_back(told(phrase::carbon, phrase::carbon_unknown, a.carbon_kg, 1000, 1));
        if (a.carbon_market_kg)
            facts.push_back(say(all_by_certificates(a) ? phrase::carbon_market_covered
                                : a.residual_known     ? phrase::carbon_market_residual
                                                       : phrase::carbon_market_grid,
                                fixed(*a.carbon_market_kg * 1000, 1)));
        if (a.certificates_microkwh > 0)
            facts.push_back(say(phrase::certificates, fixed(static_cast<double>(a.certificates_microkwh) / 1e6, 4)));
        if (!endless_)
            facts.push_back(say(phrase::finish, format_rfc3339(a.finish_at)));
        return joined(facts, say_[phrase::between_facts], say_[phrase::between_facts]);
    }

    void winner() {
        if (!won_)
            return line(say(phrase::no_offer, made_.policy, std::to_string(made_.considered)));
        line(say(phrase::chosen, made_.policy, name_of(*won_), facts_of(*won_)));
        for (const auto& [term, price] : won_->terms)
            line(say(phrase::term_counts, say_.words_of(term), money_of(price)));
        for (const auto& a : made_.ranked) {
            if (a.offer == won_->offer)
                break;
            line(say(phrase::plan_only_before, a.offer, cost_of(a)));
        }
    }

    void runner_up() {
        if (const appraisal* second = runner_up_of(made_))
            line(say(phrase::runner_up, second->offer, facts_of(*second), difference(*second)));
    }

    std::string difference(const appraisal& a) const {
        if (a.keys.empty() && a.j == won_->j)
            return say(phrase::loses_on_tie);
        if (a.keys.empty())
            return say(phrase::dearer_by, money_of(a.j - won_->j));
        for (std::size_t k = 0; k < a.keys.size() && k < won_->keys.size(); ++k)
            if (a.keys[k] != won_->keys[k])
                return say(phrase::loses_on_key, std::to_string(k + 1));
        return say(phrase::loses_on_tie);
    }

    void baseline() {
        if (!made_.baseline || !won_)
            return;
        const appraisal& base = *made_.baseline;
        const double dearer = won_->cost_base - base.cost_base;
        if (base.offer == won_->offer && base.tasks == won_->tasks && dearer <= 0)
            return line(say(phrase::is_cheapest));
        line(say(dearer < 0 ? phrase::against_cheapest_less : phrase::against_cheapest, name_beside_winner(base),
                 cost_of(base), money_of(std::abs(dearer)),
                 (base.pue && won_->pue ? avoided_against(base, dearer) : std::string()) + gained_on(base, dearer)));
    }

    /// Time and distance. What practically never ends has no date to compare, and a service none at all.
    std::string gained_on(const appraisal& base, double dearer) const {
        std::string gained;
        const bool both_end = base.finish_at - base.start_at <= practically_never &&
                              won_->finish_at - won_->start_at <= practically_never;
        if (const auto apart = base.finish_at - won_->finish_at;
            !endless_ && both_end && std::chrono::abs(apart) >= std::chrono::minutes(1))
            gained += gain(std::chrono::duration<double, std::ratio<3600>>(apart).count(), 2, dearer,
                           {phrase::sooner, phrase::sooner_too, phrase::later});
        if (const auto ms = rtt_that_ranks();
            ms && base.*ms && won_->*ms && std::abs(*(base.*ms) - *(won_->*ms)) >= 0.1)
            gained +=
                gain(*(base.*ms) - *(won_->*ms), 1, dearer, {phrase::nearer, phrase::nearer_too, phrase::farther});
        return gained;
    }

    /// Of several origins the mean is priced, and ordered by what 95 % of the demand stay within; nullptr: neither.
    std::optional<double> appraisal::*rtt_that_ranks() const {
        if (std::ranges::find(won_->terms, "latency", &std::pair<std::string, double>::first) != won_->terms.end())
            return &appraisal::rtt_ms;
        const auto orders_by_it = [](const note& told) {
            return told.kind == note_kind::ranked_in_order && std::ranges::find(told.words, "rtt") != told.words.end();
        };
        return std::ranges::any_of(made_.notes, orders_by_it) ? &appraisal::rtt_p95_ms : nullptr;
    }

    struct gain_phrases {
        phrase paid, free, lost;
    };
    std::string gain(double amount, int decimals, double dearer, gain_phrases in) const {
        if (amount < 0)
            return say(in.lost, fixed(-amount, decimals));
        return dearer > 0 ? say(in.paid, fixed(amount, decimals), money_of(dearer / amount))
                          : say(in.free, fixed(amount, decimals));
    }

    /// Nothing is saved against what was assumed: a share of green power that is not known counts as none.
    std::string avoided_against(const appraisal& base, double dearer) const {
        const bool shares_known = base.green_power_share && won_->green_power_share;
        return (shares_known ? avoided(base.non_green_kwh, won_->non_green_kwh, dearer, phrase::non_green_kwh) : "") +
               avoided(base.carbon_kg, won_->carbon_kg, dearer, phrase::carbon_kg);
    }

    /// A price per unit avoided is told only where something is avoided, and something is paid for it.
    std::string avoided(std::optional<double> base, std::optional<double> won, double dearer, phrase unit) const {
        if (!base || !won || *base == *won)
            return "";
        const double saved = *base - *won;
        if (saved < 0)
            return say(phrase::causes, fixed(-saved, 4), say_[unit]);
        if (dearer <= 0)
            return say(phrase::avoids_too, fixed(saved, 4), say_[unit]);
        return say(phrase::avoids, fixed(saved, 4), say_[unit], money_of(dearer / saved));
    }

    void pareto() {
        if (made_.pareto.size() > 1)
            line(say(phrase::pareto, listed(made_.pareto)));
    }

    void switches() {
        for (const bool below : {false, true}) {
            std::vector<switch_price> nearest;
            std::ranges::copy_if(made_.switches, std::back_inserter(nearest),
                                 [&](const switch_price& s) { return s.below == below; });
            std::ranges::stable_sort(nearest, [&](const switch_price& a, const switch_price& b) {
                return below ? a.at > b.at : a.at < b.at;
            });
            if (nearest.size() > switches_shown_max)
                nearest.resize(switches_shown_max);
            for (const auto& s : nearest)
                line(sentence_of(s));
        }
    }

    std::string sentence_of(const switch_price& s) const {
        const term_words& term = say_.term(s.term);
        if (s.below)
            return say(phrase::switch_below, s.alternative, money_of(s.at), term.per);
        return say(phrase::switch_at, s.alternative, term.gain, money_of(s.at), term.per);
    }

    void rejections() {
        if (made_.rejections.empty())
            return;
        std::vector<std::string> counts;
        std::uint32_t all = 0;
        for (const auto& [why, count] : made_.rejections) {
            counts.push_back(say(phrase::rejected_for, std::to_string(count), say_[why], to_string(why)));
            all += count;
        }
        line(say(phrase::rejected, std::to_string(all), std::to_string(made_.considered), listed(counts)));
    }

    const decision& made_;
    const language spoken_;
    const phrases& say_;
    const appraisal* const won_;
    const bool endless_;  // a service
    std::string text_;
};

}  // namespace

std::string explain(const decision& made, language spoken) {
    return explanation(made, spoken).text();
}

const appraisal* winner_of(const decision& made) noexcept {
    const auto first = std::ranges::find_if(made.ranked, &appraisal::launchable);
    if (first != made.ranked.end())
        return &*first;
    return made.ranked.empty() ? nullptr : &made.ranked.front();
}

const appraisal* runner_up_of(const decision& made) noexcept {
    const appraisal* won = winner_of(made);
    const auto second = std::ranges::find_if(made.ranked, [&](const appraisal& a) {
        return won && a.offer != won->offer && (a.launchable || !won->launchable);
    });
    return second == made.ranked.end() ? nullptr : &*second;
}

}  // namespace westerly
