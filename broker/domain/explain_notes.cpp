#include "broker/domain/explain.hpp"
#include "broker/domain/phrases.hpp"
#include "broker/domain/wording.hpp"

namespace westerly {
namespace {

enum class makeup : std::uint8_t { plain, list, counts, priced_terms, stepped_terms };

/// How what a note speaks of becomes text, before any language. Of each figure: a digit is how many decimals there are
/// at most, '%' a share in per cent, 'm' money.
struct note_form {
    note_kind kind;
    makeup made_up = makeup::plain;
    std::string_view figures = {};
};
constexpr note_form forms[] = {
    {note_kind::sentence},
    {note_kind::ranked_by_cost},
    {note_kind::ranked_by_sum, makeup::priced_terms},
    {note_kind::ranked_in_order, makeup::stepped_terms},
    {note_kind::costs_per_hour},
    {note_kind::runtime_assumed, makeup::plain, "0"},
    {note_kind::reference_unknown},
    {note_kind::origin_missing},
    {note_kind::term_missing},
    {note_kind::within_of_cheapest, makeup::plain, "%m"},
    {note_kind::power_unknown},
    {note_kind::pue_assumed, makeup::plain, "1"},
    {note_kind::green_share_unknown},
    {note_kind::ingress_assumed, makeup::plain, "0"},
    {note_kind::only_catalogue},
    {note_kind::green_not_low_carbon, makeup::plain, "4444"},
    {note_kind::not_robust, makeup::list},
    {note_kind::spot_hazard_unknown},
    {note_kind::gang_chosen, makeup::plain, "0000"},
    {note_kind::policy_forced},
    {note_kind::policy_by_default},
    {note_kind::policy_overridden, makeup::list},
    {note_kind::carbon_source},
    {note_kind::carbon_source_partly, makeup::plain, "%"},
    {note_kind::put_off},
    {note_kind::put_off_intensity, makeup::plain, "11"},
    {note_kind::put_off_saves_carbon, makeup::plain, "4"},
    {note_kind::put_off_saves_energy, makeup::plain, "4"},
    {note_kind::put_off_saves_money, makeup::plain, "m"},
    {note_kind::put_off_on_baseline, makeup::plain, "4m"},
    {note_kind::speed_measured, makeup::plain, "0"},
    {note_kind::work_left, makeup::plain, "%"},
    {note_kind::moved, makeup::plain, "mmmm"},
    {note_kind::moved_in_order, makeup::plain, "44"},
    {note_kind::assigned_together, makeup::plain, "0m"},
    {note_kind::offer_stale, makeup::plain, "11"},
    {note_kind::quote_until},
    {note_kind::owned_reservation, makeup::plain, "m"},
    {note_kind::finish_spread},
    {note_kind::finish_in_time, makeup::plain, "%%"},
    {note_kind::term_failed},
    {note_kind::term_ignored},
    {note_kind::rtt_measured, makeup::plain, "10"},
    {note_kind::rtt_measured_old, makeup::plain, "11"},
    {note_kind::price_by_hour, makeup::plain, "mmm"},
    {note_kind::put_off_price, makeup::plain, "mm"},
    {note_kind::put_off_costs_less, makeup::plain, "m"},
    {note_kind::region_unknown},
    {note_kind::region_misspelt},
    {note_kind::wait_full_one},
    {note_kind::wait_full, makeup::plain, "0"},
    {note_kind::wait_kept, makeup::plain, "0"},
    {note_kind::wait_passed_over, makeup::counts},
    {note_kind::wait_blocked_one},
    {note_kind::wait_blocked, makeup::plain, "0"},
    {note_kind::wait_nothing_offered},
    {note_kind::wait_none_fits, makeup::counts},
    {note_kind::wait_asked_again},
    {note_kind::wait_policy_missing},
    {note_kind::wait_policy_refused},
    {note_kind::wait_not_before},
    {note_kind::wait_tried_again_at},
    {note_kind::wait_stopping_one},
    {note_kind::wait_stopping, makeup::plain, "0"},
    {note_kind::wait_outcome_unknown, makeup::plain, "0"},
    {note_kind::wait_lost_running, makeup::plain, "0"},
    {note_kind::wait_lost_pending, makeup::plain, "0"},
    {note_kind::wait_last_seen},
    {note_kind::wait_asked_for},
    {note_kind::wait_stopped_if_found},
    {note_kind::wait_choices},
    {note_kind::wait_given_up_at},
    {note_kind::waited, makeup::list, "0"},
    {note_kind::would_preempt, makeup::plain, "00m"},
    {note_kind::room_ahead, makeup::plain, "m"},
    {note_kind::risk_weighed, makeup::plain, "%%%"},
    {note_kind::within_of_least, makeup::plain, "%4"},
    {note_kind::target_met},
    {note_kind::target_missed, makeup::plain, "2"},
    {note_kind::value_of_time, makeup::plain, "m"},
    {note_kind::put_off_available},
    {note_kind::put_off_forbidden},
    {note_kind::wait_none_fits_yet, makeup::counts},
    {note_kind::wait_forbidden_until},
    {note_kind::wait_available_from},
    {note_kind::brought_along, makeup::plain, "m0"},
    {note_kind::carbon_source_of_part, makeup::plain, "%"},
    {note_kind::carbon_own_factor},
    {note_kind::carbon_source_besides},
    {note_kind::finish_never},
    {note_kind::runtime_limited, makeup::plain, "00"},
    {note_kind::put_off_cheaper_too, makeup::plain, "4m"},
    {note_kind::put_off_best},
    {note_kind::deadline_passed},
    {note_kind::architecture_any},
    {note_kind::quantities_read, makeup::list},
    {note_kind::rule_forbids},
    {note_kind::rule_unknown},
    {note_kind::class_of_cards},
    {note_kind::target_unpriced},
    {note_kind::of_batch_only, makeup::list},
    {note_kind::deadline_unreachable},
    {note_kind::brought_beside, makeup::plain, "m"},
    {note_kind::put_off_adds_carbon, makeup::plain, "4"},
    {note_kind::put_off_adds_energy, makeup::plain, "4"},
    {note_kind::put_off_adds_money, makeup::plain, "m"},
    {note_kind::billed_while_brought, makeup::plain, "2"},
    {note_kind::rule_forbids_in},
    {note_kind::rule_forbids_bare},
    {note_kind::rule_unknown_bare},
};
constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(forms); ++i)
        if (static_cast<std::size_t>(forms[i].kind) != i)
            return false;
    return std::size(forms) == static_cast<std::size_t>(note_kind::count_);
}
static_assert(in_order());

