#include "tests/unit/placement/builders.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

struct units_case {
    std::string_view name;
    bool divisible;
    std::uint32_t unit_vcpus;
    std::uint64_t unit_memory, unit_disk;
    std::uint32_t tasks, vcpus;
    std::uint64_t memory, disk, units;
};

class units_needed_test : public testing::TestWithParam<units_case> {};

TEST_P(units_needed_test, counts) {
    const auto& c = GetParam();
    offer o = built::plain("a");
    o.divisible = c.divisible;
    o.vcpus = c.unit_vcpus;
    o.memory_mib = c.unit_memory;
    o.disk_mib = c.unit_disk;
    workload_spec spec = built::task();
    spec.tasks = c.tasks;
    spec.resources.vcpus = c.vcpus;
    spec.resources.memory_mib = c.memory;
    spec.resources.disk_mib = c.disk;
    EXPECT_EQ(units_needed(o, spec), c.units);
}

INSTANTIATE_TEST_SUITE_P(all, units_needed_test,
                         testing::Values(units_case{"one_task_one_unit", false, 8, 1024, 0, 1, 8, 1024, 0, 1},
                                         units_case{"one_vcpu_too_many", false, 8, 1024, 0, 1, 9, 1024, 0, 0},
                                         units_case{"one_mib_too_many", false, 8, 1024, 0, 1, 8, 1025, 0, 0},
                                         units_case{"tasks_share_a_unit", false, 8, 1024, 0, 8, 1, 128, 0, 1},
                                         units_case{"the_ninth_needs_another", false, 8, 1024, 0, 9, 1, 128, 0, 2},
                                         units_case{"memory_bounds_the_sharing", false, 8, 1024, 0, 4, 1, 512, 0, 2},
                                         units_case{"cores_add_up", true, 1, 2048, 0, 3, 4, 2048, 0, 12},
                                         units_case{"memory_takes_more_cores", true, 1, 1024, 0, 2, 1, 4096, 0, 8},
                                         units_case{"disk_not_stated_fits_none", false, 8, 1024, 0, 1, 1, 128, 1, 0},
                                         units_case{"disk_stated_fits", false, 8, 1024, 10, 1, 1, 128, 10, 1}),
                         [](const auto& info) { return std::string(info.param.name); });

accelerator_facts a100() {
    return {.model = "A100",
            .count = 8,
            .memory_gib = 40,
            .fp16_tflops = 312,
            .interconnect_gb_s = 600,
            .stack = "cuda",
            .training = true,
            .inference = true};
}

struct need_case {
    std::string_view name;
    accelerator_need need;
    std::uint64_t units;
};

class accelerator_test : public testing::TestWithParam<need_case> {};

TEST_P(accelerator_test, meets_or_not) {
    offer o = built::plain("a");
    o.accelerators = a100();
    workload_spec spec = built::task();
    spec.resources.accelerators = {GetParam().need};
    EXPECT_EQ(units_needed(o, spec), GetParam().units);
}

INSTANTIATE_TEST_SUITE_P(
    all, accelerator_test,
    testing::Values(need_case{"by_model", {.model = "A100", .count = 8, .stack = {}}, 1},
                    need_case{"another_model", {.model = "H100", .count = 1, .stack = {}}, 0},
                    need_case{"too_many_cards", {.model = "A100", .count = 9, .stack = {}}, 0},
                    need_case{"memory_at_the_edge", {.model = {}, .min_memory_gib = 40, .stack = {}}, 1},
                    need_case{"too_little_memory", {.model = {}, .min_memory_gib = 41, .stack = {}}, 0},
                    need_case{"rate_at_the_edge", {.model = {}, .min_fp16_tflops = 312, .stack = {}}, 1},
                    need_case{"too_low_a_rate", {.model = {}, .min_fp16_tflops = 313, .stack = {}}, 0},
                    need_case{"too_slow_a_link", {.model = {}, .min_interconnect_gb_s = 601, .stack = {}}, 0},
                    need_case{"another_stack", {.model = {}, .stack = "cann"}, 0},
                    need_case{"fit_for_training", {.model = {}, .stack = {}, .fit = accelerator_fit::training}, 1}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(accelerators, the_first_alternative_that_fits_decides_the_units) {
    offer o = built::plain("a");
    o.accelerators = a100();
    workload_spec spec = built::task();
    spec.tasks = 4;
    spec.resources.accelerators = {{.model = "H100", .count = 1, .stack = {}},
                                   {.model = "A100", .count = 4, .stack = {}},
                                   {.model = "A100", .count = 8, .stack = {}}};
    EXPECT_EQ(units_needed(o, spec), 2u);  // four cards a task, eight a unit
}

TEST(accelerators, unknown_rates_meet_no_demand) {
    offer o = built::plain("a");
    o.accelerators = a100();
    o.accelerators->fp16_tflops = 0;
    workload_spec spec = built::task();
    spec.resources.accelerators = {{.model = {}, .min_fp16_tflops = 1, .stack = {}}};
    EXPECT_EQ(units_needed(o, spec), 0u);
}

TEST(accelerators, a_task_without_need_may_run_beside_cards) {
    offer o = built::plain("a");
    o.accelerators = a100();
    EXPECT_EQ(units_needed(o, built::task()), 1u);
}

}  // namespace
}  // namespace westerly
