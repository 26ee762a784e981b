#pragma once

#include "broker/domain/note.hpp"
#include "broker/domain/offer.hpp"

namespace westerly {

/// A part of the demand and the site that serves it: of those chosen the nearest that has room for it.
struct served_origin {
    std::string origin;  // its region, or "latitude,longitude"
    double share = 0;    // of all demand
    double rtt_ms = 0;
    std::string rtt_method;  // as in `appraisal`
    bool overflow = false;   // a nearer one is full
    friend bool operator==(const served_origin&, const served_origin&) = default;
};

/// The replicas that go to one offer. Money and energy are of an hour.
struct spread_part {
    offer_id offer;
    provider_id provider;
    std::string site, region;
    bool launchable = true;
    std::uint32_t replicas = 0;
    std::uint64_t units = 0;
    unit_price price;        // per unit-hour, in the offer's currency
    money cost;              // C, in the offer's currency
    double cost_base = 0;    // C in the plan's currency, with egress_base
    double egress_base = 0;  // egress and staging of the inputs, spread over the service's stay; plan's currency
    double rtt_ms = 0;       // mean over what it serves, by their shares
    std::optional<double> energy_kwh, carbon_kg;
    std::vector<served_origin> serves;  // in the workload's order
    friend bool operator==(const spread_part&, const spread_part&) = default;
};

/// The same service with all replicas at one offer, by the same rules.
struct unspread {
    offer_id offer;
    double cost_base = 0, j = 0, rtt_ms = 0;
    friend bool operator==(const unspread&, const unspread&) = default;
};

enum class spread_problem : std::uint8_t { none, nothing_fits, not_ranked, term_of_library, near_least };

/// A service spread near its users. Everything is of an hour and of all replicas.
struct spread_plan {
    spread_problem problem = spread_problem::none;  // why there are no parts
    std::uint32_t max_sites = 0;
    std::vector<spread_part> parts;  // by offer id
    double cost_base = 0;
    std::vector<std::pair<std::string, double>> terms;  // money per priced term, as in `appraisal`
    double j = 0;                                       // C + terms
    std::vector<double> keys;                           // of policies that order
    double rtt_ms = 0, rtt_p95_ms = 0;                  // over the whole demand
    std::optional<unspread> alone;                      // nullopt: no single offer takes it
    std::uint32_t offers_fit = 0;                       // that could take a replica
    std::uint32_t offers_weighed = 0;                   // of those; fewer where there are very many
    std::uint64_t sets_tried = 0;
    bool every_set = true;          // of the offers weighed was tried; else a local search found this one
    std::optional<double> j_bound;  // no set of the offers weighed has less J; where not every set was tried
    std::vector<note> notes;        // on prices that change with the hour
    friend bool operator==(const spread_plan&, const spread_plan&) = default;
};

}  // namespace westerly
