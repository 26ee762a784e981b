// The broker's own engine under a simulated clock: what it decides, launches, meters and bills over a trace.
#include "broker/engine/engine.hpp"
#include "policies/table.hpp"
#include "tools/simulate/core/run_books.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>

namespace westerly {

namespace {

// Everything is told as soon as it happens, so that nothing needs to be asked for.
constexpr std::uint32_t never_s = 3'000'000'000;
constexpr std::chrono::hours forecast_reach{24 * 40};
constexpr std::chrono::hours idle_max{24 * 8};  // longer than anything is put off
const std::string feed_name = "trace";

/// The things at the providers, and what happens when.
class engine_world {
public:
    engine_world(const supply& from, const carbon_series& carbon, const run_setup& setup)
        : carbon_(carbon), setup_(setup), offers_(from.offers), books_(from.offers, setup) {
        engine_options options;
        options.regions = setup.regions;
        options.live_workloads_max = options.live_per_tenant_max = 10'000'000;
        options.list_every = options.market_publish_every = seconds(never_s);
        core_ = std::make_unique<engine>(options, built_in_terms(), stored_state{}, setup.begin);
        now_ = setup.begin;
        for (const offer& o : offers_)
            zones_.insert(o.site.grid_zone);
        meet_providers();
    }

    void submit(const traced_job& job) {
        std::optional<tenant_id>& who = tenants_[job.user];
        if (!who)
            who = tenant_id::make(now_, random_);
        auto spec = std::make_shared<workload_spec>(job.spec);
        spec->policy = setup_.rules.name;
        begin_at(setup_.begin, *spec);
        const std::size_t number = jobs_.size();
        const instant ready = setup_.begin + milliseconds(std::llround(job.ready_s() * 1000));
        jobs_.push_back({ready, job.duration_s, books_.user(job.user), false});
        submit_workload asked;
        asked.request = number + 1;
        asked.who.tenant = *who;
        asked.spec = std::move(spec);
        ++books_.made.submitted;
        give(asked);
    }

    /// Everything that is due before `until`, in the order of time.
    void run_until(instant until) {
        while (const auto next = next_at()) {
            if (*next > until)
                break;
            now_ = std::max(now_, *next);
            hear_signals();
            if (!due_.empty() && due_.top().at <= now_) {
                const event happens = due_.top();
                due_.pop();
                happen(happens);
            } else {
                give(tick{});
            }
        }
        now_ = std::max(now_, until);
        hear_signals();
    }

    /// Until all have ended, or those that are left have waited for long while nothing ran.
    void run_to_the_end() {
        instant busy_at = now_;
        for (const job& each : jobs_)
            busy_at = std::max(busy_at, each.came);
        while (core_->live_workloads() > 0) {
            const auto next = next_at();
            if (!due_.empty())
                busy_at = std::max(busy_at, now_);
            if (!next || *next > busy_at + idle_max)
                break;
            run_until(*next);
        }
    }

    outcome close() {
        for (const job& each : jobs_)
            if (!each.started) {
                ++books_.made.unplaceable;
                ++books_.made.why_unplaceable[each.expired ? waited_too_long : "never placed"];
            }
        return books_.close();
    }

private:
    struct job {
        instant came{};  // or was ready to start
        double duration_s = 0;
        std::uint32_t user = 0;
        bool started = false, expired = false;
    };
    struct event {
        instant at{};
        std::uint64_t number = 0;
        attempt_id attempt{};
        provider_id provider{};
        std::size_t job = 0;
        bool ends = false;
        instant started_at{};
        friend bool operator<(const event& a, const event& b) {
            return a.at != b.at ? a.at > b.at : a.number > b.number;  // the soonest on top
        }
    };

    std::optional<instant> next_at() const {
        std::optional<instant> next = core_->next_wake();
        if (!due_.empty() && (!next || due_.top().at < *next))
            next = due_.top().at;
        return next;
    }

    void meet_providers() {
        policies_configured rules{{setup_.rules}, setup_.rates};
        give(rules);
        std::map<provider_id, provider_config> configs;
        std::map<provider_id, std::vector<offer>> lists;
        for (const offer& o : offers_) {
            provider_config& config = configs[o.provider];
            config.id = o.provider;
            config.kind = "simulated";
            config.calls_max = 10'000;
            config.poll_s = config.lost_after_s = never_s;
            if (std::ranges::find(config.sites, o.site.site, &site_facts::site) == config.sites.end())
                config.sites.push_back(o.site);
            lists[o.provider].push_back(o);
        }
        providers_configured all;
        for (auto& [id, config] : configs)
            all.providers.push_back(std::move(config));
        give(all);
        for (auto& [id, list] : lists) {
            provider_health health;
            health.id = id;
            health.state = provider_state::ready;
            health.since = now_;
            give(provider_reported{health});
            give(offers_received{id, offer_list(std::move(list))});
        }
        give(feeds_configured{{feed_name}});
    }

