#include "broker/runtime/metrics.hpp"

namespace westerly {

namespace {

void add(std::string& text, const char* name, const char* type, const char* help, std::uint64_t value) {
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " " +
            std::to_string(value) + "\n";
}

}  // namespace

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
