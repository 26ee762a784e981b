#include "adapters/slurm/words/job_request.hpp"
#include "broker/codec/json.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

launch_request request(std::uint32_t tasks, std::uint64_t units, std::uint32_t vcpus, std::uint64_t memory_mib) {
    launch_request made;
    made.token = "w0123456789abcdef0123456789abcdef";
    made.owner = "o1";
    made.workload = "wl";
    made.attempt = "at";
    made.name = "job";
    made.tasks = tasks;
    made.units = units;
    made.vcpus = vcpus;
    made.memory_mib = memory_mib;
    return made;
}

supply_item item(offer_unit unit) {
    supply_item made;
    made.partition = "p";
    made.max_minutes = 60;
    made.node_cpus = 64;
    made.node_memory_mib = 262'144;
    made.node_cards = unit == offer_unit::core ? 0 : 4;
    made.gres = unit == offer_unit::core ? "" : "gpu:a100";
    made.shown.shape.unit = unit;
    return made;
}

TEST(slurm_requests, cores_become_cpus_and_their_memory) {
    const auto shape = shape_of(request(3, 12, 2, 1000), item(offer_unit::core));
    ASSERT_TRUE(shape);
    EXPECT_EQ(shape->tasks, 3u);
    EXPECT_EQ(shape->cpus_per_task, 4u) << "its memory takes four units";
    EXPECT_EQ(shape->memory_per_cpu_mib, 250u);
    EXPECT_EQ(shape->nodes, 0u);
    EXPECT_EQ(shape->gres, "");
}

struct card_case {
    std::uint32_t tasks;
    std::uint64_t units;
    std::uint32_t vcpus;
    std::uint32_t nodes;
    const char* gres;
};

TEST(slurm_requests, cards_are_counted_by_the_node) {
    constexpr card_case cases[] = {{1, 2, 4, 1, "gpu:a100:2"}, {2, 8, 4, 2, "gpu:a100:4"}, {4, 4, 4, 1, "gpu:a100:4"},
                                   {6, 6, 4, 2, "gpu:a100:3"}, {5, 5, 4, 5, "gpu:a100:1"}, {2, 2, 40, 2, "gpu:a100:1"},
                                   {3, 6, 4, 3, "gpu:a100:2"}};
    for (const auto& one : cases) {
        const auto shape = shape_of(request(one.tasks, one.units, one.vcpus, 100), item(offer_unit::card));
        ASSERT_TRUE(shape);
        EXPECT_EQ(shape->nodes, one.nodes) << one.tasks;
        EXPECT_EQ(shape->gres, one.gres) << one.tasks;
        EXPECT_EQ(shape->nodes * shape->tasks_per_node, one.tasks);
    }
}

TEST(slurm_requests, whole_nodes_are_asked_for_with_all_they_have) {
    const auto shape = shape_of(request(4, 2, 8, 1000), item(offer_unit::node));
    ASSERT_TRUE(shape);
    EXPECT_EQ(shape->nodes, 2u);
    EXPECT_EQ(shape->tasks_per_node, 2u);
    EXPECT_EQ(shape->cpus_per_task, 32u);
    EXPECT_EQ(shape->memory_per_node_mib, 262'144u);
    EXPECT_EQ(shape->gres, "gpu:a100:4");
}

TEST(slurm_requests, what_no_node_holds_is_refused) {
    EXPECT_FALSE(shape_of(request(1, 65, 1, 1), item(offer_unit::core)));
    EXPECT_FALSE(shape_of(request(1, 1, 65, 1), item(offer_unit::core)));
    EXPECT_FALSE(shape_of(request(1, 64, 1, 262'145), item(offer_unit::core)));
    EXPECT_FALSE(shape_of(request(1, 5, 1, 1), item(offer_unit::card)));
}

TEST(slurm_requests, slurms_limit_stands_behind_the_jobs_own) {
    auto asked = request(1, 1, 1, 1);
    asked.grace_s = 30;
    const auto minutes = [&](std::optional<std::uint64_t> runtime_s) {
        asked.max_runtime_s = runtime_s;
        const auto shape = shape_of(asked, item(offer_unit::core));
        return shape ? shape->minutes : std::optional<std::uint32_t>(0);
    };
    EXPECT_EQ(minutes(std::nullopt), 60u);
    EXPECT_EQ(minutes(10), 2u);
    EXPECT_EQ(minutes(3600), 60u) << "never past the partition's";
    EXPECT_EQ(minutes(3601), 0u) << "refused";
}

rapidjson::Document body(int version, bool has_hold) {
    slurm_config config;
    config.account = "acc";
    const auto asked = request(2, 8, 4, 100);
    const auto on = item(offer_unit::card);
    auto text =
        submit_body({version, has_hold}, config, asked, "centre", on, *shape_of(asked, on), {"/d", "#!/bin/sh\n"});
    auto document = parse_json(text, 1 << 20);
    EXPECT_TRUE(document);
    return std::move(*document);
}

TEST(slurm_requests, each_version_gets_its_own_words) {
    const auto old = body(38, true);
    EXPECT_TRUE(old["job"]["hold"].GetBool());
    EXPECT_TRUE(old["job"]["no_requeue"].GetBool());
    EXPECT_FALSE(old["job"].HasMember("requeue"));
    EXPECT_TRUE(old["job"]["environment"].IsObject());
    EXPECT_STREQ(old["job"]["gres"].GetString(), "gpu:a100:4");
    EXPECT_STREQ(old["job"]["nodes"].GetString(), "2-2");
    EXPECT_STREQ(old["script"].GetString(), "#!/bin/sh\n");
    EXPECT_FALSE(old["job"].HasMember("script"));
    const auto next = body(39, false);
    EXPECT_EQ(next["job"]["priority"].GetInt(), 0);
    EXPECT_FALSE(next["job"].HasMember("hold"));
    EXPECT_FALSE(next["job"]["requeue"].GetBool());
    EXPECT_FALSE(next["job"].HasMember("no_requeue"));
    EXPECT_TRUE(next["job"]["environment"].IsArray());
    EXPECT_STREQ(next["job"]["tres_per_node"].GetString(), "gres:gpu:a100:4");
    const auto late = body(41, true);
    EXPECT_STREQ(late["job"]["tres_per_node"].GetString(), "gres/gpu:a100:4");
    EXPECT_FALSE(late["job"].HasMember("gres"));
}

TEST(slurm_requests, the_comment_tells_ours_from_others) {
    const auto ours = comment_of(request(1, 1, 1, 1), "centre");
    EXPECT_TRUE(comment_is_of(ours, "o1", "centre"));
    EXPECT_FALSE(comment_is_of(ours, "o", "centre"));
    EXPECT_FALSE(comment_is_of(ours, "o1", "other"));
    EXPECT_FALSE(comment_is_of("owner=o1 provider=centre", "o1", "centre"));
    EXPECT_FALSE(comment_is_of("", "o1", "centre"));
    EXPECT_EQ(comment_field(ours, "workload"), "wl");
}

}  // namespace
}  // namespace westerly
