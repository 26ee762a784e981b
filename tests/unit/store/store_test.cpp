#include "broker/store/store.hpp"

#include "broker/store/sqlite/migrate.hpp"
#include "broker/store/sqlite/workload_rows.hpp"
#include "broker/support/embedded.hpp"
#include "tests/unit/store/world.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace westerly::test {
namespace {

using testing::HasSubstr;

/// A second connection beside the store: what another process could do to the file.
void meddle(const std::filesystem::path& file, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
}

class sqlite_store_test : public testing::Test {
protected:
    sqlite_options options(const char* machine = "machine") { return {folder_ / "westerly.db", machine, 2000}; }
    std::unique_ptr<store> open(const char* machine = "machine") {
        auto opened = open_sqlite_store(options(machine));
        EXPECT_TRUE(opened.has_value()) << opened.error().detail;
        return opened ? std::move(*opened) : nullptr;
    }
    error refused() {
        const auto opened = open_sqlite_store(options());
        EXPECT_FALSE(opened.has_value());
        return opened ? error{} : opened.error();
    }
    /// A store with some of everything in it.
    std::unique_ptr<store> filled(world& model, int changes = 30) {
        auto opened = open();
        EXPECT_TRUE(opened->load(day_one).has_value());
        for (int i = 0; i < changes; ++i) {
            const change_set one = model.next();
            EXPECT_TRUE(opened->commit({&one, 1}).has_value());
        }
        return opened;
    }

