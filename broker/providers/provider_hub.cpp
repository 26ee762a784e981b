#include "broker/providers/provider_hub.hpp"

#include "broker/providers/provider_session.hpp"
#include "broker/support/post_gate.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <pthread.h>

#include <csignal>
#include <thread>

namespace asio = boost::asio;

namespace westerly {
namespace {

constexpr seconds stop_limit{5};

}  // namespace

struct provider_hub::impl {
    explicit impl(hub_options given)
        : options(std::move(given)),
          random(secure_seed()),
          guard(io.get_executor()),
          calls(std::make_shared<post_gate>([this](post_gate::work what) { asio::post(io, std::move(what)); })) {
        // The hub's thread takes no signals, its writes to dead adapters included; they are the main thread's business.
        sigset_t all, before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        thread = std::thread([this] {
            io.run();
            sessions.clear();  // here, because children die with the thread that started them
        });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    ~impl() {
        asio::post(io, [this] { stop(); });
        thread.join();
    }

    void stop() {
        ending = true;
        for (auto& [id, session] : sessions)
            session->leave(true);
        limit.expires_after(stop_limit);
        limit.async_wait([this](boost::system::error_code) { io.stop(); });
        forget_gone();
    }

    void configure(const std::vector<provider_config>& providers) {
        std::set<provider_id> wanted;
        for (const auto& config : providers)
            wanted.insert(config.id);
        for (auto& [id, session] : sessions)
            if (!wanted.contains(id) && gone.insert(id).second)
                session->leave(false);
        for (const auto& config : providers)
            configure_one(config);
    }

    void configure_one(provider_config config) {
        const auto id = config.id;
        gone.erase(id);
        stopped.erase(id);
        if (const auto found = sessions.find(id); found != sessions.end())
            return found->second->configure(std::move(config));
        session_setup setup{io, options, random, [this, id] {
                                stopped.insert(id);
                                asio::post(io, [this] { forget_gone(); });
                            }};
        sessions.emplace(id, std::make_unique<provider_session>(std::move(setup), std::move(config)));
    }

    /// Sessions that are stopped and still not wanted. Never called from inside one.
    void forget_gone() {
        for (const auto& id : stopped)
            if (ending || gone.contains(id)) {
                sessions.erase(id);
                gone.erase(id);
            }
        stopped.clear();
        if (ending && sessions.empty())
            io.stop();
    }

    /// Runs `then` on the hub's thread with the provider's session, or nullptr.
    template <class Then>
    void with(const provider_id& id, Then then) {
        calls->post([this, id, then = std::move(then)] {
            const auto found = sessions.find(id);
            then(found == sessions.end() || gone.contains(id) ? nullptr : found->second.get());
        });
    }

    hub_options options;
    asio::io_context io{1};
    random_source random;
    asio::executor_work_guard<asio::io_context::executor_type> guard;
    std::shared_ptr<post_gate> calls;  // a commit of many launches wakes the thread once
    asio::steady_timer limit{io};
    std::map<provider_id, std::unique_ptr<provider_session>> sessions;
    std::set<provider_id> gone;     // no more configured, still stopping
    std::set<provider_id> stopped;  // their processes are gone
    bool ending = false;
    std::thread thread;
};

namespace {

error unknown_provider(const provider_id& id) {
    return fail(errc::provider_unavailable, "provider " + id + " is not configured", "add its provider file");
}

/// A launch that an earlier configuration made may still exist there: unknown.
mutation_reply unknown_outcome(const provider_id& id) {
    mutation_reply reply;
    reply.why = adapter_error::unavailable;
    reply.message = unknown_provider(id).detail;
    return reply;
}

}  // namespace

provider_hub::provider_hub(hub_options options) : impl_(std::make_unique<impl>(std::move(options))) {}
provider_hub::~provider_hub() = default;

void provider_hub::configure(std::vector<provider_config> providers) {
    impl_->calls->post([impl = impl_.get(), providers = std::move(providers)] { impl->configure(providers); });
}

void provider_hub::run(const call_provider& effect) {
    impl_->with(effect.provider, [impl = impl_.get(), effect](provider_session* session) {
        if (session)
            return session->run(effect);
        impl->options.sink(call_answered{effect.provider, effect.attempt, effect.verb, effect.outbox_seq,
                                         unknown_outcome(effect.provider)});
    });
}

void provider_hub::run(const find_attempt& effect) {
    impl_->with(effect.provider, [impl = impl_.get(), effect](provider_session* session) {
        if (session)
            return session->run(effect);
        impl->options.sink(attempt_found{effect.provider, effect.attempt, std::nullopt});
    });
}

void provider_hub::run(const poll_attempts& effect) {
    impl_->with(effect.provider, [effect](provider_session* session) {
        if (session)
            session->run(effect);
    });
}

void provider_hub::run(const list_provider& effect) {
    impl_->with(effect.provider, [impl = impl_.get(), effect](provider_session* session) {
        if (session)
            return session->run(effect);
        impl->options.sink(provider_listed{effect.provider, {}});
    });
}

void provider_hub::run(const sweep_orphan& effect) {
    impl_->with(effect.provider, [effect](provider_session* session) {
        if (session)
            session->run(effect);
    });
}

void provider_hub::run(const archive_logs& effect) {
    impl_->with(effect.provider, [impl = impl_.get(), effect](provider_session* session) {
        if (session)
            return session->run(effect);
        impl->options.sink(
            logs_archived{effect.attempt, effect.outbox_seq, false, unknown_provider(effect.provider).detail});
    });
}

void provider_hub::logs(const provider_id& provider, log_request request,
                        std::function<void(result<byte_piece>)> done) {
    impl_->with(provider, [provider, request = std::move(request), done = std::move(done)](provider_session* session) {
        if (session)
            session->logs(request, done);
        else
            done(unknown_provider(provider));
    });
}

void provider_hub::fetch(const provider_id& provider, std::string token, std::string path, std::uint64_t from,
                         std::function<void(result<fetch_reply>)> done) {
    fetch_params what{std::move(token), std::move(path), from};
    impl_->with(provider, [provider, what = std::move(what), done = std::move(done)](provider_session* session) {
        if (session)
            session->fetch(what, done);
        else
            done(unknown_provider(provider));
    });
}

void provider_hub::probe(const provider_id& provider, std::function<void(result<probe_reply>)> done) {
    impl_->with(provider, [provider, done = std::move(done)](provider_session* session) {
        if (session)
            session->probe(done);
        else
            done(unknown_provider(provider));
    });
}

}  // namespace westerly
