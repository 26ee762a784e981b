#pragma once

#include "broker/domain/history.hpp"
#include "broker/placement/decide.hpp"

namespace westerly {

/// The term under which a decision counts what others do again who were stopped for it. No policy prices it.
inline constexpr std::string_view preemption_charge = "preemption";

/// The offers of one moment of the past, as a book, with the signals and facts of that time. Making it costs as much as
/// a start does, so that decisions of one moment share it; not for two threads at once.
class past_book {
public:
    past_book(const market_past& past, accelerator_table accelerators);

    std::uint64_t seq() const noexcept { return seq_; }
    /// Decides again as it was decided then, under any policy: by `rules` for `spec`, with what libraries `said` where
    /// the basis names that. `id`, `workload` and the number of the book are those of `first`. Errors: invalid when the
    /// basis names offers that there were not, conflict when something that it needs was not kept, with the reason.
    result<decision> decide_again(const decision& first, const decision_basis& basis, const policy& rules,
                                  term_table terms, const workload_spec& spec,
                                  std::span<const foreign_column> said = {});

private:
    void look_as_then(const decision_basis& basis);

    std::uint64_t seq_;
    std::vector<region_place> regions_;
    accelerator_table accelerators_;
    offer_book book_;
    signal_book signals_;
};

}  // namespace westerly
