#include "broker/store/sqlite/connection.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace westerly {

namespace {

[[noreturn]] void throw_last(sqlite3* database, const std::string& doing) {
    const int extended = sqlite3_extended_errcode(database);
    throw sqlite_failure(extended & 0xff,
                         doing + ": " + sqlite3_errmsg(database) + " (SQLite " + std::to_string(extended) + ")");
}

/// SQLite would make the file readable by all; what tenants run and the hashes of keys are nobody else's.
void make_private_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        throw sqlite_failure(SQLITE_CANTOPEN, file.string() + ": " + std::generic_category().message(errno));
    ::close(descriptor);
}

std::string remedy_for(int code) {
    switch (code) {
        case SQLITE_FULL:
            return "Free space on the disk that holds the database, then start westerlyd again: what was acknowledged "
                   "is kept.";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "Keep a copy of the damaged file, then restore the latest backup in its place.";
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
            return "Check that the folder exists and that westerlyd's user may read and write the file in it.";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "Another program holds the database: close it and try again.";
        case SQLITE_IOERR:
            return "Check the disk and the system's log, then start westerlyd again: what was acknowledged is kept.";
        default:
            return "Start westerlyd again; when it happens again, keep a copy of the database and report it.";
    }
}

}  // namespace

error to_error(const sqlite_failure& why) {
    return fail(errc::storage_failed, why.what(), remedy_for(why.code));
}

void throw_damaged(const std::string& what) {
    throw sqlite_failure(SQLITE_CORRUPT, "damaged row: " + what);
}

void throw_missing(const std::string& what) {
    throw sqlite_failure(SQLITE_CONSTRAINT, what);
}

statement::~statement() {
    if (prepared_)
        sqlite3_reset(prepared_);
}

bool statement::step() {
    column_ = 0;
    const int got = sqlite3_step(prepared_);
    if (got == SQLITE_ROW)
        return true;
    if (got == SQLITE_DONE)
        return false;
    sqlite3* database = sqlite3_db_handle(prepared_);
    throw_last(database, sqlite3_db_filename(database, "main"));
}

bool statement::is_null() const {
    return sqlite3_column_type(prepared_, column_) == SQLITE_NULL;
}

std::int64_t statement::integer() {
    if (sqlite3_column_type(prepared_, column_) != SQLITE_INTEGER)
        throw_damaged(std::string(sqlite3_column_name(prepared_, column_)) + " is no integer");
    return sqlite3_column_int64(prepared_, column_++);
}

double statement::real() {
    return sqlite3_column_double(prepared_, column_++);
}

std::string_view statement::text() {
    const int at = column_++;
    const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(prepared_, at));
    return {start ? start : "", static_cast<std::size_t>(sqlite3_column_bytes(prepared_, at))};
}

void statement::bytes(std::span<std::uint8_t> out) {
    const int at = column_++;
    const void* start = sqlite3_column_blob(prepared_, at);
    if (static_cast<std::size_t>(sqlite3_column_bytes(prepared_, at)) != out.size())
        throw_damaged(std::string(sqlite3_column_name(prepared_, at)) + " has another length");
    std::memcpy(out.data(), start, out.size());
}

void connection::closer::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

void connection::finalizer::operator()(sqlite3_stmt* prepared) const {
    sqlite3_finalize(prepared);
}

connection::connection(const std::filesystem::path& file, access how) : file_(file) {
    if (how == access::create)
        make_private_file(file);
    const int mode = how == access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    sqlite3* opened = nullptr;
    const int got = sqlite3_open_v2(file.c_str(), &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    database_.reset(opened);
    if (got != SQLITE_OK)
        throw sqlite_failure(got & 0xff, file.string() + ": " + (opened ? sqlite3_errmsg(opened) : "out of memory"));
    sqlite3_busy_timeout(opened, busy_wait_ms);
}

connection::~connection() {
    prepared_.clear();
}

void connection::execute(const std::string& script) {
    if (sqlite3_exec(handle(), script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        throw_last(handle(), file_.string());
}

std::int64_t connection::last_row() const {
    return sqlite3_last_insert_rowid(handle());
}

sqlite3_stmt* connection::prepare(sql_text sql, int parameters) {
    auto& cached = prepared_[sql.text];
    if (!cached) {
        sqlite3_stmt* made = nullptr;
        if (sqlite3_prepare_v3(handle(), sql.text, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK)
            throw_last(handle(), file_.string());
        cached.reset(made);
    }
    if (sqlite3_bind_parameter_count(cached.get()) != parameters)
        throw std::logic_error(std::string("wrong number of values for: ") + sql.text);
    if (sqlite3_stmt_busy(cached.get()))
        throw std::logic_error(std::string("statement already runs: ") + sql.text);
    return cached.get();
}

int connection::finish(sqlite3_stmt* prepared) {
    const int got = sqlite3_step(prepared);
    if (got != SQLITE_DONE && got != SQLITE_ROW) {
        const int extended = sqlite3_extended_errcode(handle());
        const std::string what = file_.string() + ": " + sqlite3_errmsg(handle()) + " (SQLite " +
                                 std::to_string(extended) + ") in: " + sqlite3_sql(prepared);
        sqlite3_reset(prepared);
        throw sqlite_failure(extended & 0xff, what);
    }
    sqlite3_reset(prepared);
    return sqlite3_changes(handle());
}

transaction::transaction(connection& database, kind what) : database_(database) {
    if (what == kind::write)
        database_.run("BEGIN IMMEDIATE");
    else
        database_.run("BEGIN");
}

transaction::~transaction() {
    if (open_)
        sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);  // SQLite may have done so already
}

void transaction::commit() {
    database_.run("COMMIT");
    open_ = false;
}

namespace bind {

namespace {
void check(sqlite3_stmt* prepared, int got) {
    if (got != SQLITE_OK)
        throw_last(sqlite3_db_handle(prepared), sqlite3_sql(prepared));
}
}  // namespace

void null(sqlite3_stmt* prepared, int at) {
    check(prepared, sqlite3_bind_null(prepared, at));
}
void integer(sqlite3_stmt* prepared, int at, std::int64_t value) {
    check(prepared, sqlite3_bind_int64(prepared, at, value));
}
void real(sqlite3_stmt* prepared, int at, double value) {
    check(prepared, sqlite3_bind_double(prepared, at, value));
}
void text(sqlite3_stmt* prepared, int at, std::string_view value, bool copied) {
    // An empty view may point nowhere, which SQLite would take for NULL.
    check(prepared, sqlite3_bind_text64(prepared, at, value.data() ? value.data() : "", value.size(),
                                        copied ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8));
}
void blob(sqlite3_stmt* prepared, int at, std::span<const std::uint8_t> value, bool copied) {
    check(prepared,
          sqlite3_bind_blob64(prepared, at, value.data(), value.size(), copied ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

}  // namespace bind

}  // namespace westerly
