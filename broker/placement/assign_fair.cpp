#include "broker/placement/assign_room.hpp"

#include <queue>
#include <tuple>

namespace westerly {

namespace {

/// Workloads that cannot be told apart by account: each queue's head is the only one of it whose turn may come.
struct queue_of_account {
    std::vector<std::uint32_t> jobs;  // in order
    std::size_t next = 0;
};

struct turn {
    bool overdue;
    std::int32_t priority;
    double served;  // used / weight
    std::int64_t waits_since;
    std::uint32_t job, account;
    /// Whether `b` comes before `a`, as a heap of the standard library wants it.
    friend bool operator<(const turn& a, const turn& b) noexcept {
        // Among the overdue nothing but the wait counts: that bounds how many can ever be before one of them.
        if (a.overdue && b.overdue)
            return std::tie(b.waits_since, b.job) < std::tie(a.waits_since, a.job);
        return std::tuple(!b.overdue, -std::int64_t{b.priority}, b.served, b.waits_since, b.job) <
               std::tuple(!a.overdue, -std::int64_t{a.priority}, a.served, a.waits_since, a.job);
    }
};

assigned cheapest_free(const assign_problem& p, const assign_job& job, const assign_room& room) {
    assigned best;
    double least = job.refusal;
    std::uint32_t ends = 0;
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        const assign_option& o = p.options[i];
        if (best.option != nothing && o.cost > least)
            continue;
        const std::uint32_t start = room.first_fit(o);
        if (start == nothing)
            continue;
        const double cost = o.cost_at(start);
        // Being served goes before the refusal price: that only says what waiting is worth in the yardstick.
        const bool first = best.option == nothing;
        if (first || cost < least || (cost == least && start + o.slots < ends)) {
            best = {i, start};
            least = cost;
            ends = start + o.slots;
        }
    }
    return best;
}

/// The cheapest pool that an overdue workload would ever fit into.
std::uint32_t pool_to_drain(const assign_problem& p, const assign_job& job) {
    const assign_option* best = nullptr;
    for (std::uint32_t i = job.options_begin; i < job.options_end; ++i) {
        const assign_option& o = p.options[i];
        const auto cells = p.capacity.begin() + static_cast<std::ptrdiff_t>(std::size_t{o.pool} * p.slots);
        const std::uint32_t total =
            p.pool_total.empty() ? *std::max_element(cells, cells + p.slots) : p.pool_total[o.pool];
        if (o.quantity <= total && (best == nullptr || o.cost < best->cost))
            best = &o;
    }
    return best == nullptr ? nothing : best->pool;
}

}  // namespace

assignment assign_fairly(const assign_problem& p) {
    std::vector<queue_of_account> queues(std::max<std::size_t>(p.accounts.size(), 1));
    std::vector<double> used(queues.size(), 0.0);
    for (std::size_t a = 0; a < p.accounts.size(); ++a)
        used[a] = p.accounts[a].used;
    for (std::uint32_t j = 0; j < p.jobs.size(); ++j)
        queues[p.accounts.empty() ? 0 : p.jobs[j].account].jobs.push_back(j);

    std::priority_queue<turn> heads;
    const auto line_up = [&](std::uint32_t account) {
        const queue_of_account& q = queues[account];
        if (q.next == q.jobs.size())
            return;
        const assign_job& job = p.jobs[q.jobs[q.next]];
        const double weight = p.accounts.empty() ? 1.0 : p.accounts[account].weight;
        heads.push({job.overdue, job.priority, used[account] / weight, job.waits_since, q.jobs[q.next], account});
    };
    for (std::uint32_t a = 0; a < queues.size(); ++a) {
        std::ranges::stable_sort(queues[a].jobs, {}, [&](std::uint32_t j) {
            const assign_job& job = p.jobs[j];
            return std::tuple(!job.overdue, job.overdue ? 0 : -std::int64_t{job.priority}, job.waits_since, j);
        });
        line_up(a);
    }

    assign_room room(p.capacity, p.slots);
    assignment made;
    made.of.resize(p.jobs.size());
    while (!heads.empty()) {
        const turn now = heads.top();
        heads.pop();
        const assign_job& job = p.jobs[now.job];
        const assigned got = cheapest_free(p, job, room);
        made.of[now.job] = got;
        if (got.option != nothing) {
            room.take(p.options[got.option], got.start);
            used[now.account] += p.options[got.option].use;
        } else if (job.overdue) {
            if (const std::uint32_t pool = pool_to_drain(p, job); pool != nothing) {
                room.close(pool);
                made.drained.push_back(pool);
            }
        }
        ++queues[now.account].next;
        line_up(now.account);
    }
    made.cost = cost_of(p, made.of);
    return made;
}

}  // namespace westerly
