#pragma once

#include "broker/domain/price_schedule.hpp"
#include "broker/domain/workload.hpp"

namespace westerly {

enum class billing_mode : std::uint8_t { on_demand, spot, reserved };
/// From when on a run is paid for: with its first second, its inputs there; or from when the machines are ours, after
/// the provider's queue and before the inputs are brought.
enum class billing_start : std::uint8_t { run, allocation };
enum class offer_unit : std::uint8_t { instance, node, card, core };

/// How good a number is, best first: decision-model §3 and DESIGN.md, Placement. `declared` ranks as annual_provincial.
enum class quality_class : std::uint8_t {
    measured_hourly,
    modelled_hourly,
    monthly,
    annual_provincial,
    annual_national,
    declared,
    default_value
};

/// A number about the world with its origin.
struct sourced {
    double value = 0;
    std::string source;
    quality_class quality = quality_class::default_value;
    friend bool operator==(const sourced&, const sourced&) = default;
};

/// RTT between an origin's region and a site as somebody measured it: the site's adapter, or the operator's agent.
struct measured_rtt {
    std::string region;  // of the origin
    double ms = 0;       // 0..60 000
    instant measured_at{};
    std::uint32_t samples = 1;  // that it sums up, >= 1
    friend bool operator==(const measured_rtt&, const measured_rtt&) = default;
};
inline constexpr std::uint32_t rtt_max_age_default_s = 86'400;

inline constexpr std::string_view public_data = "public";  // what a site is cleared for that states no classes

/// Facts of one site, from the provider file. nullopt is "not known", which is never the same as 0.
struct site_facts {
    std::string site;          // slug, unique within the provider
    std::string region;        // "cn-east", "cn-ningxia", …
    std::string zone;          // may be empty
    std::string jurisdiction;  // ISO 3166-1 alpha-2
    std::optional<std::pair<double, double>> latitude_longitude;
    std::vector<std::pair<std::string, double>> rtt_ms;  // declared RTT by origin region, sorted by region
    std::optional<sourced> pue;                          // >= 1, annual
    std::optional<sourced> green_power_share;            // 0..1, contract-based, annual
    std::optional<sourced> carbon_g_per_kwh;             // location-based grid factor
    std::string grid_zone;                               // whose factor that is
    std::optional<double> ingress_gbps;                  // for data-movement time
    std::optional<sourced> residual_g_per_kwh =
        std::nullopt;                                     // of what no contract or certificate covers: market-based
    std::optional<money> staging_per_gib = std::nullopt;  // what taking in and keeping inputs costs; nullopt: nothing
    std::vector<measured_rtt> rtt_measured = {};          // by region, unique; counts before what is declared
    std::uint32_t rtt_max_age_s = rtt_max_age_default_s;  // what was measured longer ago than that does not count
    std::vector<std::string> data_classes = {};           // that it is cleared for, sorted; empty: public data only
    std::vector<std::string> licences = {};               // of software that may be used there, sorted
    friend bool operator==(const site_facts&, const site_facts&) = default;

