#include "broker/support/time.hpp"
#include "tests/unit/local/adapter_process.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <utility>

namespace westerly {
namespace {

/// Something on loopback that takes connects, and whose end can be had.
class listener {
public:
    listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
        EXPECT_EQ(::listen(socket_, 64), 0);
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size), 0);
        port_ = ntohs(at.sin_port);
    }
    ~listener() { close(); }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    void close() {
        if (socket_ >= 0)
            ::close(std::exchange(socket_, -1));
    }
    std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

std::string config_with(const std::string& probes) {
    return R"({"sites":[{"site":"east","vcpus":8,"memory_mib":16384}],"isolation":"unsafe_same_user")" + probes + "}";
}

std::vector<site_rtt> measured_by(adapter_process& adapter) {
    const auto reply = decode_offers_reply(rpc_body(adapter.call("offers", "{}")));
    EXPECT_TRUE(reply);
    return reply ? reply->rtt_measured : std::vector<site_rtt>();
}

TEST(local_rtt, is_measured_by_connects_to_what_the_config_names) {
    listener there;
    listener gone;
    gone.close();
    scratch_dir dir;
    adapter_process adapter({.state = dir.path() / "state",
                             .config = config_with(R"(,"probes":[{"region":"cn-east","endpoint":")" + there.endpoint() +
                                                   R"("},{"region":"cn-west","endpoint":")" + gone.endpoint() +
                                                   R"("}],"probe_every_s":10)")});
    const instant begun = system_wall_clock().now();
    ASSERT_EQ(adapter.start().what, rpc_message::kind::response);
    std::vector<site_rtt> seen;
    for (int i = 0; i < 200 && seen.empty(); ++i) {
        std::this_thread::sleep_for(milliseconds(50));
        seen = measured_by(adapter);
    }
    ASSERT_EQ(seen.size(), 1u) << "nothing listens for cn-west, so nothing is told of it";
    EXPECT_EQ(seen[0].site, "east");
    EXPECT_EQ(seen[0].rtt.region, "cn-east");
    EXPECT_EQ(seen[0].rtt.samples, 5u);
    EXPECT_GT(seen[0].rtt.ms, 0);
    EXPECT_LT(seen[0].rtt.ms, 500);
    EXPECT_GE(seen[0].rtt.measured_at, begun);
    EXPECT_LE(seen[0].rtt.measured_at, system_wall_clock().now());
}

TEST(local_rtt, a_probe_that_reaches_nobody_is_told) {
    listener there;
    listener gone;
    gone.close();
    scratch_dir dir;
    adapter_process adapter(
        {.state = dir.path() / "state",
         .config = config_with(R"(,"probes":[{"region":"cn-east","endpoint":")" + there.endpoint() +
                               R"("},{"region":"cn-west","endpoint":")" + gone.endpoint() + R"("}])")});
    ASSERT_EQ(adapter.start().what, rpc_message::kind::response);
    std::vector<std::string> warnings;
    for (int i = 0; i < 200 && warnings.empty(); ++i) {
        std::this_thread::sleep_for(milliseconds(50));
        warnings = decode_offers_reply(rpc_body(adapter.call("offers", "{}")))->warnings;
    }
    EXPECT_EQ(warnings, std::vector{"the RTT probe of cn-west (" + gone.endpoint() + ") reaches nobody"});
}

TEST(local_rtt, is_not_measured_unless_it_is_asked_for) {
    scratch_dir dir;
    adapter_process adapter({.state = dir.path() / "state", .config = config_with("")});
    ASSERT_EQ(adapter.start().what, rpc_message::kind::response);
    EXPECT_TRUE(measured_by(adapter).empty());
}

TEST(local_rtt, endpoints_are_numbers) {
    for (const std::string endpoint : {"localhost:80", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:80"}) {
        scratch_dir dir;
        adapter_process adapter(
            {.state = dir.path() / "state",
             .config = config_with(R"(,"probes":[{"region":"cn-east","endpoint":")" + endpoint + R"("}])")});
        EXPECT_EQ(adapter.start().what, rpc_message::kind::error) << endpoint;
    }
}

}  // namespace
}  // namespace westerly
