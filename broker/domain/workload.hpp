#pragma once

#include "broker/domain/ids.hpp"
#include "broker/domain/money.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace westerly {

enum class workload_kind : std::uint8_t { batch, service };
enum class compute_class : std::uint8_t { general, intelligent, super };
inline constexpr std::string_view compute_class_names[] = {"general", "intelligent", "super"};
enum class accelerator_fit : std::uint8_t { any, training, inference };

/// A figure with the range it may lie in; low = high: exact. All 0: unknown.
struct interval {
    double value = 0, low = 0, high = 0;
    bool known() const noexcept { return value > 0; }
    bool exact() const noexcept { return low == high; }
    friend bool operator==(const interval&, const interval&) = default;
};

/// One acceptable accelerator; a request lists them in order of preference. Zero or empty means "no demand".
struct accelerator_need {
    std::string model;        // exact model name, or empty: any that meets the rest
    std::uint32_t count = 1;  // cards per task, 1..1024
    std::uint32_t min_memory_gib = 0;
    double min_fp16_tflops = 0;        // dense
    double min_interconnect_gb_s = 0;  // both ways, card to card
    std::string stack;                 // cuda, cann, rocm, dtk, neuware, …
    accelerator_fit fit = accelerator_fit::any;
    friend bool operator==(const accelerator_need&, const accelerator_need&) = default;
};

/// The form of the numbers that cards are to work in fast.
enum class number_precision : std::uint8_t { fp64, fp32, fp16, bf16, fp8, int8 };

/// What one task of the gang needs.
struct task_resources {
    std::uint32_t vcpus = 1;                     // 1..4096
    std::uint64_t memory_mib = 512;              // 1..2^26
    std::uint64_t disk_mib = 0;                  // scratch; 0: no demand
    std::vector<accelerator_need> accelerators;  // alternatives in order of preference; empty: none
    std::string architecture;                    // "x86_64", "arm64", "loongarch64" or empty: any
    std::optional<number_precision> precision =
        std::nullopt;  // only cards whose peak at it is known; needs accelerators
    friend bool operator==(const task_resources&, const task_resources&) = default;
};

/// How to run on one software stack.
struct variant {
    std::string stack = "none";                            // "none": plain processes on a CPU
    std::vector<std::string> command;                      // argv, 1..256 entries, no shell
    std::vector<std::pair<std::string, std::string>> env;  // sorted by name, unique
    std::string files;                                     // "sha256:<64 hex>" of an uploaded bundle (tar), or empty
    std::string stack_version = {};   // what the stack's version has to be, as ">=12.1,<13"; empty: any
    std::string driver_version = {};  // likewise of the driver
    friend bool operator==(const variant&, const variant&) = default;
};

/// Where data lies that the tasks read. The broker weighs the moving; it does not move it yet.
struct data_input {
    double size_gib = 0;
    std::string region;
    std::optional<money> egress_per_gib = std::nullopt;  // what leaving that region costs; nullopt: nothing
    friend bool operator==(const data_input&, const data_input&) = default;
};

/// Where users or data sit: a region known to facts or provider files, or coordinates.
struct origin {
    std::string region;
    std::optional<std::pair<double, double>> latitude_longitude;  // degrees
    friend bool operator==(const origin&, const origin&) = default;
};

/// What compliance rules speak of: figures of an offer's cards, and words: where it is, and what its processors are.
/// tops_by_bit_length is the most of a card's peaks, each times its bit length (placement/compliance.cpp).
enum class offer_fact : std::uint8_t {
    fp16_tflops,
    fp64_tflops,
    memory_gib,
    memory_gb_s,
    interconnect_gb_s,
    tops_by_bit_length,
    cards_per_unit,
    jurisdiction,
    architecture
};
inline constexpr std::string_view offer_fact_names[] = {"fp16_tflops",    "fp64_tflops",       "memory_gib",
                                                        "memory_gb_s",    "interconnect_gb_s", "tops_by_bit_length",
                                                        "cards_per_unit", "jurisdiction",      "architecture"};
constexpr bool is_word(offer_fact fact) noexcept {
    return fact == offer_fact::jurisdiction || fact == offer_fact::architecture;
}
enum class fact_comparison : std::uint8_t { at_least, above, at_most, below, in };

