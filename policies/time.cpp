#include "policies/terms.hpp"

namespace westerly {
namespace {

bool is_batch(const workload_spec& spec) {
    return spec.kind == workload_kind::batch;
}

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.finish_hours, out);
}

}  // namespace

const term time_term{.name = "time",
                     .unit = "h",
                     .meaning = "Hours from the earliest start to the finish; batch only.",
                     .reads = reads_finish,
                     .applies = is_batch,
                     .fill = fill,
                     .priceable = true,
                     .orderable = false};

}  // namespace westerly
