#pragma once

#include "broker/domain/records.hpp"
#include "tools/simulate/core/run.hpp"

#include <unordered_map>

namespace westerly {

/// What a run through the engine comes to, out of the engine's own usages and charges.
class run_books {
public:
    run_books(const std::vector<offer>& offers, const run_setup& setup);

    std::uint32_t user(const std::string& name);
    /// It came, and runs from `began` on; `lead_s` of the wait is the way of its data.
    void start(std::uint32_t user, instant came, instant began, double lead_s, double duration_s,
               std::optional<double> rtt_ms);
    void meter(const usage& used);
    void bill(const charge& cost);
    outcome close();

    outcome made;

private:
    struct user_sum {
        double slowdown = 0;
        std::size_t jobs = 0;
    };
    struct pool {
        std::optional<std::uint64_t> units;
        double unit_hours = 0;
    };
    const run_setup& setup_;
    std::unordered_map<std::string, std::uint32_t> users_;
    std::vector<user_sum> sums_;
    std::unordered_map<offer_id, pool> pools_;
    std::optional<instant> first_, last_;
};

}  // namespace westerly
