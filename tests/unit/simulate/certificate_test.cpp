#include "tools/simulate/core/certificate.hpp"

#include "tests/unit/simulate/checker.hpp"
#include "tests/unit/simulate/scratch.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

/// Scenario P4 and a choice of starts beside it.
assign_problem problem() {
    assign_problem p;
    p.slots = 2;
    p.capacity = {12, 12, unlimited_capacity, unlimited_capacity};
    for (const std::uint32_t gang : {7u, 7u, 4u}) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(p.options.size());
        p.options.push_back({.pool = 0, .quantity = gang, .slots = 2, .cost = 1.0 * gang});
        p.options.push_back(
            {.pool = 1, .quantity = gang, .last_start = 1, .cost = 2.0 * gang, .cost_per_slot_later = 0.1});
        job.options_end = static_cast<std::uint32_t>(p.options.size());
        job.refusal = 100;
        p.jobs.push_back(job);
    }
    return p;
}

std::string with(std::string line, const std::string& was, const std::string& is) {
    const std::size_t at = line.find(was);
    EXPECT_NE(at, std::string::npos) << was << " is not in " << line;
    return line.replace(at, was.size(), is);
}

TEST(check_certificate, agrees_with_what_was_computed_and_refuses_what_was_changed) {
    if (!has_python())
        GTEST_SKIP() << "skipped: no /usr/bin/python3";
    const assign_problem p = problem();
    assignment made = assign_by_cost(p);
    made.bound.lambda = {0.5, 0.5, 0, 0};
    made.bound.value = bound_at(p, made.bound.lambda);
    ASSERT_EQ(made.cost, 25);
    ASSERT_EQ(made.bound.value, 24);
    const std::string line = certificate_line("tick", "2026-01-01T00:00:00.000Z", p, made);
    const scratch_folder here;
    const auto judged = [&](const std::string& text) {
        return check_certificates(here.file("c.jsonl", text + "\n"));
    };
    EXPECT_EQ(judged(line), 0);
    EXPECT_EQ(judged(line + "\n" + line), 0);
    EXPECT_EQ(judged(with(line, "\"bound\":24.0", "\"bound\":24.1")), 1) << "a bound that the prices do not prove";
    EXPECT_EQ(judged(with(line, "\"cost\":25.0", "\"cost\":24.5")), 1) << "a cost that the choices do not have";
    EXPECT_EQ(judged(with(line, "[0,0,0.5]", "[0,0,-0.5]")), 1) << "a price below 0";
    EXPECT_EQ(judged(with(line, "[0,0,0.5]", "[0,0,0.4]")), 1) << "another price";
    EXPECT_EQ(judged(with(line, "[12,12]", "[12,10]")), 1) << "more held than there is";
    EXPECT_EQ(judged(with(line, "[0,7,2,0,0,7.0,0.0]", "[0,7,2,0,0,9.0,0.0]")), 1) << "another option";
    EXPECT_EQ(judged(with(line, "\"refusal\":100.0", "\"refusal\":1.0")), 1) << "another refusal price";
    EXPECT_EQ(judged(with(line, "\"chosen\":[", "\"chosen\":[9,")), 1) << "a choice that is not offered";
    EXPECT_EQ(judged(line.substr(0, line.size() / 2)), 1) << "half a line";
    EXPECT_EQ(check_certificates("/nowhere.jsonl"), 2);
}

}  // namespace
}  // namespace westerly