    /// What of its green power counts: a share that is somebody's default has nothing to show for it.
    std::optional<sourced> claimable_share() const {
        return green_power_share && green_power_share->quality != quality_class::default_value ? green_power_share
                                                                                               : std::nullopt;
    }
};

/// Of sites whose jurisdiction nobody knows, as catalogues have them; user-assigned in ISO 3166, so no country's.
inline constexpr std::string_view jurisdiction_untold = "ZZ";

/// The cards of one unit; figures are of one card, bandwidths both ways together. 0: unknown.
struct accelerator_facts {
    std::string model;
    std::uint32_t count = 0;  // per unit
    std::uint32_t memory_gib = 0;
    double fp16_tflops = 0;        // dense
    double interconnect_gb_s = 0;  // card to card inside the scale-up domain; 0: unknown or PCIe only
    std::string stack = {};
    bool training = false;
    bool inference = false;
    double fp64_tflops = 0;
    double memory_gb_s = 0;
    double host_link_gb_s = 0;         // PCIe: what cards without an interconnect exchange over
    std::uint32_t scale_up_cards = 0;  // cards in one scale-up domain; 0: those of the unit
    double scale_out_gb_s = 0;         // a card's share of the network between domains
    interval training_speed = {};      // against the table's reference card (schema/facts/accelerators.json)
    double fp32_tflops = 0;            // dense, as the next three
    double bf16_tflops = 0;
    double fp8_tflops = 0;
    double int8_tops = 0;
    friend bool operator==(const accelerator_facts&, const accelerator_facts&) = default;
};

/// What may end a run before its time, per hour; nullopt: not known.
struct hazard_facts {
    std::optional<double> spot_per_h = std::nullopt;  // the provider takes the capacity back
    /// One card or what feeds it fails; one unit where it has no cards.
    std::optional<double> hardware_per_card_h = std::nullopt;
    std::optional<double> provider_per_h = std::nullopt;  // the whole site or service fails
    std::uint32_t notice_s = 0;                           // warning before spot capacity is taken
    friend bool operator==(const hazard_facts&, const hazard_facts&) = default;
};

/// What runs there, by name. Versions are dotted numbers ("12.4", "550.54.14"); what is not told is not known.
struct software_facts {
    std::vector<std::pair<std::string, std::string>> stack_versions;  // by stack, sorted
    std::string driver_version;                                       // of the cards; may be empty
    bool empty() const noexcept { return stack_versions.empty() && driver_version.empty(); }
    friend bool operator==(const software_facts&, const software_facts&) = default;
};

enum class reservation_term : std::uint8_t { month, year };
/// What keeping one unit for a whole term costs, used or not.
struct reservation_fee {
    reservation_term term = reservation_term::month;
    money per_unit;  // ex tax
    friend bool operator==(const reservation_fee&, const reservation_fee&) = default;
};

inline constexpr std::string_view default_architecture = "x86_64";
inline constexpr std::uint64_t latency_headroom_max = 1'000'000;

/// On what terms capacity is sold, apart from its price (decision-model §8).
struct supply_terms {
    hazard_facts hazard;
    std::uint64_t minimum_units = 1;        // billed and powered even when the gang takes fewer
    std::uint64_t latency_headroom = 0;     // the last so many units are for work that somebody waits at
    std::optional<instant> available_from;  // no start before it
    std::optional<double> tax_rate;         // what the seller adds to the price, which is ex tax: 0.06
    bool firm = true;                       // false: best effort, nothing is kept for us
    std::string host;                       // who houses it, where the provider only sells it: a shared failure domain
    std::optional<reservation_fee> fee;     // of reserved offers sold by the month or year
    std::optional<instant> price_until = std::nullopt;  // a quote's end, exclusive: after it there is no price
    bool owned = false;  // a reserved offer that is bought: it may be used, at its shadow price
    /// What an hour of an owned unit is worth to others who contend for it; nullopt: 0, it idles.
    std::optional<unit_price> shadow_price = std::nullopt;
    /// Units of this size that the host has in all, however many sellers sell them; nullopt: the most that one tells.
    std::optional<std::uint64_t> host_units = std::nullopt;
    friend bool operator==(const supply_terms&, const supply_terms&) = default;
};

/// Dated, priced capacity of one shape at one site under one billing mode, with its site's facts beside it.
struct offer {
    offer_id id;
    provider_id provider;
    site_facts site;
    compute_class compute = compute_class::general;
    billing_mode mode = billing_mode::on_demand;
    offer_unit unit = offer_unit::instance;
    bool divisible = false;   // a task may take several units (cores); otherwise one unit must hold a whole task
    bool launchable = true;   // false: plan-only supply of a catalogue
    bool runs_gangs = true;   // as the adapter's capabilities say, as the next
    bool takes_files = true;  // bundles of code
    std::uint32_t vcpus = 0;  // per unit, as the next three
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_mib = 0;  // 0: not stated
    std::optional<accelerator_facts> accelerators;
    std::string architecture{default_architecture};
    std::vector<std::string> stacks = {"none"};  // software stacks that can run here
    std::optional<std::uint64_t> units_free;     // nullopt: without a known limit. As of `as_of`, ours included below
    std::uint64_t units_ours = 0;                // units held by our live tokens at `as_of`, as the provider counts
    std::optional<unit_price> price;             // per unit-hour, ex tax; nullopt: not rankable
    std::uint32_t increment_s = 1;               // billing increment, >= 1
    std::uint32_t minimum_s = 0;                 // least billed time
    std::optional<double> idle_w;                // IT power per unit
    std::optional<double> max_w;
    std::uint32_t queue_wait_s = 0;  // expected wait for the start, as the provider tells: its median where p90 is told
    std::uint32_t queue_wait_p90_s = 0;  // nine in ten wait no longer; 0: not told
    software_facts software = {};
    std::string price_source;  // "provider file", "example", …
    instant as_of{};
    std::uint32_t stale_after_s = 0;  // older than this, the offer is stale; 0: never
    supply_terms supply;
    price_schedule schedule = {};  // hours at which another price holds than `price`; nothing without that
    billing_start billing_starts = billing_start::run;
    friend bool operator==(const offer&, const offer&) = default;
};

}  // namespace westerly
