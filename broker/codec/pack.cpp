// Decisions and leases in the store's form.
#include "broker/codec/packing.hpp"

namespace westerly {
namespace packing {

// Form 1 numbered the rejections of its time.
constexpr rejection first_form_rejections[] = {rejection::provider_denied,
                                               rejection::provider_unhealthy,
                                               rejection::plan_only,
                                               rejection::region,
                                               rejection::jurisdiction,
                                               rejection::compute_class,
                                               rejection::architecture,
                                               rejection::stack,
                                               rejection::accelerator,
                                               rejection::task_shape,
                                               rejection::capacity_never,
                                               rejection::capacity_now,
                                               rejection::rtt,
                                               rejection::rtt_unknown,
                                               rejection::pue,
                                               rejection::green_power_share,
                                               rejection::price_missing,
                                               rejection::max_price,
                                               rejection::budget,
                                               rejection::deadline,
                                               rejection::max_carbon,
                                               rejection::quantity_unknown,
                                               rejection::too_dear_for_policy};

// Rejections are numbered in the order of the filters, which may change: they are kept by name.
inline void field(packer& to, const rejection& v) {
    to.text(to_string(v));
}
inline void field(unpacker& from, rejection& v) {
    std::optional<rejection> read;
    if (from.form() > 1) {
        read = parse_rejection(from.text());
    } else if (const auto number = from.whole(); number < std::size(first_form_rejections)) {
        read = first_form_rejections[number];
    }
    if (!read)
        return from.damaged();
    v = *read;
}

inline void field(packer& to, const switch_price& v) {
    fields(to, v.alternative, v.term, v.at, v.below);
}
inline void field(unpacker& from, switch_price& v) {
    fields(from, v.alternative, v.term, v.at);
    if (from.form() >= 9)
        field(from, v.below);
}
/// Whether this record has what form 4 brought; whatever is written now has it.
constexpr bool tells_runs(const packer&) noexcept {
    return true;
}
inline bool tells_runs(const unpacker& from) noexcept {
    return from.form() >= 4;
}

template <class Archive, record_of<run_estimate> T>
void field(Archive& a, T& v) {
    fields(a, v.cards, v.speed, v.speed_method, v.efficiency, v.effective_cards, v.interruptions, v.hazard_per_h,
           v.hazard_assumed, v.work_s, v.wall_s);
}
template <class Archive, record_of<finish_odds> T>
void field(Archive& a, T& v) {
    fields(a, v.p90_at, v.by_deadline);
}
/// Which of an appraisal's rarer parts follow, a bit each.
enum appraisal_part : std::uint16_t {
    tells_p95 = 1,
    tells_egress = 2,
    tells_range = 4,
    tells_run = 8,
    tells_gang = 16,
    tells_market = 32,
    tells_odds = 64,
    tells_staging = 128,
    tells_certificates = 256
};
inline std::uint16_t parts_of(const appraisal& v) noexcept {
    return static_cast<std::uint16_t>(
        (v.rtt_p95_ms != v.rtt_ms ? tells_p95 : 0) | (v.egress_base != 0 ? tells_egress : 0) |
        (v.cost_low != v.cost_base || v.cost_high != v.cost_base ? tells_range : 0) | (v.run ? tells_run : 0) |
        (v.tasks != 1 ? tells_gang : 0) | (v.carbon_market_kg ? tells_market : 0) | (v.odds ? tells_odds : 0) |
        (v.staging_base ? tells_staging : 0) | (v.certificates_microkwh != 0 ? tells_certificates : 0));
}
template <class Archive, record_of<appraisal> T>
void told_parts(Archive& a, std::uint16_t parts, T& v) {
    if (parts & tells_p95)
        field(a, v.rtt_p95_ms);
    if (parts & tells_egress)
        field(a, v.egress_base);
    if (parts & tells_range)
        fields(a, v.cost_low, v.cost_high);
    if (parts & tells_run)
        field(a, v.run);
    if (parts & tells_gang)
        field(a, v.tasks);
    if (parts & tells_market)
        fields(a, v.carbon_market_kg, v.residual_known);
    if (parts & tells_odds)
        field(a, v.odds);
    if (parts & tells_staging)
        field(a, v.staging_base);
    if (parts & tells_certificates)
        field(a, v.certificates_microkwh);
}
inline void rarer_parts(packer& to, const appraisal& v) {
    const std::uint16_t parts = parts_of(v);
    field(to, parts);
    told_parts(to, parts, v);
}
inline void rarer_parts(unpacker& from, appraisal& v) {
    v.rtt_p95_ms = v.rtt_ms;
    v.cost_low = v.cost_high = v.cost_base;
    std::uint16_t parts = 0;
    if (from.form() >= 4)
        field(from, parts);
    const unsigned known = from.form() < 8    ? tells_staging
                           : from.form() < 10 ? tells_certificates
                                              : 2 * tells_certificates;
    if (parts >= known)
        return from.damaged();
    told_parts(from, parts, v);
}

template <class Archive, record_of<appraisal> T>
void field(Archive& a, T& v) {
    fields(a, v.offer, v.provider, v.site, v.region, v.launchable, v.units, v.price, v.cost, v.cost_base, v.terms, v.j,
           v.keys, v.start_at, v.finish_at, v.billed_s, v.data_movement_s, v.rtt_ms, v.rtt_method, v.energy_kwh,
           v.non_green_kwh, v.carbon_kg, v.green_power_share, v.pue);
    rarer_parts(a, v);
}
template <class Archive, record_of<chosen_start> T>
void field(Archive& a, T& v) {
    fields(a, v.launch_at, v.start_at, v.at_once_at, v.carbon_saved_kg, v.non_green_saved_kwh, v.saved_base, v.why);
}
/// Earlier forms had no starts that were put off; whatever is written now may.
constexpr bool tells_start(const packer&) noexcept {
    return true;
}
bool tells_start(const unpacker& from) noexcept {
    return from.form() >= 5;
}
inline void field(packer& to, const note& v) {
    fields(to, v.kind, v.words, v.figures);
}
inline void field(unpacker& from, note& v) {
    if (from.form() >= 6)
        fields(from, v.kind, v.words, v.figures);
    else
        field(from, v.words.emplace_back());
}
inline void breadth_of_switches(packer& to, const decision& v) {
    field(to, v.narrow_switches);
}
inline void breadth_of_switches(unpacker& from, decision& v) {
    v.narrow_switches = true;
    if (from.form() >= 9)
        field(from, v.narrow_switches);
}
template <class Archive, record_of<decision> T>
void walk(Archive& a, T& v) {
    fields(a, v.id, v.workload, v.at, v.policy, v.policy_version, v.book_version, v.rates, v.runtime_s,
           v.runtime_assumed, v.considered, v.rejections, v.ranked, v.baseline, v.pareto, v.switches, v.notes);
    if (tells_runs(a))
        fields(a, v.rivals);
    if (tells_start(a))
        field(a, v.put_off);
    breadth_of_switches(a, v);
}
inline void later_parts(packer& to, const lease& v) {
    fields(to, v.tasks, v.residual_g_per_kwh, v.work_s, v.limited, v.list_price, v.schedule, v.utilisation);
}
inline void later_parts(unpacker& from, lease& v) {
    v.tasks = 0;
    v.work_s = 0;
    v.limited = false;
    v.utilisation = 1;
    if (from.form() >= 2)
        field(from, v.tasks);
    if (from.form() >= 3)
        field(from, v.residual_g_per_kwh);
    if (from.form() >= 4)
        fields(from, v.work_s, v.limited, v.list_price);
    if (from.form() >= 5)
        field(from, v.schedule);
    if (from.form() >= 6)
        field(from, v.utilisation);
}
template <class Archive, record_of<lease> T>
void walk(Archive& a, T& v) {
    fields(a, v.price, v.mode, v.units, v.increment_s, v.minimum_s, v.rates, v.idle_w, v.max_w, v.pue,
           v.green_power_share, v.carbon_g_per_kwh);
    later_parts(a, v);
}

}  // namespace packing

namespace {

constexpr char decision_form =
    10;  // 9 counted no certificates; 8 told switch prices from which only, and for one start and size; 7 did not tell
         // staging from egress; 6 told no odds of the finish; 5 had its notes as sentences; 4
         // no starts that are put off; 3 no run estimates and rivals; 2 repeated its texts; 1
         // had rejections by number, before others came between
constexpr char shared_texts_form = 3;
constexpr char lease_form =
    6;  // 5 had all at max power; 4 had one price for all hours; 3 did not tell how long the work would take, whether
        // its capacity was limited, nor a list price beside what is billed; 2 no residual mix; 1 no gang size

}  // namespace

using packing::packer;
using packing::texts;

std::string pack_decision(const decision& d) {
    packer to(decision_form, texts::shared);
    packing::walk(to, d);
    return to.take();
}

result<decision> unpack_decision(std::string_view packed) {
    return packing::unpack<decision>(packed, decision_form, shared_texts_form, "decision");
}

std::string pack_lease(const lease& l) {
    packer to(lease_form, texts::apart);
    packing::walk(to, l);
    return to.take();
}

result<lease> unpack_lease(std::string_view packed) {
    return packing::unpack<lease>(packed, lease_form, lease_form + 1, "lease");
}

}  // namespace westerly
