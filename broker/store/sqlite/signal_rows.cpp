#include "broker/store/sqlite/signal_rows.hpp"

#include "broker/codec/signal_pack.hpp"
#include "broker/store/sqlite/sealed.hpp"

namespace westerly {
namespace {

/// What was said is heard by decisions for a minute after; an hour is more than enough.
constexpr std::chrono::hours terms_kept_beyond{1};

[[noreturn]] void throw_changed(std::uint64_t seq) {
    throw_damaged("the history of signals and terms: entry " + std::to_string(seq) + " was changed");
}

template <class T>
T sound(result<T> read, std::uint64_t seq) {
    if (!read)
        throw_damaged("the history of signals and terms, entry " + std::to_string(seq) + ": " + read.error().detail);
    return std::move(*read);
}

/// What one feed told at `seq`: the last time all of it was written, and what changed since.
signal_list told_at(connection& database, const std::string& feed, std::uint64_t from, std::uint64_t seq) {
    signal_list told;
    statement rows = database.query(
        "SELECT seq, whole, packed FROM signal_history WHERE feed = ?1 AND seq <= ?3 AND seq >="
        " (SELECT max(seq) FROM signal_history WHERE feed = ?1 AND whole = 1 AND seq BETWEEN ?2 AND ?3)"
        " ORDER BY seq",
        feed, from, seq);
    while (rows.step()) {
        const auto at = rows.take<std::uint64_t>();
        const bool whole = rows.take<bool>();
        const auto row = rows.take<std::string>();
        const auto packed = unsealed(row);
        if (!packed)
            throw_changed(at);
        told = sound(whole ? unpack_signals(*packed) : unpack_signal_change(*packed, told), at);
    }
    return told;
}

}  // namespace

void put_signals(connection& database, const signal_entry& entry) {
    const auto row = sealed(entry.whole ? pack_signals(entry.now) : pack_signal_change(entry.before, entry.now));
    database.run("INSERT INTO signal_history (seq, at, feed, whole, packed) VALUES (?, ?, ?, ?, ?)", entry.seq,
                 entry.at, entry.feed, entry.whole, packed_bytes{row});
}

void put_terms(connection& database, const terms_entry& entry) {
    const auto packed = pack_terms(entry.said);
    const auto digest = sha256(packed);
    database.run("INSERT INTO terms_contents (digest, packed) VALUES (?, ?) ON CONFLICT DO NOTHING", digest,
                 packed_bytes{packed});
    database.run("INSERT INTO terms_history (seq, at, digest) VALUES (?, ?, ?)", entry.seq, entry.at, digest);
}

std::uint64_t last_signal_seq(connection& database) {
    return database.scalar<std::uint64_t>(
        "SELECT max(coalesce((SELECT max(seq) FROM signal_history), 0),"
        " coalesce((SELECT max(seq) FROM terms_history), 0))");
}

std::vector<std::pair<std::string, signal_list>> signals_at(connection& database, std::uint64_t began,
                                                            std::uint64_t seq) {
    std::vector<std::pair<std::string, signal_list>> all;
    {
        statement rows = database.query(
            "SELECT DISTINCT feed FROM signal_history WHERE seq BETWEEN ? AND ? ORDER BY feed", began, seq);
        while (rows.step())
            all.emplace_back(rows.take<std::string>(), signal_list());
    }
    for (auto& [feed, told] : all)
        told = told_at(database, feed, began, seq);
    return all;
}

std::optional<std::vector<foreign_column>> terms_said_at(connection& database, std::uint64_t seq) {
    statement rows = database.query(
        "SELECT c.digest, c.packed FROM terms_history h JOIN terms_contents c ON c.digest = h.digest WHERE h.seq = ?",
        seq);
    if (!rows.step())
        return std::nullopt;
    const auto digest = rows.take<std::string>();
    const auto packed = rows.take<std::string>();
    if (bytes_of(sha256(packed)) != digest)
        throw_changed(seq);
    return columns_of(sound(unpack_terms(packed), seq));
}

bool forget_signals(connection& database, instant before, std::uint32_t rows_max) {
    database.run(
        "DELETE FROM signal_history WHERE seq IN (SELECT s.seq FROM signal_history s WHERE s.at < ?1 AND"
        " (EXISTS (SELECT 1 FROM signal_history w WHERE w.feed = s.feed AND w.whole = 1 AND w.seq > s.seq AND w.at < "
        "?1)"
        "  OR EXISTS (SELECT 1 FROM book_history b WHERE b.provider = '' AND b.seq > s.seq AND b.at < ?1)) LIMIT ?2)",
        before, rows_max);
    const auto signals = database.scalar<std::uint64_t>("SELECT changes()");
    database.run("DELETE FROM terms_history WHERE seq IN (SELECT seq FROM terms_history WHERE at < ? LIMIT ?)",
                 before - terms_kept_beyond, rows_max);
    const auto terms = database.scalar<std::uint64_t>("SELECT changes()");
    if (terms > 0)
        database.run("DELETE FROM terms_contents WHERE digest NOT IN (SELECT digest FROM terms_history)");
    return signals == rows_max || terms == rows_max;
}

}  // namespace westerly
