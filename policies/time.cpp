#include "policies/terms.hpp"

namespace westerly {
namespace {

bool is_batch(const workload_spec& spec) {
    return spec.kind == workload_kind::batch;
}

void fill(const term_context& context, std::span<double> out) {
    for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = std::max(0.0, context.finish_hours[k] - context.free_hours);
}

}  // namespace

const term time_term{
    .name = "time",
    .unit = "h",
    .meaning = "Hours from the earliest start to the finish, or from the target that the workload states; batch only.",
    .reads = reads_finish,
    .applies = is_batch,
    .fill = fill,
    .priceable = true,
    .orderable = false};

}  // namespace westerly
