#include "broker/runtime/bundle_shelf.hpp"

#include "tests/unit/runtime/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace westerly {
namespace {

const tenant_id one{{1}};
const tenant_id other{{2}};

TEST(bundle_shelf, keeps_by_content_and_gives_pieces) {
    const temporary_folder folder;
    const bundle_shelf shelf(folder.path());
    const auto files = shelf.keep(one, "0123456789");
    ASSERT_TRUE(files);
    EXPECT_EQ(*files, "sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882");
    EXPECT_EQ(*shelf.keep(one, "0123456789"), *files);
    EXPECT_EQ(*shelf.read(*files, 0, 4), "0123");
    EXPECT_EQ(*shelf.read(*files, 8, 4), "89");
    EXPECT_EQ(*shelf.read(*files, 10, 4), "");
}

TEST(bundle_shelf, knowing_a_digest_is_not_enough) {
    const temporary_folder folder;
    const bundle_shelf shelf(folder.path());
    const auto files = *shelf.keep(one, "secret");
    EXPECT_TRUE(shelf.has(one, files));
    EXPECT_FALSE(shelf.has(other, files));
}

TEST(bundle_shelf, names_that_are_no_digest_never_become_paths) {
    const temporary_folder folder;
    const bundle_shelf shelf(folder.path());
    for (const std::string& name :
         std::vector<std::string>{"", "sha256:", "sha256:../../../../etc/passwd", "sha256:" + std::string(64, '/'),
                                  "sha256:" + std::string(63, 'a'), std::string(64, 'a')}) {
        EXPECT_FALSE(shelf.has(one, name)) << name;
        EXPECT_EQ(shelf.read(name, 0, 10).error().code, errc::not_found) << name;
    }
}

TEST(bundle_shelf, purges_what_is_unused_with_its_markers) {
    const temporary_folder folder;
    const bundle_shelf shelf(folder.path());
    const auto files = *shelf.keep(one, "old");
    shelf.purge(system_wall_clock().now() + std::chrono::hours(1));
    EXPECT_FALSE(shelf.has(one, files));
    EXPECT_TRUE(shelf.keep(one, "old"));
    EXPECT_TRUE(shelf.has(one, files));
}

}  // namespace
}  // namespace westerly
