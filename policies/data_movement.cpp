#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.data_movement_s, out);
}

}  // namespace

const term data_movement_term{.name = "data_movement",
                              .unit = "s",
                              .meaning = "Time to move the inputs to the site.",
                              .reads = reads_data_movement,
                              .applies = always,
                              .fill = fill,
                              .priceable = false,
                              .orderable = true};

}  // namespace westerly
