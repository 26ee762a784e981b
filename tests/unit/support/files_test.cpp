#include "broker/support/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace westerly {
namespace {

class files : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "westerly-files-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        home_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(home_); }

    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(home_), {}));
    }

    std::filesystem::path home_;
};

TEST_F(files, a_written_file_reads_back_whole) {
    const std::string text("a\0b\n", 4);
    ASSERT_TRUE(write_file_atomically(home_ / "f", text));
    EXPECT_EQ(read_file(home_ / "f", text.size()).value(), text);
}

TEST_F(files, the_limit_is_inclusive) {
    ASSERT_TRUE(write_file_atomically(home_ / "f", "12345"));
    EXPECT_TRUE(read_file(home_ / "f", 5));
    EXPECT_EQ(read_file(home_ / "f", 4).error().code, errc::too_large);
}

TEST_F(files, a_folder_that_is_not_there_holds_nothing_and_a_file_is_none) {
    ASSERT_TRUE(write_file_atomically(home_ / "f", "text"));
    ASSERT_EQ(list_folder(home_)->size(), 1u);
    EXPECT_EQ(list_folder(home_)->front().path(), home_ / "f");
    EXPECT_TRUE(list_folder(home_ / "absent")->empty());
    EXPECT_EQ(list_folder(home_ / "f").error().code, errc::invalid);
    EXPECT_EQ(list_folder(home_ / "f" / "below").error().code, errc::invalid);
}

TEST_F(files, a_large_file_is_read_in_pieces) {
    const std::string text(200'001, 'x');
    ASSERT_TRUE(write_file_atomically(home_ / "f", text));
    EXPECT_EQ(read_file(home_ / "f", text.size()).value(), text);
    EXPECT_EQ(read_file(home_ / "f", text.size() - 1).error().code, errc::too_large);
}

TEST_F(files, what_is_missing_or_no_file_says_so) {
    EXPECT_EQ(read_file(home_ / "none", 1).error().code, errc::not_found);
    EXPECT_EQ(read_file(home_, 1).error().code, errc::storage_failed);
    const auto wrote = write_file_atomically(home_ / "no" / "folder", "x");
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().code, errc::storage_failed);
    EXPECT_NE(wrote.error().detail.find("folder"), std::string::npos);
}

TEST_F(files, replacing_leaves_no_temporary_and_sets_the_mode) {
    ASSERT_TRUE(write_file_atomically(home_ / "f", "old", 0644));
    ASSERT_TRUE(write_file_atomically(home_ / "f", "new", 0600));
    EXPECT_EQ(read_file(home_ / "f", 10).value(), "new");
    EXPECT_EQ(entries(), 1u);
    struct ::stat status {};
    ASSERT_EQ(::stat((home_ / "f").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(files, a_failed_replacement_leaves_the_old_one_and_no_temporary) {
    std::filesystem::create_directories(home_ / "target" / "full");
    const auto wrote = write_file_atomically(home_ / "target", "x");
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().code, errc::storage_failed);
    EXPECT_TRUE(std::filesystem::is_directory(home_ / "target" / "full"));
    EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace westerly
