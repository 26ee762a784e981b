#pragma once

#include "broker/domain/offer.hpp"

#include <vector>

namespace westerly::laws {

/// An offer's price in every quarter of the week, from the words of its schedule: the slow and plain way. Windows begin
/// and end on quarters of an hour. Times in ms since 1970.
class plain_hours {
public:
    explicit plain_hours(const offer& of);

    /// nanos x ms over so long.
    wide sum(std::int64_t from_ms, std::int64_t length_ms) const;
    /// The same over an hour that is the mean of the week.
    wide mean_hour() const;
    std::int64_t highest(std::int64_t from_ms, std::int64_t length_ms) const;
    std::int64_t highest() const;
    /// When the price changes, after `from_ms` and not later than so long after it.
    std::vector<std::int64_t> changes(std::int64_t from_ms, std::int64_t length_ms) const;

private:
    std::int64_t at(std::int64_t ms) const;
    wide week() const;

    std::int64_t offset_ms_ = 0;
    std::vector<std::int64_t> quarters_;  // from Monday on, at the schedule's clock
};

}  // namespace westerly::laws
