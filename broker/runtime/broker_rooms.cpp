#include "broker/runtime/broker_rooms.hpp"

#include "broker/codec/facts_json.hpp"
#include "broker/runtime/metrics.hpp"
#include "broker/runtime/signals.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/log.hpp"

#include <algorithm>

namespace westerly {

namespace {

constexpr auto log_retention = std::chrono::days{90};
constexpr auto bundle_retention = std::chrono::days{30};
constexpr seconds drain_at_most{10};

std::vector<region_place> known_regions() {
    const auto text = embedded_file("schema/facts/regions.json");
    auto regions = decode_regions(text.value_or("{}"));
    return regions ? std::move(*regions) : std::vector<region_place>{};
}

std::string_view accelerators_text() {
    return embedded_file("schema/facts/accelerators.json").value_or("{}");
}

accelerator_table known_accelerators() {
    auto models = decode_accelerators(accelerators_text());
    return models ? accelerator_table(std::move(*models)) : accelerator_table();
}

/// Operators read in the log when a provider is distrusted, and when it is trusted again.
void log_distrust(const std::vector<quarantine>& before, const std::vector<quarantine>& now) {
    const auto in = [](const std::vector<quarantine>& all, const quarantine& one) {
        return std::ranges::any_of(
            all, [&](const quarantine& q) { return q.provider == one.provider && q.unauthorised == one.unauthorised; });
    };
    for (const auto& one : now)
        if (!in(before, one))
            log_event(log_level::warning, "provider.quarantined",
                      {{"provider", one.provider}, {"unauthorised", one.unauthorised}, {"reason", one.why}});
    for (const auto& one : before)
        if (!in(now, one))
            log_event(log_level::info, "provider.trusted_again", {{"provider", one.provider}});
}

/// What a catalogue has unchanged stays the same object, so that nobody looks at it again.
void share_offers(configuration& fresh, const configuration& before) {
    for (provider_config& now : fresh.providers)
        if (const auto old = std::ranges::find(before.providers, now.id, &provider_config::id);
            old != before.providers.end() && !now.offers.empty())
            now.offers = now.offers.sharing(old->offers);
}

void set_request(input& in, request_id id) {
    std::visit(
        [id](auto& asked) {
            if constexpr (requires { asked.request; })
                asked.request = id;
        },
        in);
}

}  // namespace

broker_rooms::broker_rooms(const broker_options& options, home_layout home, std::unique_ptr<store> keep,
                           stored_state state, configuration config, term_table terms)
    : options_(options),
      home_(std::move(home)),
      terms_(terms),
      bundles_(home_.bundles()),
      logs_(home_.logs(), std::size_t{options.log_archive_mib} << 20),
      store_(std::move(keep)),
      replayer_(store_->readers(), terms),
      owner_(state.owner),
      core_({.regions = known_regions(),
             .accelerators = known_accelerators(),
             .accelerators_text = std::string(accelerators_text()),
             .fair_share = options.fair_share},
            terms, std::move(state), system_wall_clock().now()),
      loop_(
          core_, *store_, secure_seed(), [this](effect e) { carry_out(std::move(e)); },
          [this](const error& why) { poisoned(why); }),
      archivist_(logs_, [this](logs_archived kept) { loop_.observe(std::move(kept)); }),
      hub_(make_hub_options()),
      scorers_(options.terms, options.libexec_dir, [this](offers_scored told) { loop_.observe(std::move(told)); }),
      feeds_([this](signals_received told) { loop_.observe(std::move(told)); }),
      api_(make_api_options(), make_services()),
      config_(std::move(config)) {}

result<void> broker_rooms::start() {
    if (auto loaded = keys_.load(store_->readers()); !loaded)
        return loaded.error();
    loop_.start();
    apply(config_);
    if (auto started = api_.start(); !started) {
        stop();
        return started.error();
    }
    ready_ = true;
    return {};
}

void broker_rooms::reload() {
    auto fresh = load_configuration(options_, terms_);
    if (!fresh) {
        for (const fault& f : fresh.error().faults)
            log_event(log_level::error, "config.refused",
                      {{"where", f.pointer}, {"fault", f.message}, {"remedy", f.remedy}});
    } else {
        share_offers(*fresh, config_);
        apply(*fresh);
        log_event(log_level::info, "config.reloaded",
                  {{"policies", static_cast<std::int64_t>(fresh->policies.size())},
                   {"providers", static_cast<std::int64_t>(fresh->providers.size())},
                   {"signals", static_cast<std::int64_t>(fresh->signals.files.size() + fresh->signals.feeds.size())}});
        config_ = std::move(*fresh);
    }
    if (auto certificates = api_.reload_certificates(); !certificates)
        log_event(log_level::error, "certificate.refused",
                  {{"reason", certificates.error().detail}, {"remedy", certificates.error().remedy}});
}

void broker_rooms::keep_house() const {
    const auto now = system_wall_clock().now();
    logs_.purge(now - log_retention);
    bundles_.purge(now - bundle_retention);
    if (auto forgotten = store_->forget_history(now - history_kept); !forgotten)
        log_event(log_level::error, "history.kept", {{"reason", forgotten.error().detail}});
}

void broker_rooms::stop() {
    ready_ = false;
    loop_.observe(drain_begun{});
    api_.drain(drain_at_most);
    feeds_.stop();
    scorers_.stop();
    loop_.stop();  // answers that adapters still owe are unknown outcomes, which the next start resolves
    waiting_.fail_all(fail(errc::shutting_down, "the broker is shutting down", "repeat the request later"));
}

void broker_rooms::apply(const configuration& config) {
    for (const std::string& file : config.ignored)
        log_event(log_level::warning, "config.ignored",
                  {{"file", file},
                   {"remedy", "only files whose names end in .json (or .csv, of signals) are read: rename it"}});
    feeds_configured feeds;
    for (const auto& file : config.signals.files)
        feeds.feeds.push_back(file.name);
    for (const auto& feed : config.signals.feeds)
        feeds.feeds.push_back(feed.name);
    loop_.observe(std::move(feeds));
    for (const auto& file : config.signals.files)
        loop_.observe(signals_received{file.name, file.series});
    feeds_.configure(config.signals.feeds);
    loop_.observe(certificates_configured{config.certificates});
    loop_.observe(policies_configured{config.policies, config.rates});
    loop_.observe(providers_configured{config.providers});
    hub_.configure(config.providers);
}

void broker_rooms::poisoned(const error& why) {
    failed_ = true;
    ready_ = false;
    log_event(log_level::error, "store.failed", {{"reason", why.detail}, {"remedy", why.remedy}});
    waiting_.fail_all(fail(errc::storage_failed, "the broker cannot write its database: " + why.detail, why.remedy));
    ask_to_stop();
}

void broker_rooms::carry_out(effect e) {
    std::visit([this](auto& one) { carry_out_one(std::move(one)); }, e);
}
template <class Call>
void broker_rooms::carry_out_one(Call call) {
    hub_.run(call);
}
void broker_rooms::carry_out_one(archive_logs call) {
    logs_.begin(call.attempt, call.tasks);
    hub_.run(call);
}
/// Only this thread changes the market, so it may look at the last one without the lock.
void broker_rooms::carry_out_one(publish_market market) {
    log_distrust(market_->quarantines, market.view->quarantines);
    const std::lock_guard lock(market_mutex_);
    market_ = std::move(market.view);
}
void broker_rooms::carry_out_one(publish_events events) {
    events_.publish(events.events);
}
void broker_rooms::carry_out_one(keys_changed) {
    if (auto loaded = keys_.load(store_->readers()); !loaded)
        log_event(log_level::error, "keys.stale", {{"reason", loaded.error().detail}});
}
void broker_rooms::carry_out_one(answer_request a) {
    waiting_.give(a.request, std::move(a.value));
}

void broker_rooms::carry_out_one(score_offers asked) {
    scorers_.ask(std::move(asked));
}

void broker_rooms::ask(input in, pending_answers::done done) {
    if (!ready_)
        return done(fail(errc::shutting_down, "the broker is not ready", "try again in a few seconds"));
    if (std::holds_alternative<confirm_sweep>(in))  // durable before the engine may act on it
        if (auto confirmed = store_->confirm_sweep(); !confirmed)
            return done(confirmed.error());
    const auto id = waiting_.add(std::move(done));
    set_request(in, id);
    if (auto taken = loop_.request(std::move(in)); !taken)
        waiting_.give(id, taken.error());
}

void broker_rooms::observe(input in) {
    if (auto* kept = std::get_if<logs_archived>(&in); kept && kept->ok)
        return archivist_.finish(std::move(*kept));
    loop_.observe(std::move(in));
}

void broker_rooms::read_log(const attempt& of, std::uint32_t rank, bool error_stream, std::uint64_t from,
                            std::function<void(result<byte_piece>)> done) {
    if (logs_.has(of.id))
        return done(logs_.read(of.id, rank, error_stream, from));
    hub_.logs(of.provider, {launch_token(of.id), rank, error_stream, from}, std::move(done));
}

result<std::string> broker_rooms::back_up() {
    const auto path = home_.backups() / ("westerly-" + format_rfc3339(system_wall_clock().now()) + ".db");
    if (auto copied = store_->backup(path); !copied)
        return copied.error();
    return path.string();
}

hub_options broker_rooms::make_hub_options() {
    return {.owner = owner_,
            .state_dir = home_.adapters(),
            .spawn_helper = options_.libexec_dir / "westerly-spawn",
            .adapter_dirs = {options_.libexec_dir},
            .read_bundle = [this](const std::string& files, std::uint64_t from,
                                  std::size_t most) { return bundles_.read(files, from, most); },
            .keep_log = [this](const attempt_id& of, std::uint32_t rank, bool error_stream, std::uint64_t from,
                               const std::string& bytes) { return logs_.keep(of, rank, error_stream, from, bytes); },
            .sink =
                [this](input in) {
                    observe(std::move(in));
                }};
}

api_options broker_rooms::make_api_options() const {
    api_options made;
    made.address = options_.listen_address;
    made.port = options_.port;
    made.certificate = options_.certificate;
    made.private_key = options_.private_key;
    made.threads = options_.io_threads;
    made.requests_per_s_per_key = options_.requests_per_s_per_key;
    return made;
}

api_services broker_rooms::make_services() {
    api_services s;
    s.ask = [this](input in, pending_answers::done done) {
        ask(std::move(in), std::move(done));
    };
    s.read = &store_->readers();
    s.market = [this] {
        const std::lock_guard lock(market_mutex_);
        return market_;
    };
    s.authenticate = [this](const sha256_digest& hash) {
        return keys_.find(hash);
    };
    s.subscribe = [this](event_relay::listener to) {
        return events_.subscribe(std::move(to));
    };
    s.unsubscribe = [this](std::uint64_t id) {
        events_.unsubscribe(id);
    };
    s.logs = [this](const attempt& of, std::uint32_t rank, bool error_stream, std::uint64_t from,
                    std::function<void(result<byte_piece>)> done) {
        read_log(of, rank, error_stream, from, std::move(done));
    };
    s.fetch = [this](const attempt& of, std::string path, std::uint64_t from,
                     std::function<void(result<fetch_reply>)> done) {
        hub_.fetch(of.provider, launch_token(of.id), std::move(path), from, std::move(done));
    };
    s.probe = [this](const provider_id& id, std::function<void(result<probe_reply>)> done) {
        hub_.probe(id, std::move(done));
    };
    s.keep_bundle = [this](const tenant_id& of, std::string bytes) {
        return bundles_.keep(of, bytes);
    };
    s.has_bundle = [this](const tenant_id& of, const std::string& files) {
        return bundles_.has(of, files);
    };
    s.replay = [this](const decision_id& id) {
        return replayer_.replay(id);
    };
    s.compare_policies = [this](const policy_comparison_request& asked) {
        const auto market = [this] {
            const std::lock_guard lock(market_mutex_);
            return market_;
        }();
        return replayer_.compare(asked, market->policies);
    };
    s.backup = [this] {
        return back_up();
    };
    s.ready = [this] {
        return ready_.load();
    };
    s.why_not_ready = [this] {
        return std::string(failed_ ? "the database cannot be written" : "starting or stopping");
    };
    s.extra_metrics = [this] {
        return loop_metrics(loop_.read_counters()) + term_metrics(scorers_.read_counters());
    };
    return s;
}

}  // namespace westerly
