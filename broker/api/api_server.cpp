#include "broker/api/api_server.hpp"

#include "broker/api/helper_pool.hpp"
#include "broker/api/house.hpp"
#include "broker/api/listener.hpp"
#include "broker/api/worker.hpp"

#include <mutex>

namespace westerly {
namespace {

constexpr unsigned helper_threads = 2;
constexpr milliseconds look_every{5};      // while draining
constexpr milliseconds end_at_most{2000};  // for what was told to end at once

}  // namespace

struct api_server::impl {
    impl(api_options options, api_services services)
        : house(std::make_shared<api_house>(std::move(options), std::move(services))),
          listener(house->options, house->metrics, [this](accepted_socket from) { take(std::move(from)); }) {
        for (unsigned i = 0; i < std::max(1u, house->options.threads); ++i)
            workers.push_back(std::make_unique<api_worker>(
                *house, [this](std::function<void()> work) { return helpers.run(std::move(work)); }));
    }

    const std::shared_ptr<api_house> house;
    helper_pool helpers{helper_threads};
    std::vector<std::unique_ptr<api_worker>> workers;
    std::mutex tls_lock;
    tls_context tls;
    std::size_t next_worker = 0;  // the accepting thread only
    std::optional<std::uint64_t> subscription;
    api_listener listener;  // last: it stops first
    bool started = false;

    void take(accepted_socket from) {
        tls_context current;
        {
            const std::lock_guard guard(tls_lock);
            current = tls;
        }
        workers[next_worker++ % workers.size()]->adopt(std::move(from), std::move(current));
    }

    result<void> load_certificates() {
        auto made = make_tls_context(house->options.certificate, house->options.private_key);
        if (!made)
            return made.error();
        const std::lock_guard guard(tls_lock);
        tls = std::move(*made);
        return {};
    }

    std::size_t sessions() const {
        std::size_t all = 0;
        for (const auto& worker : workers)
            all += worker->sessions();
        return all;
    }

    void wait_for_sessions(milliseconds at_most) const {
        const auto until = std::chrono::steady_clock::now() + at_most;
        while (sessions() != 0 && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(look_every);
    }

    void drain(seconds at_most) {
        if (!std::exchange(started, false))
            return;
        house->draining = true;
        listener.stop();
        for (const auto& worker : workers)
            worker->end_soon();
        wait_for_sessions(at_most);
        for (const auto& worker : workers)
            worker->end_now();
        wait_for_sessions(end_at_most);
        helpers.stop();
        for (const auto& worker : workers)
            worker->stop();
        if (subscription)
            house->services.unsubscribe(*subscription);
    }
};

api_server::api_server(api_options options, api_services services)
    : impl_(std::make_unique<impl>(std::move(options), std::move(services))) {}

api_server::~api_server() {
    impl_->drain(seconds(0));
}

result<void> api_server::start() {
    if (auto loaded = impl_->load_certificates(); !loaded)
        return loaded.error();
    if (auto opened = impl_->listener.open(); !opened)
        return opened.error();
    impl_->subscription =
        impl_->house->services.subscribe([house = impl_->house](const event& what) { house->events.publish(what); });
    for (const auto& worker : impl_->workers)
        worker->start();
    impl_->listener.start();
    impl_->started = true;
    return {};
}

std::uint16_t api_server::port() const {
    return impl_->listener.port();
}

result<void> api_server::reload_certificates() {
    return impl_->load_certificates();
}

void api_server::drain(seconds at_most) {
    impl_->drain(at_most);
}

}  // namespace westerly
