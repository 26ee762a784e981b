#include "tools/simulate/core/run_books.hpp"

#include <algorithm>

namespace westerly {

namespace {

double hours_of(const usage& used) {
    return std::chrono::duration<double>(used.end_at - used.start_at).count() / 3600.0;
}

}  // namespace

run_books::run_books(const std::vector<offer>& offers, const run_setup& setup) : setup_(setup) {
    for (const offer& o : offers)
        pools_[o.id].units = o.units_free;
    made.name = setup.name;
    made.policy_version = setup.rules.version;
}

std::uint32_t run_books::user(const std::string& name) {
    const auto [at, is_new] = users_.try_emplace(name, static_cast<std::uint32_t>(sums_.size()));
    if (is_new)
        sums_.emplace_back();
    return at->second;
}

void run_books::start(std::uint32_t user, instant came, instant began, double lead_s, double duration_s,
                      std::optional<double> rtt_ms) {
    const double wait_s = std::chrono::duration<double>(began - came).count();
    ++made.started;
    made.wait_s.add(std::max(0.0, wait_s));
    if (rtt_ms)
        made.rtt_ms.add(*rtt_ms);
    if (wait_s - lead_s > setup_.max_wait_s) {
        ++made.late;
        made.lateness_s += wait_s - lead_s - setup_.max_wait_s;
    }
    sums_[user].slowdown += (std::max(0.0, wait_s) + duration_s) / std::max(duration_s, bounded_slowdown_least_s);
    ++sums_[user].jobs;
}

void run_books::meter(const usage& used) {
    pools_[used.offer].unit_hours += static_cast<double>(used.units) * hours_of(used);
    first_ = first_ ? std::min(*first_, used.start_at) : used.start_at;
    last_ = last_ ? std::max(*last_, used.end_at) : used.end_at;
    if (used.carbon_quality != quality_class::measured_hourly)
        ++made.annual_factor_jobs;
    if (!used.energy_microkwh || !used.carbon_mg) {
        ++made.unknown_energy_jobs;
        return;
    }
    made.energy_kwh += static_cast<double>(*used.energy_microkwh) / 1e6;
    made.non_green_kwh += static_cast<double>(used.non_green_microkwh.value_or(*used.energy_microkwh)) / 1e6;
    made.location_kg += static_cast<double>(*used.carbon_mg) / 1e6;
    made.market_kg += static_cast<double>(used.carbon_market_mg.value_or(*used.carbon_mg)) / 1e6;
}

void run_books::bill(const charge& cost) {
    made.money += to_base(setup_.rates, {cost.effective_micros, cost.price.unit});
}

outcome run_books::close() {
    double used = 0, available = 0;
    const double span_h = first_ ? std::chrono::duration<double>(*last_ - *first_).count() / 3600.0 : 0;
    for (const auto& [id, pool] : pools_)
        if (pool.units && pool.unit_hours > 0) {
            used += pool.unit_hours;
            available += static_cast<double>(*pool.units) * span_h;
        }
    made.utilisation = available > 0 ? used / available : 0;
    double sum = 0, squares = 0;
    for (const user_sum& user : sums_)
        if (user.jobs > 0) {
            const double speed = static_cast<double>(user.jobs) / user.slowdown;
            sum += speed;
            squares += speed * speed;
            ++made.users;
        }
    made.jain = made.users > 0 ? sum * sum / (static_cast<double>(made.users) * squares) : 1;
    return std::move(made);
}

}  // namespace westerly