/// A boolean expression over facts of an offer: a comparison, or all, any or none of its parts.
struct fact_expression {
    enum class form : std::uint8_t { compare, all, any, none };
    form is = form::compare;
    offer_fact fact = offer_fact::fp16_tflops;
    fact_comparison comparison = fact_comparison::at_least;
    double value = 0;
    std::vector<std::string> words = {};  // of `in`, which compares words and nothing else does
    std::vector<fact_expression> parts;
    friend bool operator==(const fact_expression&, const fact_expression&) = default;
};

/// Offers for which `forbid` holds, or cannot be told, are not used while the rule is in force. Of a workload, or of a
/// policy for all that runs under it.
struct compliance_rule {
    std::string name;
    std::optional<instant> from_at;
    std::optional<instant> until_at;  // exclusive
    fact_expression forbid;
    friend bool operator==(const compliance_rule&, const compliance_rule&) = default;
};

/// Where a part of a service's demand comes from.
struct weighted_origin {
    origin from;
    double weight = 1;  // > 0; against the sum of all
    friend bool operator==(const weighted_origin&, const weighted_origin&) = default;
};

/// Hard limits. An empty list or nullopt asks nothing.
struct constraints {
    std::vector<std::string> regions;
    std::vector<std::string> jurisdictions;  // ISO 3166-1 alpha-2
    std::vector<std::string> providers_allow;
    std::vector<std::string> providers_deny;
    std::optional<origin> from;
    std::vector<weighted_origin> origins;  // in place of `from`, where users sit in several places
    std::optional<double> max_rtt_ms;      // needs an origin; held against the demand-weighted p95
    std::optional<double> max_pue;
    std::optional<double> min_green_power_share;  // 0..1
    std::optional<double> max_carbon_kg;          // location-based, whole run
    std::optional<money> max_price_per_hour;      // whole gang
    std::vector<compliance_rule> compliance;
    bool origin_stated() const noexcept { return from || !origins.empty(); }
    friend bool operator==(const constraints&, const constraints&) = default;
};

struct timing {
    std::optional<instant> earliest_start_at;
    std::optional<instant> deadline_at;
    std::optional<std::uint64_t> max_wait_s;     // in the queue, from creation or the earliest start; then `expired`
    std::optional<std::uint64_t> max_runtime_s;  // wall limit of one attempt, enforced by the provider
    std::optional<std::uint64_t> max_delay_s;    // batch: how long the start may be put off for a better one
    std::optional<instant> target_at;            // batch: the finish is worth nothing before it; soft
    double deadline_probability = 0.95;          // an offer must finish by the deadline at least so surely; 0.5..0.999
    /// Batch: what an hour to the finish, or past target_at, costs the tenant, in CNY; in the stead of the policy's
    /// price of time.
    std::optional<unit_price> value_of_time = std::nullopt;
    friend bool operator==(const timing&, const timing&) = default;
};

enum class retry_cause : std::uint8_t { failed, provider_lost, preempted };
struct retry_rule {
    std::uint32_t attempts_max = 3;  // 1..100, the first included; never_started attempts do not count
    std::uint32_t backoff_s = 5;     // first delay; doubles, with jitter, up to 3600
    std::vector<retry_cause> on = {retry_cause::provider_lost, retry_cause::preempted};
    /// An attempt of which nothing is known for so long is given up, and a second copy risked; nullopt: never.
    std::optional<std::uint64_t> second_copy_after_s = std::nullopt;
    friend bool operator==(const retry_rule&, const retry_rule&) = default;
};

/// What bounds the speed of the work: compute, memory bandwidth, or FP64 (decision-model §2).
enum class work_class : std::uint8_t { training, decoding, hpc };

/// So many cards of one model: what figures of a work estimate speak of.
struct reference_cards {
    std::string model;
    std::uint32_t count = 1;  // 1..1 000 000
    // The links that it was measured on, as in accelerator_facts; 0: those that the table knows of the model.
    std::uint32_t scale_up_cards = 0;
    double interconnect_gb_s = 0, scale_out_gb_s = 0;
    friend bool operator==(const reference_cards&, const reference_cards&) = default;
};

/// The tenant's own figure: one card of `model` against one reference card, for this work.
struct relative_speed {
    std::string model;
    interval speed;
    friend bool operator==(const relative_speed&, const relative_speed&) = default;
};