    /// What has been measured since the last word, and that the last value holds on: nobody knows better then.
    void hear_signals() {
        const instant hour = std::chrono::floor<std::chrono::hours>(now_);
        if (carbon_.empty() || hour < heard_until_)
            return;
        const instant from = heard_until_ == instant{} ? hour : heard_until_;
        heard_until_ = hour + std::chrono::hours(1);
        signals_received word{feed_name, {}};
        for (const std::string& zone : zones_) {
            signal_series series;
            series.zone = zone;
            series.source = "hourly series";
            series.quality = quality_class::measured_hourly;
            series.received_at = now_;
            for (instant at = from; at < heard_until_; at += std::chrono::hours(1))
                if (const auto value = carbon_.at(zone, at))
                    series.intervals.push_back({at, at + std::chrono::hours(1), *value, false});
            if (series.intervals.empty() || series.intervals.back().end_at != heard_until_)
                continue;
            series.intervals.push_back(
                {heard_until_, heard_until_ + forecast_reach, series.intervals.back().value, true});
            word.series.push_back(std::move(series));
        }
        give(word);
    }

    void give(const input& in) {
        reaction made = core_->handle(in, now_, random_);
        for (const usage& used : made.changes.usages)
            books_.meter(used);
        for (const charge& cost : made.changes.charges)
            books_.bill(cost);
        for (const decision& d : made.changes.decisions)
            if (!d.ranked.empty())
                chosen_[d.workload] = {std::max(milliseconds(0), d.ranked.front().start_at - d.at),
                                       d.ranked.front().rtt_ms};
        for (const workload& w : made.changes.workloads_new)
            job_of_[w.id] = jobs_.size() - 1;
        for (const workload& w : made.changes.workloads_changed)
            if (const auto of = job_of_.find(w.id); w.state == workload_state::expired && of != job_of_.end())
                jobs_[of->second].expired = true;
        std::vector<input> answers;
        for (const effect& each : made.effects)
            run(each, answers);
        for (const input& answer : answers)
            give(answer);
    }
    void run(const effect& each, std::vector<input>& answers) {
        if (const auto* call = std::get_if<call_provider>(&each)) {
            mutation_reply reply;
            reply.outcome = call_outcome::done;
            reply.handle = launch_token(call->attempt);
            answers.push_back(call_answered{call->provider, call->attempt, call->verb, call->outbox_seq, reply});
            if (call->verb == outbox_verb::launch)
                begin(*call);
        } else if (const auto* logs = std::get_if<archive_logs>(&each)) {
            answers.push_back(logs_archived{logs->attempt, logs->outbox_seq, true, ""});
        }
    }

    /// Its data are fetched first, and it waits where the provider says that one waits: as the decision counted.
    void begin(const call_provider& call) {
        const workload_id of = core_->find(call.attempt)->workload;
        due_.push({.at = now_ + chosen_.at(of).lead,
                   .number = ++events_,
                   .attempt = call.attempt,
                   .provider = call.provider,
                   .job = job_of_.at(of)});
    }

    void happen(const event& e) {
        job& mine = jobs_[e.job];
        observation seen;
        seen.token = launch_token(e.attempt);
        seen.handle = seen.token;
        seen.seq = e.ends ? 2 : 1;
        seen.started_at = e.ends ? e.started_at : now_;
        seen.at = e.ends ? observation::phase::exited : observation::phase::running;
        if (e.ends) {
            seen.ended_at = now_;
            seen.exit_code = 0;
        } else {
            mine.started = true;
            const attempt& a = *core_->find(e.attempt);
            const workload_id of = a.workload;
            if (setup_.chose)
                setup_.chose(e.job, a.offer);
            const choice& way = chosen_.at(of);
            books_.start(mine.user, mine.came, now_, std::chrono::duration<double>(way.lead).count(), mine.duration_s,
                         way.rtt_ms);
            chosen_.erase(of);
            job_of_.erase(of);
            event end = e;
            end.ends = true;
            end.started_at = now_;
            end.number = ++events_;
            end.at = now_ + milliseconds(std::llround(mine.duration_s * 1000));
            due_.push(end);
        }
        give(attempt_observed{e.provider, seen});
    }

    const carbon_series& carbon_;
    const run_setup& setup_;
    const std::vector<offer>& offers_;
    run_books books_;
    std::unique_ptr<engine> core_;
    random_source random_{1};
    instant now_{}, heard_until_{};
    std::set<std::string> zones_;
    std::unordered_map<std::string, std::optional<tenant_id>> tenants_;
    std::vector<job> jobs_;
    std::unordered_map<workload_id, std::size_t> job_of_;
    struct choice {
        milliseconds lead{};
        std::optional<double> rtt_ms;
    };
    std::unordered_map<workload_id, choice> chosen_;  // of those that have not begun
    std::priority_queue<event> due_;
    std::uint64_t events_ = 0;
};

}  // namespace

result<outcome> run_engine(trace_reader& trace, const supply& from, const carbon_series& carbon,
                           const run_setup& setup) {
    engine_world world(from, carbon, setup);
    for (;;) {
        const auto job = trace.next();
        if (!job)
            return job.error();
        if (!*job)
            break;
        world.run_until(setup.begin + milliseconds(std::llround((*job)->submit_s * 1000)));
        world.submit(**job);
    }
    world.run_to_the_end();
    return world.close();
}

}  // namespace westerly
