#pragma once

#include "broker/engine/backfill.hpp"
#include "broker/engine/engine.hpp"
#include "broker/engine/idempotency.hpp"
#include "broker/engine/live.hpp"
#include "broker/engine/score_board.hpp"
#include "broker/engine/speed_book.hpp"
#include "broker/engine/timers.hpp"
#include "broker/engine/waiting_room.hpp"
#include "broker/ledger/certificates.hpp"
#include "broker/placement/overrides.hpp"
#include "broker/placement/policy_choice.hpp"

#include <map>

namespace westerly {

/// How many timers one input may run, and how many attempts one poll may name: more follow with the next tick.
inline constexpr std::size_t timers_per_input_max = 1024;
inline constexpr std::size_t poll_batch_max = 256;
/// Waiting workloads of one shape whose shown reasons are rewritten at once when they change.
inline constexpr std::size_t reasons_rewritten_max = 256;
/// How long after a start the first offers of all providers are awaited before anything is placed.
inline constexpr seconds market_settle_max{5};
/// A chosen start that has come stands for so long: it is decided as of then, and not given up before.
inline constexpr seconds chosen_start_kept{60};
/// Things of ours that no record knows, listed at once; more are listed when some are gone.
inline constexpr std::size_t orphans_max = 10'000;
inline constexpr std::size_t tenants_max = 10'000;
inline constexpr std::size_t keys_max = 100'000;

/// The reason of who waited for those that were stopped for it, after they did not leave in time.
inline constexpr std::string_view stop_overdue = "stop_overdue";
/// Offers that one input copies, of a list that is made of them all.
inline constexpr std::size_t gathered_per_input = 8192;
/// What working out every way of those who wait may cost one input, in offers looked at: 10 ms or so.
inline constexpr std::size_t offers_looked_at_max = 200'000;

/// The engine behind its interface. One idea a file: admission, placement_round, calls, observation, settlement, sweep,
/// schedule (timers and polls), trust (launch gates), second_copy, displacement, moves, market, administration, start.
class engine_core {
public:
    engine_core(engine_options options, term_table terms, stored_state from, instant now);
    reaction handle(const input& in, instant now, random_source& random);
    std::optional<instant> next_wake() const;

    std::unordered_map<workload_id, live_workload> workloads;
    std::unordered_map<attempt_id, live_attempt> attempts;
    std::size_t lingering = 0;  // of the workloads

private:
    // admission.cpp
    void on(turn& t, const submit_workload& in);
    void on(turn& t, const retry_workload& in);
    void on(turn& t, const cancel_workload& in);
    void on(turn& t, const plan_workload& in);
    struct submission {
        request_id request = 0;
        const principal& who;
        std::shared_ptr<const workload_spec> spec;
        std::shared_ptr<const std::string> spec_text;
        std::string route;
        const std::string& key;
        const sha256_digest& body;
    };
    void admit(turn& t, const submission& asked);
    std::optional<error> refuse(const submission& asked, instant now) const;
    void answer_repeat(turn& t, const submission& asked, const idempotency_record& first);

    // administration.cpp
    void on(turn& t, const create_tenant& in);
    void on(turn& t, const create_key& in);
    void on(turn& t, const revoke_key& in);
    void on(turn& t, const cordon_provider& in);
    void on(turn& t, const providers_configured& in);
    void on(turn& t, const policies_configured& in);
    void on(turn& t, const provider_reported& in);
    void on(turn& t, const drain_begun& in);
    void provider_became_usable(turn& t, provider_entry& at);
    void provider_went_away(turn& t, const provider_id& id, provider_entry& at);
    bool cordoned(const provider_config& config) const;
    void refresh_blocks();

    // refresh.cpp
    struct refresh {
        offer_list offers;
        std::size_t next = 0;  // the first that is not taken over
    };
    void on(turn& t, const offers_received& in);
    void refresh_offers(turn& t);
    std::size_t refresh_piece(turn& t, const provider_id& provider, refresh& list);
    void gather_whole(turn& t);

