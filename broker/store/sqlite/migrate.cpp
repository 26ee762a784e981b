#include "broker/store/sqlite/migrate.hpp"

#include "broker/support/embedded.hpp"

#include <algorithm>
#include <charconv>

namespace westerly {

namespace {

constexpr std::int64_t application_id = 0x57535431;  // "WST1": tells our files from other SQLite databases

struct migration {
    std::int64_t version = 0;
    std::string_view name;
};

/// schema/sql/NNNN_*.sql in the order of their numbers, which run from 1 without gaps (a test holds that).
std::vector<migration> migrations() {
    constexpr std::string_view folder = "schema/sql/";
    std::vector<migration> all;
    for (const std::string_view name : embedded_names(folder)) {
        migration found{0, name};
        const std::string_view number = name.substr(folder.size());
        std::from_chars(number.data(), number.data() + number.size(), found.version);
        all.push_back(found);
    }
    std::ranges::sort(all, {}, &migration::version);
    return all;
}

std::int64_t schema_of(connection& database) {
    return database.scalar<std::int64_t>("PRAGMA user_version");
}

/// What the last migration says of older binaries; the version itself where nothing is said.
std::int64_t oldest_that_may_run(connection& database, std::int64_t version) {
    const bool told =
        database.scalar<bool>("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'");
    if (!told)
        return version;
    statement rows = database.query("SELECT oldest_schema FROM migrations WHERE version = ?", version);
    return rows.step() ? rows.take<std::int64_t>() : version;
}

}  // namespace

std::int64_t newest_schema() {
    static const std::int64_t newest = migrations().back().version;
    return newest;
}

result<void> check_schema(connection& database, const std::filesystem::path& file) {
    const auto id = database.scalar<std::int64_t>("PRAGMA application_id");
    const auto tables = database.scalar<std::int64_t>("SELECT count(*) FROM sqlite_schema");
    if (tables > 0 && id != application_id)
        return fail(errc::conflict, file.string() + " is a database of another program",
                    "Give westerlyd another file, or move this one away.");
    const std::int64_t version = schema_of(database);
    if (version <= newest_schema())
        return {};
    const std::int64_t oldest = oldest_that_may_run(database, version);
    if (oldest <= newest_schema())
        return {};
    return fail(errc::conflict,
                file.string() + " has schema " + std::to_string(version) + ", and this westerlyd knows schemas up to " +
                    std::to_string(newest_schema()) + "; the database asks for one that knows schema " +
                    std::to_string(oldest),
                "Start the newer westerlyd again, or restore a backup that was made before the upgrade.");
}

void migrate(connection& database) {
    for (const migration& next : migrations()) {
        if (next.version <= schema_of(database))
            continue;
        transaction all_or_nothing(database, transaction::kind::write);
        database.execute(std::string(*embedded_file(next.name)));
        database.execute("PRAGMA user_version = " + std::to_string(next.version) +
                         "; PRAGMA application_id = " + std::to_string(application_id));
        all_or_nothing.commit();
    }
}

}  // namespace westerly
