// What was acknowledged is found again: after kill -9, a full disk, a failed sync.
#include "broker/store/store.hpp"
#include "tests/unit/store/fault_vfs.hpp"
#include "tests/unit/store/world.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace westerly::test {
namespace {

using testing::HasSubstr;

/// The child's life: commit, then tell; until it is killed.
[[noreturn]] void write_and_tell(const sqlite_options& options, std::uint64_t seed, int pipe_end) {
    auto opened = open_sqlite_store(options);
    const auto state = opened ? (*opened)->load(day_one) : result<stored_state>(opened.error());
    if (!state)
        ::_exit(1);
    world model(seed, state->epoch);
    for (;;) {
        std::vector<change_set> group;
        std::vector<workload_id> told;
        for (std::uint64_t i = 1 + model.pick(4); i > 0; --i) {
            group.push_back(model.next());
            for (const workload& w : group.back().workloads_new)
                told.push_back(w.id);
        }
        if (!(*opened)->commit(group))
            ::_exit(2);
        for (const workload_id& id : told)
            if (::write(pipe_end, id.bytes.data(), id.bytes.size()) != static_cast<ssize_t>(id.bytes.size()))
                ::_exit(3);
    }
}

class killed_writer : public testing::TestWithParam<int> {};

TEST_P(killed_writer, loses_nothing_that_it_acknowledged) {
    const temporary_folder folder;
    const sqlite_options options{folder / "westerly.db", "machine", 20};
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::close(ends[0]);
        write_and_tell(options, static_cast<std::uint64_t>(GetParam()), ends[1]);
    }
    ::close(ends[1]);

    std::vector<workload_id> acknowledged;
    const auto read_one = [&] {
        workload_id id;
        if (::read(ends[0], id.bytes.data(), id.bytes.size()) != static_cast<ssize_t>(id.bytes.size()))
            return false;
        acknowledged.push_back(id);
        return true;
    };
    while (acknowledged.size() < static_cast<std::size_t>(GetParam()) && read_one()) {
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
    while (read_one()) {  // what it told before it died
    }
    ::close(ends[0]);

    auto opened = open_sqlite_store(options);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    ASSERT_TRUE((*opened)->load(day_one).has_value());
    for (const workload_id& id : acknowledged)
        EXPECT_TRUE((*opened)->readers().find_workload(std::nullopt, id).has_value());
}

INSTANTIATE_TEST_SUITE_P(after, killed_writer, testing::Values(1, 7, 40, 150));

class failing_disk : public testing::Test {
protected:
    std::unique_ptr<store> open() {
        auto opened = open_sqlite_store({folder_ / "westerly.db", "machine", 50});
        EXPECT_TRUE(opened.has_value()) << opened.error().detail;
        EXPECT_TRUE((*opened)->load(day_one).has_value());
        return std::move(*opened);
    }
    /// Commits until one fails; gives its error. All before it were acknowledged.
    error commit_until_refused(store& into, world& model) {
        for (int i = 0; i < 10'000; ++i) {
            acknowledged_ = model.workloads();
            const change_set one = model.next();
            if (const auto done = into.commit({&one, 1}); !done)
                return done.error();
        }
        return {};
    }
    void expect_acknowledged() {
        auto opened = open();
        for (const workload& w : acknowledged_)
            EXPECT_TRUE(opened->readers().find_workload(w.tenant, w.id).has_value());
    }

    fault_vfs disk_;
    temporary_folder folder_;
    std::vector<workload> acknowledged_;
};

TEST_F(failing_disk, says_when_it_is_full_and_keeps_what_was_acknowledged) {
    auto opened = open();
    world model(4);
    fault_vfs::now().bytes_left = 2'000'000;
    const error why = commit_until_refused(*opened, model);
    EXPECT_EQ(why.code, errc::storage_failed);
    EXPECT_THAT(why.detail, HasSubstr("full"));
    EXPECT_THAT(why.remedy, HasSubstr("Free space"));
    EXPECT_GT(acknowledged_.size(), 10u);

    fault_vfs::now().bytes_left = INT64_MAX;
    const change_set next = model.next();
    EXPECT_EQ(opened->commit({&next, 1}).error().code, errc::storage_failed) << "poisoned until it is opened anew";
    opened.reset();
    expect_acknowledged();
}

TEST_F(failing_disk, a_failed_sync_is_no_acknowledgement) {
    auto opened = open();
    world model(4);
    for (int i = 0; i < 20; ++i) {
        const change_set one = model.next();
        ASSERT_TRUE(opened->commit({&one, 1}).has_value());
    }
    fault_vfs::now().syncs_fail = true;
    EXPECT_EQ(commit_until_refused(*opened, model).code, errc::storage_failed);
    fault_vfs::now().syncs_fail = false;
    const change_set next = model.next();
    EXPECT_EQ(opened->commit({&next, 1}).error().code, errc::storage_failed);
    opened.reset();
    expect_acknowledged();
}

TEST_F(failing_disk, a_group_is_synced_once_and_before_it_is_acknowledged) {
    auto opened = open_sqlite_store({folder_ / "westerly.db", "machine", 100'000});
    ASSERT_TRUE((*opened)->load(day_one).has_value());
    world model(4);
    for (int i = 0; i < 20; ++i) {
        std::vector<change_set> group(8);
        for (change_set& changes : group)
            changes = model.next();
        const std::int64_t syncs = fault_vfs::now().log_syncs;
        ASSERT_TRUE((*opened)->commit(group).has_value());
        EXPECT_EQ(fault_vfs::now().log_bytes_unsynced, 0);
        EXPECT_EQ(fault_vfs::now().log_syncs - syncs, 1);
    }
}

/// A submit as the engine makes it: workload, decision with 16 offers ranked, attempt, two events, outbox, key.
change_set submit_of(world& model) {
    change_set changes;
    changes.epoch = 1;
    model.add_workload(changes);
    model.add_full_attempt(changes);
    return changes;
}

TEST_F(failing_disk, a_submit_writes_few_pages) {
    auto opened = open_sqlite_store({folder_ / "westerly.db", "machine", 100'000});
    ASSERT_TRUE((*opened)->load(day_one).has_value());
    world model(4);
    change_set first;
    first.epoch = 1;
    model.add_tenant(first);
    ASSERT_TRUE((*opened)->commit({&first, 1}).has_value());
    constexpr int groups = 50;
    constexpr int group_size = 64;
    std::int64_t before = 0;
    for (int i = 0; i < groups; ++i) {
        std::vector<change_set> group(group_size);
        for (change_set& changes : group)
            changes = submit_of(model);
        if (i == groups / 2)
            before = fault_vfs::now().log_bytes_written;
        ASSERT_TRUE((*opened)->commit(group).has_value());
    }
    const double pages = static_cast<double>(fault_vfs::now().log_bytes_written - before) / 4120.0;
    const double per_submit = pages / (group_size * groups / 2);
    RecordProperty("log_pages_per_submit", std::to_string(per_submit));
    EXPECT_LT(per_submit, 3.0) << "write-ahead log pages per submit, in groups of " << group_size;
}

}  // namespace
}  // namespace westerly::test
