#pragma once

#include "broker/placement/offer_book.hpp"

#include <map>

namespace westerly {

/// What is taken of the offers, and what a price catalogue leaves open (the last two are of CSV only). Lists are empty
/// for "all".
struct catalogue_rules {
    std::vector<std::string> providers = {};
    std::vector<std::string> instance_prefixes = {};  // "e2-standard"
    std::string accelerator = {};                     // model name or the start of one; "none": only what has no cards
    std::uint64_t units_per_offer = 16;               // assumed: catalogues state prices, not capacity
    bool spot = false;                                // also the spot price, as an offer of its own
};

struct supply {
    std::vector<offer> offers;
    std::map<std::string, std::size_t> left_out;  // rows by reason
    offer_book book() const;
};

/// Provider files of kind "catalogue" (schema/provider.schema.json). A path may be a folder of such. Left out and
/// counted: files of other kinds, whose offers their adapters tell, and what the rules leave out, which go by the
/// file's id, the offer's name and its cards. Errors: those of the files, with their name.
result<void> read_providers(const std::string& path, const catalogue_rules& rules, supply& into);

/// A price catalogue as CSV: provider, region, zone, instance_type, vcpus, memory_gib, accelerator_name,
/// accelerator_count, accelerator_memory_gib, price_usd_per_hour, spot_price_usd_per_hour. Only regions of
/// schema/facts/cloud_grids.json are taken, because no others have a place, a grid zone and so an hourly intensity.
/// Left out and counted: add-on prices without a host, prices of 0, shared cards, and what the rules leave out.
result<void> read_catalogue(const std::string& path, const catalogue_rules& rules, supply& into);

/// Measured RTT between regions of one provider as CSV: provider, src, dst, rtt_ms. Declared at sites in `src`.
result<void> read_rtts(const std::string& path, supply& into);

}  // namespace westerly
