#include "broker/store/sqlite/copy.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

namespace westerly {

namespace {

error file_error(const std::filesystem::path& file, const char* doing) {
    return fail(errc::storage_failed,
                std::string(doing) + " " + file.string() + ": " + std::generic_category().message(errno),
                "Check that the folder exists, has room and may be written by this user.");
}

result<void> sync_path(const std::filesystem::path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
    if (descriptor < 0)
        return file_error(path, "open");
    const bool synced = ::fsync(descriptor) == 0;
    const error why = file_error(path, "sync");
    ::close(descriptor);
    return synced ? result<void>() : why;
}

void copy_pages(connection& source, connection& copy) {
    sqlite3_backup* under_way = sqlite3_backup_init(copy.handle(), "main", source.handle(), "main");
    if (!under_way)
        throw sqlite_failure(sqlite3_errcode(copy.handle()) & 0xff, sqlite3_errmsg(copy.handle()));
    // All at once is one reading transaction: in steps, every commit of another connection would start it anew.
    sqlite3_backup_step(under_way, -1);
    const int got = sqlite3_backup_finish(under_way);
    if (got != SQLITE_OK)
        throw sqlite_failure(got & 0xff, std::string("copying the database: ") + sqlite3_errstr(got));
}

}  // namespace

result<void> sync_folder_of(const std::filesystem::path& file) {
    const auto folder = file.parent_path();
    return sync_path(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to, bool replace) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), replace ? 0 : RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST)
            return fail(errc::conflict, to.string() + " exists", "Name a file that does not exist yet.");
        return file_error(to, "make");
    }
    return sync_folder_of(to);
}

result<void> copy_database(connection& source, const std::filesystem::path& to,
                           const std::function<void(connection&)>& finish) {
    const int descriptor = ::open(to.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno == EEXIST)
        return fail(errc::conflict, to.string() + " exists",
                    "Name another file, or remove it if it is left over from a copy that was interrupted.");
    if (descriptor < 0)
        return file_error(to, "make");
    ::close(descriptor);
    try {
        connection copy(to, connection::access::read_write);
        copy_pages(source, copy);
        copy.execute("PRAGMA journal_mode = DELETE");
        finish(copy);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove(to, ignored);
        std::filesystem::remove(to.string() + "-journal", ignored);
        throw;
    }
    return sync_path(to, O_RDONLY);
}

}  // namespace westerly
