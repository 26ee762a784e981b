// Terms of libraries: asked by an effect, heard by an input. Whoever needs them waits meanwhile, and nobody else does.
#include "broker/engine/core.hpp"
#include "broker/placement/gang_sizes.hpp"
#include "broker/placement/score.hpp"

namespace westerly {
namespace {

constexpr std::string_view chased_in_vain = "the offers change faster than its library answers";

std::vector<std::uint32_t> sizes_of(const workload_spec& spec) {
    return spec.tasks_max > spec.tasks ? gang_sizes(spec.tasks, spec.tasks_max) : std::vector{spec.tasks};
}

std::vector<foreign_column> all_failed(const std::vector<std::string>& names, const workload_spec& spec,
                                       std::string_view why) {
    std::vector<foreign_column> failed;
    for (const std::uint32_t size : sizes_of(spec))
        for (const std::string& name : names)
            failed.push_back({.term = name, .tasks = size, .quantity = {}, .gaps = false, .failure = std::string(why)});
    return failed;
}

}  // namespace

/// What the libraries of the policy's terms say for workloads of this shape; nullptr: they are being asked.
const std::vector<foreign_column>* engine_core::hear_terms(turn& t, const demand_shape& shape, const policy& rules,
                                                           const workload_spec& spec, const decision_world& world) {
    static const std::vector<foreign_column> nothing;
    const auto names = foreign_terms_of(rules, terms_, spec);
    if (names.empty())
        return &nothing;
    score_board::entry& e = scores_.at(shape);
    if (score_board::good(e, book_.version(), t.now)) {
        e.chased = 0;
        return &e.columns;
    }
    if (e.is == score_board::standing::asked)
        return nullptr;
    // While offers are taken over piece by piece, each piece would outdate the answer.
    if (!refreshes_.empty()) {
        scores_.want(shape, t.now);
        return nullptr;
    }
    if (e.is == score_board::standing::told && e.book_version != book_.version() && t.now < *e.due &&
        ++e.chased > scores_chased_max) {
        e.chased = 0;
        scores_.tell(shape, all_failed(names, spec, chased_in_vain), book_.version(), t.now);
        return &e.columns;
    }
    if (!scores_.may_ask()) {
        scores_.want(shape, t.now);
        return nullptr;
    }
    if (!score_table_ || score_table_->book_version != book_.version())
        score_table_ = make_score_table(book_, rates_);
    score_offers ask{.ticket = 0, .table = score_table_, .questions = {}};
    workload_spec sized = spec;
    sized.tasks_max = 0;
    for (const std::uint32_t size : sizes_of(spec)) {
        sized.tasks = size;
        const auto request = make_score_request(book_, rules, terms_, sized, world);
        for (const std::string& name : names)
            ask.questions.push_back({name, request});
    }
    ask.ticket = scores_.ask(shape, book_.version(), ask.questions.size(), t.now);
    t.calls.push_back(std::move(ask));
    return nullptr;
}

/// Its group sleeps until they answer. No reason is shown for a wait of some milliseconds.
void engine_core::wait_for_terms(const live_workload& w) {
    scores_.at(w.shape).priorities.insert(w.value.spec->priority);
    room_.sleep(seat_of(w), wake_on_policies, {});
}

void engine_core::on(turn& t, const offers_scored& in) {
    if (const auto shape = scores_.take(in, t.now))
        told_by_terms(t, *shape);
}

void engine_core::told_by_terms(turn& t, const demand_shape& shape) {
    score_board::entry& e = scores_.at(shape);
    for (const std::int32_t priority : std::exchange(e.priorities, {}))
        room_.wake_like(priority, shape);
    for (const plan_workload& plan : std::exchange(e.plans, {}))
        on(t, plan);
}

/// What has come due, and whose turn it is to be asked.
void engine_core::ask_terms_again(turn& t) {
    while (const auto shape = scores_.pop_due(t.now))
        told_by_terms(t, *shape);
    if (!refreshes_.empty())
        return;
    for (std::size_t n = 0; n < scores_asked_max; ++n) {
        const auto shape = scores_.pop_wanted();
        if (!shape)
            return;
        told_by_terms(t, *shape);
    }
}

}  // namespace westerly
