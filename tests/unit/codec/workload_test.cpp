#include "broker/codec/unsupported.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/support/files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace westerly {
namespace {

std::string example(std::string_view name) {
    return read_file(std::string(WESTERLY_SOURCE_DIR "/tests/schema/valid/") + std::string(name), 1 << 20).value();
}

/// A small workload with one more field.
std::string with(std::string_view field) {
    return R"({"kind": "batch", "name": "n", "variants": [{"command": ["x"]}])" +
           (field.empty() ? std::string() : ", " + std::string(field)) + "}";
}

struct fault_case {
    std::string_view name;
    std::string text;
    std::string_view pointer;
    std::string_view message;
    std::string_view remedy;
    errc code = errc::invalid;
};

class workload_fault_test : public testing::TestWithParam<fault_case> {};

TEST_P(workload_fault_test, names_field_and_remedy) {
    const auto& row = GetParam();
    const auto got = decode_workload(row.text);
    ASSERT_FALSE(got.has_value());
    const error why = got.error();
    EXPECT_EQ(why.code, row.code);
    const auto found = std::ranges::find(why.faults, row.pointer, &fault::pointer);
    ASSERT_NE(found, why.faults.end()) << why.detail;
    EXPECT_NE(found->message.find(row.message), std::string::npos) << found->message;
    EXPECT_NE(found->remedy.find(row.remedy), std::string::npos) << found->remedy;
}

INSTANTIATE_TEST_SUITE_P(
    all, workload_fault_test,
    testing::Values(
        fault_case{"no_object", "[]", "", "must be an object, not an array", "write an object"},
        fault_case{"missing", "{}", "/kind", "is missing", "add the field \"kind\""},
        fault_case{"null_is_not_absent", with(R"("tasks": null)"), "/tasks", "not null", "absent is not null"},
        fault_case{"wrong_type", with(R"("tasks": "8")"), "/tasks", "must be an integer, not a string", "an integer"},
        fault_case{"precision_of_no_card", with(R"("resources": {"precision": "bf16"})"), "/resources/accelerators",
                   "is missing, and precision", "ask for accelerators"},
        fault_case{"value_of_time_twice", with(R"("timing": {"value_of_time": {"amount": "1", "currency": "CNY"}},
                           "policy": {"name": "p", "overrides": {"prices": {"time": {"amount": "1", "currency": "CNY"}}}})"),
                   "/timing/value_of_time", "stands beside", "one of the two"},
        fault_case{"fraction", with(R"("tasks": 1.5)"), "/tasks", "must be an integer", "round"},
        fault_case{"too_small", with(R"("tasks": 0)"), "/tasks", "out of range", "from 1 to 10000"},
        fault_case{"too_large", with(R"("tasks": 10001)"), "/tasks", "out of range", "from 1 to 10000"},
        fault_case{"huge", with(R"("tasks": 1e300)"), "/tasks", "out of range", "from 1 to 10000"},
        fault_case{"past_64_bits", with(R"("priority": -99999999999999999999)"), "/priority", "out of range", "-1000"},
        fault_case{"share_above_one", with(R"("constraints": {"min_green_power_share": 1.01})"),
                   "/constraints/min_green_power_share", "out of range", "from 0 to 1"},
        fault_case{
            "communication_on_one_card",
            with(
                R"("resources": {"accelerators": [{"count": 1}]}, "work": {"runtime_s": 60, "reference": {"model": "A100", "count": 1}, "communication_fraction": 0.2})"),
            "/work/communication_fraction", "one reference card", "give 0, or the reference.count"},
        fault_case{
            "reference_without_bandwidth",
            with(
                R"("resources": {"accelerators": [{"count": 1}]}, "work": {"runtime_s": 60, "reference": {"model": "A100", "count": 8, "scale_out_gb_s": 0}})"),
            "/work/reference/scale_out_gb_s", "out of range", ""},
        fault_case{"unknown", with(R"("tsaks": 3)"), "/tsaks", "not a known field", "did you mean \"tasks\"?"},
        fault_case{"gpus", with(R"("resources": {"gpus": 8})"), "/resources/gpus", "not a known field",
                   "did you mean \"accelerators\"?"},
        fault_case{"unknown_far_off", with(R"("resources": {"qqqqqqqq": 3})"), "/resources/qqqqqqqq",
                   "not a known field", "the fields here are \"vcpus\""},
        fault_case{"unknown_enum", with(R"("compute_class": "gpu")"), "/compute_class", "not known here",
                   "\"general\", \"intelligent\" or \"super\""},
        fault_case{"pointer_is_escaped", with(R"("labels": {"a~/": "v"})"), "/labels/a~0~1", "right form", "letters"},
        fault_case{"name_with_line_break", R"({"kind":"batch","name":"n\n","variants":[{"command":["x"]}]})", "/name",
                   "right form", "lower-case"},
        fault_case{"nul_in_argument", R"({"kind":"batch","name":"n","variants":[{"command":["a\u0000b"]}]})",
                   "/variants/0/command/0", "NUL", "remove"},
        fault_case{"empty_program", R"({"kind":"batch","name":"n","variants":[{"command":[""]}]})",
                   "/variants/0/command/0", "must not be empty", "name the program"},
        fault_case{"no_command", R"({"kind":"batch","name":"n","variants":[{}]})", "/variants/0/command", "is missing",
                   "command"},
        fault_case{"no_variant", R"({"kind":"batch","name":"n","variants":[]})", "/variants", "has 0 entries",
                   "1 to 16"},
        fault_case{"stack_twice",
                   R"({"kind":"batch","name":"n","variants":[{"command":["x"]},{"stack":"none","command":["y"]}]})",
                   "/variants/1/stack", "has an earlier variant", "one variant"},
        fault_case{"our_variables",
                   R"({"kind":"batch","name":"n","variants":[{"command":["x"],"env":{"WESTERLY_RANK":"0"}}]})",
                   "/variants/0/env/WESTERLY_RANK", "right form", "the broker's own"},
        fault_case{"rtt_without_origin", with(R"("constraints": {"max_rtt_ms": 10})"), "/constraints/origin",
                   "measured from it", "add the field"},
        fault_case{"origin_both_ways",
                   with(R"("constraints": {"origin": {"region": "r", "latitude": 1, "longitude": 1}})"),
                   "/constraints/origin", "a region and coordinates", "either"},
        fault_case{"origin_nowhere", with(R"("constraints": {"origin": {}})"), "/constraints/origin", "no place",
                   "either"},
        fault_case{"half_a_place", with(R"("constraints": {"origin": {"latitude": 1}})"),
                   "/constraints/origin/longitude", "is missing", "longitude"},
        fault_case{"allowed_and_denied", with(R"("constraints": {"providers": {"allow": ["a", "b"], "deny": ["b"]}})"),
                   "/constraints/providers/deny/0", "allowed and denied", "one of the two"},
        fault_case{"empty_list", with(R"("constraints": {"regions": []})"), "/constraints/regions", "0 entries",
                   "1 to"},
        fault_case{"listed_twice", with(R"("constraints": {"regions": ["r", "r"]})"), "/constraints/regions/1",
                   "stands twice", "keep one"},
        fault_case{
            "deadline_at_start",
            with(
                R"("timing": {"earliest_start_at": "2026-01-01T00:00:00Z", "deadline_at": "2026-01-01T08:00:00+08:00"})"),
            "/timing/deadline_at", "not after", "later deadline"},
        fault_case{"no_attempt_for_a_second_copy", with(R"("retry": {"attempts_max": 1, "second_copy_after_s": 60})"),
                   "/retry/attempts_max", "second copy", "2 attempts"},
        fault_case{"a_checkpoint_of_no_size", with(R"("checkpoint": {"interval_s": 60, "region": "cn-east"})"),
                   "/checkpoint/size_gib", "is missing", "both"},
        fault_case{"a_checkpoint_that_lies_nowhere", with(R"("checkpoint": {"interval_s": 60, "size_gib": 1})"),
                   "/checkpoint/region", "is missing", "both"},
        fault_case{"no_such_day", with(R"("timing": {"deadline_at": "2026-02-29T00:00:00Z"})"), "/timing/deadline_at",
                   "not an RFC 3339 time", "2026-01-31T08:00:00.000Z"},
        fault_case{"money_as_number", with(R"("budget": {"amount": 5, "currency": "CNY"})"), "/budget/amount",
                   "must be a string", "a string"},
        fault_case{"seven_decimals", with(R"("budget": {"amount": "1.1234567", "currency": "CNY"})"), "/budget/amount",
                   "right form", "at most 6 decimals"},
        fault_case{"negative_money", with(R"("budget": {"amount": "-1", "currency": "CNY"})"), "/budget/amount",
                   "right form", "not negative"},
        fault_case{"other_money", with(R"("budget": {"amount": "1", "currency": "EUR"})"), "/budget/currency",
                   "not known here", "\"CNY\" or \"USD\""},
        fault_case{"long_label", with(R"("labels": {"k": ")" + std::string(256, 'x') + "\"}"), "/labels/k",
                   "256 characters", "0 to 255"},
        fault_case{"service", R"({"kind":"service","name":"n","variants":[{"command":["x"]}]})", "/kind",
                   "not supported yet", "batch", errc::unsupported},
        fault_case{"invalid_beats_unsupported", with(R"("ports": [], "tasks": 0)"), "/ports", "not supported yet",
                   "leave it out"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(decode_workload, every_field_of_the_table_is_refused_and_nothing_else) {
    const auto got = decode_workload(example("workload-later.json"));
    ASSERT_FALSE(got.has_value());
    const error why = got.error();
    EXPECT_EQ(why.code, errc::unsupported);
    std::vector<std::string> refused;
    for (const auto& f : why.faults) {
        EXPECT_NE(f.message.find("not supported yet"), std::string::npos);
        EXPECT_FALSE(f.remedy.empty());
        auto pointer = f.pointer;
        if (const auto index = pointer.find("/0"); index != std::string::npos)
            pointer[index + 1] = '*';
        refused.push_back(pointer);
    }
    std::vector<std::string> listed = {"/kind"};
    for (const auto& row : unsupported_workload_fields)
        listed.push_back(std::string(row.parent) + '/' + std::string(row.name));
    std::ranges::sort(refused);
    std::ranges::sort(listed);
    EXPECT_EQ(refused, listed);
}

TEST(decode_workload, a_service_can_be_planned_with_its_spread) {
    const std::string text = R"({"kind": "service", "name": "n", "tasks": 8, "variants": [{"command": ["x"]}],
        "constraints": {"origins": [{"region": "cn-east", "weight": 3}]}, "spread": {"rule": "near_users", "max_sites": 2}})";
    EXPECT_EQ(decode_workload(text).error().code, errc::unsupported);
    const auto got = decode_workload(text, workload_use::plan);
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    EXPECT_EQ(got->spread, spread_rule{2});
    EXPECT_EQ(*decode_workload(encode_workload_spec(*got), workload_use::plan), *got);
    const auto refused = [&](std::string_view what, std::string_view by) {
        std::string other = text;
        other.replace(other.find(what), what.size(), by);
        const auto why = decode_workload(other, workload_use::plan);
        return !why && why.error().code == errc::invalid && why.error().faults[0].pointer == "/spread";
    };
    EXPECT_TRUE(refused("service", "batch"));
    EXPECT_TRUE(refused("\"tasks\": 8", "\"tasks\": 257"));
    std::string misspelt = text;
    misspelt.replace(misspelt.find("near_users"), 10, "near_user");
    EXPECT_EQ(decode_workload(misspelt, workload_use::plan).error().faults.at(0).remedy, "give \"near_users\"");
    EXPECT_TRUE(refused("\"origins\": [{\"region\": \"cn-east\", \"weight\": 3}]", "\"max_pue\": 2"));
}

TEST(decode_workload, origins_weigh_alike_unless_weights_are_stated) {
    const auto got =
        decode_workload(R"({"kind": "batch", "name": "n", "variants": [{"command": ["x"]}], "interactive": true,
        "constraints": {"origins": [{"region": "cn-east"}, {"region": "cn-west", "weight": 2}]}})");
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    EXPECT_EQ(got->limits.origins[0].weight, 1);
    EXPECT_EQ(got->limits.origins[1].weight, 2);
}