/// The unit of `cost`, as the table of terms has it, is whatever the decision's money is.
std::string unit_in_words(const std::string& unit, currency base) {
    return unit == "currency unit" ? std::string(to_string(base)) : unit;
}

std::string figure_in_words(double figure, char form, currency base) {
    if (form == 'm')
        return in_words(figure, base);
    return form == '%' ? per_cent(figure) : rounded(figure, form - '0');
}

/// "green power at 0.61 CNY per kWh", "cost", …
std::vector<std::string> terms_of(const note& told, const phrases& words, bool priced, currency base) {
    std::vector<std::string> terms;
    for (std::size_t i = 0; 2 * i + 1 < told.words.size() && i < told.figures.size(); ++i) {
        const std::string term(words.words_of(told.words[2 * i]));
        const std::string unit = unit_in_words(std::string(words.unit(told.words[2 * i + 1])), base);
        if (priced)
            terms.push_back(fill(words[phrase::priced_term], {term, in_words(told.figures[i], base), unit}));
        else if (told.figures[i] > 0)
            terms.push_back(fill(words[phrase::stepped_term], {term, shortest(told.figures[i]), unit}));
        else
            terms.push_back(term);
    }
    return terms;
}

/// "3 outside the regions asked for (region), 1 full now (capacity_now)", then the figures that count nothing.
std::vector<std::string> counts_of(const note& told, const phrases& words) {
    std::vector<std::string> counted;
    std::size_t i = 0;
    for (; i < told.words.size() && i < told.figures.size(); ++i) {
        const auto why = parse_rejection(told.words[i]);
        counted.push_back(
            fill(words[phrase::rejected_for],
                 {fixed(told.figures[i], 0), why ? std::string(words[*why]) : told.words[i], told.words[i]}));
    }
    std::vector<std::string> with{joined(counted, words[phrase::between], words[phrase::between])};
    for (; i < told.figures.size(); ++i)
        with.push_back(fixed(told.figures[i], 0));
    return with;
}

}  // namespace

std::string in_words(const note& told, currency base, language spoken) {
    const phrases& words = phrases_of(spoken);
    const note_form& form = forms[static_cast<std::size_t>(told.kind)];
    const auto list = [&](const std::vector<std::string>& of) {
        return joined(of, words[phrase::between], words[phrase::before_last]);
    };
    std::vector<std::string> with;
    for (const std::string& word : told.words)
        with.emplace_back(words.method(unit_in_words(word, base)));
    switch (form.made_up) {
        case makeup::list:
            with = {list(with)};
            break;
        case makeup::counts:
            return fill(words[told.kind], counts_of(told, words));
        case makeup::priced_terms:
            return fill(words[told.kind], {list(terms_of(told, words, true, base))});
        case makeup::stepped_terms:
            return fill(words[told.kind], {joined(terms_of(told, words, false, base), words[phrase::between_keys],
                                                  words[phrase::between_keys])});
        case makeup::plain:
            break;
    }
    for (std::size_t i = 0; i < told.figures.size() && i < form.figures.size(); ++i)
        with.push_back(figure_in_words(told.figures[i], form.figures[i], base));
    return fill(words[told.kind], with);
}

}  // namespace westerly
