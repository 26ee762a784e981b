#include "policies/table.hpp"

#include "policies/terms.hpp"

namespace westerly {

term_table built_in_terms() {
    static const term terms[] = {latency_term, green_power_term,   carbon_term,           time_term,   cost_term,
                                 rtt_term,     data_movement_term, non_green_energy_term, finish_term, risk_term};
    return terms;
}

}  // namespace westerly
