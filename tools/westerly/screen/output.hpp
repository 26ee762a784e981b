#pragma once

#include "broker/codec/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// The CLI's own exit codes; otherwise it exits with the workload's (128 + signal when one ended it).
enum exit_code : int { ours = 125, refused = 126, timed_out_code = 124, detached = 130 };

/// Columns aligned for people; the header is bold on a terminal. Cells are UTF-8; CJK counts two columns.
class text_table {
public:
    explicit text_table(std::vector<std::string> header) : rows_{std::move(header)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    bool empty() const noexcept { return rows_.size() == 1; }
    std::string render(bool colour) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// The text at a path of names ("tenant.name"; digits index arrays), numbers and flags as text; "" when absent.
std::string text_at(const json_value& v, std::string_view path);
const json_value* value_at(const json_value& v, std::string_view path);
double number_at(const json_value& v, std::string_view path, double absent);

/// {"amount", "currency"} as "7.80 CNY": trailing zeros past the second decimal are dropped. "" when absent.
std::string money_at(const json_value& v, std::string_view path);
/// "0.04 CNY now, 0.04 to 0.17" of what has an "hourly_price", else its "price" as money_at; of the past without "now".
std::string unit_price_of(const json_value& told);
/// "0.04 to 0.17 CNY" of what has an "hourly_price".
std::string price_range_of(const json_value& told);
/// Its "price_schedule", a line for each window: "mon-fri 09:00-11:30 0.17"; empty without one.
std::vector<std::string> windows_of(const json_value& told);
/// "+08:00: daily 23:00-07:00 0.04, mon-fri 09:00-11:30 0.17", of many windows the first; "" without one.
std::string hours_in_words(const json_value& told);
/// Rounded for people: four significant digits. "-" when absent.
std::string rounded_at(const json_value& v, std::string_view path, std::string_view unit = {});
/// Kilowatt-hours and kilograms as people read them: from 1 on in that unit, below in Wh and g; "-" when absent.
std::string energy_at(const json_value& v, std::string_view path);
std::string carbon_at(const json_value& v, std::string_view path);
std::string percent_at(const json_value& v, std::string_view path);

}  // namespace westerly
