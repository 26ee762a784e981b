#include "broker/runtime/broker.hpp"

#include "broker/api/api_server.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/providers/provider_hub.hpp"
#include "broker/runtime/bundle_shelf.hpp"
#include "broker/runtime/configuration.hpp"
#include "broker/runtime/event_relay.hpp"
#include "broker/runtime/home.hpp"
#include "broker/runtime/key_index.hpp"
#include "broker/runtime/log_archive.hpp"
#include "broker/runtime/loop.hpp"
#include "broker/runtime/metrics.hpp"
#include "broker/runtime/signals.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/log.hpp"

#include <unistd.h>

#include <cstdio>
#include <unordered_map>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr auto log_retention = std::chrono::days{90};
constexpr auto bundle_retention = std::chrono::days{30};
constexpr seconds drain_at_most{10};
constexpr milliseconds housekeeping_every{3'600'000};

std::vector<region_place> known_regions() {
    const auto text = embedded_file("schema/facts/regions.json");
    auto regions = decode_regions(text.value_or("{}"));
    return regions ? std::move(*regions) : std::vector<region_place>{};
}

/// Who waits for which request's answer. Thread-safe.
class pending_answers {
public:
    using done = std::function<void(result<answer>)>;
    request_id add(done to) {
        const std::lock_guard lock(mutex_);
        waiting_.emplace(++last_, std::move(to));
        return last_;
    }
    void give(request_id id, result<answer> value) {
        done to;
        {
            const std::lock_guard lock(mutex_);
            const auto found = waiting_.find(id);
            if (found == waiting_.end())
                return;
            to = std::move(found->second);
            waiting_.erase(found);
        }
        to(std::move(value));
    }
    void fail_all(const error& why) {
        std::unordered_map<request_id, done> left;
        {
            const std::lock_guard lock(mutex_);
            left.swap(waiting_);
        }
        for (auto& [id, to] : left)
            to(why);
    }

private:
    std::mutex mutex_;
    request_id last_ = 0;
    std::unordered_map<request_id, done> waiting_;
};

void set_request(input& in, request_id id) {
    std::visit(
        [id](auto& asked) {
            if constexpr (requires { asked.request; })
                asked.request = id;
        },
        in);
}

/// The rooms, in the order of their construction, and the wires between them.
class broker_rooms {
public:
    broker_rooms(const broker_options& options, home_layout home, std::unique_ptr<store> keep, stored_state state,
                 configuration config, term_table terms)
        : options_(options),
          home_(std::move(home)),
          terms_(terms),
          bundles_(home_.bundles()),
          logs_(home_.logs(), std::size_t{options.log_archive_mib} << 20),
          store_(std::move(keep)),
          owner_(state.owner),
          core_({.regions = known_regions()}, terms, std::move(state), system_wall_clock().now()),
          loop_(
              core_, *store_, secure_seed(), [this](effect e) { carry_out(std::move(e)); },
              [this](const error& why) { poisoned(why); }),
          hub_(make_hub_options()),
          api_(make_api_options(), make_services()),
          config_(std::move(config)) {}

