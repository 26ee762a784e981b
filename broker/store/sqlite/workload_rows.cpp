#include "broker/store/sqlite/workload_rows.hpp"

#include "broker/codec/workload_json.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <future>
#include <iterator>
#include <thread>

namespace westerly {

namespace {

/// The order in which read_workload takes them.
#define WORKLOAD_COLUMNS                                                                                               \
    " w.n, w.id, w.tenant, w.name, w.project, w.created_at, l.state, l.revision, l.updated_at, l.attempts,"            \
    " l.attempts_counted, l.attempts_forgiven, l.attempts_displaced, l.work_done, l.billed_micros, l.current_attempt," \
    " l.last_decision, l.next_action_at, l.cancel_wanted,"                                                             \
    " l.started_at, l.ended_at, l.exit_code, l.exit_signal, l.message, l.waiting, w.spec "

/// "base", then a piece each: [kind, [words], [figures]].
void encode_pieces(json_writer& out, const wait_reason& why) {
    out.String(std::string(to_string(why.base)));
    for (const note& piece : why.pieces) {
        out.StartArray();
        out.Uint(static_cast<unsigned>(piece.kind));
        out.StartArray();
        for (const auto& word : piece.words)
            out.String(word);
        out.EndArray();
        out.StartArray();
        for (const double figure : piece.figures) {
            char text[32];  // the shortest text that gives the same figure again
            out.String(text,
                       static_cast<rapidjson::SizeType>(std::to_chars(text, text + sizeof text, figure).ptr - text));
        }
        out.EndArray();
        out.EndArray();
    }
}

/// What a later version may have written besides is left out: the detail stands without it.
std::optional<note> decode_piece(const json_value& from) {
    if (!from.IsArray() || from.Size() != 3 || !from[0].IsUint() ||
        from[0].GetUint() >= static_cast<unsigned>(note_kind::count_) || !from[1].IsArray() || !from[2].IsArray())
        return std::nullopt;
    note piece{static_cast<note_kind>(from[0].GetUint()), {}, {}};
    for (const json_value& word : from[1].GetArray()) {
        if (!word.IsString())
            return std::nullopt;
        piece.words.emplace_back(word.GetString(), word.GetStringLength());
    }
    for (const json_value& figure : from[2].GetArray()) {
        double value = 0;
        if (!figure.IsString() ||
            std::from_chars(figure.GetString(), figure.GetString() + figure.GetStringLength(), value).ec != std::errc())
            return std::nullopt;
        piece.figures.push_back(value);
    }
    return piece;
}

void decode_pieces(const json_value& from, wait_reason& why) {
    const auto base = from.Size() > 2 && from[2].IsString() ? parse_currency(from[2].GetString()) : std::nullopt;
    if (!base)
        return;
    why.base = *base;
    for (rapidjson::SizeType i = 3; i < from.Size(); ++i) {
        auto piece = decode_piece(from[i]);
        if (!piece)
            return why.pieces.clear();
        why.pieces.push_back(std::move(*piece));
    }
}

std::optional<std::string> encode_waiting(const std::vector<wait_reason>& waiting) {
    if (waiting.empty())
        return std::nullopt;
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartArray();
    for (const wait_reason& why : waiting) {
        out.StartArray();
        out.String(why.code);
        out.String(why.detail);
        if (!why.pieces.empty())
            encode_pieces(out, why);
        out.EndArray();
    }
    out.EndArray();
    return std::string(buffer.GetString(), buffer.GetSize());
}

std::vector<wait_reason> decode_waiting(const std::string& text) {
    const auto document = parse_json(text, std::max<std::size_t>(text.size(), 1));
    if (!document || !document->IsArray())
        throw_damaged("live.waiting");
    std::vector<wait_reason> waiting;
    for (const json_value& pair : document->GetArray()) {
        if (!pair.IsArray() || pair.Size() < 2 || !pair[0].IsString() || !pair[1].IsString())
            throw_damaged("live.waiting");
        waiting.push_back(
            {{pair[0].GetString(), pair[0].GetStringLength()}, {pair[1].GetString(), pair[1].GetStringLength()}});
        decode_pieces(pair, waiting.back());
    }
    return waiting;
}

/// What a list compares before it reads the rest of a row.
struct row_head {
    std::int64_t n = 0;
    workload_id id;
    tenant_id tenant;
    std::string name;
    std::string project;
    instant created_at{};
    workload_state state = workload_state::queued;
};

row_head read_head(statement& row) {
    row_head head;
    head.n = row.take<std::int64_t>();
    head.id = row.take<workload_id>();
    head.tenant = row.take<tenant_id>();
    head.name = row.take<std::string>();
    head.project = row.take<std::string>();
    head.created_at = row.take<instant>();
    head.state = row.take<workload_state>();
    return head;
}

workload read_rest(statement& row, const row_head& head) {
    workload w;
    w.id = head.id;
    w.tenant = head.tenant;
    w.created_at = head.created_at;
    w.state = head.state;
    w.revision = row.take<std::uint64_t>();
    w.updated_at = row.take<instant>();
    w.attempts = row.take<std::uint32_t>();
    w.attempts_counted = row.take<std::uint32_t>();
    w.attempts_forgiven = row.take<std::uint32_t>();
    w.attempts_displaced = row.take<std::uint32_t>();
    w.work_done = row.take<double>();
    w.billed_micros = row.take<std::int64_t>();
    w.current = row.take<std::optional<attempt_id>>();
    w.last_decision = row.take<std::optional<decision_id>>();
    w.next_action_at = row.take<std::optional<instant>>();
    w.cancel_wanted = row.take<bool>();
    w.started_at = row.take<std::optional<instant>>();
    w.ended_at = row.take<std::optional<instant>>();
    w.exit_code = row.take<std::optional<std::int32_t>>();
    w.exit_signal = row.take<std::optional<std::int32_t>>();
    w.message = row.take<std::string>();
    if (const auto waiting = row.take<std::optional<std::string>>())
        w.waiting = decode_waiting(*waiting);
    w.spec_text = std::make_shared<const std::string>(row.take<std::string>());
    return w;
}

/// Texts into specifications.
std::vector<workload> with_specs(std::vector<workload> some) {
    for (workload& w : some) {
        auto spec = spec_of(w);
        if (!spec)
            throw_damaged("specification of workload " + to_string(w.id) + ": " + spec.error().detail);
        w.spec = std::move(*spec);
        w.spec_text.reset();
    }
    return some;
}

/// Decodes on other threads what this one goes on reading: at a start with many live workloads that is most of the
/// work.
class spec_decoding {
public:
    void add(workload w) {
        batch_.push_back(std::move(w));
        if (batch_.size() == batch_max)
            hand_over();
    }
    /// All of them, in order.
    std::vector<workload> take() {
        hand_over();
        while (!busy_.empty())
            collect();
        return std::move(done_);
    }

private:
    static constexpr std::size_t batch_max = 1024;

