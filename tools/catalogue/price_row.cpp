#include "tools/catalogue/price_row.hpp"

#include "broker/domain/money.hpp"

#include <algorithm>
#include <array>

namespace westerly {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(price_column::count_)> names = {
    "provider",
    "region",
    "zone",
    "instance_type",
    "vcpus",
    "memory_gib",
    "accelerator_name",
    "accelerator_count",
    "accelerator_memory_gib",
    "price_usd_per_hour",
    "spot_price_usd_per_hour"};

constexpr price_column required[] = {price_column::region, price_column::instance_type, price_column::vcpus,
                                     price_column::memory_gib, price_column::price};

std::string_view name_of(price_column column) {
    return names[static_cast<std::size_t>(column)];
}

std::string trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos)
        return {};
    return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

/// The fields [at, at + count) as the one field that they were.
std::vector<std::string> joined_at(const std::vector<std::string>& fields, std::size_t at, std::size_t count) {
    std::vector<std::string> out(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(at));
    std::string whole = fields[at];
    for (std::size_t i = at + 1; i < at + count; ++i)
        whole += ',' + fields[i];
    out.push_back(std::move(whole));
    out.insert(out.end(), fields.begin() + static_cast<std::ptrdiff_t>(at + count), fields.end());
    return out;
}

/// "Taiwan, TW, AS": in a list of words a blank follows each comma, and no field of a table begins with one.
std::vector<std::string> blanks_joined(const std::vector<std::string>& fields) {
    std::vector<std::string> out;
    for (const auto& field : fields)
        if (!out.empty() && field.starts_with(' '))
            out.back() += ',' + field;
        else
            out.push_back(field);
    return out;
}

}  // namespace

result<price_header> price_header::read(const csv_row& first, bool provider_given) {
    price_header header;
    header.width_ = first.fields.size();
    std::array<int, names.size()> seen{};
    for (const auto& field : first.fields) {
        const auto known = std::ranges::find(names, trimmed(field));
        if (known == names.end()) {
            header.columns_.emplace_back(std::nullopt);
            header.ignored_.push_back(trimmed(field));
            continue;
        }
        const auto at = static_cast<std::size_t>(known - names.begin());
        if (++seen[at] > 1)
            return fail(errc::invalid, "the column " + std::string(*known) + " stands twice", "keep one");
        header.columns_.emplace_back(static_cast<price_column>(at));
    }
    std::string missing;
    for (const auto column : required)
        if (seen[static_cast<std::size_t>(column)] == 0)
            missing += (missing.empty() ? "" : ", ") + std::string(name_of(column));
    if (!provider_given && seen[static_cast<std::size_t>(price_column::provider)] == 0)
        missing += (missing.empty() ? "" : ", ") + std::string(name_of(price_column::provider));
    if (!missing.empty())
        return fail(errc::invalid, "the first line does not name these columns: " + missing,
                    "name the columns as docs/guides/price-catalogues.md does");
    return header;
}

std::optional<price_row> price_header::read_row(const std::vector<std::string>& fields, std::string& wrong) const {
    price_row row;
    const auto number = [&](price_column column, const std::string& text, std::optional<nanos>& into) {
        if (text.empty())
            return;
        if (const auto read = parse_nanos(text); read && *read >= 0)
            into = *read;
        else if (wrong.empty())
            wrong = std::string(name_of(column)) + " is \"" + text.substr(0, 40) + '"';
    };
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!columns_[i])
            continue;
        const std::string text = trimmed(fields[i]);
        switch (*columns_[i]) {
            case price_column::provider:
                row.provider = text;
                break;
            case price_column::region:
                row.region = text;
                break;
            case price_column::zone:
                row.zone = text;
                break;
            case price_column::instance_type:
                row.instance_type = text;
                break;
            case price_column::accelerator_name:
                row.accelerator = text;
                break;
            case price_column::vcpus:
                number(*columns_[i], text, row.vcpus);
                break;
            case price_column::memory_gib:
                number(*columns_[i], text, row.memory_gib);
                break;
            case price_column::accelerator_count:
                number(*columns_[i], text, row.cards);
                break;
            case price_column::accelerator_memory_gib:
                number(*columns_[i], text, row.card_memory_gib);
                break;
            case price_column::price:
                number(*columns_[i], text, row.price);
                break;
            case price_column::spot_price:
                number(*columns_[i], text, row.spot_price);
                break;
            case price_column::count_:
                break;
        }
    }
    if (!wrong.empty())
        return std::nullopt;
    return row;
}

/// The line with its surplus columns joined, if there is exactly one column that they can belong to.
std::optional<std::vector<std::string>> price_header::mended(const std::vector<std::string>& fields) const {
    std::string ignored;
    if (auto by_blanks = blanks_joined(fields); by_blanks.size() == width_ && read_row(by_blanks, ignored))
        return by_blanks;
    std::optional<std::vector<std::string>> found;
    for (std::size_t at = 0; at < width_; ++at) {
        auto joined = joined_at(fields, at, fields.size() - width_ + 1);
        std::string wrong;
        const auto row = read_row(joined, wrong);
        if (!row || !row->price || !row->vcpus)
            continue;
        if (found)
            return std::nullopt;
        found = std::move(joined);
    }
    return found;
}

result<price_row> price_header::row_of(const csv_row& line, finding_kind& why, bool& joined) const {
    joined = false;
    const auto refuse = [&](finding_kind kind, std::string detail) {
        why = kind;
        return fail(errc::invalid, std::move(detail));
    };
    if (line.damage == csv_damage::open_quote)
        return refuse(finding_kind::bad_quotes, "a quote is not closed");
    if (line.damage == csv_damage::too_long)
        return refuse(finding_kind::bad_quotes, "the line is too long");
    std::vector<std::string> fields = line.fields;
    if (fields.size() > width_) {
        auto whole = mended(fields);
        if (!whole)
            return refuse(finding_kind::wrong_columns,
                          std::to_string(fields.size()) + " columns, the header has " + std::to_string(width_));
        fields = std::move(*whole);
        joined = true;
    }
    if (fields.size() < width_)
        return refuse(finding_kind::wrong_columns,
                      std::to_string(fields.size()) + " columns, the header has " + std::to_string(width_));
    std::string wrong;
    auto row = read_row(fields, wrong);
    if (!row)
        return refuse(finding_kind::bad_number, wrong);
    row->line = line.line;
    return std::move(*row);
}

}  // namespace westerly