    /// Errors: those of the listener.
    result<void> start() {
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

    std::uint16_t port() const { return api_.port(); }
    bool failed() const { return failed_; }

    void reload() {
        auto fresh = load_configuration(options_, terms_);
        if (!fresh) {
            for (const fault& f : fresh.error().faults)
                log_event(log_level::error, "config.refused",
                          {{"where", f.pointer}, {"fault", f.message}, {"remedy", f.remedy}});
        } else {
            apply(*fresh);
            log_event(log_level::info, "config.reloaded",
                      {{"policies", static_cast<std::int64_t>(fresh->policies.size())},
                       {"providers", static_cast<std::int64_t>(fresh->providers.size())}});
        }
        if (auto certificates = api_.reload_certificates(); !certificates)
            log_event(log_level::error, "certificate.refused",
                      {{"reason", certificates.error().detail}, {"remedy", certificates.error().remedy}});
    }

    /// What is due now and then: old logs and bundles go.
    void keep_house() const {
        const auto now = system_wall_clock().now();
        logs_.purge(now - log_retention);
        bundles_.purge(now - bundle_retention);
    }

    /// Takes no new work, answers what is under way, leaves running workloads alone.
    void stop() {
        ready_ = false;
        loop_.observe(drain_begun{});
        api_.drain(drain_at_most);
        loop_.stop();  // answers that adapters still owe are unknown outcomes, which the next start resolves
        waiting_.fail_all(fail(errc::shutting_down, "the broker is shutting down", "repeat the request later"));
    }

private:
    void apply(const configuration& config) {
        loop_.observe(policies_configured{config.policies, config.rates});
        loop_.observe(providers_configured{config.providers});
        hub_.configure(config.providers);
    }

    void poisoned(const error& why) {
        failed_ = true;
        ready_ = false;
        log_event(log_level::error, "store.failed", {{"reason", why.detail}, {"remedy", why.remedy}});
        waiting_.fail_all(
            fail(errc::storage_failed, "the broker cannot write its database: " + why.detail, why.remedy));
        ask_to_stop();
    }

    void carry_out(effect e) {
        std::visit([this](auto&& one) { carry_out_one(std::move(one)); }, std::move(e));
    }
    template <class Call>
    void carry_out_one(Call call) {
        hub_.run(call);
    }
    void carry_out_one(archive_logs call) {
        logs_.begin(call.attempt, call.tasks);
        hub_.run(call);
    }
    void carry_out_one(publish_market market) {
        const std::lock_guard lock(market_mutex_);
        market_ = std::move(market.view);
    }
    void carry_out_one(publish_events events) { events_.publish(events.events); }
    void carry_out_one(keys_changed) {
        if (auto loaded = keys_.load(store_->readers()); !loaded)
            log_event(log_level::error, "keys.stale", {{"reason", loaded.error().detail}});
    }
    void carry_out_one(answer_request a) { waiting_.give(a.request, std::move(a.value)); }

    void ask(input in, pending_answers::done done) {
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

    void observe(input in) {
        if (auto* kept = std::get_if<logs_archived>(&in); kept && kept->ok)
            if (auto finished = logs_.finish(kept->attempt); !finished) {
                kept->ok = false;
                kept->message = finished.error().detail;
            }
        loop_.observe(std::move(in));
    }

    void read_log(const attempt& of, std::uint32_t rank, bool error_stream, std::uint64_t from,
                  std::function<void(result<byte_piece>)> done) {
        if (logs_.has(of.id))
            return done(logs_.read(of.id, rank, error_stream, from));
        hub_.logs(of.provider, {launch_token(of.id), rank, error_stream, from}, std::move(done));
    }

    result<std::string> back_up() {
        const auto path = home_.backups() / ("westerly-" + format_rfc3339(system_wall_clock().now()) + ".db");
        if (auto copied = store_->backup(path); !copied)
            return copied.error();
        return path.string();
    }

    hub_options make_hub_options() {
        return {
            .owner = owner_,
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

    api_options make_api_options() const {
        api_options made;
        made.address = options_.listen_address;
        made.port = options_.port;
        made.certificate = options_.certificate;
        made.private_key = options_.private_key;
        made.threads = options_.io_threads;
        made.requests_per_s_per_key = options_.requests_per_s_per_key;
        return made;
    }

    api_services make_services() {
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
            return loop_metrics(loop_.read_counters());
        };
        return s;
    }

    const broker_options& options_;
    const home_layout home_;
    const term_table terms_;
    bundle_shelf bundles_;
    log_archive logs_;
    event_relay events_;
    pending_answers waiting_;
    key_index keys_;
    std::mutex market_mutex_;
    std::shared_ptr<const market_view> market_ = std::make_shared<market_view>();
    std::atomic<bool> ready_ = false;
    std::atomic<bool> failed_ = false;
    std::unique_ptr<store> store_;
    const owner_id owner_;
    engine core_;
    loop loop_;
    provider_hub hub_;
    api_server api_;
    const configuration config_;
};

/// The first start makes the tenant of the operators and a key; gives the secret, or empty when there was one already.
result<std::string> ensure_operator(store& keep, stored_state& state, bool always) {
    random_source random(secure_seed());
    const auto now = system_wall_clock().now();
    const auto is_operator = [](const api_key& k) {
        return k.as == role::operator_ && !k.revoked_at;
    };
    if (!always && std::ranges::any_of(state.keys, is_operator))
        return std::string();
    change_set changes;
    changes.epoch = state.epoch;
    const auto home = std::ranges::find(state.tenants, "operators", &tenant::name);
    const tenant of = home != state.tenants.end() ? *home : tenant{tenant_id::make(now, random), "operators", now};
    if (home == state.tenants.end())
        changes.tenants.push_back(of);
    auto key = make_key(of.id, role::operator_, "first operator key", now, random);
    changes.keys.push_back(key.record);
    if (auto done = keep.commit({&changes, 1}); !done)
        return done.error();
    if (home == state.tenants.end())
        state.tenants.push_back(of);
    state.keys.push_back(key.record);
    return key.secret;
}

void greet(const broker_options& options, std::uint16_t port, const std::string& fingerprint) {
    std::printf("westerlyd listens on https://%s:%u\n", options.listen_address.c_str(), port);
    std::printf("certificate SHA-256 fingerprint: %s\n", fingerprint.c_str());
    std::fflush(stdout);
}

/// What clients on this machine, and those who are told its name, may call it.
std::vector<std::string> names_for_certificate(const broker_options& options) {
    std::vector<std::string> names = options.certificate_names;
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) == 0)
        names.emplace_back(host);
    for (const std::string& usual :
         {std::string("localhost"), std::string("127.0.0.1"), std::string("::1"), options.listen_address})
        if (usual != "0.0.0.0" && usual != "::" && std::ranges::find(names, usual) == names.end())
            names.push_back(usual);
    return names;
}

int serve(broker_rooms& rooms) {
    for (auto last_kept = system_wall_clock().now();;) {
        switch (wait_for_signal(seconds{1})) {
            case signal_event::stop:
                log_event(log_level::info, "broker.stopping");
                rooms.stop();
                return rooms.failed() ? 1 : 0;
            case signal_event::reload:
                rooms.reload();
                break;
            case signal_event::none:
                break;
        }
        if (const auto now = system_wall_clock().now(); now - last_kept > housekeeping_every) {
            rooms.keep_house();
            last_kept = now;
        }
    }
}

}  // namespace

