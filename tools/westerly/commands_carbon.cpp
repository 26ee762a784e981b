// Corrections of what was metered, by factors that were published later.
#include "broker/codec/writer.hpp"
#include "broker/support/files.hpp"
#include "broker/support/time.hpp"
#include "tools/catalogue/csv.hpp"
#include "tools/westerly/commands.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t file_bytes_max = 16 << 20;
constexpr std::size_t factors_of_request_max = 9000;

struct factor {
    std::string start_at, end_at;
    double g_per_kwh = 0;
};
/// What one request may hold: factors of one zone (or site) without a gap.
struct stretch {
    std::string zone;
    std::vector<factor> factors;
};

error line_fault(const std::string& file, std::uint64_t line, const std::string& what) {
    return fail(errc::invalid, file + ":" + std::to_string(line) + ": " + what,
                "the columns are zone,start_at,end_at,g_per_kwh; times are RFC 3339, a zone's in order");
}

/// Lines of one zone may stand apart, and leave gaps; a stretch has none.
result<void> add_line(std::vector<stretch>& all, const std::string& file, const csv_row& row, double g_per_kwh) {
    const factor told{row.fields[1], row.fields[2], g_per_kwh};
    const auto starts = parse_rfc3339(told.start_at), ends = parse_rfc3339(told.end_at);
    if (!starts || !ends || *ends <= *starts)
        return line_fault(file, row.line, "no hours from one time to a later one");
    const auto last =
        std::find_if(all.rbegin(), all.rend(), [&](const stretch& one) { return one.zone == row.fields[0]; });
    std::optional<instant> before;
    if (last != all.rend())
        before = *parse_rfc3339(last->factors.back().end_at);
    if (before && *starts < *before)
        return line_fault(file, row.line, "begins before the line before it of its zone ends");
    if (before && *starts == *before && last->factors.size() < factors_of_request_max)
        last->factors.push_back(told);
    else
        all.push_back({row.fields[0], {told}});
    return {};
}

