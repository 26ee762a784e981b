#pragma once

#include "broker/codec/json.hpp"
#include "broker/codec/reader.hpp"
#include "broker/domain/price_schedule.hpp"

namespace westerly {

/// "price_schedule" of `o` itself: {"utc_offset": "+08:00", "windows": [{"days": ["sat", "sun"], "from": "22:00",
/// "to": "06:00", "amount": "0.30"}]}. Refuses windows that overlap. True: it was there and whole.
bool read_price_schedule(object_reader& o, price_schedule& into);
/// Nothing where it is empty.
void put_price_schedule(json_writer& out, const price_schedule& hours);
/// "hourly_price": least, highest and mean price of the week, and with a time the one that holds then, and until when.
/// Nothing where the schedule is empty.
void put_hourly_price(json_writer& out, unit_price plain, const price_schedule& hours, std::optional<instant> now);

}  // namespace westerly
