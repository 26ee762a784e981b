#pragma once

#include "broker/support/result.hpp"
#include "tools/catalogue/csv.hpp"
#include "tools/catalogue/findings.hpp"

#include <optional>

namespace westerly {

enum class price_column : std::uint8_t {
    provider,
    region,
    zone,
    instance_type,
    vcpus,
    memory_gib,
    accelerator_name,
    accelerator_count,
    accelerator_memory_gib,
    price,
    spot_price,
    count_
};

/// An exact decimal in 10^-9.
using nanos = std::int64_t;

/// One row, read. Absent is not zero.
struct price_row {
    std::uint64_t line = 0;
    std::string provider, region, zone, instance_type, accelerator;
    std::optional<nanos> vcpus, memory_gib, cards, card_memory_gib, price, spot_price;
};

/// Which column of the file is which, from its first line.
class price_header {
public:
    /// Errors: invalid, naming the columns that are missing or stand twice.
    static result<price_header> read(const csv_row& first, bool provider_given);

    /// Finds fault by fault what keeps a line from being a row; `joined` tells that a comma had to be mended.
    result<price_row> row_of(const csv_row& line, finding_kind& why, bool& joined) const;
    const std::vector<std::string>& ignored() const noexcept { return ignored_; }

private:
    std::optional<price_row> read_row(const std::vector<std::string>& fields, std::string& wrong) const;
    std::optional<std::vector<std::string>> mended(const std::vector<std::string>& fields) const;

    std::size_t width_ = 0;
    std::vector<std::optional<price_column>> columns_;  // by place
    std::vector<std::string> ignored_;
};

}  // namespace westerly
