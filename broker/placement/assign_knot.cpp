#include "broker/placement/assign_knot.hpp"

#include <numeric>
#include <tuple>

namespace westerly {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// The least that a pool has in any slot.
std::vector<std::uint64_t> least_capacities(const assign_problem& p) {
    std::vector<std::uint64_t> least(p.pools());
    for (std::size_t pool = 0; pool < least.size(); ++pool) {
        const auto cells = p.capacity.begin() + static_cast<std::ptrdiff_t>(pool * p.slots);
        const std::uint32_t value = *std::min_element(cells, cells + p.slots);
        least[pool] = value == unlimited_capacity ? no_limit : value;
    }
    return least;
}

/// The cheapest start of an option is its first, so that the cheapest option is the cheapest of all.
std::uint32_t cheapest_option(const assign_problem& p, const assign_job& job) {
    std::uint32_t best = nothing;
    double least = job.refusal;
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        const assign_option& o = p.options[i];
        const bool sooner = best != nothing && o.cost == least &&
                            o.first_start + o.slots < p.options[best].first_start + p.options[best].slots;
        if (o.cost < least || (best == nothing && o.cost == least) || sooner) {
            best = i;
            least = o.cost;
        }
    }
    return best;
}

/// The most that a workload could ask of each pool, a pool at a time. Options of one pool need not be neighbours.
template <class Call>
void for_largest(const assign_problem& p, const assign_job& job, std::vector<std::uint32_t>& scratch,
                 const Call& call) {
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        std::uint32_t& most = scratch[p.options[i].pool];
        most = std::max(most, p.options[i].quantity);
    }
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        std::uint32_t& most = scratch[p.options[i].pool];
        if (most > 0)
            call(p.options[i].pool, most);
        most = 0;
    }
}

class joined {
public:
    explicit joined(std::size_t size) : up_(size) { std::iota(up_.begin(), up_.end(), 0u); }
    std::uint32_t root(std::uint32_t i) noexcept {
        while (up_[i] != i)
            i = up_[i] = up_[up_[i]];
        return i;
    }
    void join(std::uint32_t a, std::uint32_t b) noexcept {
        a = root(a);
        b = root(b);
        up_[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<std::uint32_t> up_;
};

/// Copies the options that could be of use: none dearer than being refused or than something without limit.
void add_job(const assign_problem& p, std::uint32_t number, const std::vector<std::uint64_t>& demand,
             const std::vector<std::uint64_t>& least, std::vector<std::uint32_t>& local, assign_knot& knot) {
    const assign_job& job = p.jobs[number];
    const auto always_free = [&](const assign_option& o) {
        return demand[o.pool] <= least[o.pool];
    };
    double limit = job.refusal;
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i)
        if (always_free(p.options[i]))
            limit = std::min(limit, p.options[i].cost);
    assign_knot::job mine{static_cast<std::uint32_t>(knot.options.size()), 0, job.refusal,
                          std::min(job.refusal, job.unlisted_floor), number};
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        const assign_option& o = p.options[i];
        if (o.cost > limit)
            continue;
        if (local[o.pool] == nothing) {
            local[o.pool] = static_cast<std::uint32_t>(knot.pools.size());
            knot.pools.push_back(o.pool);
            const auto cells = p.capacity.begin() + static_cast<std::ptrdiff_t>(std::size_t{o.pool} * p.slots);
            // What can never run out has no price.
            if (always_free(o))
                knot.capacity.insert(knot.capacity.end(), p.slots, unlimited_capacity);
            else
                knot.capacity.insert(knot.capacity.end(), cells, cells + p.slots);
        }
        knot.options.push_back(
            {o.cost, o.cost_per_slot_later, local[o.pool], o.quantity, o.slots, o.first_start, o.last_start, i});
    }
    mine.end = static_cast<std::uint32_t>(knot.options.size());
    std::sort(knot.options.begin() + mine.begin, knot.options.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.cost, a.first_start + a.slots, a.original) <
               std::tuple(b.cost, b.first_start + b.slots, b.original);
    });
    knot.jobs.push_back(mine);
}

}  // namespace

std::vector<assign_knot> find_knots(const assign_problem& p, std::vector<assigned>& of) {
    of.assign(p.jobs.size(), {});
    std::vector<std::uint32_t> cheapest(p.jobs.size());
    for (std::size_t j = 0; j < p.jobs.size(); ++j)
        cheapest[j] = cheapest_option(p, p.jobs[j]);

    // Whoever's cheapest lies where everybody could come at once takes it and comes nowhere else; that may free another
    // pool, so until nothing changes.
    const std::vector<std::uint64_t> least = least_capacities(p);
    std::vector<std::uint64_t> demand(p.pools(), 0);
    std::vector<std::uint32_t> scratch(p.pools(), 0);
    for (const assign_job& job : p.jobs)
        for_largest(p, job, scratch, [&](std::uint32_t pool, std::uint32_t most) { demand[pool] += most; });
    std::vector<std::uint32_t> open(p.jobs.size());
    std::iota(open.begin(), open.end(), 0u);
    for (std::size_t before = open.size() + 1; before != open.size();) {
        before = open.size();
        std::erase_if(open, [&](std::uint32_t j) {
            const std::uint32_t i = cheapest[j];
            if (i != nothing && demand[p.options[i].pool] > least[p.options[i].pool])
                return false;
            for_largest(p, p.jobs[j], scratch, [&](std::uint32_t pool, std::uint32_t most) { demand[pool] -= most; });
            if (i != nothing) {
                of[j] = {i, p.options[i].first_start};
                demand[p.options[i].pool] += p.options[i].quantity;  // it stays there
            }
            return true;
        });
    }

    // What the settled hold must not be promised again. Their pools hold everybody, so nothing is scarce there now, but
    // another workload's option there is kept `always_free` by the same count.
    joined sets(p.jobs.size());
    std::vector<std::uint32_t> first_of_pool(p.pools(), nothing);
    for (const std::uint32_t j : open)
        for (std::uint32_t i = p.jobs[j].options_begin; i < p.jobs[j].options_end; ++i) {
            const std::uint32_t pool = p.options[i].pool;
            if (demand[pool] <= least[pool])
                continue;
            if (first_of_pool[pool] == nothing)
                first_of_pool[pool] = j;
            sets.join(first_of_pool[pool], j);
        }
    std::vector<assign_knot> knots;
    std::vector<std::uint32_t> knot_of(p.jobs.size(), nothing);
    std::vector<std::vector<std::uint32_t>> members;
    for (const std::uint32_t j : open) {
        std::uint32_t& number = knot_of[sets.root(j)];
        if (number == nothing) {
            number = static_cast<std::uint32_t>(members.size());
            members.emplace_back();
        }
        members[number].push_back(j);
    }
    std::vector<std::uint32_t> local(p.pools(), nothing);
    knots.reserve(members.size());
    for (const auto& jobs : members) {
        assign_knot& knot = knots.emplace_back();
        knot.slots = p.slots;
        for (const std::uint32_t j : jobs)
            add_job(p, j, demand, least, local, knot);
        for (const std::uint32_t pool : knot.pools)
            local[pool] = nothing;
    }
    return knots;
}

double knot_cost(const assign_knot& knot, std::span<const assigned> of) {
    double sum = 0;
    for (std::size_t j = 0; j < knot.jobs.size(); ++j)
        sum += of[j].option == nothing ? knot.jobs[j].refusal : knot.options[of[j].option].cost_at(of[j].start);
    return sum;
}

}  // namespace westerly
