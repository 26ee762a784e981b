#include "adapters/slurm/words/replies.hpp"

#include "adapters/slurm/words/states.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

// One ended job in the words of two versions.
constexpr std::string_view job_38 = R"({"meta":{"Slurm":{"release":"22.05.8"}},"errors":[],"jobs":[{"job_id":7,
  "cluster":"alpha","name":"n","comment":"c","user_name":"u","partition":"p","job_state":"FAILED",
  "state_reason":"NonZeroExitCode","exit_code":1792,"submit_time":100,"start_time":101,"end_time":105,"restart_cnt":0,
  "tasks":2,"array_task_id":null}]})";
constexpr std::string_view job_41 = R"({"meta":{"slurm":{"cluster":"alpha","release":"24.05.1"}},"errors":[],
  "warnings":[],"jobs":[{"job_id":7,"cluster":"alpha","name":"n","comment":"c","user_name":"u","partition":"p",
  "job_state":["FAILED"],"state_reason":"NonZeroExitCode",
  "exit_code":{"status":["ERROR"],"return_code":{"set":true,"infinite":false,"number":7},
               "signal":{"id":{"set":false,"infinite":false,"number":0},"name":""}},
  "submit_time":{"set":true,"infinite":false,"number":100},"start_time":{"set":true,"infinite":false,"number":101},
  "end_time":{"set":true,"infinite":false,"number":105},"restart_cnt":0,
  "tasks":{"set":true,"infinite":false,"number":2}}]})";

TEST(slurm_replies, a_job_reads_the_same_in_every_version) {
    for (const auto body : {job_38, job_41}) {
        const auto reply = read_reply(body);
        ASSERT_TRUE(reply);
        ASSERT_EQ(reply->jobs.size(), 1u);
        const auto& job = reply->jobs[0];
        EXPECT_EQ(job.id, 7u);
        EXPECT_EQ(job.states, std::vector<std::string>{"FAILED"});
        EXPECT_EQ(job.wait_status, 7 << 8);
        EXPECT_EQ(job.submit_s, 100);
        EXPECT_EQ(job.start_s, 101);
        EXPECT_EQ(job.end_s, 105);
        EXPECT_EQ(job.tasks, 2u);
        EXPECT_EQ(meaning_of(job), job_meaning::failed);
    }
}

TEST(slurm_replies, a_signal_reads_as_a_wait_status) {
    const auto reply = read_reply(R"({"jobs":[{"job_id":1,"exit_code":{"status":["SIGNALED"],
        "return_code":{"set":false,"number":0},"signal":{"id":{"set":true,"number":11},"name":"SEGV"}}}]})");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->jobs[0].wait_status, 11);
}

TEST(slurm_replies, what_is_not_set_is_not_a_number) {
    for (const auto* end : {"null", "-1", "4294967295", "4294967294", R"({"set":false,"infinite":false,"number":5})",
                            R"({"set":true,"infinite":true,"number":5})", R"("Infinity")"}) {
        const auto reply =
            read_reply(std::string(R"({"partitions":[{"name":"p","state":"UP","max_time_limit":)") + end + "}]}");
        ASSERT_TRUE(reply) << end;
        EXPECT_EQ(reply->partitions[0].max_minutes, std::nullopt) << end;
        EXPECT_TRUE(reply->partitions[0].up);
    }
    const auto later = read_reply(R"({"partitions":[{"name":"p","partition":{"state":["UP"]},
        "maximums":{"time":{"set":true,"infinite":false,"number":60}}}]})");
    ASSERT_TRUE(later);
    EXPECT_EQ(later->partitions[0].max_minutes, 60u);
    EXPECT_TRUE(later->partitions[0].up);
}

TEST(slurm_replies, an_error_number_stands_under_three_names) {
    for (const auto* name : {"error_number", "error_code", "errno"}) {
        const auto reply =
            read_reply(std::string(R"({"errors":[{"error":"no","description":"d",")") + name + "\":2017}]}");
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->first_error(), error_no_such_job) << name;
    }
}

TEST(slurm_replies, text_that_is_no_object_is_an_error) {
    for (const auto* body : {"", "[]", "Authentication failure", "{\"jobs\":[", "null"})
        EXPECT_FALSE(read_reply(body)) << body;
    EXPECT_TRUE(read_reply("{\"jobs\":\"none\",\"nodes\":[7]}"));
}

struct refusal_case {
    std::int64_t number;
    adapter_error kind;  // none: the job may exist
};

TEST(slurm_replies, only_the_controllers_own_words_prove_that_no_job_was_made) {
    constexpr refusal_case cases[] = {{2000, adapter_error::invalid},
                                      {2014, adapter_error::invalid},
                                      {2051, adapter_error::invalid},
                                      {9001, adapter_error::invalid},
                                      {2050, adapter_error::quota_exceeded},
                                      {2002, adapter_error::unauthorised},
                                      {2045, adapter_error::unauthorised},
                                      {2042, adapter_error::none},
                                      {2016, adapter_error::none},
                                      {5005, adapter_error::none},
                                      {104, adapter_error::none},
                                      {-1, adapter_error::none},
                                      {0, adapter_error::none},
                                      {1007, adapter_error::none}};
    for (const auto& one : cases)
        EXPECT_EQ(refusal_of(one.number), one.kind) << one.number;
}

