#include "broker/domain/explain.hpp"

#include "broker/domain/wording.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t switches_shown_max = 6;

std::string_view unit_of(std::string_view term) {
    if (term == "green_power")
        return "non-green kWh";
    if (term == "carbon")
        return "kg CO2e";
    if (term == "time")
        return "hour";
    if (term == "latency")
        return "ms and replica-hour";
    return "unit";
}

/// "greener from", "faster from", …: what a higher price of the term asks for.
std::string_view gain_of(std::string_view term) {
    if (term == "green_power")
        return "greener";
    if (term == "carbon")
        return "lower in carbon";
    if (term == "time")
        return "sooner";
    if (term == "latency")
        return "nearer";
    return "better";
}

/// "8 cards at 0.80 of the reference (0.74 to 0.86, stated) and 92 % efficiency, worth 5.9".
std::string run_of(const appraisal& a) {
    const run_estimate& run = *a.run;
    std::string text;
    if (run.speed.known()) {
        text += ", " + fixed(run.cards, 0) + (run.cards == 1 ? " card at " : " cards at ") + fixed(run.speed.value, 3) +
                " of the reference (";
        if (!run.speed.exact())
            text += fixed(run.speed.low, 3) + " to " + fixed(run.speed.high, 3) + ", ";
        text += run.speed_method + ") and " + fixed(run.efficiency * 100, 1) + " % efficiency, worth " +
                fixed(run.effective_cards, 1);
    }
    if (run.hazard_per_h > 0)
        text += ", " + fixed(run.interruptions, 2) + " interruptions expected" +
                (run.hazard_assumed ? " (hardware hazard assumed)" : "");
    return text;
}

std::string facts_of(const appraisal& a, currency base) {
    std::string text = in_words(a.cost) + " for " + std::to_string(a.units) + (a.units == 1 ? " unit" : " units") +
                       " over " + std::to_string(a.billed_s) + " s billed";
    if (a.egress_base > 0)
        text += ", with egress for the inputs " + in_words(a.cost_base, base) + " in all";
    text += a.run ? run_of(a) : "";
    text += a.rtt_ms ? ", RTT " + fixed(*a.rtt_ms, 1) + " ms (" + a.rtt_method + ")" : "";
    text += ", green power " + (a.green_power_share ? fixed(*a.green_power_share * 100, 0) + " %" : "not known");
    text += ", energy " + (a.energy_kwh ? fixed(*a.energy_kwh, 4) + " kWh" : "not known");
    text += ", carbon " + (a.carbon_kg ? fixed(*a.carbon_kg * 1000, 1) + " gCO2e (location-based)" : "not known");
    return text + ", finish " + format_rfc3339(a.finish_at);
}

std::string name_of(const appraisal& a) {
    return a.offer + (a.launchable ? "" : " (plan-only)");
}

class explanation {
public:
    explicit explanation(const decision& made) : made_(made) {}

    std::string text() {
        winner();
        runner_up();
        baseline();
        pareto();
        switches();
        rejections();
        for (const auto& note : made_.notes)
            line(note);
        return std::move(text_);
    }

private:
    void line(const std::string& sentence) { text_ += sentence + "\n"; }

    void winner() {
        const appraisal* won = winner_of(made_);
        if (!won) {
            line("No offer is feasible now under policy " + made_.policy + ", of " + std::to_string(made_.considered) +
                 " considered.");
            return;
        }
        line("Policy " + made_.policy + " chooses " + name_of(*won) + ": " + facts_of(*won, made_.rates.base) + ".");
        for (const auto& [term, price] : won->terms)
            line("Its " + term + " counts as " + in_words(price, made_.rates.base) + ".");
        for (const auto& a : made_.ranked) {
            if (a.offer == won->offer)
                break;
            line("Ranked before it but plan-only: " + a.offer + ", " + in_words(a.cost) + ".");
        }
    }

    void runner_up() {
        const appraisal* won = winner_of(made_);
        const auto second = std::ranges::find_if(
            made_.ranked, [&](const appraisal& a) { return won && a.offer != won->offer && a.launchable; });
        if (second != made_.ranked.end())
            line("Runner-up is " + second->offer + ": " + facts_of(*second, made_.rates.base) + "; " +
                 difference(*second, *won));
    }

    std::string difference(const appraisal& a, const appraisal& won) const {
        if (a.keys.empty())
            return "all counted, it is " + in_words(a.j - won.j, made_.rates.base) + " dearer.";
        for (std::size_t k = 0; k < a.keys.size() && k < won.keys.size(); ++k)
            if (a.keys[k] != won.keys[k])
                return "it loses on key " + std::to_string(k + 1) + " of the order.";
        return "it loses on a tie only.";
    }

    void baseline() {
        const appraisal* won = winner_of(made_);
        if (!made_.baseline || !won)
            return;
        const appraisal& base = *made_.baseline;
        if (base.offer == won->offer) {
            line("It is also the cheapest feasible offer.");
            return;
        }
        const double dearer = won->cost_base - base.cost_base;
        std::string text = "Against the cheapest feasible offer, " + name_of(base) + " at " + in_words(base.cost) +
                           ", it costs " + in_words(dearer, made_.rates.base) + " more";
        text += avoided(base.non_green_kwh, won->non_green_kwh, dearer, "non-green kWh");
        text += avoided(base.carbon_kg, won->carbon_kg, dearer, "kg CO2e");
        line(text + ".");
    }

    /// A price per unit avoided is told only where something is avoided.
    std::string avoided(std::optional<double> base, std::optional<double> won, double dearer,
                        std::string_view unit) const {
        if (!base || !won || *base == *won)
            return "";
        const double saved = *base - *won;
        if (saved < 0)
            return " and causes " + fixed(-saved, 4) + " " + std::string(unit) + " more";
        return " and avoids " + fixed(saved, 4) + " " + std::string(unit) + " (" +
               in_words(dearer / saved, made_.rates.base) + " each)";
    }

    void pareto() {
        if (made_.pareto.size() > 1)
            line("No other ranked offer beats these in every respect (money, latency, carbon, green share, finish): " +
                 joined(made_.pareto) + ".");
    }

    void switches() {
        std::vector<switch_price> nearest = made_.switches;
        std::ranges::stable_sort(nearest, {}, &switch_price::at);
        if (nearest.size() > switches_shown_max)
            nearest.resize(switches_shown_max);
        for (const auto& s : nearest)
            line(s.alternative + " is " + std::string(gain_of(s.term)) + " and would win from " +
                 in_words(s.at, made_.rates.base) + " per " + std::string(unit_of(s.term)) + ".");
    }

    void rejections() {
        if (made_.rejections.empty())
            return;
        std::vector<std::string> counts;
        std::uint32_t all = 0;
        for (const auto& [why, count] : made_.rejections) {
            counts.push_back(std::to_string(count) + " " + std::string(in_words(why)) + " (" +
                             std::string(to_string(why)) + ")");
            all += count;
        }
        line(std::to_string(all) + " of " + std::to_string(made_.considered) +
             " offers were rejected: " + joined(counts) + ".");
    }

    const decision& made_;
    std::string text_;
};

}  // namespace

std::string explain(const decision& made) {
    return explanation(made).text();
}

const appraisal* winner_of(const decision& made) noexcept {
    const auto first = std::ranges::find_if(made.ranked, &appraisal::launchable);
    if (first != made.ranked.end())
        return &*first;
    return made.ranked.empty() ? nullptr : &made.ranked.front();
}

}  // namespace westerly
