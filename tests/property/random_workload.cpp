#include "tests/property/world_parts.hpp"

#include <algorithm>

namespace westerly::laws {
namespace {

constexpr double probabilities[] = {0.5, 0.75, 0.9, 0.999};
constexpr const char* stacks[] = {"none", "cuda", "cann"};

/// Work told on a reference, and how it saves itself.
void random_work(dice& chance, workload_spec& spec) {
    if (chance.once_in(3))
        spec.checkpoint = checkpoint_rule{1 + chance.below(4000), chance.between(0, 60), chance.between(0, 300)};
    if (spec.resources.accelerators.empty() || chance.once_in(4))
        return;
    work_estimate& work = spec.work;
    work.reference =
        reference_cards{chance.once_in(8) ? "H100" : "A100", static_cast<std::uint32_t>(1 + chance.below(16))};
    if (chance.once_in(3))
        work.reference->scale_out_gb_s = chance.between(5, 100);
    if (chance.once_in(4)) {
        work.reference->interconnect_gb_s = chance.between(64, 900);
        work.reference->scale_up_cards = static_cast<std::uint32_t>(1 + chance.below(16));
    }
    if (chance.once_in(2) || !work.runtime_s) {
        work.runtime_s.reset();
        work.accelerator_hours = chance.between(0.1, 40);
    }
    if (chance.once_in(3))
        work.kind = chance.once_in(2) ? work_class::decoding : work_class::hpc;
    work.communication = chance.once_in(2) ? 0 : chance.between(0, 0.5);
    work.batch_exponent = chance.once_in(2) ? 1 : chance.between(0, 1);
    if (chance.once_in(2))
        work.speeds = {{"910B", {0.8, chance.once_in(2) ? 0.8 : 0.74, chance.once_in(2) ? 0.8 : 0.86}}};
}

accelerator_need random_need(dice& chance) {
    accelerator_need need;
    if (chance.once_in(2))
        need.model = chance.once_in(2) ? "A100" : "910B";
    need.count = static_cast<std::uint32_t>(1 + chance.below(4));
    need.min_memory_gib = chance.once_in(3) ? 80 : 0;
    need.min_fp16_tflops = chance.once_in(4) ? 300 : 0;
    need.min_interconnect_gb_s = chance.once_in(4) ? 600 : 0;
    need.fit = chance.once_in(4) ? accelerator_fit::training : accelerator_fit::any;
    return need;
}

void constrain(dice& chance, workload_spec& spec) {
    constraints& limits = spec.limits;
    if (chance.once_in(4))
        limits.regions = {chance.one_of(region_names), chance.one_of(region_names)};
    if (chance.once_in(6))
        limits.jurisdictions = {chance.one_of(jurisdictions)};
    if (chance.once_in(8))
        limits.providers_allow = {"p0", "p2"};
    if (chance.once_in(8))
        limits.providers_deny = {"p1"};
    if (!chance.once_in(3)) {
        limits.from.emplace();
        if (chance.once_in(2))
            limits.from->region = chance.one_of(region_names);
        else
            limits.from->latitude_longitude = {chance.between(-80, 80), chance.between(-180, 180)};
        if (chance.once_in(3)) {
            limits.origins = {
                {*limits.from, chance.between(0.1, 9)}, {{"r0", {}}, 1}, {{"r2", {}}, chance.between(0, 0.2)}};
            limits.from.reset();
        }
        if (chance.once_in(3))
            limits.max_rtt_ms = chance.between(5, 200);
    }
    if (chance.once_in(8))
        limits.compliance.push_back(random_rule(chance));
    if (chance.once_in(6))
        limits.max_pue = chance.between(1.1, 1.8);
    if (chance.once_in(6))
        limits.min_green_power_share = chance.between(0, 0.8);
    if (chance.once_in(6))
        limits.max_carbon_kg = chance.between(0, 20);
    if (chance.once_in(6))
        limits.max_price_per_hour = random_money(chance, 400'000'000);
    if (chance.once_in(6))
        spec.budget = random_money(chance, 800'000'000);
    if (chance.once_in(5))
        spec.when.deadline_at = start + seconds(chance.below(20'000));
    if (chance.once_in(2))
        spec.when.deadline_probability = chance.one_of(probabilities);
    if (chance.once_in(4))
        spec.when.earliest_start_at = start + seconds(chance.below(4'000));
}

}  // namespace

compliance_rule random_rule(dice& chance) {
    const auto compare = [&](offer_fact fact, fact_comparison how, double value) {
        fact_expression made;
        made.fact = fact;
        made.comparison = how;
        made.value = value;
        return made;
    };
    compliance_rule rule;
    rule.name = "rule";
    rule.forbid.is = chance.once_in(3)   ? fact_expression::form::all
                     : chance.once_in(2) ? fact_expression::form::any
                                         : fact_expression::form::none;
    rule.forbid.parts = {compare(offer_fact::tops_by_bit_length, fact_comparison::at_least, 4800),
                         compare(offer_fact::interconnect_gb_s, fact_comparison::above, chance.once_in(2) ? 500 : 600),
                         compare(offer_fact::memory_gib, fact_comparison::at_most, 40)};
    if (chance.once_in(4))
        rule.from_at = start + seconds(chance.below(2'000));
    if (chance.once_in(4))
        rule.until_at = start + seconds(1 + chance.below(4'000));
    return rule;
}

money random_money(dice& chance, std::int64_t below) {
    return {static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(below))),
            chance.once_in(2) ? currency::cny : currency::usd};
}

workload_spec random_spec(dice& chance) {
    workload_spec spec;
    spec.kind = chance.once_in(4) ? workload_kind::service : workload_kind::batch;
    spec.interactive = spec.kind == workload_kind::batch && chance.once_in(3);
    spec.compute = chance.once_in(5) ? compute_class::intelligent : compute_class::general;
    spec.tasks = static_cast<std::uint32_t>(1 + chance.below(6));
    spec.resources.vcpus = static_cast<std::uint32_t>(1 + chance.below(6));
    spec.resources.memory_mib = 256u << chance.below(5);
    spec.resources.disk_mib = chance.once_in(4) ? 10'000 : 0;
    if (chance.once_in(4))
        for (std::uint64_t i = 0; i <= chance.below(2); ++i)
            spec.resources.accelerators.push_back(random_need(chance));
    if (chance.once_in(4))
        spec.resources.architecture = chance.once_in(2) ? "x86_64" : "arm64";
    spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    if (chance.once_in(3))
        spec.variants.push_back({.stack = chance.one_of(stacks), .command = {"true"}, .env = {}, .files = {}});
    for (variant& run : spec.variants) {
        if (chance.once_in(40))
            run.stack_version = ">=12.1,<13";
        if (chance.once_in(40))
            run.driver_version = ">=550";
    }
    if (!chance.once_in(4))
        spec.work.runtime_s = chance.below(20'000);
    if (spec.work.runtime_s && chance.once_in(3))
        spec.work.runtime_p90_s = *spec.work.runtime_s + chance.below(20'000);
    if (chance.once_in(5))
        spec.when.max_runtime_s = 1 + chance.below(10'000);
    for (std::uint64_t i = chance.below(3); i > 0; --i)
        spec.inputs.push_back({chance.between(0, 500), chance.one_of(region_names),
                               chance.once_in(3) ? std::optional(random_money(chance, 2'000'000)) : std::nullopt});
    random_work(chance, spec);
    constrain(chance, spec);
    return spec;
}

}  // namespace westerly::laws
