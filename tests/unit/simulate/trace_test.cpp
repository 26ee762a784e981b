#include "tools/simulate/core/trace.hpp"

#include "tests/unit/simulate/scratch.hpp"
#include "tools/simulate/core/carbon.hpp"
#include "tools/simulate/core/supply.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

std::vector<traced_job> all_of(const std::string& path, trace_rules rules = {}) {
    auto trace = trace_reader::open(path, std::move(rules)).value();
    std::vector<traced_job> jobs;
    while (auto job = trace.next().value())
        jobs.push_back(std::move(*job));
    return jobs;
}

std::string fault_of(const std::string& path) {
    auto trace = trace_reader::open(path, {});
    if (!trace)
        return trace.error().detail;
    for (;;) {
        const auto job = trace->next();
        if (!job)
            return job.error().detail;
        if (!*job)
            return "none";
    }
}

TEST(trace_reader, makes_gangs_of_eight_cards_and_counts_shared_ones_whole) {
    const scratch_folder here;
    trace_rules rules;
    rules.interactive_below_s = 100;
    const auto jobs = all_of(here.file("t.csv",
                                       "submit_time_s,duration_s,gpus,cpus,memory_gib,gpu_type,user\n"
                                       "0,60,0.46,6,12,T4,a\n"
                                       "5,3600.5,16,,,V100M16|V100M32,b\n"),
                             rules);
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].spec.resources.accelerators[0].count, 1u);
    EXPECT_EQ(jobs[0].spec.resources.accelerators[0].model, "T4");
    EXPECT_EQ(jobs[0].spec.resources.vcpus, 6u);
    EXPECT_TRUE(jobs[0].spec.interactive);
    EXPECT_EQ(jobs[1].spec.tasks, 2u);
    EXPECT_EQ(jobs[1].spec.resources.accelerators[0].count, 8u);
    EXPECT_EQ(jobs[1].spec.resources.accelerators.size(), 2u);
    EXPECT_EQ(jobs[1].spec.work.runtime_s, 3601u);
    EXPECT_EQ(jobs[1].user, "b");
}

TEST(trace_reader, reads_the_standard_workload_format) {
    const scratch_folder here;
    const auto jobs = all_of(here.file("t.swf",
                                       "; Computer: a centre\n"
                                       "  1  0  3  100  16 -1 2048 16 200 -1 1 7 1 -1 1 -1 -1 -1\n"
                                       "  2 10 -1  -1  16 -1 -1 16 200 -1 0 7 1 -1 1 -1 -1 -1\n"));
    ASSERT_EQ(jobs.size(), 1u) << "what has no run time is left out";
    EXPECT_EQ(jobs[0].spec.resources.vcpus, 16u);
    EXPECT_EQ(jobs[0].spec.resources.memory_mib, 32u) << "16 processors of 2048 KiB each";
    EXPECT_EQ(jobs[0].user, "7");
}

TEST(trace_reader, reads_our_own_list_in_order_of_creation) {
    const scratch_folder here;
    const std::string spec =
        R"("spec": {"kind": "batch", "name": "n", "tasks": 2, "resources": {"vcpus": 3, "memory_mib": 64},)"
        R"( "variants": [{"stack": "none", "command": ["true"]}], "work": {"runtime_s": 50}})";
    const auto jobs = all_of(here.file(
        "t.json", R"({"items": [{"created_at": "2026-01-01T00:01:00.000Z", )" + spec +
                      R"(}, {"created_at": "2026-01-01T00:00:00.000Z", "started_at": "2026-01-01T00:00:10.000Z", )"
                      R"("ended_at": "2026-01-01T00:01:40.000Z", )" +
                      spec + "}]}\n"));
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].submit_s, 0);
    EXPECT_EQ(jobs[0].duration_s, 90) << "as it ran";
    EXPECT_EQ(jobs[1].submit_s, 60);
    EXPECT_EQ(jobs[1].duration_s, 50) << "as it was estimated";
    EXPECT_EQ(jobs[1].spec.tasks, 2u);
}

