#include "broker/codec/shapes.hpp"
#include "broker/feeds/signal_forms.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace westerly {
namespace {

constexpr std::size_t faults_max = 32;
constexpr std::size_t columns_max = 16;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells;
    while (cells.size() < columns_max) {
        const auto comma = line.find(',');
        cells.push_back(trimmed(line.substr(0, comma)));
        if (comma == std::string_view::npos)
            break;
        line.remove_prefix(comma + 1);
    }
    return cells;
}

/// Reads line by line and keeps every fault with its line.
class csv_reader {
public:
    explicit csv_reader(instant received_at) { common_.received_at = received_at; }

    result<std::vector<signal_series>> read(std::string_view text) {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            ++line_;
            take(trimmed(text.substr(0, end)));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        if (columns_.empty())
            fault("there is no header line", "name the columns: zone,start_at,end_at,value");
        else if (series_.empty() && faults_.empty())
            fault("there are no rows", "give at least one");
        if (common_.source.empty())
            fault("no source is named", "begin with a line \"# source: who publishes these values\"");
        if (!faults_.empty())
            return error{errc::invalid, "the signals file has faults", "mend them; nothing of it is in use", faults_};
        std::vector<signal_series> all;
        for (auto& [zone, one] : series_)
            all.push_back(std::move(one));
        return all;
    }

private:
    void fault(std::string message, std::string remedy) {
        if (faults_.size() < faults_max)
            faults_.push_back({"line " + std::to_string(line_), std::move(message), std::move(remedy)});
    }

    void take(std::string_view line) {
        if (line.empty())
            return;
        if (line.front() == '#')
            return take_fact(trimmed(line.substr(1)));
        if (columns_.empty())
            return take_header(line);
        take_row(line);
    }

    /// A comment that is no fact of ours passes.
    void take_fact(std::string_view line) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            return;
        const auto name = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
        if (name == "source")
            common_.source = std::string(value);
        else if (name == "version")
            common_.version = std::string(value);
        else if (name == "kind")
            choose(name, value, common_.kind);
        else if (name == "method")
            choose(name, value, common_.method);
        else if (name == "scope")
            choose(name, value, common_.scope);
        else if (name == "quality")
            choose(name, value, common_.quality);
        else if (name == "issued_at")
            common_.issued_at = time_of(name, value);
        else if (name == "max_age_s")
            take_age(value);
        else if (name == "unit" && value != unit_of(common_.kind))
            fault("the unit is \"" + std::string(value) + "\"", "values of " + std::string(to_string(common_.kind)) +
                                                                    " are in " + std::string(unit_of(common_.kind)));
    }

    template <class E>
    void choose(std::string_view name, std::string_view value, E& target) {
        if (const auto named = value_named<E>(value))
            target = *named;
        else
            fault(std::string(name) + " is \"" + std::string(value) + "\"", "use " + one_of(enum_names<E>::list));
    }

    void take_age(std::string_view value) {
        const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), common_.max_age_s);
        if (code != std::errc() || end != value.data() + value.size() || common_.max_age_s > 3'162'240'000)
            fault("max_age_s is \"" + std::string(value) + "\"", "give whole seconds");
    }

    std::optional<instant> time_of(std::string_view name, std::string_view value) {
        const auto at = parse_rfc3339(value);
        if (at)
            return *at;
        fault(std::string(name) + " is \"" + std::string(value) + "\"", "give a time such as 2026-01-31T08:00:00Z");
        return std::nullopt;
    }

    void take_header(std::string_view line) {
        for (const auto cell : cells_of(line))
            columns_.emplace_back(cell);
        for (const std::string_view needed : {"zone", "start_at", "end_at", "value"})
            if (std::ranges::find(columns_, needed) == columns_.end())
                fault("there is no column " + std::string(needed), "name the columns: zone,start_at,end_at,value");
    }

    std::string_view cell(const std::vector<std::string_view>& cells, std::string_view column) const {
        const auto at = static_cast<std::size_t>(std::ranges::find(columns_, column) - columns_.begin());
        return at < cells.size() ? cells[at] : std::string_view();
    }

    void take_row(std::string_view line) {
        const auto cells = cells_of(line);
        const auto zone = cell(cells, "zone");
        if (zone.empty() || zone.size() > signal_zone_bytes_max)
            return fault("has no zone, or one that is too long", "name the grid zone as provider files do");
        const auto start = time_of("start_at", cell(cells, "start_at"));
        const auto end = time_of("end_at", cell(cells, "end_at"));
        const auto text = cell(cells, "value");
        const auto [low, high] = believable(common_.kind);
        double value = 0;
        const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (code != std::errc() || stop != text.data() + text.size() || !(value >= low && value <= high))
            return fault("the value is \"" + std::string(text) + "\"",
                         "give a number in " + std::string(unit_of(common_.kind)));
        const auto word = cell(cells, "forecast");
        if (!word.empty() && word != "true" && word != "false")
            return fault("forecast is \"" + std::string(word) + "\"", "true or false");
        if (start && end)
            add(std::string(zone), {*start, *end, value, word == "true"});
    }

    void add(const std::string& zone, const signal_interval& piece) {
        if (piece.end_at <= piece.start_at)
            return fault("ends before it begins", "end_at lies after start_at");
        const auto at = series_.find(zone);
        if (at == series_.end() && series_.size() == signal_series_max)
            return fault("has more zones than one file may have", "split it");
        signal_series& into = at == series_.end() ? series_.emplace(zone, common_).first->second : at->second;
        into.zone = zone;
        if (into.intervals.size() == signal_intervals_max)
            return fault("has more rows of one zone than a series may have", "leave out what is long past");
        if (!into.intervals.empty() && into.intervals.back().end_at > piece.start_at)
            return fault("overlaps the row before it of its zone, or comes before it",
                         "give a zone's rows in order of time, without overlaps");
        into.intervals.push_back(piece);
    }

    signal_series common_;
    std::vector<std::string> columns_;
    std::map<std::string, signal_series> series_;
    std::vector<westerly::fault> faults_;
    std::size_t line_ = 0;
};

}  // namespace

result<std::vector<signal_series>> decode_signals_csv(std::string_view text, instant received_at) {
    if (text.size() > signal_text_max)
        return fail(errc::too_large, "the signals file is larger than " + std::to_string(signal_text_max) + " bytes",
                    "split it");
    return csv_reader(received_at).read(text);
}

}  // namespace westerly
