#include "tools/conform/report.hpp"

#include "broker/codec/writer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace westerly {
namespace {

constexpr std::size_t name_width = 26;

std::size_t count(const std::vector<check_result>& results, verdict v) {
    return static_cast<std::size_t>(std::ranges::count(results, v, &check_result::how));
}

std::string decimal(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.3f", value);
    return text.data();
}

/// Text in an attribute. What XML 1.0 cannot hold becomes a question mark.
std::string xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\n' || c == '\t' || c == '\r')
            out += ' ';
        else
            out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
    return out;
}

}  // namespace

std::string_view to_string(verdict v) {
    constexpr std::array<std::string_view, 3> names{"pass", "fail", "not applicable"};
    return names[static_cast<std::size_t>(v)];
}

std::string report_line(const check_result& result) {
    constexpr std::size_t verdict_width = 16;
    std::string line(to_string(result.how));
    line.resize(std::max(verdict_width, line.size()), ' ');
    std::string name = result.name;
    name.resize(std::max(name_width, name.size() + 1), ' ');
    line += name + (result.how == verdict::fail ? result.what + ": " : std::string()) + result.why;
    std::ranges::replace(line, '\n', ' ');
    return line;
}

std::string summary(const std::vector<check_result>& results) {
    std::string out;
    for (const auto& r : results)
        if (r.how == verdict::fail)
            out += report_line(r) + '\n';
    return out + std::to_string(count(results, verdict::pass)) + " passed, " +
           std::to_string(count(results, verdict::fail)) + " failed, " +
           std::to_string(count(results, verdict::not_applicable)) + " not applicable";
}

std::string junit_report(const std::string& suite, const std::vector<check_result>& results) {
    double total_s = 0;
    for (const auto& r : results)
        total_s += r.duration_s;
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + xml(suite) + "\" tests=\"" +
                      std::to_string(results.size()) + "\" failures=\"" +
                      std::to_string(count(results, verdict::fail)) + "\" errors=\"0\" skipped=\"" +
                      std::to_string(count(results, verdict::not_applicable)) + "\" time=\"" + decimal(total_s) +
                      "\">\n";
    for (const auto& r : results) {
        out += "  <testcase classname=\"" + xml(suite) + "\" name=\"" + xml(r.name) + "\" time=\"" +
               decimal(r.duration_s) + "\">";
        if (r.how == verdict::fail)
            out += "<failure message=\"" + xml(r.what + ": " + r.why) + "\"/>";
        else if (r.how == verdict::not_applicable)
            out += "<skipped message=\"" + xml(r.why) + "\"/>";
        else
            out += "<system-out>" + xml(r.why) + "</system-out>";
        out += "</testcase>\n";
    }
    return out + "</testsuite>\n";
}

std::string json_report(const std::string& suite, const std::vector<check_result>& results) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, "adapter", suite);
    put_whole(out, "passed", count(results, verdict::pass));
    put_whole(out, "failed", count(results, verdict::fail));
    put_whole(out, "not_applicable", count(results, verdict::not_applicable));
    put_key(out, "checks");
    out.StartArray();
    for (const auto& r : results) {
        out.StartObject();
        put_text(out, "check", r.name);
        put_text(out, "promise", r.what);
        put_text(out, "verdict", to_string(r.how));
        put_text(out, "why", r.why);
        put_key(out, "duration_s");
        out.Double(r.duration_s);
        out.EndObject();
    }
    out.EndArray();
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace westerly
