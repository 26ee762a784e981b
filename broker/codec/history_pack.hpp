#pragma once

#include "broker/domain/history.hpp"

#include <string>
#include <string_view>

namespace westerly {

// The store's forms of what decisions are made from; packing.hpp says how. Errors of all readers: internal (damaged).

std::string pack_basis(const decision_basis& b);  // without the decision's id, which its row has
result<decision_basis> unpack_basis(std::string_view packed);

std::string pack_facts(const facts_past& facts);
result<facts_past> unpack_facts(std::string_view packed);

/// Offers sorted by id: ids share their beginnings, and offers of one site follow each other.
std::string pack_offers(const offer_list& offers);
result<offer_list> unpack_offers(std::string_view packed);

struct offers_change {
    offer_list offers;
    std::vector<offer_id> gone;
};
std::string pack_change(const offer_list& offers, const std::vector<offer_id>& gone);
result<offers_change> unpack_change(std::string_view packed);

}  // namespace westerly
