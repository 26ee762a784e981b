#include "tools/catalogue/findings.hpp"

namespace westerly {
namespace {

struct kind_row {
    std::string_view name, rule;
};

constexpr kind_row kinds[] = {
    {"bad_quotes", "left out: a quote is not closed on its line, or the line is too long to be a row"},
    {"wrong_columns", "left out: it has another number of columns than the header, and no single way to join them"},
    {"name_missing", "left out: provider, region or instance type is empty"},
    {"bad_number", "left out: a number does not read as a decimal within bounds, prices with up to 9 decimals"},
    {"no_host", "left out: a price without processors or memory is an add-on to some host, not an offer"},
    {"no_price", "left out: no price above zero; a price of zero is a missing one, never a gift"},
    {"fractional_cards", "left out: offers count whole cards, and a part of one is no smaller whole"},
    {"card_memory_unknown", "left out: neither the row nor the facts know the memory of its cards"},
    {"duplicate", "left out: an earlier row says exactly the same"},
    {"contradiction", "left out: an earlier row of this site and instance type says otherwise; the first holds"},
    {"past_limits", "left out: the provider file is full"},
    {"no_such_site", "left out: the provider file has no site in this region and zone"},
    {"spot_not_overlaid", "left out: a price laid over an adapter's offers does not tell spot from on-demand"},
    {"comma_joined", "kept: a column too many, from a comma without quotes; the one reading with sound numbers holds"},
    {"zero_price", "kept: of two prices the one that is zero counts as missing"},
    {"spot_dearer", "kept as it stands: the spot price is above the on-demand price"},
    {"accelerator_renamed", "kept under the model's usual name"},
    {"accelerator_unknown", "kept under its own name, with stack \"unknown\": it meets no demand for a stack"},
    {"card_memory_filled", "kept: the memory of a card comes from the facts about its model"},
    {"card_memory_of_all", "kept: the memory stated is that of all cards together; a card's is from the facts"},
    {"card_memory_rounded", "kept: the usable memory stated stands for the model's own"},
    {"card_memory_odd", "kept as stated, whole GiB: no variant of the model is known to have so much"},
    {"arm_by_name", "kept as arm64: the instance family is known to have such processors"},
    {"name_changed", "kept: characters that no offer's name has became '_'"},
    {"region_without_place", "kept: no coordinates are known, so no RTT is estimated"},
    {"jurisdiction_unknown", "kept under ZZ, which no demand for a jurisdiction names"},
};
static_assert(std::size(kinds) == finding_kinds);

}  // namespace

std::string_view to_string(finding_kind kind) {
    return kinds[static_cast<std::size_t>(kind)].name;
}

std::string_view rule_of(finding_kind kind) {
    return kinds[static_cast<std::size_t>(kind)].rule;
}

void finding_log::add(finding one) {
    for (char& c : one.detail)  // of the file: it goes to terminals and into JSON
        if (c < ' ' || c > '~')
            c = '?';
    tally& t = tallies_[static_cast<std::size_t>(one.kind)];
    ++t.count;
    if (t.firsts.size() < firsts_max)
        t.firsts.push_back(all_.size());
    all_.push_back(std::move(one));
}

}  // namespace westerly
