#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.risk, out);
}

}  // namespace

const term risk_term{
    .name = "risk",
    .unit = "run",
    .meaning =
        "Probability that the run ends past its deadline, or is interrupted with no checkpoint to go on "
        "from; of a service, that an hour of it is interrupted.",
    .reads = reads_risk,
    .applies = always,
    .fill = fill,
    .priceable = true,
    .orderable = true};

}  // namespace westerly
