#include "tools/simulate/core/report.hpp"

#include "tools/simulate/core/chart.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

/// A column of all three forms: its name with the unit, and its value; nothing: not measured for this run.
struct column {
    const char* name;   // of the CSV
    const char* words;  // of tables
    std::optional<double> (*value)(const outcome&);
};

const column columns[] = {
    {"submitted", "submitted",
     [](const outcome& o) {
         return std::optional<double>(o.submitted);
     }},
    {"started", "started",
     [](const outcome& o) {
         return std::optional<double>(o.started);
     }},
    {"unplaceable", "no offer",
     [](const outcome& o) {
         return std::optional<double>(o.unplaceable);
     }},
    {"cost_cny", "cost CNY",
     [](const outcome& o) {
         return std::optional(o.money);
     }},
    {"energy_kwh", "energy kWh",
     [](const outcome& o) {
         return std::optional(o.energy_kwh);
     }},
    {"non_green_kwh", "non-green kWh",
     [](const outcome& o) {
         return std::optional(o.non_green_kwh);
     }},
    {"carbon_location_kg", "location kg",
     [](const outcome& o) {
         return std::optional(o.location_kg);
     }},
    {"carbon_market_kg", "market kg",
     [](const outcome& o) {
         return std::optional(o.market_kg);
     }},
    {"wait_mean_s", "wait s",
     [](const outcome& o) {
         return std::optional(o.wait_s.mean());
     }},
    {"wait_p50_s", "p50",
     [](const outcome& o) {
         return std::optional(o.wait_s.at(0.5));
     }},
    {"wait_p95_s", "p95",
     [](const outcome& o) {
         return std::optional(o.wait_s.at(0.95));
     }},
    {"wait_max_s", "max",
     [](const outcome& o) {
         return std::optional(o.wait_s.most());
     }},
    {"late", "late",
     [](const outcome& o) {
         return std::optional<double>(o.late);
     }},
    {"lateness_mean_s", "late by s",
     [](const outcome& o) {
         return std::optional(o.late > 0 ? o.lateness_s / static_cast<double>(o.late) : 0.0);
     }},
    {"rtt_mean_ms", "RTT ms",
     [](const outcome& o) {
         return o.rtt_ms.most() > 0 ? std::optional(o.rtt_ms.mean()) : std::nullopt;
     }},
    {"utilisation", "used",
     [](const outcome& o) {
         return std::optional(o.utilisation);
     }},
    {"fairness_jain", "Jain",
     [](const outcome& o) {
         return std::optional(o.jain);
     }},
    {"same_information_gap_percent", "gap %",
     [](const outcome& o) {
         return o.same_information ? std::optional(o.same_information->gap_percent()) : std::nullopt;
     }},
    {"same_information_undiluted_percent", "undiluted %",
     [](const outcome& o) {
         return o.same_information ? o.same_information->undiluted_percent() : std::nullopt;
     }},
    {"ticks_contended", "contended",
     [](const outcome& o) {
         return o.same_information ? std::optional<double>(o.same_information->contended) : std::nullopt;
     }},
    {"hindsight_regret_percent", "hindsight %",
     [](const outcome& o) {
         return o.hindsight ? std::optional(o.hindsight->gap_percent()) : std::nullopt;
     }},
};

std::vector<bar> bars_of(const std::vector<outcome>& runs, double (*value)(const outcome&)) {
    std::vector<bar> bars;
    for (const outcome& o : runs) {
        const double first = value(runs.front()), here = value(o);
        std::string note;
        if (&o != &runs.front() && first > 0)
            note =
                (here >= first ? "+" : "−") + in_words(std::round(1000 * std::abs(here - first) / first) / 10) + " %";
        bars.push_back({o.name, here, note});
    }
    return bars;
}

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 "
    "1rem;color:#1b2430;background:#fff}"
    "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}"
    "th,td{padding:.25rem .5rem;border-bottom:1px solid #d9dee5;text-align:right;white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}.scroll{overflow-x:auto}svg{width:100%;max-width:760px;display:"
    "block;"
    "margin:1rem 0;font:12px system-ui,sans-serif}svg .title{font-weight:600;font-size:14px}svg .label{text-anchor:end}"
    "svg .middle{text-anchor:middle}svg .note{fill:#66707d}svg rect,svg circle{fill:#2f6f9f}svg .grid{stroke:#e3e7ec}"
    "svg polyline{fill:none;stroke:#2f6f9f;stroke-width:1.5}.small{color:#4b5563;font-size:13px}";

}  // namespace

