#pragma once

#include "broker/domain/effects.hpp"
#include "broker/domain/history.hpp"
#include "broker/engine/waiting_room.hpp"

#include <deque>
#include <map>
#include <set>

namespace westerly {

/// So many shapes are asked for at once; the others wait for their turn.
inline constexpr std::size_t scores_asked_max = 16;
/// What was said is good for so long, while the book is the same.
inline constexpr seconds scores_kept{60};
/// Columns are kept for as many offers as this altogether (64 MiB); older ones are asked for again.
inline constexpr std::size_t scored_offers_max = std::size_t{8} << 20;
/// Whoever answers does so within its deadline or says that it failed; past this the answer is lost.
inline constexpr seconds scores_lost_after{60};
/// A failed question is asked again after the first, which doubles up to the last.
inline constexpr seconds scores_again_first{1}, scores_again_last{60};
/// How often the offers may change under a question before that counts as a failure.
inline constexpr std::uint32_t scores_chased_max = 3;
inline constexpr std::size_t scored_plans_max = 256;  // waiting for one shape

/// What terms of libraries have said, by demand shape: workloads of one shape are answered together. Values only: the
/// asking is an effect, the answers are inputs.
class score_board {
public:
    enum class standing : std::uint8_t {
        wanted,  // to be asked
        asked,
        told  // every question was answered, if only by a failure
    };
    struct entry {
        standing is = standing::wanted;
        std::uint64_t ticket = 0;
        std::uint64_t book_version = 0;  // that the columns speak of
        std::optional<instant> due;      // told: good until then; asked: lost then; wanted: looked at again then
        std::vector<foreign_column> columns;
        std::optional<heard_terms> kept;  // for replays, since a stored decision saw the columns
        std::size_t awaited = 0;
        std::uint32_t failures = 0, chased = 0;  // in a row
        std::set<std::int32_t> priorities;       // groups of the waiting room that sleep for it
        std::vector<plan_workload> plans;        // that wait for it
    };

    /// Made when missing.
    entry& at(const demand_shape& shape) { return entries_[shape]; }
    static bool good(const entry& e, std::uint64_t book_version, instant now) noexcept {
        return e.is == standing::told && e.book_version == book_version && now < *e.due;
    }

    /// What was said and is good; nullptr: nothing.
    const std::vector<foreign_column>* heard(const demand_shape& shape, std::uint64_t book_version, instant now) const;

    bool may_ask() const noexcept { return asked_.size() < scores_asked_max; }
    /// For later, when answers have come in; tried again in the order of the calls.
    void want(const demand_shape& shape, instant now);
    std::optional<demand_shape> pop_wanted();
    /// From now on asked; gives the new ticket.
    std::uint64_t ask(const demand_shape& shape, std::uint64_t book_version, std::size_t questions, instant now);
    /// Files an answer. The shape when it was the last one awaited; nullopt: more are, or nobody asked.
    std::optional<demand_shape> take(offers_scored answer, instant now);
    /// Files these as what was said.
    void tell(const demand_shape& shape, std::vector<foreign_column> columns, std::uint64_t book_version, instant now);

    /// A shape whose time has come: its answer is lost, its failure is to be asked again, or it has grown old. Whoever
    /// waits for it is to be tried again; where nobody does it is forgotten. nullopt: none.
    std::optional<demand_shape> pop_due(instant now);
    std::optional<instant> next_due() const;
    /// The policies have changed: what they ask is another question. Gives the plans that wait.
    std::vector<plan_workload> forget_all();

private:
    void set_due(const demand_shape& shape, entry& e, std::optional<instant> at);
    void keep_few(const demand_shape& but);
    void forget(const demand_shape& shape);

    std::map<demand_shape, entry> entries_;
    std::map<std::uint64_t, demand_shape> asked_;      // by ticket
    std::set<std::pair<instant, demand_shape>> dues_;  // of those asked and told
    std::deque<demand_shape> wanted_;
    std::uint64_t last_ticket_ = 0;
    std::size_t kept_ = 0;  // quantities, of all columns
};

}  // namespace westerly
