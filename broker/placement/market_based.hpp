#pragma once

#include "broker/domain/certificate.hpp"
#include "broker/domain/decision.hpp"
#include "broker/placement/offer_book.hpp"

namespace westerly {

/// What a decision tells of offers: what it ranked, and its baseline.
std::vector<appraisal*> told_of_offers(decision& made);

/// Whose certificates could be given to these runs: of which grids, and from the first start to the last finish.
struct certificate_scope {
    std::vector<std::string> grids;
    instant from{}, to{};
};
certificate_scope certificate_scope_of(const offer_book& book, std::span<appraisal* const> told);

/// Counts in their market-based numbers what each by itself could be given of what is `there`, were its run over when
/// it is expected to be. After the ranking, which it does not change. Returns those of `there` that something is of:
/// with these alone it comes out the same.
std::vector<allocable_power> count_certificates(const offer_book& book, std::span<const allocable_power> there,
                                                std::span<appraisal* const> told);

}  // namespace westerly