/// How much there is to do. Without a reference, runtime_s holds wherever it runs.
struct work_estimate {
    std::optional<std::uint64_t> runtime_s;  // of the whole gang; on the reference where one is given
    /// Nine in ten runs take no longer, and runtime_s is the median.
    std::optional<std::uint64_t> runtime_p90_s = std::nullopt;
    std::optional<double> accelerator_hours;           // W: of computing on one reference card; needs `reference`
    std::optional<reference_cards> reference;          // card and n0
    std::optional<work_class> kind;                    // nullopt: by the compute class, hpc for super, else training
    double communication = 0;                          // c: exposed share of the time on the reference, 0..0.99
    double batch_exponent = 1;                         // α: 1 for a fixed global batch, 0 for weak scaling
    std::vector<relative_speed> speeds;                // sorted by model
    std::optional<double> utilisation = std::nullopt;  // mean power between idle (0) and max (1); nullopt: max
    friend bool operator==(const work_estimate&, const work_estimate&) = default;
};

/// How the run saves itself, so that an interruption costs only what came after the last checkpoint.
struct checkpoint_rule {
    std::uint64_t interval_s = 3600;  // τ: between two of them
    double write_s = 0;               // δ: each one holds the work up for so long
    double restore_s = 0;             // R: from a new start to going on
    bool portable = false;            // the tasks keep it where every site and every stack can read it
    std::string region = {};          // where that is; the next two are of fetching it from there
    double size_gib = 0;
    std::optional<money> egress_per_gib = std::nullopt;
    friend bool operator==(const checkpoint_rule&, const checkpoint_rule&) = default;
};

inline constexpr std::uint32_t spread_sites_max = 8;
inline constexpr std::uint32_t spread_tasks_max = 256;
/// A service's replicas go near its users, to several sites if that pays (docs/placement.md, Latency).
struct spread_rule {
    std::uint32_t max_sites = 4;  // 1..spread_sites_max
    friend bool operator==(const spread_rule&, const spread_rule&) = default;
};

/// What a workload sets in place of its policy file's figures, as far as the file lets it.
struct policy_overrides {
    std::vector<std::pair<std::string, unit_price>> prices;  // by term, sorted; per the term's unit
    std::optional<double> within_of_cheapest;
    std::optional<double> min_green_power_share;
    std::optional<double> max_pue;
    bool any() const noexcept { return *this != policy_overrides{}; }
    friend bool operator==(const policy_overrides&, const policy_overrides&) = default;
};

/// What a tenant asks for, checked and complete. Made by codec's decode_workload; immutable once stored.
struct workload_spec {
    workload_kind kind = workload_kind::batch;
    compute_class compute = compute_class::general;
    std::string name;                                         // 1..63 of [a-z0-9-], not unique
    std::vector<std::pair<std::string, std::string>> labels;  // sorted by key, unique, at most 64
    std::string project;                                      // may be empty
    std::int32_t priority = 0;                                // -1000..1000; higher goes first
    bool preemptible = false;                                 // agrees to be stopped for others on any terms
    bool interactive = false;                                 // somebody waits at it: RTT and latency prices apply
    std::string policy;                                       // empty: the one that is its default
    policy_overrides overrides;
    std::uint32_t tasks = 1;      // gang size, 1..10 000; the least where a range is given
    std::uint32_t tasks_max = 0;  // the most; 0: exactly `tasks`
    task_resources resources;
    std::vector<variant> variants;  // 1..16, distinct stacks
    work_estimate work;
    std::optional<checkpoint_rule> checkpoint;  // nullopt: an interrupted run begins anew
    std::vector<data_input> inputs;
    constraints limits;
    timing when;
    std::optional<money> budget;  // for the whole workload
    retry_rule retry;
    std::uint32_t grace_s = 30;   // SIGTERM to SIGKILL, 0..3600
    std::optional<bool> movable;  // while it runs, when that pays; nullopt: batch with portable checkpoints only
    std::optional<spread_rule> spread = std::nullopt;  // of services with an origin and at most spread_tasks_max tasks
    std::string data_class = {};             // of what it handles, a slug; only sites cleared for it; empty: not stated
    std::vector<std::string> licences = {};  // slugs, sorted: only sites that have all of them
    friend bool operator==(const workload_spec&, const workload_spec&) = default;
};

}  // namespace westerly
