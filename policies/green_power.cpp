#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.non_green_kwh, out);
}

}  // namespace

const term green_power_term{.name = "green_power",
                            .unit = "kWh",
                            .meaning = "Facility energy that claimable green power does not cover.",
                            .reads = reads_energy,
                            .applies = always,
                            .fill = fill,
                            .priceable = true,
                            .orderable = false};

}  // namespace westerly
