#include "broker/support/time.hpp"
#include "tools/simulate/core/certificate.hpp"
#include "tools/simulate/core/exact_bound.hpp"
#include "tools/simulate/core/hours.hpp"
#include "tools/simulate/core/run_state.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

constexpr std::size_t ways_always = 16;  // of each workload, whether free now or not: what waiting could bring
constexpr double at_once_price = 1e9;

/// A tick's problem and where its numbers come from.
struct tick_problem {
    assign_problem what;
    std::vector<std::uint32_t> pool_of;  // the simulation's number of a pool
    std::vector<std::int32_t> way_of;    // by option
};

class builder {
public:
    builder(run_state& run, tick_problem& into) : run_(run), into_(into), local_(run.pools.size(), nothing) {
        into_.what.slots = run.setup.horizon;
    }

    void add(std::size_t number, std::size_t waiting) {
        const waiting_job& w = run_.queue[number];
        asked_ = window_of(w);
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(into_.what.options.size());
        job.account = w.user;
        job.priority = w.job.spec.priority;
        job.waits_since = static_cast<std::int64_t>(w.came_tick);
        job.overdue = asked_.overdue;
        // Enough that is free now for everybody who waits; what is dearer than all that need not be listed.
        std::uint64_t places = 0;
        for (std::size_t i = 0; i < w.ways.size(); ++i) {
            const feasible_offer& way = w.ways[i];
            if (most_ahead(way.index) < way.units)
                continue;  // it cannot start there within the slots
            if (i >= ways_always && places > waiting + 4) {
                job.unlisted_floor = floor_of(w, i);
                break;  // best first: the others cost as much at least
            }
            const std::uint64_t here = run_.pools.free(way.index) / way.units;
            places += std::min<std::uint64_t>(here, waiting + 5);
            if (run_.priced() && way.hours != price_is_one)
                list_by_hour(w, i);
            else
                list(w, i, {best_start(w, way), asked_.last, way.j});
        }
        // Nothing that is listed is worse than waiting past the slots, unless a cheaper hour lies there.
        job.refusal = std::min(asked_.dearest + asked_.later * run_.setup.horizon + 1, asked_.past);
        if (run_.setup.how == tick_rule::by_turns && asked_.past < asked_.cheapest) {
            into_.what.options.resize(job.options_begin);  // its turn comes then
            into_.way_of.resize(job.options_begin);
        }
        job.options_end = static_cast<std::uint32_t>(into_.what.options.size());
        into_.what.jobs.push_back(job);
    }

private:
    /// What a workload may be given, and what has been listed for it.
    struct window {
        bool overdue = false;
        double later = 0;           // J of a tick's wait
        std::uint32_t last = 0;     // start within the slots
        std::uint32_t patient = 0;  // start that is not late, within the slots or past them
        double cheapest = std::numeric_limits<double>::infinity(), dearest = 0;
        double past = std::numeric_limits<double>::infinity();  // of starts past the slots that it may be put off to
    };
    window window_of(const waiting_job& w) const {
        const std::uint64_t waited = run_.tick - w.came_tick, patience = run_.patience();
        window made;
        made.overdue = waited >= patience;
        // Who is late starts as soon as can be, whatever it costs.
        made.later = made.overdue ? at_once_price : run_.priced() ? run_.tick_price() : 1.0;
        made.last = run_.setup.horizon - 1;
        if (!made.overdue) {
            made.patient = static_cast<std::uint32_t>(patience - waited);
            made.last = std::min(made.last, made.patient);
        }
        return made;
    }

    /// Of a policy that orders: the tick that is best by its order.
    std::uint32_t best_start(const waiting_job& w, const feasible_offer& way) const noexcept {
        const auto ticks = static_cast<std::uint64_t>((way.delay_ms + run_.tick_ms() - 1) / run_.tick_ms());
        return run_.priced() ? 0
                             : static_cast<std::uint32_t>(
                                   std::min({ticks, std::uint64_t{asked_.patient}, run_.ticks_left(w, way)}));
    }

    /// The starts within the slots, at `at.j` and the price of waiting; a place in an order has that in it.
    void list(const waiting_job& w, std::size_t number, const cost_level& at) {
        const double cost = at.j + (run_.priced() ? at.first * asked_.later : 0);
        const feasible_offer& way = w.ways[number];
        const auto last =
            static_cast<std::uint32_t>(std::min<std::uint64_t>({at.last, asked_.last, run_.ticks_left(w, way)}));
        if (at.first > last) {
            if (at.first > asked_.last)
                asked_.past = std::min(asked_.past, cost);
            return;
        }
        assign_option o;
        o.pool = local(way.index);
        o.quantity = static_cast<std::uint32_t>(way.units);
        o.slots = run_.ticks_of(w, way);
        o.first_start = at.first;
        o.last_start = last;
        o.cost = cost;
        o.cost_per_slot_later = asked_.later;
        o.use = way.cost_base;
        into_.what.options.push_back(o);
        into_.way_of.push_back(static_cast<std::int32_t>(number));
        asked_.dearest = std::max(asked_.dearest, at.j);
        asked_.cheapest = std::min(asked_.cheapest, cost);
    }

