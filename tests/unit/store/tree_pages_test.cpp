#include "broker/store/sqlite/tree_pages.hpp"

#include "broker/store/sqlite/connection.hpp"
#include "broker/support/random.hpp"
#include "tests/unit/store/world.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace westerly::test {
namespace {

class tree_pages : public ::testing::TestWithParam<int> {
protected:
    /// A table and its index that grew row by row beside another table, so that their pages lie scattered.
    tree_pages() : database_(file_, connection::access::create) {
        database_.execute(
            "PRAGMA page_size = 1024;"
            "CREATE TABLE wanted (n INTEGER PRIMARY KEY, text TEXT);"
            "CREATE INDEX wanted_text ON wanted (text);"
            "CREATE TABLE other (n INTEGER PRIMARY KEY, text TEXT);");
        transaction all(database_, transaction::kind::write);
        for (int i = 0; i < GetParam(); ++i) {
            const auto text = std::to_string(i * 7919 % 10'007) + std::string(120, 'x');
            database_.run("INSERT INTO wanted (text) VALUES (?)", text);
            database_.run("INSERT INTO other (text) VALUES (?)", text);
        }
        all.commit();
        opened_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    }
    ~tree_pages() override { ::close(opened_); }

    page_number root_of(const std::string& tree) {
        return database_.scalar<page_number>("SELECT rootpage FROM sqlite_schema WHERE name = ?", tree);
    }

    static constexpr std::uint32_t page_bytes = 1024;  // as it is made with
    temporary_folder folder_;
    const std::filesystem::path file_ = folder_ / "tree.db";
    connection database_;
    int opened_ = -1;
};

TEST_P(tree_pages, are_those_that_sqlite_counts) {
    ASSERT_EQ(page_bytes_of(opened_), page_bytes);
    for (const std::string tree : {"wanted", "wanted_text"}) {
        statement rows =
            database_.query("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno", tree);
        std::vector<page_number> want;
        while (rows.step())
            want.push_back(rows.take<page_number>());
        EXPECT_EQ(leaves_of(opened_, page_bytes, root_of(tree)), want) << tree;
    }
}

TEST_P(tree_pages, of_a_damaged_file_come_to_an_end) {
    const auto root = root_of("wanted");
    const auto size = std::filesystem::file_size(file_);
    random_source random(static_cast<std::uint64_t>(GetParam()));
    std::fstream damage(file_, std::ios::in | std::ios::out | std::ios::binary);
    for (int round = 0; round < 50; ++round) {
        damage.seekp(static_cast<std::streamoff>(page_bytes + random.next() % (size - page_bytes)));
        const auto word = random.next();
        damage.write(reinterpret_cast<const char*>(&word), 4).flush();
        EXPECT_LE(leaves_of(opened_, page_bytes, root).size(), size / page_bytes);
        (void)leaves_of(opened_, page_bytes, static_cast<page_number>(word));
    }
    // A page whose every child is the next one, and that one's every child the same leaf.
    constexpr std::size_t cells = 100, cell = 512;
    for (const char number : {2, 3}) {
        std::string page(page_bytes, '\0');
        page[0] = 5;
        page[4] = cells;
        for (std::size_t i = 0; i < cells; ++i)
            page[12 + 2 * i] = cell >> 8;
        page[11] = page[cell + 3] = static_cast<char>(number + 1);
        damage.seekp(page_bytes * (number - 1)).write(page.data(), page_bytes);
    }
    damage.seekp(page_bytes * 3).write("\x0d", 1).flush();
    EXPECT_LE(leaves_of(opened_, page_bytes, 2).size(), size / page_bytes);
    EXPECT_EQ(page_bytes_of(-1), 0u);
}

INSTANTIATE_TEST_SUITE_P(of_so_many_rows, tree_pages, ::testing::Values(0, 1, 40, 3'000, 40'000));

}  // namespace
}  // namespace westerly::test
