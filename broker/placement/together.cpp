#include "broker/placement/together.hpp"

#include "broker/placement/assign.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace westerly {

namespace {

using choice = std::optional<std::uint32_t>;

/// A round is many and its milliseconds are everybody's: less is tried than for the yardstick.
constexpr assign_effort quick{
    .price_rounds = 40, .enough = 1e-3, .repair_passes = 3, .exact_jobs_max = 10, .exact_nodes = 2'000};

/// What is left of each offer by those who keep their places.
class leftover {
public:
    explicit leftover(const std::vector<together_free>& free) {
        for (const auto& each : free)
            left_[each.offer] += each.units;
    }
    void take(const together_way& way) {
        move(way, [&](std::uint64_t& left) { left -= std::min(left, way.units); });
    }
    void give(const together_way& way) {
        move(way, [&](std::uint64_t& left) { left += way.units; });
    }
    std::uint32_t of(std::uint32_t offer) const {
        const auto at = left_.find(offer);
        if (at == left_.end())
            return unlimited_capacity;
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(at->second, unlimited_capacity - 1));
    }

private:
    template <class Change>
    void move(const together_way& way, Change change) {
        if (const auto at = left_.find(way.offer); at != left_.end())
            change(at->second);
    }
    std::map<std::uint32_t, std::uint64_t> left_;
};

/// The problem of one priority: everything else is taken already.
class level_problem {
public:
    level_problem(const std::vector<together_wish>& wishes, std::vector<std::size_t> who, const leftover& left)
        : wishes_(wishes), who_(std::move(who)) {
        double all = 1;
        for (const std::size_t j : who_)
            for (const auto& way : wishes_[j].ways)
                all += way.j;
        for (const std::size_t j : who_)
            add(wishes_[j], all, left);
    }

    /// Better than what the turns gave, or nothing: who has been served stays served.
    std::optional<std::vector<choice>> solve() const {
        const assignment made = assign_by_cost(problem_, quick);
        std::vector<choice> of;
        std::size_t served = 0, served_before = 0;
        double cost = 0, before = 0;
        for (std::size_t k = 0; k < who_.size(); ++k) {
            const together_wish& wish = wishes_[who_[k]];
            const auto option = made.of[k].option;
            of.push_back(option == nothing ? choice() : way_of_[option]);
            if (wish.turn && !of.back())
                return std::nullopt;
            served += of.back().has_value();
            served_before += wish.turn.has_value();
            cost += of.back() ? wish.ways[*of.back()].j : problem_.jobs[k].refusal;
            before += wish.turn ? wish.ways[*wish.turn].j : problem_.jobs[k].refusal;
        }
        const bool better = cost < before - 1e-9 * before;
        return served > served_before || better ? std::optional(std::move(of)) : std::nullopt;
    }

private:
    void add(const together_wish& wish, double never_refused, const leftover& left) {
        assign_job job;
        job.options_begin = static_cast<std::uint32_t>(problem_.options.size());
        for (std::uint32_t i = 0; i < wish.ways.size(); ++i) {
            const together_way& way = wish.ways[i];
            const std::uint32_t pool = pool_of(way.offer, left);
            const bool own = wish.turn == i;
            if ((way.j > wish.dearest && !own) || way.units > problem_.capacity[pool])
                continue;
            assign_option option;
            option.pool = pool;
            option.quantity = static_cast<std::uint32_t>(way.units);
            option.cost = way.j;
            problem_.options.push_back(option);
            way_of_.push_back(i);
        }
        job.options_end = static_cast<std::uint32_t>(problem_.options.size());
        job.refusal = wish.turn || wish.ways.empty() ? never_refused : wish.ways.front().j * (1 + room_made_share);
        problem_.jobs.push_back(job);
    }

    std::uint32_t pool_of(std::uint32_t offer, const leftover& left) {
        const auto [at, fresh] = pools_.try_emplace(offer, static_cast<std::uint32_t>(problem_.capacity.size()));
        if (fresh)
            problem_.capacity.push_back(left.of(offer));
        return at->second;
    }

    const std::vector<together_wish>& wishes_;
    std::vector<std::size_t> who_;
    assign_problem problem_;
    std::vector<std::uint32_t> way_of_;  // by option
    std::map<std::uint32_t, std::uint32_t> pools_;
};

}  // namespace

std::vector<std::optional<std::uint32_t>> assign_together(const std::vector<together_wish>& wishes,
                                                          const std::vector<together_free>& free) {
    std::vector<choice> chosen;
    leftover left(free);
    std::set<std::int64_t> levels;
    for (const auto& wish : wishes) {
        chosen.push_back(wish.turn);
        levels.insert(-std::int64_t{wish.priority});
        if (wish.turn)
            left.take(wish.ways[*wish.turn]);
    }
    for (const std::int64_t level : levels) {
        std::vector<std::size_t> who;
        for (std::size_t j = 0; j < wishes.size(); ++j)
            if (-std::int64_t{wishes[j].priority} == level && !wishes[j].ways.empty())
                who.push_back(j);
        const auto each_place = [&](auto&& use) {
            for (const std::size_t j : who)
                if (chosen[j])
                    use(wishes[j].ways[*chosen[j]]);
        };
        each_place([&](const together_way& way) { left.give(way); });
        if (const auto better = level_problem(wishes, who, left).solve())
            for (std::size_t k = 0; k < who.size(); ++k)
                chosen[who[k]] = (*better)[k];
        each_place([&](const together_way& way) { left.take(way); });
    }
    return chosen;
}

}  // namespace westerly
