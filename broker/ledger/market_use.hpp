#pragma once

#include "broker/domain/records.hpp"
#include "broker/ledger/certificates.hpp"

namespace westerly {

/// Sets a usage row's market-based number: what the site's contracts cover counts as 0; certificates are given to the
/// rest, calendar month by calendar month, and what is then left counts by the residual mix, else as the grid. Nothing
/// where the row's energy is not known. `terms` are those that the row was metered by; certificates must be of `grid`.
void account_market(usage& row, const lease& terms, const std::string& grid, const std::string& beneficiary,
                    certificate_ledger& ledger, instant now);

}  // namespace westerly