TEST(decode_workload, reads_every_field) {
    const auto got = decode_workload(example("workload-full.json"));
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    const workload_spec& w = *got;
    EXPECT_EQ(w.compute, compute_class::intelligent);
    EXPECT_EQ(w.name, "train-weather");
    ASSERT_EQ(w.labels.size(), 3u);
    EXPECT_EQ(w.labels[0].first, "Stage_2");  // sorted
    EXPECT_EQ(w.priority, -5);
    EXPECT_TRUE(w.interactive);
    EXPECT_EQ(w.policy, "greenest");
    EXPECT_EQ(w.tasks, 8u);
    EXPECT_EQ(w.resources.memory_mib, 131072u);
    ASSERT_EQ(w.resources.accelerators.size(), 4u);
    EXPECT_EQ(w.resources.accelerators[1].fit, accelerator_fit::training);
    EXPECT_EQ(w.resources.accelerators[1].min_fp16_tflops, 312.5);
    ASSERT_EQ(w.variants.size(), 3u);
    EXPECT_EQ(w.variants[0].command.back(), "");
    EXPECT_EQ(w.variants[0].env[0].first, "OMP_NUM_THREADS");
    EXPECT_EQ(w.variants[2].stack, "none");
    EXPECT_EQ(w.work.runtime_s, 1800000u);
    EXPECT_EQ(w.work.reference, (reference_cards{"A100", 8, 8, 600, 50}));
    EXPECT_EQ(w.inputs[0].size_gib, 512.5);
    EXPECT_EQ(w.data_class, "internal");
    EXPECT_EQ(w.resources.precision, number_precision::bf16);
    EXPECT_EQ(w.licences, (std::vector<std::string>{"ansys", "matlab"})) << "sorted";
    EXPECT_EQ(w.when.value_of_time, (unit_price{20'500'000'000, currency::cny}));
    EXPECT_EQ(w.limits.from->region, "cn-east");
    EXPECT_EQ(w.limits.max_price_per_hour, (money{624'000'001, currency::cny}));
    EXPECT_EQ(format_rfc3339(*w.when.earliest_start_at), "2026-12-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(*w.when.target_at), "2027-01-20T00:00:00.000Z");
    EXPECT_EQ(w.budget, (money{2'246'400'000'000, currency::cny}));
    EXPECT_EQ(w.retry.on.size(), 3u);
    EXPECT_EQ(w.grace_s, 120u);
    EXPECT_EQ(w.checkpoint, (checkpoint_rule{3600, 60.5, 90, true, "cn-east", 40.5, money{100'000, currency::cny}}));
    EXPECT_EQ(w.movable, true);
}

/// What an earlier version took in has to be read for as long as it is kept.
TEST(decode_workload, what_is_stored_may_say_what_is_refused_by_now) {
    const std::string text = with(
        R"("resources": {"accelerators": [{"count": 1}]}, "work": {"runtime_s": 60, "reference": {"model": "A100", "count": 1}, "communication_fraction": 0.2})");
    EXPECT_FALSE(decode_workload(text, workload_use::plan));
    workload kept;
    kept.spec_text = std::make_shared<const std::string>(text);
    const auto spec = spec_of(kept);
    ASSERT_TRUE(spec) << spec.error().detail;
    EXPECT_EQ((*spec)->work.communication, 0.2);
}

TEST(decode_workload, reads_overrides) {
    const auto got = decode_workload(example("workload-near.json"));
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    const policy_overrides& set = got->overrides;
    EXPECT_EQ(got->policy, "nearest");
    ASSERT_EQ(set.prices.size(), 2u);
    EXPECT_EQ(set.prices[0], (std::pair{std::string("carbon"), unit_price{1, currency::cny}})) << "by term";
    EXPECT_EQ(set.prices[1].second.nanos, 200'000'000);
    EXPECT_EQ(set.within_of_cheapest, 0.5);
    EXPECT_EQ(set.min_green_power_share, 0.3);
    EXPECT_EQ(set.max_pue, 1.4);
}

TEST(decode_workload, fills_in_what_is_absent) {
    const auto got = decode_workload(example("workload-small.json"));
    ASSERT_TRUE(got.has_value()) << got.error().detail;
    workload_spec wanted;
    wanted.name = "hello";
    wanted.variants = {{.stack = "none", .command = {"/bin/echo", "hello"}, .env = {}, .files = {}}};
    EXPECT_EQ(*got, wanted);
}

TEST(decode_workload, bounds_the_list_of_faults) {
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += (i ? ", \"" : "\"") + std::string("unknown") + std::to_string(i) + "\": 0";
    const auto got = decode_workload(with(many));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().faults.size(), json_faults_max);
    EXPECT_NE(got.error().detail.find("1000 faults"), std::string::npos) << got.error().detail;
}

class round_trip_test : public testing::TestWithParam<std::string_view> {};

TEST_P(round_trip_test, encoded_decodes_to_the_same) {
    const auto first = decode_workload(example(GetParam()));
    ASSERT_TRUE(first.has_value()) << first.error().detail;
    const auto text = encode_workload_spec(*first);
    const auto again = decode_workload(text);
    ASSERT_TRUE(again.has_value()) << again.error().detail << text;
    EXPECT_EQ(*again, *first);
    EXPECT_EQ(encode_workload_spec(*again), text);
}

INSTANTIATE_TEST_SUITE_P(all, round_trip_test,
                         testing::Values("workload-full.json", "workload-small.json", "workload-near.json"));

}  // namespace
}  // namespace westerly
