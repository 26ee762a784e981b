#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace westerly {

/// not_applicable: could not be tried here, and `why` says for what reason. It is never a silent pass.
enum class verdict : std::uint8_t { pass, fail, not_applicable };
std::string_view to_string(verdict v);

struct check_result {
    std::string name;  // "launch.repeated"
    std::string what;  // the promise that was tried, one sentence
    verdict how = verdict::pass;
    std::string why;  // what was seen
    double duration_s = 0;
};

/// One line for people, without the newline.
std::string report_line(const check_result& result);

/// The lines that failed once more, because they may have scrolled away, then "18 passed, 1 failed, 6 not applicable".
std::string summary(const std::vector<check_result>& results);

/// JUnit's XML: one test suite, one test case a check; what is not applicable counts as skipped.
std::string junit_report(const std::string& suite, const std::vector<check_result>& results);

/// The same as JSON: {"adapter", "passed", "failed", "not_applicable", "checks": [{check, promise, verdict, why,
/// duration_s}]}.
std::string json_report(const std::string& suite, const std::vector<check_result>& results);

}  // namespace westerly
