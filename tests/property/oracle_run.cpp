#include "tests/property/oracle_run.hpp"

#include <cmath>

namespace westerly::laws {
namespace {

constexpr double nobody_knows = std::numeric_limits<double>::quiet_NaN();

/// g(n) as decision-model §2 writes it.
double g(double n, double b_up, double b_out, double d) {
    if (n == 1)
        return 0;
    if (b_up == 0)
        return nobody_knows;
    if (b_out == 0)
        return ((n - 1) / n) / b_up;
    const double m = std::min(n, d), domains = std::ceil(n / d);
    return ((m - 1) / m) / b_up + ((domains - 1) / domains) / (m * b_out);
}

double g_on(const accelerator_facts& card, double n) {
    const double up = card.interconnect_gb_s != 0 ? card.interconnect_gb_s : card.host_link_gb_s;
    const double domain = card.scale_up_cards != 0 ? card.scale_up_cards : std::max(card.count, 1u);
    return g(n, up, card.scale_out_gb_s, domain);
}

/// g / g0. A network between servers that nobody tells of the reference is the offer's, unless that helps the worse
/// one.
double against_reference(const work_estimate& work, const accelerator_facts& card, const accelerator_facts& known,
                         double n) {
    const reference_cards& stated = *work.reference;
    const double n0 = stated.count;
    accelerator_facts reference = known;
    if (stated.interconnect_gb_s != 0)
        reference.interconnect_gb_s = stated.interconnect_gb_s;
    if (stated.scale_out_gb_s != 0)
        reference.scale_out_gb_s = stated.scale_out_gb_s;
    if (stated.scale_up_cards != 0)
        reference.scale_up_cards = stated.scale_up_cards;
    if (reference.scale_up_cards == 0)
        reference.scale_up_cards = card.scale_up_cards != 0 ? card.scale_up_cards : std::max(card.count, 1u);
    const auto against = [&](double ours, double theirs) {
        accelerator_facts here = card, there = reference;
        here.scale_out_gb_s = ours;
        there.scale_out_gb_s = theirs;
        const double g0 = g_on(there, n0);
        return g0 > 0 ? g_on(here, n) / g0 : nobody_knows;
    };
    const double told = card.scale_out_gb_s;
    const bool single =
        reference.scale_up_cards == 1 && card.scale_up_cards != 1 && (card.scale_up_cards != 0 || card.count > 1);
    if (reference.scale_out_gb_s != 0 || told == 0 || n0 <= reference.scale_up_cards || single)
        return against(told, reference.scale_out_gb_s);
    return std::max(against(told, told), against(1e300, 1e300));
}

double peak_of_precision(number_precision p, const accelerator_facts& card) {
    const double peaks[] = {card.fp64_tflops, card.fp32_tflops, card.fp16_tflops,
                            card.bf16_tflops, card.fp8_tflops,  card.int8_tops};
    return peaks[static_cast<int>(p)];
}

double peak(work_class kind, const accelerator_facts& card) {
    if (kind == work_class::training)
        return card.fp16_tflops * 0.66;  // what the middle of the derived range is
    return kind == work_class::hpc ? card.fp64_tflops : card.memory_gb_s;
}

/// The slow end of what was told from peaks, against its middle.
double slow_part(work_class kind) {
    return kind == work_class::training ? 0.41 / 0.66 : kind == work_class::hpc ? 0.7 : 0.8;
}

/// r, or 0: not known.
double speed(const world& w, const accelerator_facts& card, const accelerator_facts& reference, bool slow) {
    const work_estimate& work = w.spec.work;
    for (const auto& told : work.speeds)
        if (w.accelerators.means(told.model, card))
            return slow ? told.speed.low : told.speed.value;
    if (w.accelerators.means(work.reference->model, card))
        return 1;
    const auto kind =
        work.kind.value_or(w.spec.compute == compute_class::super ? work_class::hpc : work_class::training);
    const auto precision = w.spec.resources.precision;
    const bool mixed = !precision || precision == number_precision::fp16 || precision == number_precision::bf16;
    if (kind == work_class::training && mixed && card.training_speed.value > 0)
        return slow ? card.training_speed.low / reference.training_speed.high
                    : card.training_speed.value / reference.training_speed.value;
    if (precision && kind != work_class::decoding)
        if (const double has = peak_of_precision(*precision, card), of = peak_of_precision(*precision, reference);
            has > 0 && of > 0)
            return has / of * (kind == work_class::training ? 0.66 : 1) * (slow ? slow_part(kind) : 1);
    const double against = kind == work_class::training ? reference.fp16_tflops : peak(kind, reference);
    const double middle = peak(kind, card) / against;
    return slow ? middle * slow_part(kind) : middle;
}

/// T of one pass in seconds; NaN: not known.
double one_pass(const world& w, const offer& o, double n, double stated_s, bool slow) {
    const work_estimate& work = w.spec.work;
    if (!work.reference)
        return stated_s;
    const auto* reference = w.accelerators.find(work.reference->model);
    if (!reference || !o.accelerators || n == 0)
        return nobody_knows;
    const double r = speed(w, *o.accelerators, reference->facts, slow);
    if (r == 0)
        return nobody_knows;
    const double c = work.communication, n0 = work.reference->count;
    double hours = work.accelerator_hours.value_or(static_cast<double>(work.runtime_s.value_or(0)) / 3600 * n0);
    if (!work.accelerator_hours && n0 > 1)
        hours *= 1 - c;
    double efficiency = 1;
    if (c > 0 && n > 1) {
        const double exchange = against_reference(work, *o.accelerators, reference->facts, n);
        if (std::isnan(exchange))
            return nobody_knows;
        efficiency = 1 / (1 + c / (1 - c) * r * std::pow(n / n0, work.batch_exponent) * exchange);
    }
    return hours / (n * r * efficiency) * 3600;
}

/// The greatest product of a peak and its bits, once some peak at 16 or 8 bits is known.
double total_of(const accelerator_facts& cards) {
    const std::pair<double, int> peaks[] = {{cards.fp16_tflops, 16}, {cards.bf16_tflops, 16}, {cards.fp8_tflops, 8},
                                            {cards.int8_tops, 8},    {cards.fp32_tflops, 32}, {cards.fp64_tflops, 64}};
    double most = 0;
    bool narrow = false;
    for (const auto& [peak, bits] : peaks) {
        narrow = narrow || (bits <= 16 && peak > 0);
        most = std::max(most, peak * bits);
    }
    return narrow ? most : 0;
}

/// 1 yes, 0 no, 0.5 not known.
double truth_of_word(const fact_expression& e, const offer& o) {
    const std::string& is = e.fact == offer_fact::jurisdiction ? o.site.jurisdiction : o.architecture;
    if (is.empty() || (e.fact == offer_fact::jurisdiction && is == "ZZ"))
        return 0.5;
    return std::count(e.words.begin(), e.words.end(), is) > 0 ? 1 : 0;
}

double truth_of_figure(const fact_expression& e, const accelerator_facts& cards, const accelerator_table& known) {
    const auto* model = known.find(cards.model, cards.memory_gib);
    double links = cards.interconnect_gb_s;
    if (links == 0 && model && model->pcie_only)
        links = cards.host_link_gb_s;
    const double is = e.fact == offer_fact::tops_by_bit_length  ? total_of(cards)
                      : e.fact == offer_fact::interconnect_gb_s ? links
                                                                : cards.memory_gib;
    if (is == 0)
        return 0.5;
    return e.comparison == fact_comparison::at_least ? is >= e.value
           : e.comparison == fact_comparison::above  ? is > e.value
                                                     : is <= e.value;
}

bool of_words(const fact_expression& e) {
    return e.comparison == fact_comparison::in || std::any_of(e.parts.begin(), e.parts.end(), of_words);
}

/// A comparison or a join of such. What an offer without cards has no figure of is in no relation to any.
double truth(const fact_expression& e, const offer& o, const accelerator_table& known) {
    if (e.is == fact_expression::form::compare) {
        if (e.comparison == fact_comparison::in)
            return truth_of_word(e, o);
        return o.accelerators ? truth_of_figure(e, *o.accelerators, known) : 0;
    }
    double least = 1, most = 0;
    for (const auto& part : e.parts) {
        least = std::min(least, truth(part, o, known));
        most = std::max(most, truth(part, o, known));
    }
    return e.is == fact_expression::form::all ? least : e.is == fact_expression::form::any ? most : 1 - most;
}

}  // namespace

double fates::finish(double z) const {
    const auto later = [&](double median, double p90) {
        if (p90 <= median)
            return median;
        return median > 0 ? std::exp(std::log(median) + std::log(p90 / median) * z / 1.2815515655446004)
                          : std::max(0.0, p90 * z / 1.2815515655446004);
    };
    return asked + later(wait, wait_p90) + moving + std::min(run_most, later(run, run_p90));
}

bool fates::in_time(double deadline, double surely) const {
    if (wait_p90 <= wait && (run_p90 <= run || run_most <= run))
        return finish(0) <= deadline;
    // The share of fates that end in time: up to the last z that does, found from above in ever finer steps.
    double z = 9;
    for (double step = 1; step > 1e-14; step /= 2)
        while (z > -9 && finish(z - step) > deadline)
            z -= step;
    const double share = 1 - 0.5 * std::erfc((z - 1e-14) / std::sqrt(2.0));
    return finish(9) <= deadline || share >= surely - 1e-12;
}

double fates::late(double deadline) const {
    if (wait_p90 <= wait && (run_p90 <= run || run_most <= run))
        return finish(0) <= deadline ? 0 : 1;
    if (finish(8) <= deadline)
        return 0;
    if (finish(-8) > deadline)
        return finish(0) <= deadline ? 0 : 1;
    double z = -8;
    for (double step = 8; step > 1e-15; step /= 2)
        if (z + step < 8 && finish(z + step) <= deadline)
            z += step;
    return 0.5 * std::erfc(z / std::sqrt(2.0));
}

double fates::finish_of_share(double surely) const {
    double z = 0;
    for (double step = 4; step > 1e-14; step /= 2)
        if (1 - 0.5 * std::erfc((z + step) / std::sqrt(2.0)) <= surely)
            z += step;
    return finish(z);
}

double hazard_per_h(const offer& o, double cards, double units, double hours) {
    const hazard_facts& h = o.supply.hazard;
    const double parts = cards > 0 ? cards : units;
    const double told =
        h.spot_per_h.value_or(0) + parts * h.hardware_per_card_h.value_or(0) + h.provider_per_h.value_or(0);
    const bool assumed = cards > 0 && !h.hardware_per_card_h && parts * 2e-5 * hours >= 0.1;
    return assumed ? told + parts * 2e-5 : told;
}

run_time run_time_on(const world& w, const offer& o, double cards, double units, double stated_s, bool slow) {
    const double pass = one_pass(w, o, cards, stated_s, slow);
    if (std::isnan(pass))
        return {0, 0, rejection::throughput_unknown};
    if (pass > 1e10)
        return {0, 0, rejection::never_finishes};
    double s = std::ceil(pass * (1 - 1e-12));
    const auto& saves = w.spec.checkpoint;
    const auto with_writes = [&](double work_s) {
        return work_s + (saves && work_s > 0 ? std::ceil(work_s / static_cast<double>(saves->interval_s)) - 1 : 0) *
                            (saves ? saves->write_s : 0);
    };
    if (w.spec.when.max_runtime_s && with_writes(s) > static_cast<double>(*w.spec.when.max_runtime_s)) {
        if (w.spec.work.reference)
            return {0, 0, rejection::runtime_limit};
        while (with_writes(s) > static_cast<double>(*w.spec.when.max_runtime_s))
            --s;
    }
    const double per_h = hazard_per_h(o, cards, units, pass / 3600);
    // Segment by segment.
    const double tau = saves ? static_cast<double>(saves->interval_s) : s;
    double uninterrupted = 0, sum = 0, left = s;
    const double lambda = per_h / 3600;
    while (true) {
        const bool last = left <= tau;
        const double segment = last ? left : tau + saves->write_s;
        uninterrupted += segment;
        sum += std::expm1(lambda * segment);
        if (last)
            break;
        left -= tau;
    }
    const bool writes_one = saves && tau < s;
    if (per_h == 0)
        return {uninterrupted, uninterrupted, {}, 0, writes_one};
    const double lost = writes_one ? 0 : -std::expm1(-lambda * s);
    const double billed = std::exp(lambda * (saves ? saves->restore_s : 0)) / lambda * sum;
    if (!(billed <= 20 * std::max(uninterrupted, 1.0)))
        return {0, 0, rejection::never_finishes};
    return {billed, billed + o.queue_wait_s * lambda * billed, {}, lost, writes_one};
}

std::vector<compliance_rule> rules_of(const world& w) {
    std::vector<compliance_rule> all = w.rules.compliance;
    all.insert(all.end(), w.spec.limits.compliance.begin(), w.spec.limits.compliance.end());
    return all;
}

bool any_rule_forbids(const world& w, const offer& o, double launch_ms, double start_ms) {
    for (const auto& rule : rules_of(w)) {
        const auto ms = [](instant at) {
            return static_cast<double>(at.time_since_epoch().count());
        };
        if (rule.from_at && rule.until_at && *rule.from_at >= *rule.until_at)
            continue;  // it never holds
        if (rule.from_at && start_ms < ms(*rule.from_at))
            continue;
        if (rule.until_at && launch_ms >= ms(*rule.until_at))
            continue;
        if (!o.accelerators && !of_words(rule.forbid))
            continue;  // a rule over cards is none over what has no cards
        if (truth(rule.forbid, o, w.accelerators) > 0)
            return true;
    }
    return false;
}

}  // namespace westerly::laws
