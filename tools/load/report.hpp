#pragma once

#include "tools/load/traffic.hpp"

namespace westerly {

/// What a run was, for the report.
struct load_facts {
    std::string url, run;
    double rate_per_s = 0;  // 0: max
    std::size_t connections = 0;
    bool submits = false;
};

/// The whole report as one line of JSON; docs/guides/operator.md says what each member is.
std::string report_json(const load_facts& facts, const load_result& done, const traffic& sent);
/// The same for people.
std::string report_text(const load_facts& facts, const load_result& done, const traffic& sent);
/// Wrong answers, broken connections and requests never sent, by kind.
std::map<std::string, std::size_t> errors_of(const load_result& done, const traffic& sent);

}  // namespace westerly