    // seats.cpp
    void seat(turn& t, live_workload& w);
    void take_seat(turn& t, live_workload& w);
    void seat_anew();
    demand_shape shape_now(const live_workload& w) const;
    std::string_view name_of_tenant(const tenant_id& id) const;
    void unseat(live_workload& w);
    waiting_room::seat seat_of(const live_workload& w) const;

    // placement_round.cpp
    void run_placement(turn& t);
    bool market_settled(instant now) const;
    void place(turn& t, live_workload& w, placement_round& into);
    std::optional<given_start> choose(turn& t, live_workload& w, const policy& rules, decision& made, std::size_t& kept,
                                      bool& heard);
    void hold(const given_start& one, instant now);
    void let_go(const given_start& one, instant now);
    void start_attempt(turn& t, live_workload& w, given_start one);
    void show_reasons(turn& t, live_workload& w, const std::vector<wait_reason>& reasons,
                      std::optional<instant> until = std::nullopt);
    decision_world world_at(instant now, const live_workload* w) const;
    std::optional<money> budget_left(const workload& w) const;
    void hold_units(const offer_id& id, std::int64_t delta);

    // reserve.cpp: places kept for those who cannot start yet
    static run_bounds bounds_of(const workload_spec& spec, const decision& made);
    static run_bounds bounds_of(const workload_spec& spec);
    std::uint64_t headroom_for(const live_workload& w, std::size_t offer) const;
    bool overdue(const live_workload& w, instant now) const;
    bool goes_before(const live_workload& a, const live_workload& b, instant now) const;
    const std::vector<backfill::choice>& places_ever(const live_workload& w, instant now);
    void reserve_place(const live_workload& w, instant now);
    void release_place(const workload_id& who);
    std::optional<std::uint64_t> left_for(const live_workload& w, const decision& made, instant now) const;
    std::optional<instant> room_at(const backfill::choice& way, instant now) const;
    decision decide_as_if_free(const policy& rules, const live_workload& w, const decision_world& world,
                               const backfill::choice& way, instant at);
    std::optional<backfill::choice> look_ahead_for_room(const live_workload& w, const policy& rules,
                                                        const decision_world& world, decision& made);
    void room_came_free(const offer_id& on);
    decision decide_behind(const policy& rules, const live_workload& w, const decision_world& world,
                           std::vector<std::pair<std::size_t, std::uint64_t>>& set_aside);

    // kept_places.cpp: places kept from everybody else while others leave them
    void keep_place(const live_workload& w, const offer_id& on, std::uint64_t units, instant now);
    void give_back_places(turn& t);
    void keep_again(instant now);

    // preempt.cpp: runs stopped for others
    struct victim {
        attempt_id run;
        std::uint64_t units = 0;
        double cost = 0;
        displacement why = displacement::none;
    };
    double redo_cost(const live_attempt& a, instant now) const;
    static bool agreed_to_go(const attempt& a, const workload_spec& spec);
    bool may_be_displaced(const live_attempt& a, instant now) const;
    displacement why_displaced(const live_attempt& victim, const live_workload& by, std::int64_t wants,
                               instant now) const;
    std::vector<victim> victims_for(const live_workload& by, const backfill::choice& way, std::int64_t wants,
                                    instant now);
    struct stops {
        backfill::choice where;
        std::vector<victim> victims;
    };
    bool is_spoken_for(const offer_id& place, const live_workload& by, instant now) const;
    std::optional<stops> cheapest_stops(const live_workload& w, const policy& rules, instant now);
    void preempt(turn& t, live_workload& w);
    void stop_for(turn& t, live_workload& w, const policy& rules, const stops& chosen);
    foreseen_preemption told_of(const stops& chosen, instant now) const;
    void foresee_preemption(const plan_workload& in, const policy& rules, instant now, plan_result& shown);

