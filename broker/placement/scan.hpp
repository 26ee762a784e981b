#pragma once

#include "broker/placement/demand.hpp"

#include <array>

namespace westerly {

/// Passes over the columns. Everything here is linear in the offers or in the candidates, allocates nothing once warm,
/// and touches no string.

inline constexpr std::size_t order_keys_max = 8;  // of an ordered policy; check_policy refuses more

/// What an offer is compared by: J or the keys of the order, then the ties of decision-model §6.
struct standing {
    std::uint32_t index = 0;  // into the book; the last tie, because the book is sorted by offer id
    std::array<double, order_keys_max> keys{};
    bool launchable = true;
    std::int64_t finish_ms = 0;
    double non_green_kwh = 0;  // unknown: infinity
    double rtt_ms = 0;         // 0 where RTT does not count; unknown: infinity
};
bool better(const standing& a, const standing& b, std::size_t keys) noexcept;

/// The best few, best first.
class podium {
public:
    explicit podium(std::size_t places) : places_(places) {}
    void clear(std::size_t keys) noexcept;
    void offer_place(const standing& s) noexcept;
    std::span<const standing> ranked() const noexcept { return {entries_.data(), size_}; }
    /// The last place's first key: nothing with a larger one can enter. Infinity while places are free.
    double limit() const noexcept { return limit_; }

private:
    std::array<standing, ranked_max + 1> entries_{};
    std::size_t places_;
    std::size_t size_ = 0;
    std::size_t keys_ = 1;
    double limit_ = 0;
};

/// What the filters leave.
struct survivors {
    std::vector<std::uint32_t> index;         // ascending
    std::vector<double> cost_base;            // C, parallel
    std::size_t size = 0;                     // both vectors are kept at the book's size
    std::array<std::uint32_t, 256> counts{};  // by code
    std::optional<standing> baseline;         // the cheapest: among launchable ones where there are any
    double baseline_cost = 0;
};
void filter_book(const offer_book& book, const demand& want, survivors& into);

/// The first failing filter of one offer, or `passes`: what filter_book counts.
std::uint8_t verdict(const offer_book& book, const demand& want, std::size_t i) noexcept;

/// Drops what costs more than `limit`, counting it as too_dear_for_policy.
void keep_within(double limit, survivors& among);

/// Ranks by J = C + Σ price x quantity, or by the order's keys.
struct ranking_rule {
    struct part {
        const term* what = nullptr;
        double factor = 0;  // priced: price per unit; ordered: the step
        bool applies = true;
    };
    std::vector<part> parts;
    bool ordered = false;
};
void rank(const offer_book& book, const demand& want, const workload_spec& spec, const ranking_rule& rule, instant now,
          const survivors& among, podium& best, podium& best_launchable);

/// An offer's place in the comparison, all but its keys.
standing standing_of(const offer_book& book, const demand& want, std::uint32_t index) noexcept;

/// One quantity at one offer, by the same code that ranks; for the few that are explained.
double quantity_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index);

/// C of one offer in base currency, unrounded; meaningless where verdict() is price_missing.
double cost_of(const offer_book& book, const demand& want, std::size_t i) noexcept;

/// When a run there would end, in ms since 1970.
std::int64_t finish_ms(const demand& want, const site_view& site, const shape_view& shape) noexcept;

/// J's key for an ordered quantity: whole steps, rounded up; 0: exact.
double in_steps(double quantity, double step) noexcept;

}  // namespace westerly