TEST(trace_reader, takes_over_what_a_list_says_of_time_relative_to_its_begin) {
    const scratch_folder here;
    const auto item = [](const std::string& created, const std::string& timing) {
        return R"({"created_at": ")" + created + R"(", "spec": {"kind": "batch", "name": "n", "resources": )" +
               R"({"vcpus": 3, "memory_mib": 64}, "variants": [{"command": ["true"]}], "work": {"runtime_s": 50}, )" +
               R"("timing": {)" + timing + "}}}";
    };
    const std::string path = here.file(
        "t.json",
        R"({"items": [)" +
            item("2026-03-01T01:00:00.000Z", R"("earliest_start_at": "2026-03-01T02:00:00Z", "max_delay_s": 600)") +
            "," +
            item("2026-03-01T00:00:00.000Z",
                 R"("deadline_at": "2026-03-01T00:30:00Z", "deadline_probability": 0.9, "max_wait_s": 70, )"
                 R"("max_runtime_s": 40)") +
            "]}\n");
    const instant begun = parse_rfc3339("2026-03-01T00:00:00Z").value();
    EXPECT_EQ(trace_reader::open(path, {}).value().begin(), begun);
    auto jobs = all_of(path);
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].duration_s, 40) << "nothing runs past its limit";
    EXPECT_EQ(jobs[0].ready_s(), 0);
    EXPECT_EQ(jobs[1].ready_s(), 7200);
    const instant moved = parse_rfc3339("2021-01-01T00:00:00Z").value();
    for (traced_job& job : jobs)
        begin_at(moved, job.spec);
    EXPECT_EQ(jobs[0].spec.when.deadline_at, moved + std::chrono::minutes(30));
    EXPECT_EQ(jobs[0].spec.when.deadline_probability, 0.9);
    EXPECT_EQ(jobs[0].spec.when.max_wait_s, 70u);
    EXPECT_EQ(jobs[1].spec.when.earliest_start_at, moved + std::chrono::hours(2));
    EXPECT_EQ(jobs[1].spec.when.max_delay_s, 600u);
    EXPECT_FALSE(trace_reader::open(here.file("t.csv", "submit_time_s,duration_s\n"), {}).value().begin());
}

TEST(trace_reader, names_file_and_line_of_what_is_wrong) {
    const scratch_folder here;
    const std::string head = "submit_time_s,duration_s,gpus,cpus\n";
    const std::string word = here.file("word.csv", head + "0,1,,1\n7,ten,,1\n");
    EXPECT_EQ(fault_of(word), word + ":3: \"ten\" cannot be duration_s");
    const std::string back = here.file("back.csv", head + "9,1,,1\n7,1,,1\n");
    EXPECT_EQ(fault_of(back),
              back + ":3: submitted before the workload above it: sort the trace by time of submission");
    const std::string few = here.file("few.csv", head + "9,1\n");
    EXPECT_EQ(fault_of(few), few + ":2: 2 fields where the header has 4");
    const std::string less = here.file("less.csv", head + "-1,1,,1\n");
    EXPECT_EQ(fault_of(less), less + ":2: \"-1\" cannot be submit_time_s");
    const std::string column = here.file("column.csv", "submit_time_s,gpus\n");
    EXPECT_EQ(fault_of(column), column + ":1: the column \"duration_s\" is missing");
    const std::string quote = here.file("quote.csv", head + "0,1,\"x,1\n");
    EXPECT_EQ(fault_of(quote), quote + ":2: a quote is not closed");
    const std::string swf = here.file("short.swf", "1 2 3\n");
    EXPECT_EQ(fault_of(swf), swf + ":1: 3 fields; the standard workload format has 18");
    const std::string list = here.file("list.json", "{\"things\": []}\n");
    EXPECT_EQ(fault_of(list), list + ":1: no \"items\": this is not a list of workloads");
    const std::string cut = here.file("cut.csv.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03zzzz", 14));
    EXPECT_EQ(fault_of(cut), cut + ":1: the file is damaged or was cut off");
    EXPECT_EQ(fault_of("/nowhere/t.csv"), "/nowhere/t.csv: cannot be opened");
}

