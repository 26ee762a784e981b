#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// What can be wrong with a row of a price catalogue. Each kind has one rule, told by `rule_of`.
enum class finding_kind : std::uint8_t {
    // the row gives no offer
    bad_quotes,
    wrong_columns,
    name_missing,
    bad_number,
    no_host,
    no_price,
    fractional_cards,
    card_memory_unknown,
    duplicate,
    contradiction,
    past_limits,
    no_such_site,
    spot_not_overlaid,
    // the row gives offers, with this to know
    comma_joined,
    zero_price,
    spot_dearer,
    accelerator_renamed,
    accelerator_unknown,
    card_memory_filled,
    card_memory_of_all,
    card_memory_rounded,
    card_memory_odd,
    arm_by_name,
    name_changed,
    region_without_place,
    jurisdiction_unknown,
    count_  // not a kind: the number of them
};
inline constexpr std::size_t finding_kinds = static_cast<std::size_t>(finding_kind::count_);

std::string_view to_string(finding_kind kind);
/// What the importer does about it, for people.
std::string_view rule_of(finding_kind kind);
constexpr bool leaves_out(finding_kind kind) noexcept {
    return kind < finding_kind::comma_joined;
}

struct finding {
    finding_kind kind = finding_kind::count_;
    std::uint32_t file = 0;  // its number among the files given
    std::uint64_t line = 0;
    std::string detail;
};

/// Every finding, and per kind how many there are and where the first ones stand.
class finding_log {
public:
    static constexpr std::size_t firsts_max = 3;
    struct tally {
        std::uint64_t count = 0;
        std::vector<std::size_t> firsts;  // into all()
    };
    void add(finding one);
    const std::vector<finding>& all() const noexcept { return all_; }
    const tally& of(finding_kind kind) const noexcept { return tallies_[static_cast<std::size_t>(kind)]; }

private:
    std::vector<finding> all_;
    std::array<tally, finding_kinds> tallies_;
};

}  // namespace westerly
