#include "broker/placement/throughput.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Of speeds that nobody measured, told from peaks. Training: of nine models of which both are known (V100, A10, RTX
/// 4090, H100 PCIe and SXM, B200, Ascend 910B, BI-V100, C500), measured speed over the ratio of FP16 peaks lies between
/// 0.41 and 1.28, in the middle at 0.66. Decoding and HPC follow their peaks closer; their ranges are assumed.
struct spread {
    double low, middle, high;
    std::string_view method;
};
constexpr spread by_fp16{0.41, 0.66, 1.28, "derived from FP16 peaks"};
constexpr spread by_memory{0.8, 1.0, 1.1, "derived from memory bandwidths"};
constexpr spread by_fp64{0.7, 1.0, 1.1, "derived from FP64 peaks"};

card_speed derived(double card, double reference, const spread& as) noexcept {
    if (!(card > 0) || !(reference > 0))
        return {};
    const double ratio = card / reference;
    return {{ratio * as.middle, ratio * as.low, ratio * as.high}, as.method};
}

constexpr std::string_view by_precision[] = {"derived from FP64 peaks", "derived from FP32 peaks",
                                             "derived from FP16 peaks", "derived from BF16 peaks",
                                             "derived from FP8 peaks",  "derived from INT8 peaks"};

/// The table's figures of training were measured in mixed precision.
bool measured_at(std::optional<number_precision> precision) noexcept {
    return !precision || precision == number_precision::fp16 || precision == number_precision::bf16;
}

double peak_for(work_class kind, const accelerator_facts& card) noexcept {
    return kind == work_class::decoding ? card.memory_gb_s
           : kind == work_class::hpc    ? card.fp64_tflops
                                        : card.fp16_tflops;
}

}  // namespace

card_links links_of(const accelerator_facts& cards) noexcept {
    const bool linked = cards.interconnect_gb_s > 0;
    card_links by;
    by.b_up = linked ? cards.interconnect_gb_s : cards.host_link_gb_s;
    by.b_out = cards.scale_out_gb_s;
    by.domain = std::max(1u, cards.scale_up_cards > 0 ? cards.scale_up_cards : cards.count);
    return by;
}

double exchange_time(double cards, const card_links& by) noexcept {
    if (cards <= 1)
        return 0;
    if (!(by.b_up > 0))
        return unknown;
    if (!(by.b_out > 0))
        return (cards - 1) / cards / by.b_up;
    const double m = std::min(cards, static_cast<double>(by.domain));
    const double domains = std::ceil(cards / by.domain);
    return (m - 1) / m / by.b_up + (domains - 1) / domains / (m * by.b_out);
}

double scaling_efficiency(double communication, double speed, double cards, double reference_cards,
                          double batch_exponent, double exchange) noexcept {
    if (communication <= 0 || cards <= 1)
        return 1;
    const double share = communication / (1 - communication);
    return 1 / (1 + share * speed * std::pow(cards / reference_cards, batch_exponent) * exchange);
}

card_speed speed_of(const work_estimate& work, work_class kind, std::optional<number_precision> precision,
                    const accelerator_facts& card, const accelerator_model& reference, const accelerator_table& known) {
    for (const auto& told : work.speeds)
        if (known.means(told.model, card))
            return {told.speed, "stated"};
    if (known.means(work.reference->model, card))
        return {{1, 1, 1}, "the reference"};
    const interval &has = card.training_speed, &against = reference.facts.training_speed;
    if (kind == work_class::training && measured_at(precision) && has.known() && against.known())
        return {{has.value / against.value, has.low / against.high, has.high / against.low}, "measured elsewhere"};
    spread as = kind == work_class::decoding ? by_memory : kind == work_class::hpc ? by_fp64 : by_fp16;
    if (precision && kind != work_class::decoding) {
        as.method = by_precision[static_cast<std::size_t>(*precision)];
        if (const card_speed told = derived(peak_at(*precision, card), peak_at(*precision, reference.facts), as);
            told.r.known())
            return told;
        as.method = kind == work_class::hpc ? by_fp64.method : by_fp16.method;
    }
    return derived(peak_for(kind, card), peak_for(kind, reference.facts), as);
}

namespace {

/// As the workload states them, else as the table knows the model.
card_links links_of(const reference_cards& stated, const accelerator_facts& known) noexcept {
    card_links by = links_of(known);
    if (stated.interconnect_gb_s > 0)
        by.b_up = stated.interconnect_gb_s;
    if (stated.scale_out_gb_s > 0)
        by.b_out = stated.scale_out_gb_s;
    by.domain = stated.scale_up_cards > 0 ? stated.scale_up_cards : known.scale_up_cards;
    return by;
}

double ratio(double exchange, double reference) noexcept {
    return reference > 0 ? exchange / reference : unknown;
}

}  // namespace

