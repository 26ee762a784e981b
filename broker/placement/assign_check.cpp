#include "broker/placement/assign_room.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace westerly {

namespace {

void expect(bool holds, const char* what, std::size_t at) {
    if (!holds)
        throw std::invalid_argument(std::string(what) + " " + std::to_string(at));
}

}  // namespace

void check_problem(const assign_problem& p) {
    expect(p.slots >= 1 && p.capacity.size() % p.slots == 0, "slots", p.slots);
    expect(p.pool_total.empty() || p.pool_total.size() == p.pools(), "totals of pools", p.pool_total.size());
    for (std::size_t i = 0; i < p.options.size(); ++i) {
        const assign_option& o = p.options[i];
        expect(o.pool < p.pools() && o.quantity >= 1 && o.quantity < unlimited_capacity && o.slots >= 1, "option", i);
        expect(o.first_start <= o.last_start && o.last_start < p.slots, "starts of option", i);
        expect(std::isfinite(o.cost) && o.cost >= 0, "cost of option", i);
        expect(std::isfinite(o.cost_per_slot_later) && o.cost_per_slot_later >= 0, "later cost of option", i);
        expect(std::isfinite(o.use) && o.use >= 0, "use of option", i);
    }
    for (std::size_t j = 0; j < p.jobs.size(); ++j) {
        const assign_job& job = p.jobs[j];
        expect(job.options_begin <= job.options_end && job.options_end <= p.options.size(), "options of job", j);
        expect(std::isfinite(job.refusal) && job.refusal >= 0, "refusal price of job", j);
        expect(job.unlisted_floor >= 0, "floor of job", j);
        expect(p.accounts.empty() || job.account < p.accounts.size(), "account of job", j);
    }
    for (std::size_t a = 0; a < p.accounts.size(); ++a)
        expect(p.accounts[a].weight > 0 && std::isfinite(p.accounts[a].used), "account", a);
}

double cost_of(const assign_problem& p, std::span<const assigned> of) {
    double sum = 0;
    for (std::size_t j = 0; j < p.jobs.size(); ++j)
        sum += of[j].option == nothing ? p.jobs[j].refusal : p.options[of[j].option].cost_at(of[j].start);
    return sum;
}

bool feasible(const assign_problem& p, std::span<const assigned> of) {
    if (of.size() != p.jobs.size())
        return false;
    assign_room room(p.capacity, p.slots);
    for (std::size_t j = 0; j < of.size(); ++j) {
        if (of[j].option == nothing)
            continue;
        if (of[j].option < p.jobs[j].options_begin || of[j].option >= p.jobs[j].options_end)
            return false;
        const assign_option& o = p.options[of[j].option];
        if (of[j].start < o.first_start || of[j].start > o.last_start || !room.fits(o, of[j].start))
            return false;
        room.take(o, of[j].start);
    }
    return true;
}

double uncontended_floor(const assign_problem& p) {
    return bound_at(p, std::vector<double>(p.capacity.size(), 0.0));
}

double bound_at(const assign_problem& p, std::span<const double> lambda) {
    // Sums of lambda up to a slot, so that an option's share is one subtraction.
    const std::size_t wide = p.slots + 1;
    std::vector<double> up_to(p.pools() * wide, 0.0);
    double paid = 0;
    for (std::size_t pool = 0; pool < p.pools(); ++pool)
        for (std::size_t t = 0; t < p.slots; ++t) {
            const std::size_t cell = pool * p.slots + t;
            const double price = p.capacity[cell] == unlimited_capacity ? 0 : std::max(lambda[cell], 0.0);
            up_to[pool * wide + t + 1] = up_to[pool * wide + t] + price;
            if (price > 0)
                paid += price * p.capacity[cell];
        }
    double sum = 0;
    for (const assign_job& job : p.jobs) {
        double least = std::min(job.refusal, job.unlisted_floor);
        for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
            const assign_option& o = p.options[i];
            const double* const at = &up_to[o.pool * wide];
            for (std::uint32_t s = o.first_start; s <= o.last_start; ++s) {
                const std::uint32_t end = o.slots < p.slots - s ? s + o.slots : p.slots;
                least = std::min(least, o.cost_at(s) + o.quantity * (at[end] - at[s]));
            }
        }
        sum += least;
    }
    return sum - paid;
}

double decayed_use(double used, double elapsed_s) noexcept {
    return used * std::exp2(-elapsed_s / use_half_life_s);
}

}  // namespace westerly
