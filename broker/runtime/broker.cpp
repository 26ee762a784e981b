#include "broker/runtime/broker.hpp"

#include "broker/runtime/broker_rooms.hpp"
#include "broker/runtime/signals.hpp"
#include "broker/runtime/term_list.hpp"
#include "broker/support/log.hpp"

#include <unistd.h>

#include <cstdio>

namespace westerly {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds housekeeping_every{3'600'000};

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
    // A single fault often is the whole message already.
    const bool told = why.faults.size() == 1 && why.detail.find(why.faults[0].pointer) != std::string::npos &&
                      why.detail.find(why.faults[0].message) != std::string::npos && !why.remedy.empty();
    for (const fault& f : told ? std::vector<fault>{} : why.faults)
        std::fprintf(stderr, "  %s: %s%s%s\n", f.pointer.c_str(), f.message.c_str(), f.remedy.empty() ? "" : " - ",
                     f.remedy.c_str());
    if (!why.remedy.empty())
        std::fprintf(stderr, "  %s\n", why.remedy.c_str());
    return 1;
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

int run_broker(const broker_options& given, term_table built_in) {
    block_signals();
    broker_options options = given;
    const auto known = term_list::load(built_in, options);
    if (!known)
        return refuse(known.error());
    const term_table terms = (*known)->all();
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
