#include "broker/runtime/archivist.hpp"

#include "tests/unit/runtime/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <future>

namespace westerly {
namespace {

attempt_id numbered(std::uint8_t number) {
    return attempt_id{{1, number}};
}

/// Finishes attempts 0 to `count` - 1, every second of which had something to say; gives what was told, in order.
std::vector<logs_archived> finish_of(log_archive& logs, std::uint8_t count) {
    std::vector<logs_archived> told;
    std::promise<void> all;
    archivist keeper(logs, [&](logs_archived one) {
        told.push_back(std::move(one));
        if (told.size() == count)
            all.set_value();
    });
    for (std::uint8_t i = 0; i < count; ++i) {
        logs.begin(numbered(i), 1);
        if (i % 2 == 0) {
            EXPECT_TRUE(logs.keep(numbered(i), 0, false, 0, "line " + std::to_string(i)));
        }
        keeper.finish({numbered(i), i, true, {}});
    }
    all.get_future().wait();
    return told;
}

TEST(archivist, tells_of_each_in_order_when_it_is_kept) {
    const temporary_folder folder;
    log_archive logs(folder.path(), 1 << 20);
    const auto told = finish_of(logs, 100);
    for (std::uint8_t i = 0; i < 100; ++i) {
        EXPECT_EQ(told[i].outbox_seq, i);
        EXPECT_TRUE(told[i].ok) << told[i].message;
        EXPECT_TRUE(logs.has(numbered(i)));
        EXPECT_EQ(logs.read(numbered(i), 0, false, 0)->bytes, i % 2 == 0 ? "line " + std::to_string(i) : "");
    }
}

TEST(archivist, says_when_the_disk_does_not_take_it) {
    const temporary_folder folder;
    log_archive logs(folder.path() / "missing" / std::string(300, 'x'), 1 << 20);  // no such folder can be made
    std::promise<logs_archived> told;
    archivist keeper(logs, [&](logs_archived one) { told.set_value(std::move(one)); });
    logs.begin(numbered(1), 1);
    keeper.finish({numbered(1), 7, true, {}});
    const auto got = told.get_future().get();
    EXPECT_FALSE(got.ok);
    EXPECT_EQ(got.outbox_seq, 7u);
    EXPECT_NE(got.message.find("cannot write"), std::string::npos) << got.message;
}

}  // namespace
}  // namespace westerly
