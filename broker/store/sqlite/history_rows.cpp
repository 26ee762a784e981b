#include "broker/store/sqlite/history_rows.hpp"

#include "broker/codec/history_pack.hpp"
#include "broker/domain/queries.hpp"
#include "broker/store/sqlite/sealed.hpp"
#include "broker/store/sqlite/signal_rows.hpp"

#include <algorithm>

namespace westerly {
namespace {

/// The bytes under a digest, if they still are what was written.
std::string content_of(connection& database, const std::string& digest, std::uint64_t seq) {
    statement rows = database.query("SELECT packed FROM book_contents WHERE digest = ?", packed_bytes{digest});
    if (!rows.step())
        throw_damaged("the history of offers: what entry " + std::to_string(seq) + " names is missing");
    std::string packed(rows.take<std::string_view>());
    if (bytes_of(sha256(packed)) != digest)
        throw_damaged("the history of offers: what entry " + std::to_string(seq) + " names was changed");
    return packed;
}

template <class T>
T sound(result<T> read, std::uint64_t seq) {
    if (!read)
        throw_damaged("the history of offers, entry " + std::to_string(seq) + ": " + read.error().detail);
    return std::move(*read);
}

offer_list changed(const offer_list& before, const offers_change& by) {
    std::vector<offer_list::shared> each;
    each.reserve(before.size() + by.offers.size());
    auto fresh = by.offers.all().begin();
    const auto end = by.offers.all().end();
    for (const auto& old : before.all()) {
        for (; fresh != end && (*fresh)->id < old->id; ++fresh)
            each.push_back(*fresh);
        if (fresh != end && (*fresh)->id == old->id)
            each.push_back(*fresh++);
        else if (!std::ranges::binary_search(by.gone, old->id))
            each.push_back(old);
    }
    each.insert(each.end(), fresh, end);
    return offer_list(std::move(each));
}

/// A change that stands in its row, if its bytes still are what was written.
offers_change change_of(const std::optional<std::string>& row, std::uint64_t seq) {
    const auto change = row ? unsealed(*row) : std::nullopt;
    if (!change)
        throw_damaged("the history of offers: entry " + std::to_string(seq) + " was changed");
    return sound(unpack_change(*change), seq);
}

const offer* find_offer(const offer_list& offers, const offer_id& id) {
    const auto at =
        std::ranges::lower_bound(offers.all(), id, {}, [](const auto& o) -> const offer_id& { return o->id; });
    return at != offers.all().end() && (*at)->id == id ? at->get() : nullptr;
}

/// What one entry tells of an offer; nullopt: nothing new.
std::optional<offer_past> told_of(connection& database, const offer_id& id, std::uint64_t seq,
                                  const std::optional<std::string>& digest, const std::optional<std::string>& change) {
    offer_list offers;
    bool gone = digest.has_value();
    if (digest) {
        offers = sound(unpack_offers(content_of(database, *digest, seq)), seq);
    } else {
        auto by = change_of(change, seq);
        gone = std::ranges::binary_search(by.gone, id);
        offers = std::move(by.offers);
    }
    if (const offer* known = find_offer(offers, id))
        return offer_past{{},           true,           known->price, known->units_free, known->price_source,
                          known->as_of, known->schedule};
    if (!gone)
        return std::nullopt;
    offer_past withdrawn;
    withdrawn.offered = false;
    return withdrawn;
}

bool tells_the_same(const offer_past& a, const offer_past& b) {
    return a.offered == b.offered && a.price == b.price && a.units_free == b.units_free &&
           a.price_source == b.price_source && a.schedule == b.schedule;
}

/// One provider's offers at `seq`: the last time all of them were written, and what changed since.
offer_list offers_at(connection& database, const provider_id& provider, std::uint64_t from, std::uint64_t seq) {
    offer_list offers;
    statement rows = database.query(
        "SELECT seq, digest, change FROM book_history WHERE provider = ?1 AND seq <= ?3 AND seq >="
        " (SELECT max(seq) FROM book_history WHERE provider = ?1 AND digest IS NOT NULL AND seq BETWEEN ?2 AND ?3)"
        " ORDER BY seq",
        provider, from, seq);
    while (rows.step()) {
        const auto at = rows.take<std::uint64_t>();
        const auto digest = rows.take<std::optional<std::string>>();
        const auto change = rows.take<std::optional<std::string>>();
        if (digest) {
            offers = sound(unpack_offers(content_of(database, *digest, at)), at);
            continue;
        }
        offers = changed(offers, change_of(change, at));
    }
    return offers;
}

}  // namespace

void put_history(connection& database, const history_entry& entry) {
    if (!entry.whole) {
        const auto change = pack_change(entry.offers, entry.gone);
        database.run("INSERT INTO book_history (seq, at, provider, change) VALUES (?, ?, ?, ?)", entry.seq, entry.at,
                     entry.provider, packed_bytes{sealed(change)});
        return;
    }
    const auto packed = entry.provider.empty() ? pack_facts(entry.facts) : pack_offers(entry.offers);
    const auto digest = sha256(packed);
    database.run("INSERT INTO book_contents (digest, packed) VALUES (?, ?) ON CONFLICT DO NOTHING", digest,
                 packed_bytes{packed});
    database.run("INSERT INTO book_history (seq, at, provider, digest) VALUES (?, ?, ?, ?)", entry.seq, entry.at,
                 entry.provider, digest);
}

void put_policy_text(connection& database, const policy_text& text) {
    database.run("INSERT INTO policy_texts (name, version, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", text.name,
                 text.version, text.text);
}

std::uint64_t last_history_seq(connection& database) {
    return std::max(database.scalar<std::uint64_t>("SELECT coalesce(max(seq), 0) FROM book_history"),
                    last_signal_seq(database));
}

std::optional<policy_text> find_policy_text(connection& database, const std::string& name, const std::string& version) {
    statement rows = database.query("SELECT text FROM policy_texts WHERE name = ? AND version = ?", name, version);
    if (!rows.step())
        return std::nullopt;
    return policy_text{name, version, rows.take<std::string>()};
}

std::optional<market_past> market_at(connection& database, std::uint64_t seq) {
    market_past past;
    past.seq = seq;
    std::uint64_t began = 0;
    {
        statement rows = database.query(
            "SELECT seq, digest FROM book_history WHERE provider = '' AND seq <= ? ORDER BY seq DESC LIMIT 1", seq);
        if (!rows.step())
            return std::nullopt;
        began = rows.take<std::uint64_t>();
        past.facts = sound(unpack_facts(content_of(database, rows.take<std::string>(), began)), began);
    }
    std::vector<provider_id> providers;
    {
        statement rows = database.query(
            "SELECT DISTINCT provider FROM book_history WHERE seq BETWEEN ? AND ? AND provider <> '' ORDER BY provider",
            began, seq);
        while (rows.step())
            providers.push_back(rows.take<std::string>());
    }
    for (auto& provider : providers) {
        auto offers = offers_at(database, provider, began, seq);
        past.offers.emplace_back(std::move(provider), std::move(offers));
    }
    past.signals = signals_at(database, began, seq);
    return past;
}

/// Starts are passed over: after one, the provider's first entry holds all that it offers.
std::vector<offer_past> history_of(connection& database, const offer_id& id, instant from, instant until) {
    const provider_id provider = id.substr(0, id.find('/'));
    statement rows = database.query(
        "SELECT seq, at, digest, change FROM book_history WHERE provider = ?1 AND at < ?3 AND seq >="
        " (SELECT coalesce(max(seq), 0) FROM book_history WHERE provider = ?1 AND digest IS NOT NULL AND at <= ?2)"
        " ORDER BY seq",
        provider, from, until);
    std::vector<offer_past> told;
    while (rows.step()) {
        const auto seq = rows.take<std::uint64_t>();
        const auto at = rows.take<instant>();
        const auto digest = rows.take<std::optional<std::string>>();
        const auto change = rows.take<std::optional<std::string>>();
        auto now = told_of(database, id, seq, digest, change);
        if (!now || (told.empty() ? !now->offered : tells_the_same(told.back(), *now)))
            continue;
        now->at = at;
        if (at <= from)
            told.clear();
        told.push_back(std::move(*now));
    }
    if (!told.empty() && !told.front().offered)
        told.erase(told.begin());
    if (told.size() > offer_history_max)
        told.erase(told.begin(), told.end() - static_cast<std::ptrdiff_t>(offer_history_max));
    return told;
}

bool forget_history(connection& database, instant before, std::uint32_t rows_max) {
    // A row goes when a later one, itself old, begins its provider anew: nothing younger is made from it. A start
    // begins all providers anew.
    database.run(
        "DELETE FROM book_history WHERE seq IN (SELECT h.seq FROM book_history h WHERE h.at < ?1 AND EXISTS"
        " (SELECT 1 FROM book_history w WHERE w.provider IN (h.provider, '') AND w.digest IS NOT NULL"
        "  AND w.seq > h.seq AND w.at < ?1) LIMIT ?2)",
        before, rows_max);
    const auto gone = database.scalar<std::uint64_t>("SELECT changes()");
    if (gone > 0)
        database.run(
            "DELETE FROM book_contents WHERE digest NOT IN (SELECT digest FROM book_history WHERE digest IS NOT NULL)");
    const bool more = forget_signals(database, before, rows_max);
    return more || gone == rows_max;
}

}  // namespace westerly
