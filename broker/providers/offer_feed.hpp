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
/// Of what adapter and file measured of an RTT the later holds; nothing was measured after `now`.
/// Pure. `now` dates the file's own offers, which bear no date.
merged_offers merge_offers(const provider_config& config, const offers_reply* reply, instant now);

/// Entries of the provider file's `prices` that name an offer which the adapter does not tell of, a sentence each, the
/// first ten.
std::vector<std::string> unmet_prices(const provider_config& config, const offers_reply& reply);

/// Measured RTTs always differ a little, and each change makes its site's offers new ones, which decisions and their
/// history would have to take in. So what was told `before` stays, date and all, while it is younger than half of its
/// age limit and the new figure is within 1 ms or 5 % of it.
void keep_steady(const std::vector<site_rtt>& before, const provider_config& config, instant now,
                 std::vector<site_rtt>& told);

}  // namespace westerly
