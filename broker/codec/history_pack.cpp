#include "broker/codec/history_pack.hpp"

#include "broker/codec/packing.hpp"

namespace westerly {
namespace packing {

template <class Archive, record_of<region_place> T>
void field(Archive& a, T& v) {
    fields(a, v.region, v.latitude, v.longitude);
}
template <class Archive, record_of<facts_past> T>
void walk(Archive& a, T& v) {
    fields(a, v.regions, v.accelerators);
}

/// Offers in order: of an index what it is more than the one before, mostly one byte.
inline void put_taken(packer& to, const std::vector<decision_basis::taken>& v) {
    to.whole(v.size());
    std::uint32_t before = 0;
    for (const auto& one : v) {
        to.whole(one.index - before);
        to.whole(one.free);
        before = one.index;
    }
}
inline void take_taken(unpacker& from, std::vector<decision_basis::taken>& v) {
    const auto count = from.whole();
    if (count > from.left())
        return from.damaged();
    std::uint64_t index = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        index += from.whole();
        if (index > std::numeric_limits<std::uint32_t>::max())
            return from.damaged();
        v.push_back({static_cast<std::uint32_t>(index), from.whole()});
    }
}
template <class Archive, record_of<measured_speed> T>
void field(Archive& a, T& v) {
    fields(a, v.model, v.shown.runs, v.shown.sum, v.shown.sum_of_squares);
}
template <class Archive, record_of<run_progress> T>
void field(Archive& a, T& v) {
    fields(a, v.work_left, v.restores);
}
template <class Archive, record_of<decision_basis::part_confirmed> T>
void field(Archive& a, T& v) {
    fields(a, v.provider, v.at, v.through);
}
template <class Archive, record_of<allocable_power> T>
void field(Archive& a, T& v) {
    fields(a, v.grid, v.generated_from, v.expires_at, v.period, v.contract_g_per_kwh, v.microkwh);
}
/// One byte where there is none of it, which is nearly always.
inline void put_rare(packer& to, const decision_basis& v) {
    const auto how = static_cast<std::uint64_t>(v.heard.how);
    to.whole((v.certificates.empty() ? 0 : 32) + 8 * how + (v.asked_at ? 4 : 0) + (v.confirming.empty() ? 0 : 2) +
             (v.signals_chosen_at ? 1 : 0));
    if (v.signals_chosen_at)
        field(to, *v.signals_chosen_at);
    if (v.asked_at)
        field(to, *v.asked_at);
    if (!v.confirming.empty())
        field(to, v.confirming);
    if (v.heard.how == heard_terms::kept::whole)
        field(to, v.heard.seq);
    if (!v.certificates.empty())
        field(to, v.certificates);
}
inline void take_rare(unpacker& from, decision_basis& v) {
    const auto marks = from.whole();
    if (marks >= (from.form() >= 5 ? 64 : 32))
        return from.damaged();
    static_assert(static_cast<int>(heard_terms::kept::too_much) == 3);
    v.heard.how = static_cast<heard_terms::kept>(marks / 8 % 4);
    if (marks & 1)
        field(from, v.signals_chosen_at.emplace());
    if (marks & 4)
        field(from, v.asked_at.emplace());
    if (marks & 2)
        field(from, v.confirming);
    if (v.heard.how == heard_terms::kept::whole)
        field(from, v.heard.seq);
    if (marks & 32)
        field(from, v.certificates);
}
/// Form 1 knew no measured speeds, 2 of no work that is done already nor what adapters had confirmed, 3 kept nothing of
/// signals nor of what libraries said, nor since when slack counts, and 4 no certificates.
inline void walk(packer& to, const decision_basis& v) {
    fields(to, v.history_seq, v.blocked, v.budget_left, v.with_signals, v.measured);
    put_taken(to, v.less_free);
    fields(to, v.progress, v.confirmed);
    put_rare(to, v);
}
inline void walk(unpacker& from, decision_basis& v) {
    fields(from, v.history_seq, v.blocked, v.budget_left, v.with_signals);
    if (from.form() >= 2)
        field(from, v.measured);
    take_taken(from, v.less_free);
    if (from.form() >= 3)
        fields(from, v.progress, v.confirmed);
    if (from.form() >= 4)
        take_rare(from, v);
}

template <class Archive, record_of<measured_rtt> T>
void field(Archive& a, T& v) {
    fields(a, v.region, v.ms, v.measured_at, v.samples);
}
/// Form 1 had no residual mix, 3 no price of staging, 4 no measured RTTs, 6 no classes of data and no licences.
inline void later_parts(packer& to, const site_facts& v) {
    fields(to, v.residual_g_per_kwh, v.staging_per_gib, v.rtt_measured, v.rtt_max_age_s, v.data_classes, v.licences);
}
inline void later_parts(unpacker& from, site_facts& v) {
    if (from.form() >= 2)
        field(from, v.residual_g_per_kwh);
    if (from.form() >= 4)
        field(from, v.staging_per_gib);
    if (from.form() >= 5)
        fields(from, v.rtt_measured, v.rtt_max_age_s);
    if (from.form() >= 7)
        fields(from, v.data_classes, v.licences);
}
template <class Archive, record_of<site_facts> T>
void field(Archive& a, T& v) {
    fields(a, v.site, v.region, v.zone, v.jurisdiction, v.latitude_longitude, v.rtt_ms, v.pue, v.green_power_share,
           v.carbon_g_per_kwh, v.grid_zone, v.ingress_gbps);
    later_parts(a, v);
}
template <class Archive, record_of<accelerator_facts> T>
void field(Archive& a, T& v) {
    fields(a, v.model, v.count, v.memory_gib, v.fp16_tflops, v.interconnect_gb_s, v.stack, v.training, v.inference,
           v.fp64_tflops, v.memory_gb_s, v.host_link_gb_s, v.scale_up_cards, v.scale_out_gb_s, v.training_speed);
}
template <class Archive, record_of<hazard_facts> T>
void field(Archive& a, T& v) {
    fields(a, v.spot_per_h, v.hardware_per_card_h, v.provider_per_h, v.notice_s);
}
template <class Archive, record_of<reservation_fee> T>
void field(Archive& a, T& v) {
    fields(a, v.term, v.per_unit);
}
/// Form 2 kept no headroom, and had no software versions, ends of quotes, spreads of waits, nor what is owned.
constexpr bool tells_freshness(const packer&) noexcept {
    return true;
}
inline bool tells_freshness(const unpacker& from) noexcept {
    return from.form() >= 3;
}
/// Form 5 knew no prices by the hour.
constexpr bool tells_hours(const packer&) noexcept {
    return true;
}
inline bool tells_hours(const unpacker& from) noexcept {
    return from.form() >= 6;
}
/// Form 7 knew peaks at FP16 and FP64 only. Of the others those that are known, behind a byte that says which.
inline void later_peaks(packer& to, const std::optional<accelerator_facts>& cards) {
    if (!cards)
        return;
    std::uint64_t known = 0;
    const double peaks[] = {cards->fp32_tflops, cards->bf16_tflops, cards->fp8_tflops, cards->int8_tops};
    for (std::size_t i = 0; i < std::size(peaks); ++i)
        known |= peaks[i] != 0 ? std::uint64_t{1} << i : 0;
    to.whole(known);
    for (const double peak : peaks)
        if (peak != 0)
            field(to, peak);
}
inline void later_peaks(unpacker& from, std::optional<accelerator_facts>& cards) {
    if (from.form() < 8 || !cards)
        return;
    const auto known = from.whole();
    double* const peaks[] = {&cards->fp32_tflops, &cards->bf16_tflops, &cards->fp8_tflops, &cards->int8_tops};
    if (known >> std::size(peaks) != 0)
        return from.damaged();
    for (std::size_t i = 0; i < std::size(peaks); ++i)
        if (known >> i & 1)
            field(from, *peaks[i]);
}
/// Form 8 had every offer billed from the run's start.
constexpr bool tells_billing_start(const packer&) noexcept {
    return true;
}
inline bool tells_billing_start(const unpacker& from) noexcept {
    return from.form() >= 9;
}
template <class Archive, record_of<software_facts> T>
void field(Archive& a, T& v) {
    fields(a, v.stack_versions, v.driver_version);
}
template <class Archive, record_of<supply_terms> T>
void field(Archive& a, T& v) {
    fields(a, v.hazard, v.minimum_units, v.available_from, v.tax_rate, v.firm, v.host, v.fee);
    if (tells_freshness(a))
        fields(a, v.latency_headroom, v.price_until, v.owned, v.shadow_price, v.host_units);
}
/// All but id and site.
template <class Archive, record_of<offer> T>
void field(Archive& a, T& v) {
    fields(a, v.provider, v.compute, v.mode, v.unit, v.divisible, v.launchable, v.runs_gangs, v.takes_files, v.vcpus,
           v.memory_mib, v.disk_mib, v.accelerators, v.architecture, v.stacks, v.units_free, v.units_ours, v.price,
           v.increment_s, v.minimum_s, v.idle_w, v.max_w, v.queue_wait_s, v.price_source, v.as_of, v.supply);
    if (tells_freshness(a))
        fields(a, v.queue_wait_p90_s, v.software, v.stale_after_s);
    if (tells_hours(a))
        field(a, v.schedule);
    later_peaks(a, v.accelerators);
    if (tells_billing_start(a))
        field(a, v.billing_starts);
}

/// Offers in a row: of an id what differs from the one before, and a site only where it is another.
inline void put_offers(packer& to, const offer_list& offers) {
    to.whole(offers.size());
    const offer* before = nullptr;
    for (const offer& one : offers) {
        std::size_t same = 0;
        if (before)
            while (same < one.id.size() && same < before->id.size() && one.id[same] == before->id[same])
                ++same;
        to.whole(same);
        to.text_apart(std::string_view(one.id).substr(same));
        const bool same_site = before && before->site == one.site;
        to.whole(same_site ? 1 : 0);
        if (!same_site)
            field(to, one.site);
        field(to, one);
        before = &one;
    }
}

inline offer_list take_offers(unpacker& from) {
    const auto count = from.whole();
    std::vector<offer> offers;
    if (count > from.left())
        from.damaged();
    for (std::uint64_t i = 0; i < count && from.left() > 0; ++i) {
        offer one;
        const auto same = from.whole();
        const offer* before = offers.empty() ? nullptr : &offers.back();
        if (same > (before ? before->id.size() : 0))
            from.damaged();
        else if (before)
            one.id = before->id.substr(0, static_cast<std::size_t>(same));
        one.id += from.text_apart();
        if (from.whole() == 0)
            field(from, one.site);
        else if (before)
            one.site = before->site;
        else
            from.damaged();
        field(from, one);
        offers.push_back(std::move(one));
    }
    if (offers.size() != count)
        from.damaged();
    return offer_list(std::move(offers));
}

inline void walk(packer& to, const offer_list& v) {
    put_offers(to, v);
}
inline void walk(unpacker& from, offer_list& v) {
    v = take_offers(from);
}
inline void walk(unpacker& from, offers_change& v) {
    v.offers = take_offers(from);
    field(from, v.gone);
}

}  // namespace packing

