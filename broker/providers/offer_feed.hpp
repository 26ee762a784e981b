#pragma once

#include "broker/domain/inputs.hpp"

namespace westerly {

struct merged_offers {
    std::vector<offer> offers;          // by id, unique
    std::vector<std::string> warnings;  // one sentence for each that was dropped, in the adapter's order
};

/// What the provider sells: the adapter's offers (none: nullptr) with the site's facts and the price book of the
/// provider file laid over them, and the file's own plan-only offers beside them. Id: "provider/site/name/mode". An
/// offer of a site that the file does not know, or of an id that came before, is dropped. Of several prices that fit,
/// the most exact holds: site and offer, then offer, then site, then all; the first in the file among equals.
/// Pure. `now` dates the file's own offers, which bear no date.
merged_offers merge_offers(const provider_config& config, const offers_reply* reply, instant now);

}  // namespace westerly
