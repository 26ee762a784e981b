#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    const auto replicas = static_cast<double>(context.spec.tasks);
    for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = context.rtt_ms[k] * replicas * context.run_hours[k];
}

}  // namespace

const term latency_term{.name = "latency",
                        .unit = "ms·replica-h",
                        .meaning =
                            "Round-trip time to the origin, for as long as each replica runs; services and "
                            "interactive batch with an origin only.",
                        .reads = reads_rtt | reads_run_hours,
                        .applies = rtt_counts,
                        .fill = fill,
                        .priceable = true,
                        .orderable = false};

}  // namespace westerly
