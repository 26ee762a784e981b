#include "broker/engine/core.hpp"
#include "broker/ledger/correction.hpp"

namespace westerly {

/// The rows were read from the store, which knows nothing of corrections that are still on their way there: where there
/// are such, a second one could count the same difference twice.
void engine_core::on(turn& t, const correct_carbon& in) {
    if (in.read.corrections != corrections_)
        return reply(t, in.request,
                     fail(errc::conflict, "Another correction was made at the same time.",
                          "Ask again: what was corrected already stays as it is."));
    corrections_made made;
    made.next_cursor = in.read.next_cursor;
    made.dry_run = in.dry_run;
    const signal_curve curve(in.told->factors);
    for (const correctable& each : in.read.rows) {
        corrected_row one = correct(each.metered, each.corrections, *in.told, curve);
        ++made.counts[static_cast<std::size_t>(one.outcome)];
        if (one.outcome != correction_outcome::corrected)
            continue;
        one.row.id = usage_id::make(t.now, t.random);
        one.row.correction->number = corrections_ + made.rows.size() + 1;
        made.rows.push_back(std::move(one.row));
    }
    if (!in.dry_run) {
        corrections_ += made.rows.size();
        t.changes.usages.insert(t.changes.usages.end(), made.rows.begin(), made.rows.end());
    }
    reply(t, in.request, answer(std::move(made)));
}

}  // namespace westerly
