#include "broker/runtime/log_archive.hpp"

#include "tests/unit/runtime/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

constexpr std::size_t half = 4096;  // of a stream's space: an attempt of one task has two streams
const attempt_id id{{1, 2, 3}};

std::string whole(const log_archive& archive, bool error_stream) {
    std::string text;
    for (std::uint64_t from = 0;;) {
        const auto piece = archive.read(id, 0, error_stream, from);
        text += piece->bytes;
        from = piece->next;
        if (piece->complete)
            return text;
    }
}

TEST(log_archive, keeps_short_logs_whole_and_streams_apart) {
    const temporary_folder folder;
    log_archive archive(folder.path(), 4 * half);
    archive.begin(id, 1);
    ASSERT_TRUE(archive.keep(id, 0, false, 0, "one "));
    ASSERT_TRUE(archive.keep(id, 0, true, 0, "error"));
    ASSERT_TRUE(archive.keep(id, 0, false, 4, "two"));
    EXPECT_FALSE(archive.has(id));
    ASSERT_TRUE(archive.finish(id));
    EXPECT_TRUE(archive.has(id));
    EXPECT_EQ(whole(archive, false), "one two");
    EXPECT_EQ(whole(archive, true), "error");
}

TEST(log_archive, keeps_head_and_tail_and_says_how_much_is_left_out) {
    for (const std::size_t piece : {std::size_t{1000}, std::size_t{half}, 10 * half}) {
        const temporary_folder folder;
        log_archive archive(folder.path(), 4 * half);
        archive.begin(id, 1);
        std::string all;
        while (all.size() < 20 * half) {
            const auto bytes = std::string(piece, static_cast<char>('a' + all.size() / piece % 26));
            ASSERT_TRUE(archive.keep(id, 0, false, all.size(), bytes));
            all += bytes;
        }
        ASSERT_TRUE(archive.finish(id));
        const auto kept = whole(archive, false);
        EXPECT_EQ(kept.substr(0, half), all.substr(0, half));
        EXPECT_EQ(kept.substr(kept.size() - half), all.substr(all.size() - half));
        EXPECT_NE(kept.find("[" + std::to_string(all.size() - 2 * half) + " bytes left out]"), std::string::npos);
    }
}

TEST(log_archive, beginning_anew_after_a_crash_leaves_no_doubled_bytes) {
    const temporary_folder folder;
    {
        log_archive interrupted(folder.path(), 4 * half);
        interrupted.begin(id, 1);
        ASSERT_TRUE(interrupted.keep(id, 0, false, 0, "half of a li"));
    }
    log_archive archive(folder.path(), 4 * half);
    archive.begin(id, 1);
    ASSERT_TRUE(archive.keep(id, 0, false, 0, "half of a line"));
    ASSERT_TRUE(archive.finish(id));
    EXPECT_EQ(whole(archive, false), "half of a line");
}

TEST(log_archive, a_silent_stream_reads_as_empty_and_an_unknown_attempt_as_not_found) {
    const temporary_folder folder;
    log_archive archive(folder.path(), 4 * half);
    EXPECT_EQ(archive.read(id, 0, false, 0).error().code, errc::not_found);
    archive.begin(id, 1);
    ASSERT_TRUE(archive.finish(id));
    EXPECT_EQ(whole(archive, false), "");
}

TEST(log_archive, purges_what_is_older) {
    const temporary_folder folder;
    log_archive archive(folder.path(), 4 * half);
    archive.begin(id, 1);
    ASSERT_TRUE(archive.finish(id));
    archive.purge(system_wall_clock().now() - std::chrono::hours(1));
    EXPECT_TRUE(archive.has(id));
    archive.purge(system_wall_clock().now() + std::chrono::hours(1));
    EXPECT_FALSE(archive.has(id));
}

}  // namespace
}  // namespace westerly
