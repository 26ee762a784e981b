#include "broker/providers/provider_session.hpp"

#include "broker/domain/wording.hpp"
#include "broker/providers/offer_feed.hpp"
#include "broker/support/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace westerly {
namespace {

constexpr seconds trial_timeout{10};
constexpr milliseconds offers_changed_wait{1'000};  // a storm of offers.changed becomes one refresh
constexpr std::uint32_t notifications_per_second_max = 20'000;
constexpr std::size_t archives_in_work_max = 8;  // so that logs never crowd out launches
constexpr std::size_t warnings_kept_max = 1'000;
constexpr std::string_view renew_credentials =
    "; it refuses the broker's credentials: renew the token or key that its file names, and send SIGHUP";

steady_time steady_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

struct provider_session::timer {
    explicit timer(boost::asio::io_context& io) : clock(io) {}
    boost::asio::steady_timer clock;
    std::optional<steady_time> armed;
};

provider_session::provider_session(session_setup setup, provider_config config)
    : setup_(std::move(setup)),
      config_(std::move(config)),
      supervisor_({setup_.io, setup_.options.spawn_helper, setup_.options.adapter_dirs,
                   setup_.options.state_dir / config_.id, setup_.options.owner, setup_.random},
                  {[this](const initialize_reply& reply) { adapter_ready(reply); },
                   [this](const std::string& why, bool soon) { adapter_fell(why, soon); },
                   [this](const rpc_message& message) { notified(message); }, [this] { setup_.gone(); },
                   [this] {
                       refresh();
                   }}),
      timer_(std::make_unique<timer>(setup_.io)),
      notifications_(notifications_per_second_max) {
    begin();
}

provider_session::~provider_session() = default;

void provider_session::begin() {
    leaving_ = false;
    if (catalogue()) {
        stage_ = stage::serving;
        feed_offers();
    } else {
        supervisor_.want(config_);
    }
    refresh();
}

void provider_session::configure(provider_config config) {
    const bool was_catalogue = catalogue();
    const bool restarts = leaving_ || was_catalogue || adapter_differs(config_, config);
    config_ = std::move(config);
    if (!restarts) {
        supervisor_.want(config_);  // its limit of calls may have changed
        feed_offers();
        return refresh();
    }
    stage_ = stage::starting;
    offers_.reset();
    offers_fresh_ = false;
    trouble_.clear();
    warned_.clear();
    if (catalogue() && !was_catalogue)
        supervisor_.want(std::nullopt);
    begin();
}

void provider_session::leave(bool ending) {
    leaving_ = true;
    delayed_.clear();
    supervisor_.channel().fail_waiting("the provider was stopped");
    if (!ending) {
        for (const auto& [seq, what] : archives_)
            archives_waiting_.push_back(what);
        for (const auto& what : archives_waiting_)
            setup_.options.sink(logs_archived{what.attempt, what.outbox_seq, false, "the provider was removed"});
    }
    archives_.clear();
    archives_waiting_.clear();
    supervisor_.want(std::nullopt);
}

// ---- the adapter's life -----------------------------------------------------------------------------------------

void provider_session::adapter_ready(const initialize_reply& reply) {
    adapter_ = reply;
    breaker_.reset();
    stage_ = stage::trying;
    offers_fresh_ = false;
    trial();
}

void provider_session::adapter_fell(const std::string& why, bool soon) {
    stage_ = stage::fallen;
    fallen_soon_ = soon;
    trouble_ = why;
    if (!soon)
        supervisor_.channel().fail_waiting(why);
}

void provider_session::trial() {
    supervisor_.channel().call(
        "probe", "{}", steady_now() + trial_timeout, [this](const call_answer& answer) { trial_answered(answer); },
        true);
}

void provider_session::trial_answered(const call_answer& answer) {
    if (stage_ != stage::trying && stage_ != stage::serving)
        return;  // it fell meanwhile
    if (answer.silent)
        return supervisor_.restart("the adapter does not answer");
    const auto reply = decode_answer(answer, decode_probe_reply);
    if (reply.value && reply.value->ok) {
        breaker_.succeeded();
        stage_ = stage::serving;
        offers_at_ = steady_now();
    } else if (reply.replied) {
        trouble_ = reply.value ? reply.value->message : reply.failure.message;
        breaker_.trip(steady_now(), setup_.random);
        supervisor_.channel().fail_waiting(trouble_);
    }
    refresh();
}

void provider_session::notified(const rpc_message& message) {
    if (!notifications_.allow(steady_now()))
        return;  // a hint only: polls and lists find what was dropped
    if (const auto dropped = notifications_.take_dropped(); dropped > 0)
        log_event(log_level::warning, "adapter.notifications_dropped",
                  {{"provider", config_.id}, {"count", static_cast<std::int64_t>(dropped)}});
    if (message.method == "attempt.changed") {
        if (auto seen = decode_observation(rpc_body(message)))
            return setup_.options.sink(attempt_observed{config_.id, std::move(*seen)});
    } else if (message.method == "preemption.notice") {
        if (auto notice = decode_preemption_notice(rpc_body(message)))
            return setup_.options.sink(preemption_noticed{config_.id, notice->token, notice->at});
    } else {
        if (message.method == "offers.changed")
            offers_at_ = std::min(offers_at_, steady_now() + offers_changed_wait);
        return;  // what this version does not know is no fault: minors of the protocol grow
    }
    supervisor_.restart("the adapter broke the protocol: its \"" + message.method + "\" does not follow the schema");
}

// ---- calls ------------------------------------------------------------------------------------------------------

void provider_session::call(std::string_view verb, std::string params, call_done done) {
    if (leaving_ || catalogue() || state() == provider_state::down) {
        call_answer answer;
        answer.failure = {adapter_error::unavailable,
                          leaving_      ? "the provider is being stopped"
                          : catalogue() ? "a catalogue runs nothing"
                                        : state_message(),
                          std::nullopt};
        return done(answer);
    }
    supervisor_.channel().call(verb, std::move(params), steady_now() + seconds(std::max(1u, config_.call_timeout_s)),
                               [this, done = std::move(done)](const call_answer& answer) {
                                   record(answer);
                                   done(answer);
                               });
    refresh();
}

void provider_session::probe(std::function<void(result<probe_reply>)> done) {
    if (leaving_ || catalogue() || (stage_ != stage::trying && stage_ != stage::serving))
        return done(fail(errc::provider_unavailable, "provider " + config_.id + ": " + state_message()));
    supervisor_.channel().call(
        "probe", "{}", steady_now() + trial_timeout,
        [this, done = std::move(done)](const call_answer& answer) {
            auto reply = decode_answer(answer, decode_probe_reply);
            done(reply.value ? result<probe_reply>(std::move(*reply.value)) : read_error(id(), reply.failure));
        },
        true);
    refresh();
}

void provider_session::after(milliseconds delay, std::function<void()> then) {
    if (leaving_)
        return;
    delayed_.emplace(steady_now() + delay, std::move(then));
    arm();
}

void provider_session::record(const call_answer& answer) {
    const auto now = steady_now();
    if (answer.value)
        return breaker_.succeeded();
    if (!answer.replied && !answer.silent)
        return;  // never sent, or the adapter died: the supervisor's business
    switch (answer.failure.kind) {
        case adapter_error::rate_limited:
            breaker_.rate_limited(now, answer.failure.retry_after_s);
            break;
        case adapter_error::unavailable:
        case adapter_error::internal:
        case adapter_error::unauthorised:  // of the broker's own credentials: no call can do better
            last_failure_ = answer.failure.message;
            if (answer.failure.kind == adapter_error::unauthorised)
                last_failure_ += std::string(renew_credentials);
            if (breaker_.failed(now, setup_.random)) {
                trouble_ = std::to_string(breaker_.failures()) + " calls in a row failed: " + last_failure_;
                supervisor_.channel().fail_waiting(trouble_);
            }
            break;
        default:
            breaker_.succeeded();  // a definite no is an answer
    }
}

void provider_session::record(const mutation_reply& reply) {
    if (reply.why == adapter_error::rate_limited)
        breaker_.rate_limited(steady_now(), reply.retry_after_s);
}

void provider_session::run(const call_provider& effect) {
    auto done = [this, effect](mutation_reply reply) {
        record(reply);
        setup_.options.sink(
            call_answered{config_.id, effect.attempt, effect.verb, effect.outbox_seq, std::move(reply)});
    };
    if (effect.verb == outbox_verb::launch && effect.launch)
        launch(*this, effect.launch, setup_.options.read_bundle, std::move(done));
    else
        cancel(*this, launch_token(effect.attempt), effect.grace_s, std::move(done));
}

void provider_session::run(const find_attempt& effect) {
    find(*this, launch_token(effect.attempt), [this, effect](std::optional<observation> seen) {
        setup_.options.sink(attempt_found{config_.id, effect.attempt, std::move(seen)});
    });
}

void provider_session::run(const poll_attempts& effect) {
    std::vector<std::string> tokens;
    for (const auto& attempt : effect.attempts)
        tokens.push_back(launch_token(attempt));
    get(*this, std::move(tokens), [this](observation seen) {
        setup_.options.sink(attempt_observed{config_.id, std::move(seen)});
    });
}

void provider_session::run(const list_provider&) {
    list_all(*this, to_string(setup_.options.owner), [this](listing all) {
        setup_.options.sink(provider_listed{config_.id, std::move(all)});
    });
}

void provider_session::run(const sweep_orphan& effect) {
    cancel(*this, effect.token, 0, [this](const mutation_reply& reply) { record(reply); });
}

void provider_session::run(const archive_logs& effect) {
    if (!can("logs"))
        return setup_.options.sink(logs_archived{effect.attempt, effect.outbox_seq, true, ""});
    archives_waiting_.push_back(effect);
    next_archives();
}

void provider_session::next_archives() {
    while (!archives_waiting_.empty() && archives_.size() < archives_in_work_max) {
        const auto what = archives_waiting_.front();
        archives_waiting_.pop_front();
        archives_.emplace(what.outbox_seq, what);
        archive(*this, what, setup_.options.keep_log, setup_.random, [this](logs_archived ended) {
            if (archives_.erase(ended.outbox_seq) == 0)
                return;  // answered when the provider was removed
            setup_.options.sink(std::move(ended));
            after(milliseconds(0), [this] { next_archives(); });
        });
    }
}

bool provider_session::can(std::string_view what) const {
    // Not started yet: the call itself will say so.
    return adapter_.kind.empty() || std::ranges::find(adapter_.capabilities, what) != adapter_.capabilities.end();
}

void provider_session::logs(const log_request& request, std::function<void(result<byte_piece>)> done) {
    if (can("logs"))
        return read("logs", encode(request), decode_byte_piece, std::move(done));
    done(byte_piece{.from = request.from, .next = request.from, .bytes = {}, .complete = false});
}

void provider_session::fetch(const fetch_params& what, std::function<void(result<fetch_reply>)> done) {
    if (can("fetch"))
        return read("fetch", encode(what), decode_fetch_reply, std::move(done));
    done(fail(errc::provider_rejected, "provider " + config_.id + " gives out no files",
              "have the work write its results to a place of your own, or allow providers that do"));
}

// ---- offers and health ------------------------------------------------------------------------------------------

bool provider_session::fetch_due(steady_time now) const {
    return stage_ == stage::serving && !catalogue() && !leaving_ && !offers_in_flight_ && offers_at_ <= now &&
           breaker_.now_in() == circuit_breaker::state::closed;
}

void provider_session::fetch_offers() {
    offers_in_flight_ = true;
    all_offers(*this, [this](const decoded_answer<offers_reply>& reply) {
        offers_in_flight_ = false;
        offers_at_ = steady_now() + seconds(std::max(1u, config_.offers_refresh_s));
        if (reply.value) {
            const auto before = offers_ ? std::move(offers_->rtt_measured) : std::vector<site_rtt>();
            offers_ = *reply.value;
            keep_steady(before, config_, system_wall_clock().now(), offers_->rtt_measured);
            offers_trouble_.clear();
            feed_offers();
        } else if (!leaving_) {
            // No empty set: that they are gone is not proved.
            offers_trouble_ = "its offers could not be refreshed: " + reply.failure.message;
        }
        offers_fresh_ = true;
        refresh();
    });
}

void provider_session::feed_offers() {
    if (!catalogue() && !offers_)
        return;
    // A catalogue that is dated is what the file's reader made of it: nothing of its thousands of offers is copied.
    if (catalogue() && std::ranges::none_of(config_.offers, [](const offer& o) { return o.as_of == instant{}; }))
        return setup_.options.sink(offers_received{config_.id, config_.offers});
    auto merged = merge_offers(config_, offers_ ? &*offers_ : nullptr, system_wall_clock().now());
    for (const auto& warning : merged.warnings)
        if (warned_.size() < warnings_kept_max && warned_.insert(warning).second)
            log_event(log_level::warning, "offer.dropped", {{"provider", config_.id}, {"why", warning}});
    unmet_prices_ = offers_ ? unmet_prices(config_, *offers_) : std::vector<std::string>();
    for (const auto& unmet : unmet_prices_)
        if (warned_.size() < warnings_kept_max && warned_.insert(unmet).second)
            log_event(log_level::warning, "price.unused", {{"provider", config_.id}, {"why", unmet}});
    for (auto& each : merged.offers) {
        each.runs_gangs = catalogue() || can("gang");
        each.takes_files = catalogue() || can("put");
    }
    setup_.options.sink(offers_received{config_.id, std::move(merged.offers)});
}

provider_state provider_session::state() const {
    if (stage_ == stage::fallen)
        return fallen_soon_ ? provider_state::starting : provider_state::down;
    if (breaker_.now_in() != circuit_breaker::state::closed)
        return provider_state::down;
    if (stage_ != stage::serving || (!catalogue() && !offers_fresh_))
        return provider_state::starting;
    return throttled_until_ || !offers_trouble_.empty() ? provider_state::degraded : provider_state::ready;
}

std::string provider_session::state_message() const {
    if (stage_ == stage::fallen)
        return fallen_soon_ ? "the adapter is started again: " + trouble_ : trouble_;
    switch (state()) {
        case provider_state::down:
            return trouble_ + "; it is tried again by itself";
        case provider_state::starting:
            return "the adapter is starting";
        case provider_state::degraded:
            return throttled_until_ ? "the provider asks for fewer calls until " + format_rfc3339(*throttled_until_) +
                                          "; lower calls_max if this comes often"
                                    : offers_trouble_;
        case provider_state::ready:
            break;
    }
    std::vector<std::string> doubts = offers_ ? offers_->warnings : std::vector<std::string>();
    doubts.insert(doubts.end(), unmet_prices_.begin(), unmet_prices_.end());
    return joined(doubts, "; ", "; ");
}

void provider_session::refresh() {
    const auto now = steady_now();
    const auto throttle = breaker_.throttled_until(now);
    if (!throttle)
        throttled_until_.reset();
    else if (!throttled_until_)
        throttled_until_ = system_wall_clock().now() + std::chrono::duration_cast<milliseconds>(*throttle - now);
    supervisor_.channel().set_gate(stage_ == stage::serving && !throttle &&
                                   breaker_.now_in() == circuit_breaker::state::closed);
    if (fetch_due(now))
        return fetch_offers();  // which comes back here
    supervisor_.pump();
    report();
    arm();
}

void provider_session::report() {
    if (leaving_)
        return;
    provider_health now;
    now.id = config_.id;
    now.state = state();
    now.message = state_message();
    now.adapter_version = adapter_.adapter_version;
    now.max_visibility_delay_s = adapter_.max_visibility_delay_s;
    now.since = reported_ && reported_->state == now.state ? reported_->since : system_wall_clock().now();
    if (reported_ == now)
        return;
    reported_ = now;
    log_event(now.state == provider_state::down ? log_level::warning : log_level::info, "provider.state",
              {{"provider", config_.id}, {"state", std::string(to_string(now.state))}, {"message", now.message}});
    setup_.options.sink(provider_reported{std::move(now)});
}

void provider_session::arm() {
    auto next = supervisor_.next_wake();
    const auto earlier = [&](std::optional<steady_time> at) {
        if (at && (!next || *at < *next))
            next = at;
    };
    const auto now = steady_now();
    if (stage_ == stage::trying || stage_ == stage::serving)  // otherwise the next start is the trial
        earlier(breaker_.trial_at());
    earlier(breaker_.throttled_until(now));
    if (!delayed_.empty())
        earlier(delayed_.begin()->first);
    if (stage_ == stage::serving && !catalogue() && !leaving_ && !offers_in_flight_ &&
        breaker_.now_in() == circuit_breaker::state::closed)
        earlier(offers_at_);
    // Only ever earlier: waking too early once is cheaper than a cancelled timer for every call.
    if (!next || (timer_->armed && *timer_->armed <= *next))
        return;
    timer_->armed = next;
    timer_->clock.expires_at(*next);
    timer_->clock.async_wait([this](boost::system::error_code code) {
        if (!code)
            wake();
    });
}

void provider_session::wake() {
    const auto now = steady_now();
    timer_->armed.reset();
    supervisor_.wake(now);
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
        const auto then = std::move(delayed_.begin()->second);
        delayed_.erase(delayed_.begin());
        then();
    }
    if ((stage_ == stage::trying || stage_ == stage::serving) && breaker_.begin_trial(now))
        trial();
    refresh();
}

}  // namespace westerly