namespace {

using packing::packer;
using packing::texts;

// A basis of form 1 knew nothing that runs had shown, of form 2 no progress and no confirmations, of form 3 neither
// signals, nor words of libraries, nor confirmations of a part, nor slack that counts from before a decision, of form 4
// no certificates. Offers of
// form 2 kept no headroom and had no software versions, end of their quote, spread of their wait, nor what is owned of
// them, of form 5 no prices by the hour; sites of form 1 no residual mix, of form 3 no price of staging, of form 4 no
// measured RTTs, of form 6 neither classes of data nor licences; cards of form 7 no peaks but at FP16 and FP64;
// of form 8 nothing said when billing starts.
constexpr char basis_form = 5, facts_form = 1, offers_form = 9, change_form = 9;
constexpr char offers_sharing_form = 1;  // texts are shared since

}  // namespace

std::string pack_basis(const decision_basis& b) {
    packer to(basis_form, texts::apart);
    packing::walk(to, b);
    return to.take();
}
result<decision_basis> unpack_basis(std::string_view packed) {
    return packing::unpack<decision_basis>(packed, basis_form, basis_form + 1, "basis of a decision");
}

std::string pack_facts(const facts_past& facts) {
    packer to(facts_form, texts::apart);
    packing::walk(to, facts);
    return to.take();
}
result<facts_past> unpack_facts(std::string_view packed) {
    return packing::unpack<facts_past>(packed, facts_form, facts_form + 1, "record of facts");
}

std::string pack_offers(const offer_list& offers) {
    packer to(offers_form, texts::shared);
    packing::walk(to, offers);
    return to.take();
}
result<offer_list> unpack_offers(std::string_view packed) {
    return packing::unpack<offer_list>(packed, offers_form, offers_sharing_form, "list of offers");
}

std::string pack_change(const offer_list& offers, const std::vector<offer_id>& gone) {
    packer to(change_form, texts::shared);
    packing::put_offers(to, offers);
    packing::field(to, gone);
    return to.take();
}
result<offers_change> unpack_change(std::string_view packed) {
    return packing::unpack<offers_change>(packed, change_form, offers_sharing_form, "change of offers");
}

}  // namespace westerly
