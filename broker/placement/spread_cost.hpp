#pragma once

#include "broker/placement/rank.hpp"
#include "broker/placement/spread.hpp"

namespace westerly {

inline constexpr std::size_t spread_origins_max = 64;  // as many as a workload may state

/// A set of candidates, ascending, with what it comes to.
struct spread_set {
    std::array<std::uint16_t, spread_sites_max> of{};  // numbers of candidates
    std::array<std::uint16_t, spread_sites_max> replicas{};
    std::size_t size = 0;
    double violation = 0;  // 0: it keeps all limits; infinity: one of them serves nobody, or an origin has nobody
    std::array<double, order_keys_max> keys{};  // J, or the policy's keys
    double cost = 0;                            // C of all
    double rtt_ms = 0, rtt_p95_ms = 0;

    std::span<const std::uint16_t> members() const noexcept { return {of.data(), size}; }
};

/// The arithmetic of spreads: what a set of offers comes to. Results are kept, so that a search asks freely.
class spread_costs {
public:
    spread_costs(const offer_book& book, const policy& policy, term_table terms, const workload_spec& spec,
                 const decision_world& world);

    spread_problem problem() const noexcept { return problem_; }
    std::size_t fit() const noexcept { return fit_; }  // offers that could take a replica
    std::size_t size() const noexcept { return candidates_.size(); }
    std::size_t keys() const noexcept { return rule_.ordered ? rule_.parts.size() : 1; }
    bool ordered() const noexcept { return rule_.ordered; }
    std::size_t sites_max() const noexcept { return sites_max_; }
    std::size_t origins() const noexcept { return origins_.size(); }
    const origin_view& origin_at(std::size_t o) const noexcept { return origins_[o]; }
    double rtt(std::size_t candidate, std::size_t o) const noexcept { return rtts_[candidates_[candidate].site][o].ms; }
    const std::string& offer_of(std::size_t candidate) const { return book_.at(candidates_[candidate].index).id; }

    /// Fills in all but `of` and `size`, for sets whose C has to be `dearest` at most.
    void reckon(spread_set& set, double dearest);
    /// What one ms of the mean RTT of all demand costs; 0: nothing.
    double per_ms() { return per_ms(candidates_.front()); }
    /// The least J without latency that a replica can come to at a candidate, whatever their number is; nullopt where
    /// the policy weighs what does not add up.
    std::optional<double> least_per_replica(std::size_t candidate);
    /// The plan's figures of a set.
    void tell(const spread_set& set, spread_plan& into);

private:
    struct candidate {
        std::uint32_t index = 0, site = 0, shape = 0;  // into the book
        std::uint32_t replicas_max = 0;                // that it has units for
    };
    /// A share of all demand that goes from an origin to a member of a set.
    struct flow {
        std::uint16_t origin = 0, member = 0;
        double share = 0;
    };
    using flows = std::vector<flow>;
    using shares_of_members = std::array<double, spread_sites_max>;
    /// A number of replicas at a candidate, as a service of its own whose users are at the door.
    struct part_cost {
        bool known = false, fits = false;
        double cost = 0, hourly = 0, billed = 0, carbon_kg = 0;  // base currency; billed: against the budget
    };

    void find_candidates();
    std::vector<candidate> all_that_fit();
    std::vector<std::size_t> cheapest_of_sites(const std::vector<candidate>& all);
    void keep_some(std::vector<candidate>& all);
    const part_cost& part(std::size_t candidate, std::uint32_t replicas);
    std::span<double> quantities(std::size_t candidate, std::uint32_t replicas);
    void set_size(const candidate& of, std::uint32_t replicas);
    std::uint32_t room_at(const candidate& at);
    double assign(spread_set& set, flows& into) const;
    bool to_the_nearest(const spread_set& set, flows& into, shares_of_members& shares) const;
    double past_full_ones(const spread_set& set, flows& into, shares_of_members& shares) const;
    bool fit_by_share(spread_set& set, const shares_of_members& shares) const;
    std::size_t nearest(const spread_set& set, std::size_t o) const;
    double quantity(const spread_set& set, std::size_t rule_part);
    double of_users(const term& what, const candidate& any, double rtt_ms, double rtt_p95_ms);
    double per_ms(const candidate& any);
    double broken_limits(const spread_set& set);
    double j_alone(std::size_t candidate, std::uint32_t replicas);
    bool all_add_up() const;

    const offer_book& book_;
    const policy& policy_;
    const term_table terms_;
    const workload_spec& spec_;
    const decision_world& world_;
    workload_spec one_;  // the service with `tasks` as it is looked at, and nobody to be far from
    demand want_;
    ranking_rule rule_;
    std::vector<origin_view> origins_;
    std::vector<std::vector<told_rtt>> rtts_;  // by site of the book, then by origin; empty: nothing fits there
    std::vector<candidate> candidates_;        // by index, ascending
    std::size_t fit_ = 0, sites_max_ = 1;
    spread_problem problem_ = spread_problem::none;
    std::vector<part_cost> parts_;    // by candidate, then by replicas
    std::vector<double> quantities_;  // by candidate, by replicas, then by part of the rule
};

}  // namespace westerly
