// Nobody waits for ever: the engine under virtual time, with pools that small work keeps full for as long as anybody
// waits, whoever it is whose turn would come first.
#include "tests/property/world.hpp"
#include "tests/unit/engine/rig.hpp"

#include <map>
#include <set>

namespace westerly::laws {
namespace {

using std::chrono::minutes;
using testing_support::engine_rig;
using phase = observation::phase;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t crowds = 200;
#else
constexpr std::uint64_t crowds = 5'000;
#endif

constexpr std::uint32_t grace_s = 30;
constexpr milliseconds longest_run = minutes(45), longest_limit = minutes(60), longest_launch = minutes(2);
/// For so long a unit may be held by what is known of a run: a launch, its limit, the notice and a minute to end it.
constexpr milliseconds longest_held = longest_launch + longest_limit + seconds(grace_s) + minutes(1);
/// Whoever becomes overdue is tried again at the next change; the small work sees to it that there is always one.
constexpr milliseconds next_change = minutes(6);

std::uint64_t in_s(milliseconds time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
}

struct wish {
    std::uint32_t tasks = 1;
    std::int32_t priority = 0;
    std::uint64_t memory_mib = 0;
    bool gang = false;  // of those that have to be started
};

/// From coming, or from the end of an attempt that others ended, to the start.
struct wait {
    workload_id who;
    bool gang = false;
    instant since{};
    std::optional<instant> started = std::nullopt;
};

fair_share_rules random_shares(dice& chance) {
    fair_share_rules rules;
    rules.overdue_after = minutes(60 + chance.below(121));
    for (const char* name : {"t0", "t1", "t2"}) {
        rules.tenants[name].weight = chance.between(0.2, 5);
        if (chance.once_in(3))
            rules.tenants[name].guaranteed_micros_per_h = static_cast<std::int64_t>(chance.below(20'000'000));
    }
    return rules;
}

engine_options options_with(const fair_share_rules& shares) {
    engine_options options;
    options.fair_share = shares;
    options.list_every = seconds(86'400 * 365);  // nothing is lost here that a list would find
    return options;
}

/// Some pools, those who come, and providers that start and end what they are told to.
class crowd {
public:
    explicit crowd(std::uint64_t seed)
        : chance_(seed),
          shares_(random_shares(chance_)),
          rig_(options_with(shares_)),
          waiting_least_(1 + chance_.below(4)) {
        make_policies();
        make_pools();
        connect();
        small_first_ = static_cast<std::int32_t>(chance_.below(3));
        for (const char* name : {"t0", "t1", "t2", "t3"}) {
            rig_.give(create_tenant{1, name});
            tenants_.emplace_back(name, std::get<tenant>(rig_.answered().value()).id);
        }
    }

    /// Gangs come while small work does; until all of them have started, or one should have.
    void live_through() {
        const std::uint64_t gangs = 2 + chance_.below(8);
        std::uint64_t come = 0;
        instant next_gang = rig_.now + minutes(20), next_small = rig_.now;
        const instant restarts = rig_.now + minutes(chance_.once_in(4) ? 30 + chance_.below(200) : 1'000'000);
        bool restarted = false;
        while (come < gangs || gangs_wait()) {
            pass_until(std::min(next_small, next_gang));
            if (rig_.now >= next_small) {
                for (std::uint64_t i = 0; small_waiting_ < waiting_least_ && i < 30; ++i)
                    submit(small());
                next_small = rig_.now + seconds(30 + chance_.below(270));
            }
            if (rig_.now >= next_gang) {
                submit(gang());
                next_gang = ++come < gangs ? rig_.now + minutes(chance_.below(90)) : instant::max();
            }
            if (!restarted && rig_.now >= restarts) {
                restarted = true;
                restart();
            }
            hold_all_to_their_bounds();
            if (testing::Test::HasFailure())
                return;
        }
    }

    const std::vector<wait>& waits() const { return waits_; }
    const fair_share_rules& shares() const { return shares_; }
    std::uint64_t displaced() const { return displaced_; }
    std::uint64_t past_the_common_bound() const { return twice_.size(); }

private:
    void make_policies() {
        rig_.terms = built_in_terms();
        rig_.restart();
        policy timely = testing_support::cheapest_policy(), in_order = timely;
        timely.name = "timely";
        timely.prices = {{"time", 5, 0, 0, {}}};
        in_order.name = "in_order";
        in_order.order_batch = in_order.order_interactive = in_order.order_service = {{"cost", 1}};
        policies_ = {testing_support::cheapest_policy(), timely, in_order};
        rig_.set_policies(policies_);
    }
    void make_pools() {
        const std::uint64_t providers = 1 + chance_.below(2);
        for (std::uint64_t p = 0; p < providers; ++p) {
            provider_config config;
            config.id = "p" + std::to_string(p);
            config.kind = "local";
            config.poll_s = 86'400 * 365;  // what happens is told unasked
            config.lost_after_s = 86'400 * 365;
            config.sites.push_back(testing_support::small_offer(config.id, 0).site);
            for (std::uint64_t n = 0, all = 1 + chance_.below(2); n < all; ++n)
                pools_[config.id].push_back(random_pool(config.id, n));
            providers_.push_back(std::move(config));
        }
    }
    offer random_pool(const provider_id& provider, std::uint64_t number) {
        offer o = testing_support::small_offer(provider, 2 + chance_.below(9));
        o.mode = chance_.once_in(3) ? billing_mode::spot : billing_mode::on_demand;
        o.id = provider + "/s/k" + std::to_string(number) + "/" + (o.mode == billing_mode::spot ? "spot" : "on_demand");
        o.price = unit_price{static_cast<std::int64_t>((1 + chance_.below(8)) * 1'000'000'000), currency::cny};
        if (chance_.once_in(2))
            o.memory_mib *= 2;
        return o;
    }
    void connect() {
        rig_.give(providers_configured{providers_});
        for (const provider_config& config : providers_) {
            rig_.report(config.id, provider_state::ready);
            rig_.give(offers_received{config.id, pools_.at(config.id)});
            follow();
        }
    }
    void restart() {
        rig_.restart();
        rig_.set_policies(policies_);
        connect();
    }

    wish small() {
        return fitting({1 + static_cast<std::uint32_t>(chance_.below(3)),
                        small_first_ + static_cast<std::int32_t>(chance_.below(3)), chance_.once_in(4) ? 16'384u : 0u});
    }
    wish gang() {
        wish asked{2 + static_cast<std::uint32_t>(chance_.below(9)), static_cast<std::int32_t>(chance_.below(3)) - 2,
                   chance_.once_in(3) ? 16'384u : 0u, true};
        return fitting(asked);
    }
    /// No larger than the largest pool that could take it.
    wish fitting(wish asked) const {
        const auto largest = [&] {
            std::uint64_t units = 0;
            for (const auto& [id, offers] : pools_)
                for (const offer& o : offers)
                    units = std::max(units, o.memory_mib >= asked.memory_mib ? *o.units_free : 0);
            return static_cast<std::uint32_t>(units);
        };
        if (largest() == 0)
            asked.memory_mib = 0;
        asked.tasks = std::min(asked.tasks, largest());
        return asked;
    }

    /// What it says of its length may be nothing, or wrong; a limit holds.
    workload_spec spec_of(const wish& asked, milliseconds lasts) {
        workload_spec spec = testing_support::small_spec();
        spec.policy = policies_[chance_.below(policies_.size())].name;
        spec.tasks = asked.tasks;
        spec.priority = asked.priority;
        spec.resources.vcpus = 4;  // a unit each
        if (asked.memory_mib > 0)
            spec.resources.memory_mib = asked.memory_mib;
        spec.grace_s = grace_s;
        const double says_s = static_cast<double>(in_s(lasts)) * (chance_.once_in(2) ? 1 : chance_.between(0.2, 3));
        if (!chance_.once_in(3))
            spec.work.runtime_s = static_cast<std::uint64_t>(says_s);
        if (chance_.once_in(3))
            spec.when.max_runtime_s = in_s(lasts) + chance_.below(in_s(longest_limit - longest_run));
        if (chance_.once_in(2))
            spec.checkpoint = checkpoint_rule{.interval_s = 600, .write_s = 5, .restore_s = 10};
        spec.preemptible = chance_.once_in(4);
        return spec;
    }
    void submit(const wish& asked) {
        rig_.pass(milliseconds(1));
        const auto& [name, id] = tenants_[chance_.below(tenants_.size())];
        rig_.who.tenant = id;
        rig_.who.tenant_name = name;
        const milliseconds lasts = minutes(5 + chance_.below(41));
        const workload_spec spec = spec_of(asked, lasts);
        const workload_id made = rig_.submit(spec);
        known_[made] = {lasts, asked.gang};
        await(made);
        follow();
    }

    void await(const workload_id& who) {
        const bool gang = known_.at(who).gang;
        open_[who] = waits_.size();
        waits_.push_back({who, gang, rig_.now});
        small_waiting_ += gang ? 0 : 1;
    }

    /// Launches and stops that the last input led to.
    void follow() {
        for (const auto& call : rig_.all<call_provider>()) {
            if (call.verb == outbox_verb::cancel)
                events_.emplace(rig_.now + milliseconds(chance_.below(grace_s * 1000)),
                                event{call.attempt, phase::exited});
            else if (call.verb == outbox_verb::launch && launched_.insert(call.attempt).second)
                begin(call.attempt);
        }
    }
    void begin(const attempt_id& run) {
        const workload_id& of = rig_.stored(run).workload;
        const auto at = open_.find(of);
        ASSERT_NE(at, open_.end());
        wait& ended = waits_[at->second];
        ended.started = rig_.now;
        small_waiting_ -= ended.gang ? 0 : 1;
        expect_in_time(ended, rig_.now);
        open_.erase(at);
        const milliseconds takes = chance_.once_in(3) ? milliseconds(chance_.below(120'000)) : milliseconds(0);
        events_.emplace(rig_.now + takes, event{run, phase::running});
        events_.emplace(rig_.now + takes + known_.at(of).lasts, event{run, phase::exited});
    }

    struct event {
        attempt_id run;
        phase what;
    };
    void pass_until(instant until) {
        for (;;) {
            const auto wake = rig_.core->next_wake();
            const instant next = events_.empty() ? instant::max() : events_.begin()->first;
            if (std::min(next, wake.value_or(instant::max())) > until)
                break;
            if (wake && *wake < next) {
                rig_.now = std::max(rig_.now, *wake);
                rig_.give(tick{});
            } else {
                rig_.now = std::max(rig_.now, next);
                const event happens = events_.begin()->second;
                events_.erase(events_.begin());
                happen(happens);
            }
            follow();
        }
        rig_.now = std::max(rig_.now, until);
    }
    void happen(const event& one) {
        const attempt& run = rig_.stored(one.run);
        if (!live(run.state)) {
            rig_.effects.clear();  // it was stopped before
            return;
        }
        const workload_id of = run.workload;
        const bool stopped = run.cancel_wanted;
        rig_.observe(one.run, one.what, one.what == phase::running ? 1 : 2, stopped ? 143 : 0);
        if (one.what == phase::exited && !terminal(rig_.stored(of).state)) {  // others ended it
            ++displaced_;
            await(of);
        }
    }

    /// Overdue it goes before everybody but those that have waited longer. What ran then is waited for, by its limits
    /// where it has any, and so is each of those before it, once it has started. Where it leaves a place at which it
    /// gathers, it may come to twice that, which is rare.
    void expect_in_time(const wait& one, instant now) {
        if (now <= one.since + shares_.overdue_after + longest_held)
            return;
        const instant overdue_at = one.since + shares_.overdue_after;
        const auto before = std::ranges::count_if(waits_, [&](const wait& other) {
            return other.who != one.who && other.since <= one.since && (!other.started || *other.started > overdue_at);
        });
        const milliseconds once = (before + 1) * longest_held + next_change, allowed = once + longest_held;
        if (now - overdue_at > once)
            twice_.insert(one.who);
        if (now - overdue_at > allowed)
            ADD_FAILURE() << to_string(one.who) << ", " << rig_.stored(one.who).spec->tasks << " tasks, overdue for "
                          << in_s(now - overdue_at) << " s behind " << before << ", allowed are " << in_s(allowed);
    }
    void hold_all_to_their_bounds() {
        for (const auto& [who, index] : open_)
            expect_in_time(waits_[index], rig_.now);
    }
    bool gangs_wait() const {
        return std::ranges::any_of(open_, [&](const auto& entry) { return waits_[entry.second].gang; });
    }

    dice chance_;
    fair_share_rules shares_;
    engine_rig rig_;
    std::uint64_t waiting_least_;
    std::int32_t small_first_ = 0;  // the least priority of small work
    std::vector<policy> policies_;
    std::vector<provider_config> providers_;
    std::map<provider_id, std::vector<offer>> pools_;
    std::vector<std::pair<std::string, tenant_id>> tenants_;
    struct told {
        milliseconds lasts{};
        bool gang = false;
    };
    std::map<workload_id, told> known_;
    std::vector<wait> waits_;
    std::map<workload_id, std::size_t> open_;  // in waits_
    std::uint64_t small_waiting_ = 0, displaced_ = 0;
    std::set<workload_id> twice_;
    std::set<attempt_id> launched_;
    std::multimap<instant, event> events_;
};

TEST(starvation, whoever_waits_starts_within_what_is_promised) {
    std::uint64_t overdue = 0, displaced = 0, rare = 0;
    for (std::uint64_t seed = 1; seed <= crowds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        crowd all(seed);
        all.live_through();
        if (HasFailure())
            return;
        displaced += all.displaced();
        rare += all.past_the_common_bound();
        for (const wait& one : all.waits())
            overdue += one.gang && one.started && *one.started > one.since + all.shares().overdue_after;
    }
    EXPECT_GT(overdue, crowds / 4) << "the gangs must be kept waiting";
    EXPECT_GT(displaced, crowds / 4);
    EXPECT_LE(rare, crowds / 500);
}

}  // namespace
}  // namespace westerly::laws