    temporary_folder folder_;
};

/// Whether another process may not write to SQLite's lock bytes of a file, as long as somebody has it open.
bool locked_against_others(const std::filesystem::path& file) {
    const pid_t other = ::fork();
    if (other == 0) {
        constexpr off_t sqlite_shared_first = 0x40000002, sqlite_shared_size = 510;
        struct flock want {};
        want.l_type = F_WRLCK;
        want.l_whence = SEEK_SET;
        want.l_start = sqlite_shared_first;
        want.l_len = sqlite_shared_size;
        const int opened = ::open(file.c_str(), O_RDWR);
        ::_exit(opened >= 0 && ::fcntl(opened, F_GETLK, &want) == 0 && want.l_type != F_UNLCK ? 1 : 0);
    }
    int status = 0;
    return ::waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST_F(sqlite_store_test, reading_ahead_gives_up_no_lock) {
    const auto file = options().file;
    auto opened = open();
    EXPECT_TRUE(locked_against_others(file));
    ASSERT_TRUE(opened->load(day_one).has_value());
    EXPECT_TRUE(locked_against_others(file)) << "closing any descriptor of the file gives up SQLite's locks";
    opened.reset();
    EXPECT_FALSE(locked_against_others(file));
}

TEST_F(sqlite_store_test, makes_the_owner_mark_once) {
    const auto first = open()->load(day_one);
    const auto second = open()->load(day_one);
    EXPECT_FALSE(first->owner.none());
    EXPECT_EQ(first->owner, second->owner);
    EXPECT_TRUE(second->sweeping);
    EXPECT_EQ(second->generation, 1u);
    EXPECT_EQ(second->epoch, first->epoch + 1);
}

TEST_F(sqlite_store_test, keeps_its_file_from_other_users) {
    open();
    struct stat about {};
    ASSERT_EQ(::stat((folder_ / "westerly.db").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(sqlite_store_test, refuses_a_second_owner_until_the_first_ends) {
    auto first = open();
    const error why = refused();
    EXPECT_EQ(why.code, errc::conflict);
    EXPECT_THAT(why.detail, HasSubstr("another westerlyd"));
    EXPECT_THAT(why.remedy, HasSubstr("--home"));
    first.reset();
    EXPECT_TRUE(open());
}

TEST_F(sqlite_store_test, refuses_a_newer_database_and_names_both_versions) {
    open();
    meddle(folder_ / "westerly.db", "PRAGMA user_version = 99");
    const error why = refused();
    EXPECT_EQ(why.code, errc::conflict);
    EXPECT_THAT(why.detail, HasSubstr("schema 99"));
    EXPECT_THAT(why.detail, HasSubstr("up to " + std::to_string(newest_schema())));
    EXPECT_THAT(why.remedy, HasSubstr("newer westerlyd"));
}

TEST_F(sqlite_store_test, runs_on_a_newer_database_that_allows_older_binaries) {
    open();
    const auto next = std::to_string(newest_schema() + 1);
    meddle(folder_ / "westerly.db",
           ("PRAGMA user_version = " + next + "; INSERT INTO migrations VALUES (" + next + ", 'adds a column', 3)")
               .c_str());
    EXPECT_TRUE(open());
    meddle(folder_ / "westerly.db", ("UPDATE migrations SET oldest_schema = version WHERE version = " + next).c_str());
    EXPECT_EQ(refused().code, errc::conflict);
}

TEST_F(sqlite_store_test, brings_a_database_of_the_first_schema_up_to_date) {
    const std::string first(*embedded_file("schema/sql/0001_first_light.sql"));
    meddle(folder_ / "westerly.db", (first + "; PRAGMA user_version = 1; PRAGMA application_id = 1465078833;").c_str());
    world model(1);
    auto opened = filled(model);
    opened.reset();
    EXPECT_EQ(open()->load(day_one)->cordons, model.live(day_one).cordons);
}

TEST_F(sqlite_store_test, refuses_what_is_not_its_own) {
    meddle(folder_ / "westerly.db", "CREATE TABLE songs (name)");
    EXPECT_EQ(refused().code, errc::conflict);
}

TEST_F(sqlite_store_test, says_what_is_wrong_with_a_file_that_is_no_database) {
    std::ofstream(folder_ / "westerly.db") << std::string(10'000, 'x');
    const error why = refused();
    EXPECT_EQ(why.code, errc::storage_failed);
    EXPECT_THAT(why.detail, HasSubstr("westerly.db"));
    EXPECT_THAT(why.remedy, HasSubstr("backup"));
}

TEST_F(sqlite_store_test, says_what_is_wrong_with_a_truncated_file) {
    world model(1);
    filled(model).reset();
    std::filesystem::resize_file(folder_ / "westerly.db", 5 * 4096);
    const error why = refused();
    EXPECT_EQ(why.code, errc::storage_failed);
    EXPECT_THAT(why.remedy, HasSubstr("backup"));
}

TEST_F(sqlite_store_test, says_what_is_wrong_with_a_damaged_row) {
    world model(1);
    filled(model).reset();
    meddle(folder_ / "westerly.db", "UPDATE attempts SET lease = x'00'; UPDATE attempts_live SET state = 1");
    const auto state = open()->load(day_one);
    ASSERT_FALSE(state.has_value());
    EXPECT_EQ(state.error().code, errc::storage_failed);
    EXPECT_THAT(state.error().detail, HasSubstr("lease of attempt"));
}

TEST_F(sqlite_store_test, says_that_a_folder_is_missing) {
    const auto opened = open_sqlite_store({folder_ / "nowhere/westerly.db", "machine", 2000});
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, errc::storage_failed);
    EXPECT_THAT(opened.error().detail, HasSubstr("nowhere"));
}

TEST_F(sqlite_store_test, stops_sweeping_under_another_machine_until_confirmed) {
    EXPECT_TRUE(open()->load(day_one)->sweeping);
    EXPECT_FALSE(open("other")->load(day_one)->sweeping);
    EXPECT_FALSE(open("other")->load(day_one)->sweeping);
    EXPECT_TRUE(open("other")->confirm_sweep().has_value());
    EXPECT_TRUE(open("other")->load(day_one)->sweeping);
}

TEST_F(sqlite_store_test, refuses_a_stale_epoch_and_writes_nothing_of_its_group) {
    world model(1);
    auto opened = filled(model);
    const std::size_t known = opened->readers().list_tenants()->size();
    change_set fresh, stale;
    fresh.epoch = 1;
    stale.epoch = 0;
    model.add_tenant(fresh);
    model.add_tenant(stale);
    const change_set group[] = {fresh, stale};
    EXPECT_EQ(opened->commit(group).error().code, errc::conflict);
    EXPECT_EQ(opened->readers().list_tenants()->size(), known);
    EXPECT_TRUE(opened->commit({&fresh, 1}).has_value()) << "a stale set must not poison the store";
}

TEST_F(sqlite_store_test, refuses_everything_once_another_owner_has_raised_the_epoch_of_one_shard) {
    world model(1);
    auto opened = filled(model);
    meddle(folder_ / "westerly.db", "UPDATE shards SET epoch = epoch + 1 WHERE shard = 77");
    const change_set next = model.next();
    EXPECT_EQ(opened->commit({&next, 1}).error().code, errc::conflict);
}

TEST_F(sqlite_store_test, a_change_that_breaks_a_rule_writes_nothing_and_poisons) {
    world model(1);
    auto opened = filled(model);
    const std::size_t known = opened->readers().list_tenants()->size();
    change_set changes;
    changes.epoch = 1;
    model.add_tenant(changes);
    changes.attempts_changed.emplace_back();  // of no stored attempt
    EXPECT_EQ(opened->commit({&changes, 1}).error().code, errc::storage_failed);
    EXPECT_EQ(opened->readers().list_tenants()->size(), known);
    change_set harmless;
    harmless.epoch = 1;
    model.add_tenant(harmless);
    EXPECT_EQ(opened->commit({&harmless, 1}).error().code, errc::storage_failed);
    EXPECT_EQ(opened->confirm_sweep().error().code, errc::storage_failed);
}

TEST_F(sqlite_store_test, an_event_seq_is_given_once) {
    world model(1);
    auto opened = filled(model);
    change_set again;
    again.epoch = 1;
    again.events = opened->readers().list_events({}, "", 1)->items;
    EXPECT_EQ(opened->commit({&again, 1}).error().code, errc::storage_failed);
}

TEST_F(sqlite_store_test, hides_other_tenants_workloads) {
    world model(3);
    auto opened = filled(model);
    const workload& w = model.workloads().front();
    EXPECT_TRUE(opened->readers().find_workload(std::nullopt, w.id).has_value());
    EXPECT_EQ(opened->readers().find_workload(tenant_id{w.id.bytes}, w.id).error().code, errc::not_found);
    EXPECT_TRUE(opened->readers().list_events({tenant_id{w.id.bytes}, w.id}, "", 10)->items.empty());
}

TEST_F(sqlite_store_test, refuses_cursors_that_are_not_of_this_list) {
    world model(1);
    auto opened = filled(model);
    queries& readers = opened->readers();
    const std::string of_workloads = readers.list_workloads({}, "", 1)->next_cursor;
    ASSERT_FALSE(of_workloads.empty());
    for (const std::string& cursor : {std::string("x"), std::string("00"), std::string(34, 'f'), of_workloads})
        EXPECT_EQ(readers.list_usage({}, cursor, 1).error().code, errc::invalid) << cursor;
    EXPECT_EQ(readers.list_events({}, of_workloads, 1).error().code, errc::invalid);
}

TEST_F(sqlite_store_test, an_event_cursor_goes_on_where_nothing_was_new) {
    world model(5);
    auto opened = filled(model);
    const tenant_id tenant = model.tenants().front().id;
    std::string cursor = opened->readers().list_events({tenant, {}}, "", page_size_max)->next_cursor;
    EXPECT_TRUE(opened->readers().list_events({tenant, {}}, cursor, 10)->items.empty());
    cursor = opened->readers().list_events({tenant, {}}, cursor, 10)->next_cursor;
    const std::size_t before = model.list(event_filter{tenant, {}}).size();
    while (model.list(event_filter{tenant, {}}).size() == before) {
        const change_set one = model.next();
        ASSERT_TRUE(opened->commit({&one, 1}).has_value());
    }
    const auto all = model.list(event_filter{tenant, {}});
    const std::vector<event> fresh(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
    EXPECT_EQ(opened->readers().list_events({tenant, {}}, cursor, page_size_max)->items, fresh);
}

TEST_F(sqlite_store_test, a_page_looks_at_a_bounded_number_of_rows) {
    world model(1);
    auto opened = filled(model);
    change_set many;
    many.epoch = 1;
    many.usages.resize(rows_scanned_max);
    for (std::size_t i = 0; i < many.usages.size(); ++i) {
        many.usages[i].id.bytes = {0xff, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        many.usages[i].project = i == 0 ? "rare" : "common";
    }
    ASSERT_TRUE(opened->commit({&many, 1}).has_value());
    change_set one_more;
    one_more.epoch = 1;
    one_more.usages.emplace_back().project = "common";
    ASSERT_TRUE(opened->commit({&one_more, 1}).has_value());
    usage_filter rare;
    rare.project = "rare";
    const auto first = opened->readers().list_usage(rare, "", 10);
    EXPECT_TRUE(first->items.empty());
    ASSERT_FALSE(first->next_cursor.empty());
    const auto second = opened->readers().list_usage(rare, first->next_cursor, 10);
    EXPECT_EQ(second->items.size(), 1u);
    EXPECT_TRUE(second->next_cursor.empty());
}

TEST_F(sqlite_store_test, the_log_is_moved_into_the_file_beside_commits) {
    auto small_passes = options();
    small_passes.checkpoint_pages = 16;
    small_passes.log_pages_max = 1'000'000;  // the writer never moves it
    auto opened = std::move(*open_sqlite_store(small_passes));
    ASSERT_TRUE(opened->load(day_one).has_value());
    world model(1);
    const auto file_size = [&] {
        return std::filesystem::file_size(folder_ / "westerly.db");
    };
    const auto before = file_size();
    for (int i = 0; i < 3000 && file_size() < before + 64 * 4096; ++i) {
        const change_set one = model.next();
        ASSERT_TRUE(opened->commit({&one, 1}).has_value());
    }
    EXPECT_GE(file_size(), before + 64 * 4096);
}

TEST_F(sqlite_store_test, a_long_reader_stops_no_commit_and_the_log_begins_anew_after_it) {
    auto few_pages = options();
    few_pages.checkpoint_pages = 16;
    few_pages.log_pages_max = 64;
    auto opened = std::move(*open_sqlite_store(few_pages));
    ASSERT_TRUE(opened->load(day_one).has_value());
    world model(1);
    const auto write_some = [&] {
        for (int i = 0; i < 100; ++i) {
            const change_set one = model.next();
            ASSERT_TRUE(opened->commit({&one, 1}).has_value());
        }
    };
    const auto log_size = [&] {
        return std::filesystem::file_size(folder_ / "westerly.db-wal");
    };
    write_some();
    const auto usual = log_size();
    sqlite3* reader = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "westerly.db").c_str(), &reader), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM events", nullptr, nullptr, nullptr), SQLITE_OK);
    write_some();
    const auto grown = log_size();
    EXPECT_GT(grown, 2 * usual);
    sqlite3_close(reader);
    for (int i = 0; i < 5; ++i)
        write_some();
    EXPECT_LT(log_size(), grown + grown / 2);
}

TEST_F(sqlite_store_test, backs_up_while_writing_goes_on_and_restores_under_a_new_generation) {
    world model(1);
    auto opened = filled(model);
    const auto copy = folder_ / "copy.db";
    ASSERT_TRUE(opened->backup(copy).has_value());
    EXPECT_EQ(opened->backup(copy).error().code, errc::conflict);
    const std::size_t kept = model.workloads().size();
    const std::string cursor = opened->readers().list_events({}, "", 5)->next_cursor;
    while (model.workloads().size() < kept + 5) {
        const change_set one = model.next();
        ASSERT_TRUE(opened->commit({&one, 1}).has_value());
    }
    EXPECT_EQ(restore_sqlite(copy, folder_ / "westerly.db").error().code, errc::conflict) << "it is in use";
    opened.reset();

    ASSERT_TRUE(restore_sqlite(copy, folder_ / "westerly.db").has_value());
    opened = open();
    const auto state = opened->load(day_one);
    EXPECT_EQ(state->generation, 2u);
    EXPECT_FALSE(state->sweeping);
    EXPECT_GT(state->epoch, 2u) << "fences given out since the backup must lie behind";
    EXPECT_EQ(opened->readers().list_workloads({}, "", page_size_max)->items.size(), kept);
    EXPECT_EQ(opened->readers().list_events({}, cursor, 5).error().code, errc::invalid) << "it may point past the end";
    opened.reset();

    ASSERT_TRUE(restore_sqlite(copy, folder_ / "westerly.db").has_value());
    EXPECT_EQ(open()->load(day_one)->generation, 3u) << "never one that was used before";
}

TEST_F(sqlite_store_test, restores_over_a_damaged_database) {
    world model(1);
    auto opened = filled(model);
    ASSERT_TRUE(opened->backup(folder_ / "copy.db").has_value());
    opened.reset();
    std::ofstream(folder_ / "westerly.db") << "rubbish";
    EXPECT_TRUE(restore_sqlite(folder_ / "copy.db", folder_ / "westerly.db").has_value());
    EXPECT_TRUE(open());
}

TEST_F(sqlite_store_test, refuses_to_restore_what_is_no_good_backup) {
    open();
    const auto here = folder_ / "westerly.db";
    EXPECT_EQ(restore_sqlite(folder_ / "missing.db", here).error().code, errc::not_found);
    EXPECT_EQ(restore_sqlite(here, here).error().code, errc::conflict);
    std::ofstream(folder_ / "empty.db").flush();
    EXPECT_EQ(restore_sqlite(folder_ / "empty.db", here).error().code, errc::conflict);
    std::ofstream(folder_ / "rubbish.db") << std::string(5000, 'x');
    EXPECT_EQ(restore_sqlite(folder_ / "rubbish.db", here).error().code, errc::storage_failed);
    EXPECT_TRUE(open()) << "what was there stays";
}

TEST_F(sqlite_store_test, gives_what_a_publication_may_correct_with_its_corrections) {
    auto opened = open();
    ASSERT_TRUE(opened->load(day_one).has_value());
    const auto row = [](std::uint8_t number, const char* zone, const char* site, int from_h, int until_h) {
        usage u;
        u.id.bytes[0] = number;
        u.grid_zone = zone;
        u.provider = "p";
        u.site = site;
        u.start_at = day_one + std::chrono::hours(from_h);
        u.end_at = day_one + std::chrono::hours(until_h);
        return u;
    };
    change_set all;
    all.epoch = 1;
    all.usages = {row(1, "Z", "a", 0, 5), row(2, "Y", "b", 0, 5), row(3, "Z", "a", 4, 9), row(4, "Z", "a", 9, 12)};
    usage correction = row(5, "Z", "a", 0, 5);
    correction.correction =
        carbon_correction{all.usages[0].id, 41, correction.start_at, correction.end_at, 0.1, 2026, "late"};
    all.usages.push_back(correction);
    ASSERT_TRUE(opened->commit({&all, 1}).has_value());

    const auto hours = [](int n) {
        return day_one + std::chrono::hours(n);
    };
    const correction_filter in_zone{"Z", {}, {}, hours(4), hours(9)};
    const auto first = opened->readers().list_correctable(in_zone, "", 1);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->rows, (std::vector<correctable>{{all.usages[2], {}}}));
    EXPECT_EQ(first->corrections, 41u);
    ASSERT_FALSE(first->next_cursor.empty());
    const auto second = opened->readers().list_correctable(in_zone, first->next_cursor, 1);
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->rows, (std::vector<correctable>{{all.usages[0], {correction}}}));
    EXPECT_TRUE(second->next_cursor.empty());
    const auto of_site = opened->readers().list_correctable({"", "p", "b", hours(0), hours(1)}, "", 9);
    EXPECT_EQ(of_site->rows, (std::vector<correctable>{{all.usages[1], {}}}));
    EXPECT_EQ(opened->readers().list_correctable(in_zone, "x", 9).error().code, errc::invalid);
    opened.reset();
    EXPECT_EQ(open()->load(day_one)->corrections, 41u);
}

/// Rows of before migration 10 say in words only what they count by the grid.
TEST_F(sqlite_store_test, learns_from_older_rows_what_they_count_by_the_grid) {
    std::string older;
    for (const std::string_view name : embedded_names("schema/sql/"))
        if (name.substr(11, 4) < "0010")
            older += std::string(*embedded_file(name)) + "\n";
    const auto insert = [](const char* id, const char* source) {
        return std::string(
                   "INSERT INTO usage (shard, id, attempt, workload, tenant, project, provider, site, region,"
                   " offer, start_at, end_at, units, non_green_microkwh, carbon_source, carbon_quality,"
                   " measured, carbon_market_source) VALUES (0, x'") +
               id +
               "000000000000000000000000000000', zeroblob(16), zeroblob(16), zeroblob(16), '', 'p', 's', 'r', 'o', 0,"
               " 1, 1, 900, '', 0, 1, '" +
               source + "');";
    };
    older += insert("01", "certificate one for 0.000100 kWh; the rest by grid average (x): no residual mix is known") +
             insert("02", "the rest by residual mix (x)") +
             "INSERT INTO certificate_uses VALUES (x'01000000000000000000000000000000', 'one', zeroblob(16), 100);"
             "PRAGMA user_version = 9; PRAGMA application_id = 1465078833;";
    meddle(folder_ / "westerly.db", older.c_str());
    const auto opened = open();
    const auto rows = opened->readers().list_usage({}, "", 9);
    ASSERT_EQ(rows->items.size(), 2u);
    EXPECT_EQ(rows->items[0].by_grid_microkwh, std::nullopt);
    EXPECT_EQ(rows->items[1].by_grid_microkwh, 800);
}

TEST_F(sqlite_store_test, reads_on_many_threads_while_one_writes) {
    world model(1);
    auto opened = filled(model);
    const auto ids = model.workloads();
    std::atomic<int> failures = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 12; ++t)  // more than there are connections
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                const workload& w = ids[static_cast<std::size_t>(t + i) % ids.size()];
                const auto got = opened->readers().find_workload(w.tenant, w.id);
                failures += !got || got->id != w.id;
                failures += !opened->readers().list_events({w.tenant, w.id}, "", 50);
            }
        });
    for (int i = 0; i < 50; ++i) {
        const change_set one = model.next();
        ASSERT_TRUE(opened->commit({&one, 1}).has_value());
    }
    ASSERT_TRUE(opened->backup(folder_ / "meanwhile.db").has_value());
    threads.clear();
    EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace westerly::test
