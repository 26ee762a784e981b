#include "broker/api/worker.hpp"

#include "broker/support/log.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

#include <thread>
#include <unordered_map>

namespace westerly {
namespace {

namespace asio = boost::asio;
constexpr milliseconds tick_every{250};  // how exact time limits are

}  // namespace

struct api_worker::impl {
    impl(api_house& shared, std::function<bool(std::function<void()>)> on_helper)
        : house(shared.shared_from_this()),
          host{io, std::make_shared<post_gate>([this](post_gate::work what) { asio::post(io, std::move(what)); }),
               shared, format_http_date(system_wall_clock().now()), std::move(on_helper)} {}

    const std::shared_ptr<api_house> house;  // outlives what io destroys
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    asio::steady_timer ticker{io};
    session_host host;
    std::unordered_map<session*, std::shared_ptr<session>> sessions;  // the worker's thread only
    std::atomic<std::size_t> count{0};
    bool ending = false;  // the worker's thread only
    std::thread thread;

    void adopt(accepted_socket from, const tls_context& tls) {
        if (ending) {
            close(from.descriptor);
            --count;
            return;
        }
        try {
            auto made = start_session(host, std::move(from), tls, [this](session* ended) {
                sessions.erase(ended);
                --count;
            });
            sessions.emplace(made.get(), std::move(made));
        } catch (const std::exception& e) {
            --count;
            log_event(log_level::error, "api.session_not_started", {{"what", std::string(e.what())}});
        }
    }

    void tick_later() {
        ticker.expires_after(tick_every);
        ticker.async_wait([this](boost::system::error_code ec) {
            if (ec)
                return;
            host.date = format_http_date(system_wall_clock().now());
            const auto now = std::chrono::steady_clock::now();
            for (const auto& [at, one] : sessions)
                one->tick(now);
            tick_later();
        });
    }
};

api_worker::api_worker(api_house& house, std::function<bool(std::function<void()>)> on_helper)
    : impl_(std::make_unique<impl>(house, std::move(on_helper))) {}

api_worker::~api_worker() {
    stop();
}

void api_worker::start() {
    impl_->tick_later();
    impl_->thread = std::thread([at = impl_.get()] { at->io.run(); });
}

void api_worker::adopt(accepted_socket from, tls_context tls) {
    ++impl_->count;
    asio::post(impl_->io, [at = impl_.get(), from = std::move(from), tls = std::move(tls)]() mutable {
        at->adopt(std::move(from), tls);
    });
}

void api_worker::end_soon() {
    asio::post(impl_->io, [at = impl_.get()] {
        at->ending = true;
        for (const auto& [key, one] : at->sessions)
            one->end_soon();
    });
}

void api_worker::end_now() {
    asio::post(impl_->io, [at = impl_.get()] {
        at->ending = true;
        for (const auto& [key, one] : at->sessions)
            one->end_now();
    });
}

std::size_t api_worker::sessions() const {
    return impl_->count.load();
}

void api_worker::stop() {
    if (!impl_->thread.joinable())
        return;
    impl_->io.stop();
    impl_->thread.join();
    impl_->host.gate->close();
}

}  // namespace westerly
