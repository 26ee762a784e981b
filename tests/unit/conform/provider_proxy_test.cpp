#include "tools/conform/provider_proxy.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace westerly {
namespace {

const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Answers every request with `reply`, one connection after the other, until it is shut.
class provider {
public:
    provider() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        auto* address = reinterpret_cast<sockaddr*>(&here);
        EXPECT_EQ(::bind(listener_.get(), address, size), 0);
        EXPECT_EQ(::listen(listener_.get(), SOMAXCONN), 0);
        EXPECT_EQ(::getsockname(listener_.get(), address, &size), 0);
        port = std::to_string(ntohs(here.sin_port));
        thread_ = std::jthread([this] {
            for (int fd; (fd = ::accept(listener_.get(), nullptr, nullptr)) >= 0; ::close(fd)) {
                std::string asked;
                for (char byte; !asked.ends_with("\r\n\r\n") && ::recv(fd, &byte, 1, 0) == 1;)
                    asked += byte;
                requests += asked.ends_with("\r\n\r\n") ? 1 : 0;
                ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
            }
        });
    }
    ~provider() { ::shutdown(listener_.get(), SHUT_RDWR); }
    provider(const provider&) = delete;
    provider& operator=(const provider&) = delete;

    std::string port;
    std::atomic<int> requests{0};

private:
    unique_fd listener_;
    std::jthread thread_;
};

/// All that comes back for one request.
std::string ask(const std::string& endpoint) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    const unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
        return {};
    const std::string request = "GET / HTTP/1.1\r\n\r\n";
    ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string all;
    for (char byte; ::recv(fd.get(), &byte, 1, 0) == 1;)
        all += byte;
    return all;
}

class provider_proxy_test : public testing::Test {
protected:
    provider there;
    std::unique_ptr<provider_proxy> proxy = std::move(*provider_proxy::open({"http://", "127.0.0.1", there.port, ""}));
};

TEST_F(provider_proxy_test, passes_on_what_it_is_not_told_to_spoil) {
    EXPECT_EQ(ask(proxy->endpoint()), reply);
    EXPECT_EQ(there.requests, 1);
    EXPECT_EQ(proxy->struck(), 0u);
}

TEST_F(provider_proxy_test, refuses) {
    proxy->play(wire_fault::refuse);
    EXPECT_EQ(ask(proxy->endpoint()), "");
    EXPECT_EQ(there.requests, 0);
    EXPECT_EQ(proxy->struck(), 1u);
}

TEST_F(provider_proxy_test, loses_a_reply_after_the_request_has_arrived) {
    proxy->play(wire_fault::lose_reply);
    EXPECT_EQ(ask(proxy->endpoint()), "");
    EXPECT_EQ(there.requests, 1);
    EXPECT_EQ(proxy->struck(), 1u);
}

TEST_F(provider_proxy_test, cuts_a_reply) {
    proxy->play(wire_fault::cut_reply);
    EXPECT_EQ(ask(proxy->endpoint()), reply.substr(0, reply.size() / 2));
}

TEST_F(provider_proxy_test, garbles_the_body_and_keeps_the_head) {
    proxy->play(wire_fault::garble_reply);
    EXPECT_EQ(ask(proxy->endpoint()), reply.substr(0, reply.size() - 5) + "~~~~~");
}

TEST_F(provider_proxy_test, holds_a_reply) {
    proxy->play(wire_fault::hold_reply);
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(ask(proxy->endpoint()), reply);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, provider_proxy::held_for);
}

TEST_F(provider_proxy_test, refuses_credentials_in_the_providers_place) {
    proxy->play(wire_fault::answer_401);
    EXPECT_TRUE(ask(proxy->endpoint()).starts_with("HTTP/1.1 401 "));
    proxy->play(wire_fault::answer_403);
    EXPECT_TRUE(ask(proxy->endpoint()).starts_with("HTTP/1.1 403 "));
    EXPECT_EQ(there.requests, 0);
}

TEST_F(provider_proxy_test, is_itself_again_when_the_fault_ends) {
    proxy->play(wire_fault::refuse);
    EXPECT_EQ(ask(proxy->endpoint()), "");
    proxy->play(wire_fault::none);
    EXPECT_EQ(ask(proxy->endpoint()), reply);
    EXPECT_EQ(proxy->struck(), 0u);
}

}  // namespace
}  // namespace westerly
