#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.carbon_kg, out);
}

}  // namespace

const term carbon_term{.name = "carbon",
                       .unit = "kg",
                       .meaning = "Carbon of the facility energy by the grid's location-based factor, in kg CO2e.",
                       .reads = reads_energy | reads_carbon,
                       .applies = always,
                       .fill = fill,
                       .priceable = true,
                       .orderable = true};

}  // namespace westerly