    // assign_round.cpp: many in one turn
    struct together_table;
    void assign_round(turn& t, placement_round& round);
    bool contested(const placement_round& round) const;
    bool goes_anywhere(const live_workload& w) const;
    std::optional<together_table> gather(turn& t, const placement_round& round);
    void move_to(turn& t, placement_round& round, const together_table& table,
                 const std::vector<std::optional<std::uint32_t>>& places);

    // calls.cpp
    void on(turn& t, const call_answered& in);
    void on(turn& t, const attempt_found& in);
    void on(turn& t, const logs_archived& in);
    std::uint64_t put_outbox(turn& t, const attempt& a, outbox_verb verb, std::uint32_t tasks);
    void call_launch(turn& t, live_attempt& a, const workload_spec& spec, const offer& on);
    void stop(turn& t, live_attempt& a, bool by_broker);
    void call_cancel(turn& t, live_attempt& a);
    void find_later(turn& t, live_attempt& a, milliseconds delay);
    void find_now(turn& t, live_attempt& a);
    void archive(turn& t, archive_work& work);
    bool proves_absence(const live_attempt& a, instant asked_at) const;

    // observation.cpp
    void on(turn& t, const attempt_observed& in);
    void on(turn& t, const preemption_noticed& in);
    void apply(turn& t, live_attempt& a, const attempt_fact& fact);
    void after_step(turn& t, live_attempt& a, attempt_state before);
    void tell(turn& t, live_attempt& a, attempt_state before, const attempt_fact& fact);
    live_attempt* find_live(const provider_id& provider, const attempt_id& id);

    // displacement.cpp
    bool displace(turn& t, live_attempt& a, displacement why, const std::string& words);
    void place_displaced_anew(turn& t, live_workload& w, const std::string& words);
    void count_progress(live_workload& w, const attempt& ended) const;
    std::optional<run_progress> progress_of(const live_workload& w) const;

    // moves.cpp
    void watch_for_better(live_attempt& a, instant not_before);
    void look_no_more(live_attempt& a);
    std::optional<policy> replacing(const live_workload& w) const;
    bool may_move(const live_attempt& a, const replacement_rule& by) const;
    void run_looks(turn& t);
    void look(turn& t, live_attempt& a, const policy& rules);
    std::optional<instant> looks_due_at() const;

    // second_copy.cpp
    void on(turn& t, const give_up_attempt& in);
    void give_up(turn& t, live_attempt& a, const std::string& words);
    void give_up_by_rule(turn& t, live_attempt& a);
    void explain_uncertainty(turn& t, live_attempt& a, attempt_state before);
    std::optional<instant> gives_up_at(const live_attempt& a, const workload& w) const;

    // trust.cpp
    void judge_launch(turn& t, live_attempt& a, const mutation_reply& reply);
    void judge_end(turn& t, const live_attempt& a, attempt_state before, const attempt_fact& fact);
    void note_foreign(turn& t, const live_attempt& a);
    struct gate_look {
        bool closed;
        std::optional<instant> distrusted_until;
        friend bool operator==(const gate_look&, const gate_look&) = default;
    };
    static gate_look look_at(const launch_gate& gate);
    void note_gate(const provider_entry& at, gate_look before);
    void launch_begins(provider_entry& at);
    void launch_ends(provider_entry& at);
    void run_gate(turn& t, provider_entry& at);

    // sweep.cpp
    void on(turn& t, const provider_listed& in);
    void on(turn& t, const confirm_sweep& in);
    void note_unknown(turn& t, const provider_listed& in, const std::vector<observation>& things);
    void sweep(turn& t, const provider_id& provider);

    // settlement.cpp
    void finish(turn& t, live_attempt& a, adapter_error why);
    void bill(turn& t, live_workload& w, const live_attempt& a);
    void learn_speed(turn& t, const workload& w, const attempt& a);
    std::int64_t cost_so_far(const attempt& a, currency in, instant now) const;
    void keep_logs(turn& t, const attempt& a, std::uint32_t tasks);
    void close_calls(turn& t, live_attempt& a);
    void requeue(turn& t, live_workload& w, std::optional<instant> not_before, const std::string& code,
                 const std::string& why);
    bool advance(turn& t, live_workload& w, workload_event on, const std::string& detail);
    const site_facts* site_of(const attempt& a) const;
    std::string region_of(const attempt& a) const;

