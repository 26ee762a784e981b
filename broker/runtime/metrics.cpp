#include "broker/runtime/metrics.hpp"

namespace westerly {

namespace {

void add(std::string& text, const char* name, const char* type, const char* help, std::uint64_t value) {
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
            std::to_string(value) + "\n";
}

using counted_terms = std::span<const std::pair<std::string, term_hub::counters>>;

void add_terms(std::string& text, const std::string& name, const char* type, const char* help, counted_terms counted,
               std::initializer_list<std::pair<const char*, std::uint64_t term_hub::counters::*>> values) {
    text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    for (const auto& [term, counters] : counted)
        for (const auto& [why, value] : values)
            text += name + "{term=\"" + term + "\"" + (*why ? ",why=\"" + std::string(why) + "\"" : "") + "} " +
                    std::to_string(counters.*value) + "\n";
}

}  // namespace

std::string term_metrics(counted_terms counted) {
    using of = term_hub::counters;
    std::string text;
    if (counted.empty())
        return text;
    text += "# HELP westerly_term_up Whether the library's host runs.\n# TYPE westerly_term_up gauge\n";
    for (const auto& [term, counters] : counted)
        text += "westerly_term_up{term=\"" + term + "\"} " + (counters.up ? "1" : "0") + "\n";
    add_terms(text, "westerly_term_answers_total", "counter", "Columns of quantities that the library gave.", counted,
              {{"", &of::answers}});
    add_terms(text, "westerly_term_microseconds_total", "counter", "Time spent on these.", counted,
              {{"", &of::microseconds}});
    add_terms(text, "westerly_term_unknown_total", "counter",
              "Quantities that were no finite number of 0 or more, taken as unknown.", counted, {{"", &of::unknown}});
    add_terms(text, "westerly_term_failures_total", "counter", "Questions that had no answer.", counted,
              {{"late", &of::late}, {"crashed", &of::crashed}, {"refused", &of::refused}, {"queue", &of::turned_away}});
    add_terms(text, "westerly_term_starts_total", "counter", "Times the library's host was started.", counted,
              {{"", &of::starts}});
    return text;
}

std::string loop_metrics(const loop::counters& counted) {
    std::string text;
    add(text, "westerly_engine_inputs_total", "counter", "Inputs that the engine has handled.", counted.inputs);
    add(text, "westerly_engine_inputs_waiting", "gauge", "Inputs that wait for the engine.", counted.inputs_waiting);
    add(text, "westerly_store_commits_total", "counter", "Transactions committed, one sync each.", counted.commits);
    add(text, "westerly_store_change_sets_total", "counter", "Change sets committed in them.", counted.change_sets);
    add(text, "westerly_store_commit_microseconds_total", "counter", "Time spent in commits.", counted.commit_us_total);
    add(text, "westerly_store_commit_microseconds_max", "gauge", "The longest commit since start.",
        counted.commit_us_max);
    return text;
}

}  // namespace westerly
