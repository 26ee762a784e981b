#include "broker/codec/certificate_json.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/positions.hpp"
#include "broker/codec/shapes.hpp"
#include "broker/codec/writer.hpp"

#include <set>

namespace westerly {

template <>
struct enum_names<matching_period> {
    static constexpr std::string_view list[] = {"month", "year"};
};

namespace {

constexpr std::size_t certificates_max = 10'000;
constexpr std::int64_t mwh_max = 1'000'000'000;
constexpr double micros_per_one = 1e6;
constexpr text_rule id_rule{1, 127};
constexpr text_rule grid_rule{1, 127};

bool is_month(std::string_view text) noexcept {
    const auto digit = [&](std::size_t i) {
        return text[i] >= '0' && text[i] <= '9';
    };
    return text.size() == 7 && digit(0) && digit(1) && digit(2) && digit(3) && text[4] == '-' &&
           ((text[5] == '0' && text[6] >= '1' && text[6] <= '9') ||
            (text[5] == '1' && text[6] >= '0' && text[6] <= '2'));
}
constexpr text_rule month_rule{7, 7, is_month, "a month such as 2026-03"};

void set_month(std::string_view text, certificate& into) {
    const auto number = [&](std::size_t from, std::size_t count) {
        int value = 0;
        for (const char c : text.substr(from, count))
            value = value * 10 + (c - '0');
        return value;
    };
    const std::chrono::year_month month =
        std::chrono::year(number(0, 4)) / std::chrono::month(static_cast<unsigned>(number(5, 2)));
    into.generated_from = std::chrono::sys_days(month / 1);
    into.generated_to = std::chrono::sys_days((month + std::chrono::months(1)) / 1);
}

void read_certificate(object_reader& o, std::vector<certificate>& all, std::set<std::string>& ids) {
    certificate& c = all.emplace_back();
    o.require({"id", "grid_zone", "generated", "expires_at", "mwh"});
    if (o.text("id", c.id, id_rule) && !ids.insert(c.id).second)
        o.faults().invalid(o.at("id"), '"' + c.id + "\" has an earlier entry", "give each certificate one entry");
    o.text("grid_zone", c.grid, grid_rule);
    if (std::string month; o.text("generated", month, month_rule))
        set_month(month, c);
    o.time("expires_at", c.expires_at);
    o.text("beneficiary", c.beneficiary, slug_rule);
    o.choice("period", c.period);
    o.whole("mwh", c.mwh, 1, mwh_max);
    o.number("contract_g_per_kwh", c.contract_g_per_kwh, {0, 5000});
    std::string ignored;
    o.text("source", ignored, note_rule);
}

}  // namespace

result<std::vector<certificate>> decode_certificates(std::string_view json) {
    const auto document = parse_json(json, config_json_max);
    if (!document)
        return document.error();
    std::vector<certificate> all;
    std::set<std::string> ids;
    fault_list faults;
    object_reader::read_object(*document, {}, faults, [&](object_reader& o) {
        std::string ignored;
        o.text("description", ignored, note_rule);
        o.require({"certificates"});
        o.objects("certificates", 0, certificates_max,
                  [&](object_reader& c, std::size_t /*index*/) { read_certificate(c, all, ids); });
    });
    if (!faults.empty())
        return with_places(faults.to_error("the certificates are not acceptable"), json);
    return all;
}

void encode(json_writer& out, const certificate_status& s) {
    const certificate& c = s.held;
    out.StartObject();
    put_text(out, "id", c.id);
    put_text(out, "grid_zone", c.grid);
    put_time(out, "generated_from", c.generated_from);
    put_time(out, "generated_to", c.generated_to);
    put_time(out, "expires_at", c.expires_at);
    put_text(out, "beneficiary", c.beneficiary);
    put_text(out, "period", name_of(c.period));
    put_whole(out, "mwh", static_cast<std::uint64_t>(c.mwh));
    put_number(out, "contract_g_per_kwh", c.contract_g_per_kwh);
    put_number(out, "given_kwh", static_cast<double>(s.given_microkwh) / micros_per_one);
    out.EndObject();
}

}  // namespace westerly
