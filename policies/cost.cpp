#include "policies/terms.hpp"

namespace westerly {
namespace {

void fill(const term_context& context, std::span<double> out) {
    copy_column(context.cost_base, out);
}

}  // namespace

const term cost_term{.name = "cost",
                     .unit = "currency unit",
                     .meaning = "What the run costs, in the base currency, after billing increment and minimum.",
                     .reads = reads_nothing,
                     .applies = always,
                     .fill = fill,
                     .priceable = false,
                     .orderable = true};

}  // namespace westerly