    void hand_over() {
        if (busy_.size() >= std::max(1u, std::thread::hardware_concurrency()))
            collect();
        busy_.push_back(std::async(std::launch::async, with_specs, std::exchange(batch_, {})));
    }
    void collect() {
        std::ranges::move(busy_.front().get(), std::back_inserter(done_));
        busy_.pop_front();
    }

    std::vector<workload> batch_, done_;
    std::deque<std::future<std::vector<workload>>> busy_;
};

}  // namespace

void insert_workload(connection& database, const workload& w) {
    const int shard = shard_of(w.tenant);
    database.run(
        "INSERT INTO workloads (shard, id, tenant, created_at, name, project, spec) VALUES (?, ?, ?, ?, ?, ?, ?)",
        shard, w.id, w.tenant, w.created_at, w.spec->name, w.spec->project,
        w.spec_text ? *w.spec_text : encode_workload_spec(*w.spec));
    const std::int64_t n = database.last_row();
    database.run(
        "INSERT INTO live (n, shard, state, revision, last_event, updated_at, attempts, attempts_counted,"
        " attempts_forgiven, attempts_displaced, work_done, billed_micros, current_attempt, last_decision,"
        " next_action_at, cancel_wanted, started_at, ended_at, exit_code, exit_signal, message, waiting)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        n, shard, w.state, w.revision, w.revision, w.updated_at, w.attempts, w.attempts_counted, w.attempts_forgiven,
        w.attempts_displaced, w.work_done, w.billed_micros, w.current, w.last_decision, w.next_action_at,
        w.cancel_wanted, w.started_at, w.ended_at, w.exit_code, w.exit_signal, w.message, encode_waiting(w.waiting));
    for (const auto& [key, value] : w.spec->labels)
        database.run("INSERT INTO labels (tenant, key, value, workload_n, shard) VALUES (?, ?, ?, ?, ?)", w.tenant, key,
                     value, n, shard);
}

void update_workload(connection& database, const workload& w) {
    const int changed = database.run(
        "UPDATE live SET state = ?, revision = ?, last_event = max(last_event, ?), updated_at = ?, attempts = ?,"
        " attempts_counted = ?, attempts_forgiven = ?, attempts_displaced = ?, work_done = ?, billed_micros = ?,"
        " current_attempt = ?, last_decision = ?, next_action_at = ?,"
        " cancel_wanted = ?, started_at = ?, ended_at = ?, exit_code = ?, exit_signal = ?, message = ?, waiting = ?"
        " WHERE n = (SELECT n FROM workloads WHERE id = ?)",
        w.state, w.revision, w.revision, w.updated_at, w.attempts, w.attempts_counted, w.attempts_forgiven,
        w.attempts_displaced, w.work_done, w.billed_micros, w.current, w.last_decision, w.next_action_at,
        w.cancel_wanted, w.started_at, w.ended_at, w.exit_code, w.exit_signal, w.message, encode_waiting(w.waiting),
        w.id);
    if (changed != 1)
        throw_missing("no stored workload " + to_string(w.id) + " to change");
}

void set_last_event(connection& database, const workload_id& id, std::uint64_t seq) {
    database.run("UPDATE live SET last_event = max(last_event, ?) WHERE n = (SELECT n FROM workloads WHERE id = ?)",
                 seq, id);
}

std::optional<workload> find_workload_row(connection& database, const std::optional<tenant_id>& tenant,
                                          const workload_id& id) {
    statement rows =
        database.query("SELECT" WORKLOAD_COLUMNS "FROM workloads w JOIN live l USING (n) WHERE w.id = ?", id);
    if (!rows.step())
        return std::nullopt;
    const row_head head = read_head(rows);
    if (tenant && head.tenant != *tenant)
        return std::nullopt;
    return read_rest(rows, head);
}

std::vector<workload> open_workload_rows(connection& database) {
    spec_decoding open;
    statement rows = database.query(
        "SELECT" WORKLOAD_COLUMNS
        "FROM live l INDEXED BY live_open CROSS JOIN workloads w USING (n) WHERE l.state < 4 ORDER BY l.n");
    while (rows.step()) {
        const row_head head = read_head(rows);
        open.add(read_rest(rows, head));
    }
    // Ended ones too, while an attempt of theirs that was given up may still run.
    statement ended = database.query(
        "WITH wanted (n) AS (SELECT DISTINCT a.workload_n FROM attempts_live x INDEXED BY attempts_given_up"
        " CROSS JOIN attempts a USING (n) WHERE x.given_up_at IS NOT NULL AND x.state < 7)"
        " SELECT" WORKLOAD_COLUMNS
        "FROM wanted CROSS JOIN live l ON l.n = wanted.n CROSS JOIN workloads w ON w.n = wanted.n"
        " WHERE l.state >= 4 ORDER BY wanted.n");
    while (ended.step()) {
        const row_head head = read_head(ended);
        open.add(read_rest(ended, head));
    }
    return open.take();
}

namespace {

/// The narrowest source of candidates that an index gives, newest first.
statement candidates(connection& database, const workload_filter& filter, std::uint64_t before) {
    if (filter.tenant && !filter.labels.empty())
        return database.query(
            "SELECT" WORKLOAD_COLUMNS
            "FROM labels s CROSS JOIN workloads w ON w.n = s.workload_n CROSS JOIN live l ON l.n = w.n"
            " WHERE s.tenant = ? AND s.key = ? AND s.value = ? AND s.workload_n < ? ORDER BY s.workload_n DESC",
            *filter.tenant, filter.labels.front().first, filter.labels.front().second, before);
    const bool open_only =
        !filter.states.empty() && std::ranges::none_of(filter.states, [](workload_state s) { return terminal(s); });
    if (open_only)
        return database.query("SELECT" WORKLOAD_COLUMNS
                              "FROM live l INDEXED BY live_open CROSS JOIN workloads w ON w.n = l.n"
                              " WHERE l.state < 4 AND l.n < ? ORDER BY l.n DESC",
                              before);
    if (filter.tenant)
        return database.query("SELECT" WORKLOAD_COLUMNS
                              "FROM workloads w INDEXED BY workloads_tenant CROSS JOIN live l ON l.n = w.n"
                              " WHERE w.tenant = ? AND w.n < ? ORDER BY w.n DESC",
                              *filter.tenant, before);
    return database.query("SELECT" WORKLOAD_COLUMNS
                          "FROM workloads w CROSS JOIN live l ON l.n = w.n WHERE w.n < ? ORDER BY w.n DESC",
                          before);
}

bool has_labels(connection& database, const row_head& head, const workload_filter& filter) {
    return std::ranges::all_of(filter.labels, [&](const auto& label) {
        statement rows =
            database.query("SELECT 1 FROM labels WHERE tenant = ? AND key = ? AND value = ? AND workload_n = ?",
                           head.tenant, label.first, label.second, head.n);
        return rows.step();
    });
}

bool matches(connection& database, const row_head& head, const workload_filter& filter) {
    return (!filter.tenant || head.tenant == *filter.tenant) && (filter.name.empty() || head.name == filter.name) &&
           (filter.project.empty() || head.project == filter.project) &&
           (filter.states.empty() || std::ranges::find(filter.states, head.state) != filter.states.end()) &&
           has_labels(database, head, filter);
}

}  // namespace

workload_rows_page list_workload_rows(connection& database, const workload_filter& filter, std::uint64_t before,
                                      std::uint32_t limit) {
    workload_rows_page found;
    std::int64_t last_given = 0;
    std::uint32_t scanned = 0;
    statement rows = candidates(database, filter, before);
    while (rows.step()) {
        const row_head head = read_head(rows);
        const bool match = matches(database, head, filter);
        if (match && found.items.size() == limit) {
            found.next_before = static_cast<std::uint64_t>(last_given);
            return found;
        }
        if (match) {
            found.items.push_back(read_rest(rows, head));
            last_given = head.n;
        }
        if (++scanned == rows_scanned_max) {
            found.next_before = static_cast<std::uint64_t>(head.n);
            return found;
        }
    }
    return found;
}

}  // namespace westerly
