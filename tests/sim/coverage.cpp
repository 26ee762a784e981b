#include "tests/sim/coverage.hpp"

#include <cstdio>

namespace westerly::sim {

namespace {

std::string name_of(const attempt_transition& row) {
    return "attempt " + std::string(to_string(row.from)) + " " + std::string(to_string(row.on));
}
std::string name_of(const workload_transition& row) {
    return "workload " + std::string(to_string(row.from)) + " " + std::string(to_string(row.on));
}

/// At most five characters.
std::string short_count(std::uint64_t count) {
    if (count < 100'000)
        return std::to_string(count);
    return count < 100'000'000 ? std::to_string(count / 1000) + "k" : std::to_string(count / 1'000'000) + "M";
}

/// Calls `say(name, kind, hits, why impossible)` for every pair.
template <class Rows, class Hits, class Say>
void each_pair(const Rows& rows, const Hits& hits, Say&& say) {
    for (std::size_t i = 0; i < std::size(rows); ++i)
        for (std::size_t k = 0; k < fault_kinds; ++k) {
            const auto kind = static_cast<fault_kind>(k);
            say(rows[i], kind, hits[i][k], impossible(rows[i].from, rows[i].on, kind));
        }
}

}  // namespace

void coverage::count_in(row& into, fault_set struck) {
    if (struck == 0)
        ++into[fault_kinds];
    for (; struck != 0; struck &= struck - 1)
        ++into[static_cast<std::size_t>(std::countr_zero(struck))];
}

void coverage::count(attempt_state from, attempt_event on, fault_set struck) {
    const auto* at = find_transition(from, on);
    count_in(attempts_[static_cast<std::size_t>(at - attempt_transitions)], struck);
}

void coverage::count(workload_state from, workload_event on, fault_set struck) {
    const auto* at = find_transition(from, on);
    count_in(workloads_[static_cast<std::size_t>(at - workload_transitions)], struck);
}

void coverage::add(const coverage& other) {
    const auto add_rows = [](auto& mine, auto& histories, const auto& theirs) {
        for (std::size_t i = 0; i < mine.size(); ++i)
            for (std::size_t k = 0; k <= fault_kinds; ++k) {
                mine[i][k] += theirs[i][k];
                histories[i][k] += theirs[i][k] != 0 ? 1 : 0;
            }
    };
    add_rows(attempts_, attempt_histories_, other.attempts_);
    add_rows(workloads_, workload_histories_, other.workloads_);
    for (std::size_t k = 0; k < fault_kinds; ++k)
        strikes_[k] += other.strikes_[k];
}

std::string coverage::table() const {
    std::string text = "hits: transition row x kind of fault that had struck before\n";
    constexpr std::size_t name_width = 33, width = 6;
    const auto cell = [&](const std::string& value) {
        return std::string(value.size() < width ? width - value.size() : 1, ' ') + value;
    };
    for (std::size_t k = 0; k < fault_kinds; ++k)
        text += "  " + std::to_string(k + 1) + " " + std::string(to_string(static_cast<fault_kind>(k))) + " (" +
                std::to_string(strikes_[k]) + " strikes)" + (k % 4 == 3 ? "\n" : "");
    text += "\n" + std::string(name_width, ' ') + cell("none");
    for (std::size_t k = 0; k < fault_kinds; ++k)
        text += cell(std::to_string(k + 1));
    const auto rows = [&](const auto& table, const auto& hits) {
        for (std::size_t i = 0; i < std::size(table); ++i) {
            auto name = name_of(table[i]);
            name.resize(std::max(name.size(), name_width), ' ');
            text += "\n" + name + cell(short_count(hits[i][fault_kinds]));
            for (std::size_t k = 0; k < fault_kinds; ++k) {
                const auto why = impossible(table[i].from, table[i].on, static_cast<fault_kind>(k));
                text += cell(hits[i][k] == 0 && !why.empty() ? "-" : short_count(hits[i][k]));
            }
        }
    };
    rows(attempt_transitions, attempts_);
    rows(workload_transitions, workloads_);
    return text + "\n";
}

std::vector<std::string> coverage::holes() const {
    std::vector<std::string> found;
    const auto look = [&](const auto& row, fault_kind kind, std::uint64_t hits, std::string_view why) {
        if (hits == 0 && why.empty())
            found.push_back(name_of(row) + " was never taken after " + std::string(to_string(kind)));
    };
    each_pair(attempt_transitions, attempts_, look);
    each_pair(workload_transitions, workloads_, look);
    return found;
}

std::vector<std::string> coverage::surprises() const {
    std::vector<std::string> found;
    const auto look = [&](const auto& row, fault_kind kind, std::uint64_t hits, std::string_view why) {
        if (hits != 0 && !why.empty())
            found.push_back(name_of(row) + " was taken " + std::to_string(hits) + " times after " +
                            std::string(to_string(kind)) + ", but: " + std::string(why));
    };
    each_pair(attempt_transitions, attempts_, look);
    each_pair(workload_transitions, workloads_, look);
    return found;
}

std::vector<std::string> coverage::thin(std::uint64_t histories) const {
    std::vector<std::string> found;
    const auto look = [&](const auto& row, fault_kind kind, std::uint64_t in, std::string_view why) {
        if (in < histories && why.empty())
            found.push_back(name_of(row) + " after " + std::string(to_string(kind)) + " in " + std::to_string(in));
    };
    each_pair(attempt_transitions, attempt_histories_, look);
    each_pair(workload_transitions, workload_histories_, look);
    return found;
}

}  // namespace westerly::sim