work_view view_of(const workload_spec& spec, const accelerator_table& known) {
    work_view view;
    view.told = &spec.work;
    view.kind = spec.work.kind.value_or(spec.compute == compute_class::super ? work_class::hpc : work_class::training);
    if (!spec.work.reference || (!spec.work.accelerator_hours && !spec.work.runtime_s))
        return view;
    view.reference = known.find(spec.work.reference->model);
    if (!view.reference)
        return view;
    const double n0 = spec.work.reference->count;
    view.reference_links = links_of(*spec.work.reference, view.reference->facts);
    // A runtime on the reference is W / X there, and η there is 1 - c, by the meaning of c.
    view.accelerator_hours =
        spec.work.accelerator_hours.value_or(static_cast<double>(spec.work.runtime_s.value_or(0)) / 3600.0 * n0 *
                                             (n0 > 1 ? 1 - spec.work.communication : 1));
    return view;
}

double exchange_against_reference(const work_view& work, double cards, const card_links& by) noexcept {
    const double n0 = work.told->reference->count;
    card_links reference = work.reference_links;
    if (reference.domain == 0)
        reference.domain = by.domain;
    // Single cards have nothing but that network: against gangs with links of their own it would decide everything.
    const bool alike = reference.domain > 1 || by.domain == 1;
    const bool same_network = alike && !(reference.b_out > 0) && by.b_out > 0 && n0 > reference.domain;
    if (!same_network)
        return ratio(exchange_time(cards, by), exchange_time(n0, reference));
    reference.b_out = by.b_out;
    const double shared = ratio(exchange_time(cards, by), exchange_time(n0, reference));
    card_links apart = by;
    apart.b_out = reference.b_out = infinity;
    return std::max(shared, ratio(exchange_time(cards, apart), exchange_time(n0, reference)));
}

throughput throughput_of(const work_view& work, double cards, double r, const card_links& links) noexcept {
    throughput made;
    made.efficiency = scaling_efficiency(work.told->communication, r, cards, work.told->reference->count,
                                         work.told->batch_exponent, exchange_against_reference(work, cards, links));
    made.effective_cards = cards * r * made.efficiency;
    made.seconds = work.accelerator_hours / made.effective_cards * 3600.0;
    return made;
}

gang_hazard hazard_of(const hazard_facts& offered, bool has_cards, double count, double hours) noexcept {
    gang_hazard made;
    made.per_h = offered.spot_per_h.value_or(0) + count * offered.hardware_per_card_h.value_or(0) +
                 offered.provider_per_h.value_or(0);
    const double assumed = count * assumed_hardware_per_card_h;
    if (has_cards && !offered.hardware_per_card_h && assumed * hours >= assumed_from) {
        made.per_h += assumed;
        made.assumed = true;
    }
    return made;
}

double chance_of_loss(double work_s, double hazard_per_h, const std::optional<checkpoint_rule>& saves,
                      bool saved) noexcept {
    const bool writes_one = saves && work_s > static_cast<double>(saves->interval_s);
    return saved || writes_one ? 0 : -std::expm1(-hazard_per_h * work_s / 3600.0);
}

double work_within(double limit_s, const std::optional<checkpoint_rule>& saves) noexcept {
    if (!saves)
        return limit_s;
    const auto every = static_cast<double>(saves->interval_s), segment = every + saves->write_s;
    const double whole = std::floor(limit_s / segment);
    return whole * every + std::min(every, limit_s - whole * segment);
}

expected_run expect_run(double work_s, double hazard_per_h, const std::optional<checkpoint_rule>& saves,
                        double wait_s) noexcept {
    const double every = saves ? static_cast<double>(saves->interval_s) : infinity;
    const double write = saves ? saves->write_s : 0, restore = saves ? saves->restore_s : 0;
    // Whole segments of τ + δ; the last, of what is left, is not saved.
    const double whole = work_s > every ? std::ceil(work_s / every) - 1 : 0;
    const double last = whole > 0 ? work_s - whole * every : work_s;
    const double segment = whole > 0 ? every + write : 0;
    const double uninterrupted = whole * segment + last;
    const double rate = hazard_per_h / 3600.0;
    if (!(rate > 0))
        return {uninterrupted, uninterrupted, 0};
    const double billed =
        std::exp(rate * restore) / rate * (whole * std::expm1(rate * segment) + std::expm1(rate * last));
    if (!(billed <= never_finishes_factor * std::max(uninterrupted, 1.0)))
        return {infinity, infinity, infinity};
    return {billed, billed + wait_s * rate * billed, rate * billed};
}

}  // namespace westerly