    // schedule.cpp
    void on(turn& t, const tick& in);
    void run_due(turn& t);
    void run_timer(turn& t, const timer_queue::due& due);
    void run_provider(turn& t, provider_entry& at);
    void poll(turn& t, provider_entry& at);
    bool is_silent(const live_attempt& a, const provider_entry& at, instant now) const;
    void expire_keys(turn& t);
    std::optional<instant> keys_expire_at() const;
    std::optional<instant> provider_due_at(const provider_entry& at) const;
    void watch_overrun(live_attempt& a, const workload_spec& spec);

    // signals.cpp
    void on(turn& t, const signals_received& in);
    void on(turn& t, const feeds_configured& in);
    void on(turn& t, const certificates_configured& in);
    static bool waits_for_chosen_start(const workload& w);
    static instant decided_as_of(const workload& w, instant now);
    void look_at_put_off_again(instant now);
    bool put_off(turn& t, live_workload& w, const policy& by, const decision_world& world, decision& made,
                 decision_basis& from);
    bool may_start_at(instant at, const live_workload& w, const policy& by, const decision_world& world) const;
    std::optional<sourced> metered_carbon(const attempt& a) const;
    void decide_put_off_again(turn& t);
    void try_by_the_hour(turn& t);
    std::optional<instant> hours_due_at() const;

    // corrections.cpp
    void on(turn& t, const correct_carbon& in);

    // foreign.cpp
    void on(turn& t, const offers_scored& in);
    const std::vector<foreign_column>* hear_terms(turn& t, const demand_shape& shape, const policy& rules,
                                                  const workload_spec& spec, const decision_world& world);
    void wait_for_terms(const live_workload& w);
    void told_by_terms(turn& t, const demand_shape& shape);
    void ask_terms_again(turn& t);

    // clock.cpp
    void on(turn& t, const clock_stepped& in);
    void move_with_clock(live_attempt& a, milliseconds by);

    // market.cpp
    void publish(turn& t);
    bool gather_view();
    std::shared_ptr<const market_view> view();
    std::shared_ptr<const offer> shown(std::size_t i) const;
    seconds publish_every() const;

    // history.cpp: what decisions are made from, for their replay
    void remember_start(turn& t);
    void remember_offers(turn& t, const provider_id& provider, const offer_book::part_change& made,
                         std::size_t offers_in_all);
    bool dates_its_list(const provider_id& provider) const;
    void remember_part(const provider_id& provider, instant at, const offer_id& through);
    void remember_signals(turn& t, const std::string& feed, signal_list before);
    heard_terms remember_terms(turn& t, const demand_shape& shape, std::span<const foreign_column> said);
    decision_basis basis_of(turn& t, const live_workload& w, const decision_world& seen, const decision_id& of);
    std::vector<allocable_power> count_certificates(const tenant_id& whose, const workload_spec& spec,
                                                    std::span<appraisal* const> told) const;
    void remember_confirmation(const provider_id& provider, const offer_list& listed);
    void remember_policies(turn& t, const std::vector<policy>& rules) const;

    // start.cpp
    void load(stored_state from, instant now);
    void resume(turn& t);
    void resume_attempt(turn& t, live_attempt& a);

    // record.cpp: what a turn writes and how it ends
    void record(turn& t, live_workload& w, const attempt* about, std::string type, std::string detail);
    void record_tenant(turn& t, const tenant_id& id, std::string type, std::string detail);
    void mark(turn& t, live_workload& w, touch how);
    void mark(turn& t, live_attempt& a, touch how);
    void reply(turn& t, request_id request, result<answer> value);
    void leave(const workload_id& id);
    reaction seal(turn& t);