std::optional<double> number_of(std::string_view text) {
    double value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = wrong == std::errc() && end == text.data() + text.size();
    return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

result<std::vector<stretch>> read_factors(const std::string& file) {
    const auto text = read_file(file, file_bytes_max);
    if (!text)
        return missing_file(text.error());
    std::vector<stretch> all;
    csv_reader lines(*text);
    for (csv_row row; lines.next(row);) {
        if (row.fields.front() == "zone" || row.fields.front().starts_with('#'))
            continue;
        if (row.damage != csv_damage::none || row.fields.size() != 4)
            return line_fault(file, row.line, "not four fields");
        const auto value = number_of(row.fields[3]);
        if (!value)
            return line_fault(file, row.line, '"' + row.fields[3] + "\" is no number");
        if (const auto added = add_line(all, file, row, *value); !added)
            return added.error();
    }
    if (all.empty())
        return fail(errc::invalid, file + " holds no factors", "give lines of zone,start_at,end_at,g_per_kwh");
    return all;
}

std::string body_of(const correct_command& said, const stretch& of) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put_text(out, said.site.empty() ? "zone" : "site", said.site.empty() ? of.zone : said.site);
    put_text(out, "source", said.source);
    put_whole(out, "year", said.year);
    put_text(out, "quality", said.quality);
    put_text(out, "reason", said.reason);
    put_flag(out, "dry_run", said.dry_run);
    put_objects(out, "factors", of.factors, [&](const factor& one) {
        put_text(out, "start_at", one.start_at);
        put_text(out, "end_at", one.end_at);
        put_number(out, "g_per_kwh", one.g_per_kwh);
    });
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

/// What all requests came to.
struct sums {
    rapidjson::Document items{rapidjson::kArrayType};
    std::uint64_t looked_at = 0;
    std::map<std::string, std::uint64_t> rows;
    double carbon_kg = 0, carbon_market_kg = 0;

    void add(const json_value& page) {
        for (const auto& row : value_at(page, "items")->GetArray())
            if (items.Size() < items_max)
                items.PushBack(rapidjson::Value(row, items.GetAllocator()), items.GetAllocator());
        for (const auto& [name, count] : value_at(page, "rows")->GetObject()) {
            rows[name.GetString()] += count.GetUint64();
            looked_at += count.GetUint64();
        }
        carbon_kg += number_at(page, "carbon_kg", 0);
        carbon_market_kg += number_at(page, "carbon_market_kg", 0);
    }
};

result<void> send(cli& with, const correct_command& said, const stretch& of, sums& into) {
    const std::string body = body_of(said, of);
    std::string cursor;
    do {
        const std::string from = cursor.empty() ? "" : "&cursor=" + url_encode(cursor);
        const auto page = post(with, "/v1/carbon-corrections?limit=500" + from, body);
        if (!page)
            return page.error();
        into.add(*page);
        cursor = text_at(*page, "next_cursor");
    } while (!cursor.empty());
    return {};
}

void print_json_of(const correct_command& said, sums& all) {
    auto& memory = all.items.GetAllocator();
    rapidjson::Value rows(rapidjson::kObjectType);
    for (const auto& [name, count] : all.rows)
        rows.AddMember(rapidjson::Value(name, memory), rapidjson::Value(count), memory);
    rapidjson::Document whole(rapidjson::kObjectType, &memory);
    whole.AddMember("dry_run", said.dry_run, memory);
    whole.AddMember("items", static_cast<rapidjson::Value&>(all.items), memory);
    whole.AddMember("rows", rows, memory);
    whole.AddMember("carbon_kg", all.carbon_kg, memory);
    whole.AddMember("carbon_market_kg", all.carbon_market_kg, memory);
    print_json(whole);
}

void print_for_people(cli& with, const correct_command& said, sums& all) {
    text_table table({"WORKLOAD", "SITE", "FROM", "UNTIL", "G/KWH", "CO2e", "CO2e MARKET"});
    for (const auto& row : all.items.GetArray())
        table.add({text_at(row, "workload"), text_at(row, "provider") + "/" + text_at(row, "site"),
                   text_at(row, "correction.start_at"), text_at(row, "correction.end_at"),
                   rounded_at(row, "correction.carbon_g_per_kwh"), carbon_at(row, "carbon_kg"),
                   carbon_at(row, "carbon_market_kg")});
    if (!table.empty())
        std::printf("%s", table.render(with.colour).c_str());
    std::printf("%s %llu rows of difference, of %.6g kg (location-based), %.6g kg (market-based)\n",
                said.dry_run ? "would write" : "wrote", static_cast<unsigned long long>(all.rows["corrected"]),
                all.carbon_kg, all.carbon_market_kg);
    if (all.looked_at == 0)
        std::printf("no run was metered there at that time: look at zone or site\n");
    for (const auto& [name, words] :
         {std::pair("unchanged", "count as much already"), std::pair("repeated", "were counted by this before"),
          std::pair("better_known", "are counted by a better quality class"),
          std::pair("without_number", "have no carbon that could be corrected")})
        if (all.rows[name] > 0)
            std::printf("%llu %s\n", static_cast<unsigned long long>(all.rows[name]), words);
}

result<std::vector<stretch>> factors_of(const correct_command& said) {
    if (said.file.empty() && !std::isfinite(*said.factor))
        return fail(errc::invalid, "--factor is no number", "give g CO2e per kWh, such as 571.2");
    if (said.file.empty())
        return std::vector<stretch>{{said.zone, {{said.from, said.to, *said.factor}}}};
    auto all = read_factors(said.file);
    if (all && !said.zone.empty())
        std::erase_if(*all, [&](const stretch& one) { return one.zone != said.zone; });
    return all;
}

}  // namespace

int correct_carbon(cli& with, const correct_command& said) {
    const auto told = factors_of(said);
    if (!told)
        return complain(told.error());
    sums all;
    for (const stretch& one : *told)
        if (const auto sent = send(with, said, one, all); !sent)
            return complain(sent.error());
    with.json ? print_json_of(said, all) : print_for_people(with, said, all);
    return 0;
}

}  // namespace westerly