int refuse(const error& why) {
    std::fprintf(stderr, "westerlyd: %s\n", why.detail.c_str());
    for (const fault& f : why.faults)
        std::fprintf(stderr, "  %s: %s%s%s\n", f.pointer.c_str(), f.message.c_str(), f.remedy.empty() ? "" : " - ",
                     f.remedy.c_str());
    if (!why.remedy.empty())
        std::fprintf(stderr, "  %s\n", why.remedy.c_str());
    return 1;
}

result<void> check_configuration(const broker_options& options, term_table terms, std::string& report) {
    const auto read = load_configuration(options, terms);
    if (!read)
        return read.error();
    for (const policy& p : read->policies) {
        report += "policy " + p.name + " " + p.version + "\n";
        for (const priced_term& t : p.prices)
            if (t.weight > 0)
                report += "  weight of " + t.term + " implies " + std::to_string(t.per_unit) + " CNY per " +
                          std::string(find_term(terms, t.term)->unit) + "\n";
    }
    for (const provider_config& p : read->providers)
        report += "provider " + p.id + " (" + p.kind + "), " + std::to_string(p.sites.size()) + " site(s)\n";
    return {};
}

result<std::string> new_operator_key(const broker_options& options) {
    const auto home = prepare_home(options.home);
    if (!home)
        return home.error();
    auto keep = open_sqlite_store({.file = home->database(), .machine_id = read_machine_id()});
    if (!keep)
        return keep.error();
    auto state = (*keep)->load(system_wall_clock().now());
    if (!state)
        return state.error();
    return ensure_operator(**keep, *state, true);
}

result<void> restore_backup(const broker_options& options, const fs::path& backup) {
    const auto home = prepare_home(options.home);
    if (!home)
        return home.error();
    return restore_sqlite(backup, home->database());
}

int run_broker(const broker_options& given, term_table terms) {
    block_signals();
    broker_options options = given;
    auto config = load_configuration(options, terms);
    if (!config)
        return refuse(config.error());
    const auto home = prepare_home(options.home);
    if (!home)
        return refuse(home.error());
    if (options.certificate.empty()) {
        options.certificate = home->certificate();
        options.private_key = home->private_key();
    }
    const auto fingerprint =
        ensure_certificate(options.certificate, options.private_key, names_for_certificate(options));
    if (!fingerprint)
        return refuse(fingerprint.error());
    auto keep = open_sqlite_store({.file = home->database(), .machine_id = read_machine_id()});
    if (!keep)
        return refuse(keep.error());
    auto state = (*keep)->load(system_wall_clock().now());
    if (!state)
        return refuse(state.error());
    const auto secret = ensure_operator(**keep, *state, false);
    if (!secret)
        return refuse(secret.error());
    if (!secret->empty())
        std::printf("operator key (shown once): %s\n", secret->c_str());
    std::fflush(stdout);  // even if the port is taken below, the key is known
    if (!state->sweeping)
        log_event(log_level::warning, "sweep.off",
                  {{"why", "this database was restored or moved; unknown things are listed, not ended"},
                   {"remedy", "look at `westerly orphans`, then `westerly sweep --confirm`"}});

    broker_rooms rooms(options, *home, std::move(*keep), std::move(*state), std::move(*config), terms);
    if (auto started = rooms.start(); !started)
        return refuse(started.error());
    greet(options, rooms.port(), *fingerprint);
    rooms.keep_house();
    return serve(rooms);
}

}  // namespace westerly
