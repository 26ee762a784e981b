#include "adapters/slurm/words/supply.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

slurm_node node(const std::string& name) {
    slurm_node made;
    made.name = name;
    made.architecture = "x86_64";
    made.partitions = {"batch", "gpu"};
    made.states = {"IDLE"};
    made.cpus = 64;
    made.memory_mib = 262'144;
    made.gres = "gpu:a100:4(S:0-1),npu:ascend910b:8";
    return made;
}

slurm_config config() {
    slurm_config made;
    made.default_site = "centre";
    made.partitions = {{.partition = "batch", .site = "centre", .units = {offer_unit::core}},
                       {.partition = "gpu", .site = "centre", .units = {offer_unit::card, offer_unit::node}}};
    made.accelerators = {{"gpu:a100", {.model = "A100", .count = 1, .memory_gib = 80, .stack = "cuda"}}};
    return made;
}

const std::vector<slurm_partition> partitions = {{"batch", true, 60}, {"gpu", true, std::nullopt}, {"other", true, 5}};

const supply_item* find(const std::vector<supply_item>& items, std::string_view name) {
    const auto at = std::ranges::find(items, name, [](const supply_item& item) { return item.shown.name; });
    return at == items.end() ? nullptr : &*at;
}

struct count_case {
    const char* list;
    const char* gres;
    std::uint32_t count;
};

TEST(slurm_supply, gres_lists_are_counted) {
    constexpr count_case cases[] = {{"gpu:a100:4,npu:ascend910b:8", "gpu:a100", 4},
                                    {"gpu:a100:4,npu:ascend910b:8", "npu:ascend910b", 8},
                                    {"gpu:a100:2(IDX:0-1,3),npu:x:1(IDX:N/A)", "npu:x", 1},
                                    {"gpu:a100:4(S:0-1),gpu:v100:2", "gpu", 6},
                                    {"gpu:4", "gpu", 4},
                                    {"gpu:4", "gpu:a100", 0},
                                    {"gpux:4", "gpu", 0},
                                    {"", "gpu", 0},
                                    {"(null)", "gpu", 0},
                                    {"gpu:a100", "gpu:a100", 0}};
    for (const auto& one : cases)
        EXPECT_EQ(gres_count(one.list, one.gres), one.count) << one.list << ' ' << one.gres;
}

TEST(slurm_supply, each_partition_is_offered_in_its_units) {
    const auto items = supply_of(config(), {node("a"), node("b")}, partitions, {});
    ASSERT_EQ(items.size(), 3u);
    const auto* cores = find(items, "batch.64c-256g");
    ASSERT_NE(cores, nullptr);
    EXPECT_EQ(cores->shown.shape.unit, offer_unit::core);
    EXPECT_TRUE(cores->shown.shape.divisible);
    EXPECT_EQ(cores->shown.shape.memory_mib, 4096u);
    EXPECT_EQ(cores->shown.shape.units_free, 128u);
    EXPECT_EQ(cores->max_minutes, 60u);
    EXPECT_EQ(cores->shown.shape.compute, compute_class::super);
    const auto* cards = find(items, "gpu.gpu-a100.64c-256g");
    ASSERT_NE(cards, nullptr);
    EXPECT_EQ(cards->shown.shape.units_free, 8u);
    EXPECT_EQ(cards->shown.shape.vcpus, 16u);
    EXPECT_EQ(cards->shown.shape.stacks, (std::vector<std::string>{"none", "cuda"}));
    const auto* nodes = find(items, "gpu.gpu-a100.node.64c-256g");
    ASSERT_NE(nodes, nullptr);
    EXPECT_EQ(nodes->shown.shape.units_free, 2u);
    EXPECT_EQ(nodes->shown.shape.accelerators->count, 4u);
    EXPECT_FALSE(nodes->shown.shape.divisible);
}

TEST(slurm_supply, what_is_used_or_broken_is_not_free) {
    auto busy = node("a");
    busy.states = {"MIXED"};
    busy.cpus_used = 50;
    busy.memory_used_mib = 1024;
    busy.gres_used = "gpu:a100:1(IDX:0),npu:ascend910b:0";
    auto down = node("b");
    down.states = {"IDLE", "DRAIN"};
    const auto items = supply_of(config(), {busy, down}, partitions, {{"centre/batch.64c-256g", 50}});
    EXPECT_EQ(find(items, "batch.64c-256g")->shown.shape.units_free, 14u);
    EXPECT_EQ(find(items, "batch.64c-256g")->shown.shape.units_ours, 50u);
    EXPECT_EQ(find(items, "gpu.gpu-a100.64c-256g")->shown.shape.units_free, 0u) << "14 cores are left, a card wants 16";
    EXPECT_EQ(find(items, "gpu.gpu-a100.node.64c-256g")->shown.shape.units_free, 0u);
}

TEST(slurm_supply, a_closed_partition_keeps_its_offer_with_nothing_free) {
    auto closed = partitions;
    closed[0].up = false;
    const auto items = supply_of(config(), {node("a")}, closed, {});
    EXPECT_EQ(find(items, "batch.64c-256g")->shown.shape.units_free, 0u);
}

TEST(slurm_supply, without_a_list_every_partition_is_offered_at_the_only_site) {
    auto open = config();
    open.partitions.clear();
    auto plain = node("a");
    plain.partitions.push_back("other");
    const auto items = supply_of(open, {plain}, partitions, {});
    EXPECT_NE(find(items, "other.64c-256g"), nullptr);
    EXPECT_NE(find(items, "batch.gpu-a100.64c-256g"), nullptr);
    EXPECT_EQ(find(items, "batch.64c-256g")->shown.site, "centre");
}

TEST(slurm_supply, unlike_nodes_are_unlike_offers) {
    auto small = node("b");
    small.cpus = 32;
    small.gres.clear();
    const auto items = supply_of(config(), {node("a"), small}, partitions, {});
    EXPECT_EQ(find(items, "batch.64c-256g")->shown.shape.units_free, 64u);
    EXPECT_EQ(find(items, "batch.32c-256g")->shown.shape.units_free, 32u);
    EXPECT_EQ(find(items, "gpu.node.32c-256g")->shown.shape.units_free, 1u);
}

}  // namespace
}  // namespace westerly