    engine_options options_;
    term_table terms_;
    std::uint64_t epoch_ = 1;
    owner_id owner_;
    bool sweeping_ = true;
    bool draining_ = false;
    bool resumed_ = false;
    bool providers_known_ = false;  // told since the start
    instant started_at_{};
    instant
        lists_prove_after_{};  // the latest time before the clock was set back: what is dated up to then is of either
    instant last_now_{};
    std::uint64_t outbox_seq_ = 0;
    std::uint64_t history_seq_ = 0;
    std::uint64_t corrections_ = 0;                       // of carbon, the highest number given
    std::map<provider_id, std::size_t> history_written_;  // offers written as changes since all were
    std::map<provider_id, instant> confirmed_;            // by an adapter's last listing
    std::map<provider_id, std::vector<std::pair<instant, offer_id>>> confirming_;  // by one that is being taken over
    std::map<std::string, std::size_t> signals_written_;  // words of a feed written as changes since all were
    std::array<std::uint64_t, 256> event_seq_{};

    std::map<tenant_id, tenant> tenants_;
    std::map<key_id, api_key> keys_;
    std::unordered_map<tenant_id, std::uint32_t> live_per_tenant_;
    idempotency_book idempotency_;
    instant next_key_expiry_at_{};

    std::map<provider_id, provider_entry> providers_;
    std::map<provider_id, bool> cordons_;  // operators' words, over the files'
    policy_table policies_;
    exchange_rates rates_;
    offer_book book_;
    std::map<provider_id, refresh> refreshes_;  // that are not wholly taken over yet
    /// Offers of the book, copied a piece an input.
    struct gathering {
        std::vector<offer_list::shared> offers{};
        std::size_t next = 0;      // index into the book
        std::uint64_t layout = 0;  // of the book when it began
    };
    gathering view_offers_;
    std::map<provider_id, gathering> wholes_;  // to be written whole; no list is taken over meanwhile
    signal_book signals_;
    certificate_ledger certificates_;
    speed_book speeds_;
    std::set<workload_id> put_off_;                    // whose start was chosen for later
    std::map<workload_id, backfill::choice> awaited_;  // of those: the room that some of them wait for
    std::optional<instant> put_off_again_at_;  // signals have changed, or room came free: they are decided anew then
    instant put_off_looked_at_{};              // when they last were for that
    instant hours_looked_at_{};                // when those were tried again whom other hours may suit
    std::set<std::pair<instant, attempt_id>> looks_;  // when a running attempt is held against other offers next
    std::optional<instant> next_looks_at_;            // no earlier, so that they never hold the thread up
    std::unordered_map<offer_id, std::uint64_t> held_units_;
    std::vector<provider_block> blocks_, lasting_blocks_;  // without those who only have enough for the moment
    waiting_room room_;
    fair_order fair_;
    backfill backfill_;
    std::map<demand_shape, std::vector<backfill::choice>> places_ever_;  // of places_of_book_
    std::uint64_t places_of_book_ = 0;
    std::size_t may_go_ = 0;      // live attempts that agreed to be stopped for others
    std::size_t looks_left_ = 0;  // of offers_looked_at_max, in this input
    timer_queue timers_;
    std::map<attempt_id, archive_work> archives_;
    score_board scores_;
    std::shared_ptr<const score_table> score_table_;  // of the book's version when it was last asked for
    struct known_orphan {
        orphan thing;
        bool swept = false;  // its end was asked for
    };
    std::map<std::pair<provider_id, std::string>, known_orphan> orphans_;
    std::vector<kept_place> kept_before_;    // until the market is known
    std::vector<outbox_item> resumed_rows_;  // between construction and the first input

    broker_counts counts_;
    bool market_dirty_ = true;
    std::optional<instant> published_at_;
};

/// `from` + that many seconds, at most a century later.
instant later(instant from, std::uint64_t seconds_count) noexcept;

}  // namespace westerly
