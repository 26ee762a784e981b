#include "broker/runtime/loop.hpp"

#include "policies/table.hpp"

#include <gtest/gtest.h>

#include <future>

namespace westerly {
namespace {

/// Remembers what it was given; fails from a given commit on.
class fake_store : public store {
public:
    result<stored_state> load(instant) override { return stored_state{}; }
    result<void> commit(std::span<const change_set> group) override {
        if (commits_until_failure == 0)
            return fail(errc::storage_failed, "disk full");
        --commits_until_failure;
        change_sets += group.size();
        return {};
    }
    queries& readers() override { std::abort(); }
    result<void> forget_history(instant) override { return {}; }
    result<void> confirm_sweep() override { return {}; }
    result<void> backup(const std::filesystem::path&) override { return {}; }

    std::atomic<std::size_t> commits_until_failure = SIZE_MAX;
    std::atomic<std::size_t> change_sets = 0;
};

struct loop_test : testing::Test {
    fake_store keep;
    engine core{{}, built_in_terms(), stored_state{}, system_wall_clock().now()};
    std::mutex mutex;
    std::vector<answer_request> answers;
    std::promise<error> poisoned;
    loop tested{core, keep, 1, [this](effect e) { take(std::move(e)); },
                [this](const error& why) {
                    poisoned.set_value(why);
                }};

    void take(effect e) {
        if (auto* a = std::get_if<answer_request>(&e)) {
            const std::lock_guard lock(mutex);
            answers.push_back(std::move(*a));
        }
    }
};

TEST_F(loop_test, answers_come_after_their_commit_and_in_order) {
    tested.start();
    constexpr request_id count = 100;
    for (request_id id = 1; id <= count; ++id)
        ASSERT_TRUE(tested.request(create_tenant{.request = id, .name = "tenant-" + std::to_string(id)}));
    tested.stop();
    ASSERT_EQ(answers.size(), count);
    for (request_id id = 1; id <= count; ++id) {
        EXPECT_EQ(answers[id - 1].request, id);
        EXPECT_TRUE(answers[id - 1].value);
    }
    EXPECT_EQ(keep.change_sets, count);
    EXPECT_LE(tested.read_counters().commits, count);
}

TEST_F(loop_test, a_failed_commit_answers_nothing_and_is_told_once) {
    keep.commits_until_failure = 0;
    tested.start();
    ASSERT_TRUE(tested.request(create_tenant{.request = 1, .name = "one"}));
    EXPECT_EQ(poisoned.get_future().get().detail, "disk full");
    ASSERT_TRUE(tested.request(create_tenant{.request = 2, .name = "two"}));
    tested.stop();
    EXPECT_TRUE(answers.empty());
}

TEST(input_queue, refuses_requests_but_never_observations_when_full) {
    input_queue queue;
    for (std::size_t i = 0; i < input_queue::requests_max; ++i)
        ASSERT_TRUE(queue.push_request(create_tenant{}));
    EXPECT_FALSE(queue.push_request(create_tenant{}));
    queue.push(tick{});
    EXPECT_EQ(queue.size(), input_queue::requests_max + 1);
    EXPECT_EQ(queue.take(milliseconds{0}).size(), input_queue::batch_max);
}

}  // namespace
}  // namespace westerly
