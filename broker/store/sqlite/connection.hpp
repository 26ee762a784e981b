#pragma once

#include "broker/domain/ids.hpp"
#include "broker/domain/money.hpp"
#include "broker/support/result.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace westerly {

/// What SQLite refused, or a row that cannot be what we wrote. Thrown inside this folder only, because nearly every
/// line here can meet it; each verb of the store turns it into a value at its border (see guarded).
class sqlite_failure : public std::runtime_error {
public:
    sqlite_failure(int sqlite_code, const std::string& what) : std::runtime_error(what), code(sqlite_code) {}
    int code;  // SQLite's primary result code
};
/// The same as a value, with what the operator can do about it.
error to_error(const sqlite_failure& why);
/// Runs a verb's body, failures as values.
template <class Body>
auto guarded(const Body& body) -> decltype(body()) {
    try {
        return body();
    } catch (const sqlite_failure& why) {
        return to_error(why);
    }
}
/// A row that decodes to nothing that we could have written.
[[noreturn]] void throw_damaged(const std::string& what);
/// A change of something that is not stored: a defect of the caller, refused like a broken constraint.
[[noreturn]] void throw_missing(const std::string& what);

/// SQL text that is a literal: it outlives every statement cached under its address.
struct sql_text {
    consteval sql_text(const char* literal) : text(literal) {}
    const char* text;
};

/// One run of a prepared query; gives the statement back when it goes out of scope. Move-only, one thread.
class statement {
public:
    explicit statement(sqlite3_stmt* prepared) : prepared_(prepared) {}
    statement(statement&& other) noexcept : prepared_(std::exchange(other.prepared_, nullptr)), column_(0) {}
    statement& operator=(statement&&) = delete;
    ~statement();

    /// Moves to the next row; false at the end.
    bool step();

    /// The next column of this row, left to right. Throws sqlite_failure where the row cannot hold a T.
    template <class T>
    T take();
    void skip() { ++column_; }

private:
    bool is_null() const;
    std::int64_t integer();
    double real();
    std::string_view text();
    void bytes(std::span<std::uint8_t> out);

    sqlite3_stmt* prepared_;
    int column_ = 0;
};

/// A database connection with its prepared statements. One thread at a time.
class connection {
public:
    static constexpr int busy_wait_ms = 5000;  // backups and checkpoints hold locks for moments

    enum class access : std::uint8_t { create, read_write, read_only };
    connection(const std::filesystem::path& file, access how);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    /// Runs a script of statements without parameters or rows.
    void execute(const std::string& script);

    /// Runs a statement that changes rows; gives how many.
    template <class... T>
    int run(sql_text sql, const T&... values);

    /// Starts a query; its values are copied.
    template <class... T>
    statement query(sql_text sql, const T&... values);

    /// The first column of the first row; throws when there is none.
    template <class T, class... V>
    T scalar(sql_text sql, const V&... values);

    std::int64_t last_row() const;
    sqlite3* handle() const { return database_.get(); }

private:
    struct closer {
        void operator()(sqlite3* database) const;
    };
    struct finalizer {
        void operator()(sqlite3_stmt* prepared) const;
    };
    sqlite3_stmt* prepare(sql_text sql, int parameters);
    int finish(sqlite3_stmt* prepared);

    std::filesystem::path file_;
    std::unique_ptr<sqlite3, closer> database_;
    std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, finalizer>> prepared_;
};

/// A transaction that is rolled back unless it was committed.
class transaction {
public:
    enum class kind : std::uint8_t { write, read };
    transaction(connection& database, kind what);
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    ~transaction();
    void commit();

private:
    connection& database_;
    bool open_ = true;
};

/// Bytes of a blob column; read back with take<std::string_view>.
struct packed_bytes {
    std::string_view bytes;
};

namespace bind {
void null(sqlite3_stmt* prepared, int at);
void integer(sqlite3_stmt* prepared, int at, std::int64_t value);
void real(sqlite3_stmt* prepared, int at, double value);
void text(sqlite3_stmt* prepared, int at, std::string_view value, bool copied);
void blob(sqlite3_stmt* prepared, int at, std::span<const std::uint8_t> value, bool copied);

inline void value(sqlite3_stmt* p, int at, std::string_view v, bool copied) {
    text(p, at, v, copied);
}
inline void value(sqlite3_stmt* p, int at, packed_bytes v, bool copied) {
    blob(p, at, {reinterpret_cast<const std::uint8_t*>(v.bytes.data()), v.bytes.size()}, copied);
}
inline void value(sqlite3_stmt* p, int at, double v, bool) {
    real(p, at, v);
}
inline void value(sqlite3_stmt* p, int at, instant v, bool) {
    integer(p, at, v.time_since_epoch().count());
}
template <std::integral T>
void value(sqlite3_stmt* p, int at, T v, bool) {
    integer(p, at, static_cast<std::int64_t>(v));
}
template <class T>
requires std::is_enum_v<T>
void value(sqlite3_stmt* p, int at, T v, bool) {
    integer(p, at, static_cast<std::int64_t>(v));
}
template <class Tag>
void value(sqlite3_stmt* p, int at, const typed_id<Tag>& v, bool copied) {
    blob(p, at, v.bytes, copied);
}
template <std::size_t N>
void value(sqlite3_stmt* p, int at, const std::array<std::uint8_t, N>& v, bool copied) {
    blob(p, at, v, copied);
}
template <class T>
void value(sqlite3_stmt* p, int at, const std::optional<T>& v, bool copied) {
    if (v)
        value(p, at, *v, copied);
    else
        null(p, at);
}
}  // namespace bind

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
T statement::take() {
    if constexpr (is_optional<T>::value) {
        if (is_null()) {
            ++column_;
            return std::nullopt;
        }
        return take<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, std::string>) {
        return std::string(text());
    } else if constexpr (std::is_same_v<T, std::string_view>) {
        return text();
    } else if constexpr (std::is_same_v<T, double>) {
        return real();
    } else if constexpr (std::is_same_v<T, instant>) {
        return instant(milliseconds(integer()));
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        return static_cast<T>(integer());
    } else if constexpr (requires(T id) { id.none(); }) {
        T id;
        bytes(id.bytes);
        return id;
    } else {
        T array;
        bytes(array);
        return array;
    }
}

template <class... T>
int connection::run(sql_text sql, const T&... values) {
    sqlite3_stmt* prepared = prepare(sql, sizeof...(values));
    int at = 0;
    (bind::value(prepared, ++at, values, false), ...);  // the values outlive this call
    return finish(prepared);
}

template <class... T>
statement connection::query(sql_text sql, const T&... values) {
    sqlite3_stmt* prepared = prepare(sql, sizeof...(values));
    statement started(prepared);
    int at = 0;
    (bind::value(prepared, ++at, values, true), ...);
    return started;
}

template <class T, class... V>
T connection::scalar(sql_text sql, const V&... values) {
    statement rows = query(sql, values...);
    if (!rows.step())
        throw_damaged(std::string("no row for: ") + sql.text);
    return rows.take<T>();
}

}  // namespace westerly
