// Prints the life of workloads and attempts from the transition tables, as the Mermaid diagrams and tables of
// docs/lifecycle.md. Without an argument to standard output; with one, between the markers of that file.
#include "broker/domain/transitions.hpp"
#include "broker/support/files.hpp"

#include <iostream>
#include <map>
#include <vector>

namespace westerly {
namespace {

constexpr std::string_view begin_marker = "<!-- printed by print-transitions: begin -->\n";
constexpr std::string_view end_marker = "<!-- printed by print-transitions: end -->\n";
constexpr std::size_t document_bytes_max = 1 << 20;

bool final_state(workload_state state) {
    return terminal(state);
}
bool final_state(attempt_state state) {
    return !live(state);
}

/// Arrows between different states only, one per pair with all its events: loops would hide the way.
template <class Row>
std::string diagram(std::span<const Row> rows) {
    using state = decltype(Row::from);
    std::string text = "```mermaid\nstateDiagram-v2\n    [*] --> " + std::string(to_string(rows.front().from)) + "\n";
    std::vector<std::pair<std::pair<state, state>, std::string>> arrows;  // in the tables' order
    std::map<state, bool> finals;
    for (const Row& row : rows) {
        if (final_state(row.to))
            finals[row.to] = true;
        if (row.from == row.to)
            continue;
        const std::pair ends(row.from, row.to);
        const auto known = std::ranges::find(arrows, ends, [](const auto& arrow) { return arrow.first; });
        if (known == arrows.end())
            arrows.emplace_back(ends, to_string(row.on));
        else
            known->second += ", " + std::string(to_string(row.on));
    }
    for (const auto& [ends, events] : arrows)
        text += "    " + std::string(to_string(ends.first)) + " --> " + std::string(to_string(ends.second)) + ": " +
                events + "\n";
    for (const auto& [state, is_final] : finals)
        text += "    " + std::string(to_string(state)) + " --> [*]\n";
    return text + "```\n";
}

std::string line(std::initializer_list<std::string_view> cells) {
    std::string text = "|";
    for (const std::string_view cell : cells)
        text += " " + std::string(cell) + " |";
    return text + "\n";
}

std::string section() {
    std::string text = "## Workload\n\n";
    text += diagram<workload_transition>(workload_transitions);
    text += "\n" + line({"from", "on", "to"}) + "|---|---|---|\n";
    for (const auto& row : workload_transitions)
        text += line({to_string(row.from), to_string(row.on), to_string(row.to)});

    text += "\n## Attempt\n\n";
    text += diagram<attempt_transition>(attempt_transitions);
    text += "\n" + line({"from", "on", "to", "then"}) + "|---|---|---|---|\n";
    for (const auto& row : attempt_transitions)
        text += line({to_string(row.from), to_string(row.on), to_string(row.to),
                      row.then == attempt_effect::none ? "" : to_string(row.then)});
    return text;
}

int replace_section(const char* path) {
    const auto document = read_file(path, document_bytes_max);
    if (!document) {
        std::cerr << document.error().detail << '\n';
        return 1;
    }
    const std::size_t begin = document->find(begin_marker);
    const std::size_t end = document->find(end_marker);
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        std::cerr << path << " has no markers\n";
        return 1;
    }
    const std::string text = document->substr(0, begin + begin_marker.size()) + section() + document->substr(end);
    const auto written = write_file_atomically(path, text);
    if (!written) {
        std::cerr << written.error().detail << '\n';
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace westerly

int main(int argc, char** argv) {
    if (argc == 2)
        return westerly::replace_section(argv[1]);
    if (argc > 2) {
        std::cerr << "usage: print-transitions [FILE]\n";
        return 2;
    }
    std::cout << westerly::begin_marker << westerly::section() << westerly::end_marker;
    return 0;
}