struct state_case {
    const char* states;
    const char* reason;
    std::uint32_t restarts;
    job_meaning means;
};

TEST(slurm_replies, states_are_mapped) {
    constexpr state_case cases[] = {{R"("PENDING")", "Resources", 0, job_meaning::waiting},
                                    {R"("PENDING")", "JobHeldUser", 0, job_meaning::held},
                                    {R"("PENDING")", "JobHeldAdmin", 0, job_meaning::waiting},
                                    {R"("PENDING")", "BeginTime", 1, job_meaning::rerun},
                                    {R"("SPECIAL_EXIT")", "JobHeldUser", 1, job_meaning::rerun},
                                    {R"(["PENDING","REQUEUED"])", "None", 0, job_meaning::rerun},
                                    {R"(["RUNNING"])", "None", 0, job_meaning::running},
                                    {R"(["COMPLETED","COMPLETING"])", "None", 0, job_meaning::running},
                                    {R"("COMPLETED")", "None", 0, job_meaning::completed},
                                    {R"("CANCELLED")", "None", 0, job_meaning::cancelled},
                                    {R"("TIMEOUT")", "TimeLimit", 0, job_meaning::timed_out},
                                    {R"("NODE_FAIL")", "NodeDown", 0, job_meaning::taken_away},
                                    {R"("PREEMPTED")", "None", 0, job_meaning::taken_away},
                                    {R"("OUT_OF_MEMORY")", "OutOfMemory", 0, job_meaning::out_of_memory},
                                    {R"("SOMETHING_NEW")", "None", 0, job_meaning::unknown}};
    for (const auto& one : cases) {
        const auto reply =
            read_reply(std::string(R"({"jobs":[{"job_id":1,"job_state":)") + one.states + R"(,"state_reason":")" +
                       one.reason + R"(","restart_cnt":)" + std::to_string(one.restarts) + "}]}");
        ASSERT_TRUE(reply) << one.states;
        EXPECT_EQ(meaning_of(reply->jobs[0]), one.means) << one.states << ' ' << one.reason;
    }
}

TEST(slurm_replies, accounting_has_its_own_shape_and_a_code_that_is_not_believed) {
    const auto reply = read_accounting(R"({"errors":[],"jobs":[{"job_id":3,"name":"n","cluster":"beta",
        "association":{"user":"u"},"comment":{"job":"c"},"state":{"current":"FAILED","reason":"None"},
        "time":{"submission":1,"start":2,"end":9},"exit_code":{"status":"SUCCESS","return_code":0}}]})");
    ASSERT_TRUE(reply);
    const auto& job = reply->jobs[0];
    EXPECT_EQ(job.user, "u");
    EXPECT_EQ(job.comment, "c");
    EXPECT_EQ(job.end_s, 9);
    EXPECT_EQ(job.wait_status, std::nullopt);
    EXPECT_EQ(meaning_of(job), job_meaning::failed);
}

TEST(slurm_replies, versions_are_read_from_the_servers_own_description) {
    const auto offered = read_openapi(R"({"paths":{"/slurm/v0.0.38/job/submit":{},"/slurm/v0.0.40/job/submit/":{},
        "/slurm/v0.0.40/jobs":{},"/slurmdb/v0.0.40/jobs/":{},"/slurm/vX/job/submit":{},"/openapi/v3":{}},
        "components":{"schemas":{"v0.0.38_job_properties":{"properties":{"hold":{}}},
                                 "v0.0.40_job_desc_msg":{"properties":{"priority":{}}}}}})");
    ASSERT_TRUE(offered);
    EXPECT_EQ(offered->slurm, (std::vector<int>{40, 38}));
    EXPECT_EQ(offered->accounting, std::vector<int>{40});
    EXPECT_EQ(offered->with_hold, std::vector<int>{38});
}

TEST(slurm_replies, a_node_takes_work_only_in_good_states) {
    const auto usable = [](const char* state, const char* flags) {
        const auto reply =
            read_reply(std::string(R"({"nodes":[{"name":"n","state":)") + state + R"(,"state_flags":)" + flags + "}]}");
        return reply && node_usable(reply->nodes[0]);
    };
    EXPECT_TRUE(usable(R"("idle")", "[]"));
    EXPECT_TRUE(usable(R"(["MIXED"])", "null"));
    EXPECT_FALSE(usable(R"("mixed")", R"(["NOT_RESPONDING"])"));
    EXPECT_FALSE(usable(R"("idle")", R"(["DRAIN"])"));
    EXPECT_FALSE(usable(R"(["IDLE","MAINTENANCE"])", "null"));
    EXPECT_FALSE(usable(R"("down")", "[]"));
    EXPECT_FALSE(usable("null", "[]"));
}

}  // namespace
}  // namespace westerly
