#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.finish_hours, out);
}

}  // namespace

const term finish_term{.name = "finish",
                       .unit = "h",
                       .meaning = "Hours from the earliest start to the finish.",
                       .reads = reads_finish,
                       .applies = always,
                       .fill = fill,
                       .priceable = false,
                       .orderable = true};

}  // namespace westerly
