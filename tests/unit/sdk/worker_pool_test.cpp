#include "adapters/sdk/worker_pool.hpp"

#include <gtest/gtest.h>

#include <set>

namespace westerly {
namespace {

constexpr std::chrono::seconds patience{20};

/// Calls that block until let go, and a record of what began.
class worker_pool_test : public testing::Test {
protected:
    pool_call call(std::uint64_t id, std::string kind, std::vector<std::string> changes = {},
                   std::vector<std::string> reads = {}) {
        pool_call made;
        made.id = id;
        made.kind = std::move(kind);
        made.changes = std::move(changes);
        made.reads = std::move(reads);
        made.run = [this, id](const call_state& state) {
            note(id);
            std::unique_lock hold(lock_);
            while (!open_ && !released_.contains(id) && !state.cancelled())
                changed_.wait_for(hold, milliseconds(1));
        };
        made.dropped = [this, id] {
            note(id + 1000);
        };
        return made;
    }
    void note(std::uint64_t id) {
        const std::lock_guard hold(lock_);
        begun_.insert(id);
        changed_.notify_all();
    }
    void release(std::uint64_t id) {
        const std::lock_guard hold(lock_);
        released_.insert(id);
        changed_.notify_all();
    }
    bool begins(std::uint64_t id) {
        std::unique_lock hold(lock_);
        return changed_.wait_for(hold, patience, [&] { return begun_.contains(id); });
    }
    bool begun(std::uint64_t id) {
        const std::lock_guard hold(lock_);
        return begun_.contains(id);
    }
    /// Lets every call end before its pool waits for them.
    struct opener {
        worker_pool_test& test;
        ~opener() {
            const std::lock_guard hold(test.lock_);
            test.open_ = true;
            test.changed_.notify_all();
        }
    };

    std::mutex lock_;
    std::condition_variable changed_;
    bool open_ = false;
    std::set<std::uint64_t> begun_;
    std::set<std::uint64_t> released_;
};

TEST_F(worker_pool_test, slow_calls_of_one_kind_leave_room_for_others) {
    worker_pool pool(4, 16);
    const opener at_end{*this};
    for (std::uint64_t id = 1; id <= 4; ++id)
        ASSERT_TRUE(pool.take(call(id, "launch", {std::to_string(id)})));
    EXPECT_TRUE(begins(1));
    EXPECT_TRUE(begins(2));
    ASSERT_TRUE(pool.take(call(5, "find", {}, {"9"})));
    EXPECT_TRUE(begins(5));
    EXPECT_FALSE(begun(3));
    release(1);
    EXPECT_TRUE(begins(3));
}

TEST_F(worker_pool_test, a_read_never_overtakes_the_launch_of_its_token) {
    worker_pool pool(4, 16);
    const opener at_end{*this};
    ASSERT_TRUE(pool.take(call(1, "launch", {"a"})));
    ASSERT_TRUE(begins(1));
    pool_call list = call(3, "list");
    list.reads_all = true;
    ASSERT_TRUE(pool.take(call(2, "find", {}, {"a"})));
    ASSERT_TRUE(pool.take(std::move(list)));
    ASSERT_TRUE(pool.take(call(4, "get", {}, {"b", "c"})));
    EXPECT_TRUE(begins(4));
    EXPECT_FALSE(begun(2));
    EXPECT_FALSE(begun(3));
    release(1);
    EXPECT_TRUE(begins(2));
    EXPECT_TRUE(begins(3));
}

TEST_F(worker_pool_test, a_cancelled_call_that_waits_never_runs) {
    worker_pool pool(4, 16);
    const opener at_end{*this};
    ASSERT_TRUE(pool.take(call(1, "launch", {"a"})));
    ASSERT_TRUE(begins(1));
    ASSERT_TRUE(pool.take(call(2, "launch", {"a"})));
    pool.cancel(2);
    release(1);
    EXPECT_TRUE(begins(1002));
    EXPECT_FALSE(begun(2));
}

TEST_F(worker_pool_test, a_cancelled_call_that_runs_is_told) {
    worker_pool pool(4, 16);
    const opener at_end{*this};
    ASSERT_TRUE(pool.take(call(1, "launch", {"a"})));
    ASSERT_TRUE(begins(1));
    pool.cancel(1);
    EXPECT_TRUE(pool.stop_within(patience));
}

TEST_F(worker_pool_test, a_full_queue_refuses) {
    worker_pool pool(1, 2);
    const opener at_end{*this};
    ASSERT_TRUE(pool.take(call(1, "launch", {"a"})));
    ASSERT_TRUE(begins(1));
    EXPECT_TRUE(pool.take(call(2, "launch", {"b"})));
    EXPECT_TRUE(pool.take(call(3, "launch", {"c"})));
    EXPECT_FALSE(pool.take(call(4, "launch", {"d"})));
}

}  // namespace
}  // namespace westerly