    /// Whose price changes with the hour: an option for all starts at which it costs the same.
    void list_by_hour(const waiting_job& w, std::size_t number) {
        const hourly_costs& hours = w.hours[w.ways[number].hours];
        const std::int64_t slack =
            hours.slack_until_ms > hours.from_ms ? (hours.slack_until_ms - hours.from_ms) / run_.tick_ms() : 0;
        const auto allowed = static_cast<std::uint32_t>(std::min<std::int64_t>(slack, asked_.patient));
        const auto last = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(std::max(asked_.last, allowed), run_.ticks_left(w, w.ways[number])));
        for (cost_level level : cost_levels(hours, 0, run_.tick_ms(), last + 1)) {
            list(w, number, level);
            if (level.first <= asked_.last && level.last > asked_.last) {  // and what of it lies past the slots
                level.first = asked_.last + 1;
                list(w, number, level);
            }
        }
    }

    /// No start of the ways from this one on costs less. Those are best first, but hours move some by a rounding error.
    double floor_of(const waiting_job& w, std::size_t from) const {
        constexpr double near = 1 + 1e-8, error = 1e-9;
        if (w.hours.empty())
            return w.ways[from].j;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t i = from; i < w.ways.size() && w.ways[i].j <= w.ways[from].j * near; ++i) {
            if (w.ways[i].hours == price_is_one) {
                least = std::min(least, w.ways[i].j);
                continue;
            }
            for (const cost_level& level : cost_levels(w.hours[w.ways[i].hours], 0, run_.tick_ms(), asked_.patient + 1))
                least = std::min(least, level.j + level.first * asked_.later);
        }
        return std::min(least, w.ways[from].j * (near - 2 * error));
    }

    /// The most that a pool has in any of the slots: what runs there only ends.
    std::uint64_t most_ahead(std::uint32_t pool) {
        std::uint64_t most = 0;
        run_.pools.ahead(pool, run_.tick, run_.setup.horizon, [&](std::uint64_t free) { most = free; });
        return most;
    }
    std::uint32_t local(std::uint32_t pool) {
        if (local_[pool] == nothing) {
            local_[pool] = static_cast<std::uint32_t>(into_.pool_of.size());
            into_.pool_of.push_back(pool);
            run_.pools.ahead(pool, run_.tick, run_.setup.horizon, [&](std::uint64_t free) {
                into_.what.capacity.push_back(
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(free, unlimited_capacity)));
            });
            into_.what.pool_total.push_back(
                static_cast<std::uint32_t>(std::min<std::uint64_t>(run_.pools.total(pool), unlimited_capacity)));
        }
        return local_[pool];
    }

    run_state& run_;
    tick_problem& into_;
    std::vector<std::uint32_t> local_;
    window asked_;
};

void measure(run_state& run, const assign_problem& p, assignment made) {
    made.bound = exact_bound(p, made);
    const double floor = uncontended_floor(p);
    if (!run.made.same_information)
        run.made.same_information.emplace();
    yardstick& all = *run.made.same_information;
    all.cost += made.cost;
    all.bound += made.bound.value;
    all.floor += floor;
    ++all.measured;
    all.proved += made.optimal;
    if (made.cost > made.bound.value && made.bound.value > 0)
        all.worst_percent = std::max(all.worst_percent, 100 * (made.cost - made.bound.value) / made.bound.value);
    if (made.cost == floor)
        return;
    ++all.contended;
    if (run.setup.certify)
        run.setup.certify(certificate_line("tick", format_rfc3339(run.time_of(run.tick)), p, made));
}

/// Those who have waited too long first, by turns, with places kept; what they leave is the others' problem.
assignment late_before_others(run_state& run, const assign_problem& p) {
    assign_problem late = p;
    std::vector<std::uint32_t> who;
    late.jobs.clear();
    for (std::uint32_t j = 0; j < p.jobs.size(); ++j)
        if (p.jobs[j].overdue) {
            late.jobs.push_back(p.jobs[j]);
            who.push_back(j);
        }
    late.accounts = run.accounts;
    assignment all;
    all.of.resize(p.jobs.size());
    assign_problem others = p;
    if (!who.empty()) {
        const assignment first = assign_fairly(late);
        for (std::size_t k = 0; k < who.size(); ++k) {
            const assigned& a = first.of[k];
            all.of[who[k]] = a;
            if (a.option == nothing)
                continue;
            const assign_option& o = p.options[a.option];
            for (std::uint32_t t = a.start; t < std::min(a.start + o.slots, p.slots); ++t)
                if (std::uint32_t& free = others.capacity[o.pool * p.slots + t]; free != unlimited_capacity)
                    free -= o.quantity;
        }
        // Who fits nowhere yet keeps a pool for itself.
        for (const std::uint32_t pool : first.drained)
            std::fill_n(others.capacity.begin() + static_cast<std::ptrdiff_t>(std::size_t{pool} * p.slots), p.slots, 0);
    }
    std::erase_if(others.jobs, [](const assign_job& j) { return j.overdue; });
    const assignment rest = assign_by_cost(others, run.setup.effort);
    measure(run, others, rest);
    for (std::size_t j = 0, k = 0; j < p.jobs.size(); ++j)
        if (!p.jobs[j].overdue)
            all.of[j] = rest.of[k++];
    return all;
}

}  // namespace

std::vector<std::int32_t> assign_tick(run_state& run) {
    tick_problem problem;
    builder build(run, problem);
    for (std::size_t j = 0; j < run.queue.size(); ++j)
        build.add(j, run.queue.size());
    assignment made;
    if (run.setup.how == tick_rule::by_turns) {
        problem.what.accounts = run.accounts;
        made = assign_fairly(problem.what);
    } else {
        made = late_before_others(run, problem.what);
    }
    std::vector<std::int32_t> starts(run.queue.size(), -1);
    for (std::size_t j = 0; j < starts.size(); ++j)
        if (made.of[j].option != nothing && made.of[j].start == 0)
            starts[j] = problem.way_of[made.of[j].option];
    return starts;
}

}  // namespace westerly