std::string as_table(const std::vector<outcome>& runs) {
    std::vector<std::vector<std::string>> rows{{"run"}};
    for (const column& c : columns)
        rows[0].push_back(c.words);
    for (const outcome& o : runs) {
        auto& cells = rows.emplace_back();
        cells.push_back(o.name);
        for (const column& c : columns) {
            const auto value = c.value(o);
            cells.push_back(value ? in_words(*value) : "–");
        }
    }
    const auto wide = [](const std::string& text) {  // in characters, not bytes
        return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
    };
    // Upright: a column a run, because there are more figures than runs.
    std::string made;
    std::vector<std::size_t> widths;
    for (const auto& cells : rows) {
        std::size_t most = 0;
        for (const auto& cell : cells)
            most = std::max(most, wide(cell));
        widths.push_back(most);
    }
    for (std::size_t line = 0; line < rows[0].size(); ++line) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const std::string pad(widths[r] - wide(rows[r][line]), ' ');
            made += r == 0 ? rows[r][line] + pad : "  " + pad + rows[r][line];
        }
        made += '\n';
    }
    return made;
}

namespace {

/// A name may hold commas and quotes (RFC 4180).
std::string csv_field(std::string_view text) {
    std::string made = "\"";
    for (const char c : text)
        made += c == '"' ? std::string("\"\"") : std::string(1, c);
    return made + '"';
}

}  // namespace

std::string as_csv(const std::vector<outcome>& runs) {
    std::string made = "run,policy_version";
    for (const column& c : columns)
        made += std::string(",") + c.name;
    made += '\n';
    for (const outcome& o : runs) {
        made += csv_field(o.name) + "," + o.policy_version;
        for (const column& c : columns) {
            made += ',';
            if (const auto value = c.value(o)) {
                char digits[40];
                std::snprintf(digits, sizeof digits, "%.10g", *value);
                made += digits;
            }
        }
        made += '\n';
    }
    return made;
}

std::string page_head(std::string_view title) {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
           "content=\"width=device-width,initial-scale=1\"><title>" +
           escaped(title) + "</title><style>" + std::string(style) + "</style></head><body>\n<h1>" + escaped(title) +
           "</h1>\n";
}

std::string as_page(const report_head& head, const std::vector<outcome>& runs, const std::vector<sweep_point>& sweep) {
    std::string page = page_head(head.title) + "<ul>\n";
    for (const auto& fact : head.facts)
        page += "<li>" + escaped(fact) + "</li>\n";
    page += "</ul>\n<h2>Side by side</h2>\n<div class=\"scroll\"><table><tr><th>run</th>";
    for (const outcome& o : runs)
        page += "<th>" + escaped(o.name) + "</th>";
    page += "</tr>\n";
    for (const column& c : columns) {
        page += std::string("<tr><td>") + escaped(c.words) + "</td>";
        for (const outcome& o : runs) {
            const auto value = c.value(o);
            page += "<td>" + (value ? escaped(in_words(*value)) : std::string("–")) + "</td>";
        }
        page += "</tr>\n";
    }
    page += "</table></div>\n";
    if (!runs.empty()) {
        page += "<h2>Charts</h2>\n<p class=\"small\">Percentages are against the first run.</p>\n";
        page += bar_chart("Money", "CNY", bars_of(runs, [](const outcome& o) { return o.money; }));
        page += bar_chart("Carbon, location-based", "kg CO2",
                          bars_of(runs, [](const outcome& o) { return o.location_kg; }));
        page +=
            bar_chart("Carbon, market-based", "kg CO2", bars_of(runs, [](const outcome& o) { return o.market_kg; }));
        page += bar_chart("Energy that green power does not cover", "kWh",
                          bars_of(runs, [](const outcome& o) { return o.non_green_kwh; }));
        page += bar_chart("Mean wait", "s", bars_of(runs, [](const outcome& o) { return o.wait_s.mean(); }));
        std::vector<dot> dots;
        for (const outcome& o : runs)
            dots.push_back({o.money, o.location_kg, o.name});
        page += dot_chart("Money against carbon", "CNY", "kg CO2, location-based", dots, false);
    }
    if (!sweep.empty()) {
        std::vector<dot> dots;
        for (const sweep_point& p : sweep)
            dots.push_back({p.money, p.location_kg, in_words(p.price)});
        page +=
            "<h2>What carbon costs to avoid</h2>\n<p class=\"small\">Each dot is a whole run at a price of carbon, CNY "
            "per kg "
            "location-based, written beside it.</p>\n";
        page += dot_chart("Money and carbon as the price of carbon rises", "CNY", "kg CO2, location-based", dots, true);
    }
    page +=
        "<h2>How to read it</h2>\n<p class=\"small\">gap: what the assignments of all ticks cost above the certified "
        "bound, "
        "with only what was known at each tick. undiluted: the same, of what contention costs at least. hindsight: "
        "above the "
        "bound of who knew the whole trace; not a target. late: started more than the longest wait after submission. "
        "Jain: "
        "over users, of 1 / mean bounded slowdown. Market-based: energy that declared green power does not cover, at "
        "the grid's "
        "average where no residual mix is known.</p>\n<h2>Sources</h2>\n<ul class=\"small\">\n";
    for (const auto& source : head.sources)
        page += "<li>" + escaped(source) + "</li>\n";
    return page + "</ul>\n</body></html>\n";
}

}  // namespace westerly
