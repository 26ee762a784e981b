#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.rtt_p95_ms, out);
}

}  // namespace

const term rtt_term{.name = "rtt",
                    .unit = "ms",
                    .meaning =
                        "Round-trip time that 95 % of the demand is within; services and interactive batch with an "
                        "origin only.",
                    .reads = reads_rtt_p95,
                    .applies = rtt_counts,
                    .fill = fill,
                    .priceable = false,
                    .orderable = true};

}  // namespace westerly