TEST(read_catalogue, leaves_out_what_has_no_price_host_or_whole_card_and_counts_it) {
    const scratch_folder here;
    supply made;
    catalogue_rules rules;
    rules.units_per_offer = 3;
    rules.spot = true;
    const std::string file =
        here.file("offers.csv",
                  "provider,region,zone,instance_type,vcpus,memory_gib,accelerator_name,accelerator_count,"
                  "accelerator_memory_gib,price_usd_per_hour,spot_price_usd_per_hour\n"
                  "azure,westeurope,,Standard_NC,24,220,A100-80GB,1,80,3.673,1.2,V1,V2\n"
                  "gcp,us-west1,us-west1-a,n1-attachable,0,0,T4,1,16,0.35,0.1\n"
                  "azure,westeurope,,Free,2,4,,0,,0,\n"
                  "azure,westeurope,,Half,2,4,A10,0.5,24,1,\n"
                  "azure,atlantis,,X,2,4,,0,,1,\n");
    ASSERT_TRUE(read_catalogue(file, rules, made).has_value());
    ASSERT_EQ(made.offers.size(), 2u);
    EXPECT_EQ(made.offers[0].id, "azure/westeurope/Standard_NC.A100-80GB/on_demand");
    EXPECT_EQ(made.offers[0].price->nanos, 3'673'000'000);
    EXPECT_EQ(made.offers[0].accelerators->model, "A100");
    EXPECT_EQ(made.offers[0].units_free, 3u);
    EXPECT_EQ(made.offers[1].price->nanos, 1'200'000'000);
    EXPECT_EQ(made.left_out.size(), 4u);
    EXPECT_EQ(made.book().size(), 2u);
}

TEST(read_providers, takes_what_the_rules_take_and_says_what_it_leaves_out) {
    const scratch_folder here;
    const auto one = [](const std::string& name, const std::string& rest) {
        return R"({"site": "s", "billing_mode": "on_demand", "unit": "node", "vcpus": 1, "memory_mib": 1, "name": ")" +
               name + "\"" + rest + "}";
    };
    const std::string price = R"(, "price": {"amount": "1", "currency": "CNY"}, "price_source": "list")";
    const std::string cards = R"(, "accelerators": {"model": "A100", "count": 8, "memory_gib": 80, "stack": "cuda"})";
    const std::string sites = R"("sites": [{"site": "s", "region": "cn-east", "jurisdiction": "CN"}])";
    here.file("hall.json", R"({"kind": "catalogue", )" + sites + R"(, "offers": [)" + one("cpu", price) + "," +
                               one("big-cpu", price) + "," + one("a100", price + cards) + "," + one("free", "") + "]}");
    const std::filesystem::path mine = here.file("mine.json", R"({"kind": "local", )" + sites + "}");
    const auto taken = [&](const catalogue_rules& rules) {
        supply made;
        EXPECT_TRUE(read_providers(mine.parent_path().string(), rules, made).has_value());
        return made;
    };
    const supply all = taken({});
    EXPECT_EQ(all.offers.size(), 3u);
    EXPECT_TRUE(all.offers[0].site.latitude_longitude.has_value()) << "where the facts have the region";
    EXPECT_EQ(all.left_out.size(), 2u) << "no price, and the file of an adapter";
    EXPECT_EQ(taken({.accelerator = "A100"}).offers.size(), 1u);
    EXPECT_EQ(taken({.accelerator = "none"}).offers.size(), 2u);
    EXPECT_EQ(taken({.instance_prefixes = {"big"}}).offers.at(0).id, "hall/s/big-cpu/on_demand");
    EXPECT_TRUE(taken({.providers = {"hill"}}).offers.empty());
}

TEST(read_rtts, takes_the_median_where_a_table_names_quantiles_and_says_what_is_missing) {
    const scratch_folder here;
    supply made;
    made.offers.resize(1);
    made.offers[0].provider = "aws";
    made.offers[0].site.region = "b";
    const std::string header = "provider,src,dst,great_circle_km,";
    ASSERT_TRUE(read_rtts(here.file("m.csv", header + "rtt_ms_p50,rtt_ms_p90\naws,b,a,100,7.5,9\n"), made).has_value());
    ASSERT_EQ(made.offers[0].site.rtt_ms.size(), 1u);
    EXPECT_EQ(made.offers[0].site.rtt_ms[0], std::pair(std::string("a"), 7.5));
    ASSERT_TRUE(read_rtts(here.file("p.csv", header + "rtt_ms\naws,b,a,100,8\n"), made).has_value());
    EXPECT_EQ(made.offers[0].site.rtt_ms[0].second, 8);
    const auto without = read_rtts(here.file("n.csv", header + "p99\naws,b,a,100,8\n"), made);
    ASSERT_FALSE(without.has_value());
    EXPECT_NE(without.error().detail.find("n.csv:1"), std::string::npos) << without.error().detail;
}

TEST(carbon_series, integrates_over_parts_of_hours_and_knows_where_it_ends) {
    const scratch_folder here;
    const auto series = carbon_series::read(here.file("c.csv",
                                                      "zone,utc,ci_direct_g_kwh\n"
                                                      "A,2020-01-01T00:00Z,400\n"
                                                      "A,2020-01-01T01:00Z,200\n"))
                            .value();
    const instant begin = parse_rfc3339("2020-01-01T00:00:00Z").value();
    EXPECT_DOUBLE_EQ(series.mean("A", begin, begin + std::chrono::hours(2)).value(), 300);
    EXPECT_DOUBLE_EQ(series.mean("A", begin + std::chrono::minutes(30), begin + std::chrono::minutes(75)).value(),
                     (400 * 30 + 200 * 15) / 45.0);
    EXPECT_FALSE(series.mean("A", begin, begin + std::chrono::hours(3)).has_value());
    EXPECT_FALSE(series.mean("B", begin, begin + std::chrono::hours(1)).has_value());
    const std::string gap =
        here.file("gap.csv", "zone,utc,ci_direct_g_kwh\nA,2020-01-01T00:00Z,1\nA,2020-01-01T02:00Z,1\n");
    EXPECT_EQ(carbon_series::read(gap).error().detail, gap + ":3: the hour does not follow the one before it");
}

}  // namespace
}  // namespace westerly
