#include "broker/api/cost_filter.hpp"
#include "broker/api/handlers.hpp"

namespace westerly {

response list_charges(const call& c) {
    const auto filter = cost_filter_of(c);
    if (!filter)
        return problem(filter.error());
    const auto limit = limit_of(c);
    if (!limit)
        return problem(limit.error());
    const auto found = c.house.services.read->list_charges(*filter, cursor_of(c), *limit);
    if (!found)
        return list_problem(found.error());
    const auto totals = c.house.services.read->total_charges(*filter);
    if (!totals)
        return problem(totals.error());
    return list_response(found->items, found->next_cursor, [&](json_writer& out) {
        put_objects(out, "totals", *totals, [&](const charge_total& total) {
            put_money(out, "billed_cost", {total.billed_micros, total.unit});
            put_whole(out, "rows", total.rows);
        });
    });
}

}  // namespace westerly
