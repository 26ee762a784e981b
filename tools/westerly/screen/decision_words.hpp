#pragma once

#include "broker/domain/language.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// What the command line itself says around a decision; the decision's own sentences come from the broker.
struct decision_words {
    std::vector<std::string> offer_headings;      // of the table of ranked offers
    std::vector<std::string> rejection_headings;  // of the table of rejected ones
    std::vector<std::string> figure_headings;     // beside bars: money, carbon, RTT, finish; {1}: the currency
    std::string_view plan_only;
    std::string_view bars_of_cost;   // {1}: the currency
    std::string_view bars_of_terms;  // {1}: the currency
    std::string_view bars_of_key;    // {1}: the keys, {2}: number of the one drawn, {3}: its words, {4}: its unit
    std::string_view more_rejected;  // {1}: how many
    std::string_view some_rejected;  // {1}: how many more, {2}: how many JSON lists
    std::string_view decided;        // {1}: time, {2}: policy, {3}: its version
};
const decision_words& decision_words_of(language spoken);

}  // namespace westerly
