// Feeds over HTTP, against a server of the test's own on the loopback.
#include "broker/feeds/feed_poller.hpp"
#include "broker/feeds/http_get.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>

namespace westerly {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{60};

/// Answers each request with what `answer` makes of its target; one connection at a time.
class small_server {
public:
    using handler = std::function<std::string(const std::string& request)>;
    explicit small_server(handler answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
        EXPECT_EQ(::listen(listener_, 16), 0);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
    }
    ~small_server() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
    void serve(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd ready{listener_, POLLIN, 0};
            if (::poll(&ready, 1, 50) <= 0)
                continue;
            const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            std::string request;
            char bytes[4096];
            while (request.find("\r\n\r\n") == std::string::npos) {
                const auto got = ::recv(peer, bytes, sizeof bytes, 0);
                if (got <= 0)
                    break;
                request.append(bytes, static_cast<std::size_t>(got));
            }
            const std::string reply = answer_(request);
            for (std::size_t sent = 0; sent < reply.size();) {
                const auto put = ::send(peer, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
                if (put <= 0)
                    break;
                sent += static_cast<std::size_t>(put);
            }
            if (reply.empty())  // says nothing and keeps the line open until the asker hangs up
                while (!stop.stop_requested() && ::recv(peer, bytes, sizeof bytes, MSG_DONTWAIT) != 0)
                    std::this_thread::sleep_for(std::chrono::milliseconds(10));
            ::close(peer);
        }
    }

    handler answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::jthread thread_;
};

std::string ok(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

constexpr const char* own_answer = R"({"source": "us", "series": [{"zone": "Z", "unit": "g/kWh",
    "quality": "modelled_hourly", "start_at": "2026-03-01T10:00:00Z", "step_s": 3600, "values": [400, 200]}]})";

TEST(http_get, gives_a_body_and_sends_headers) {
    std::string seen;
    small_server server([&](const std::string& request) {
        seen = request;
        return ok("{}");
    });
    const auto body = http_get({.url = server.url() + "/a/b?zone=X", .headers = {{"auth-token", "secret"}}}, {});
    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(*body, "{}");
    EXPECT_EQ(seen.find("GET /a/b?zone=X HTTP/1.1\r\n"), 0u);
    EXPECT_NE(seen.find("auth-token: secret\r\n"), std::string::npos);
}

TEST(http_get, refuses_what_it_must) {
    small_server broken([](const std::string&) { return "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"; });
    EXPECT_EQ(http_get({.url = broken.url()}, {}).error().code, errc::provider_unavailable);
    small_server large([](const std::string&) { return ok(std::string(2000, 'x')); });
    EXPECT_EQ(http_get({.url = large.url(), .body_max = 1000}, {}).error().code, errc::too_large);
    small_server moved([](const std::string&) {
        return "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    });
    EXPECT_EQ(http_get({.url = moved.url()}, {}).error().code, errc::provider_unavailable);
    small_server plain([](const std::string&) { return ok("{}"); });
    EXPECT_FALSE(
        http_get({.url = "https" + plain.url().substr(4), .timeout = std::chrono::seconds(1)}, {}).has_value());
    EXPECT_EQ(http_get({.url = "http://127.0.0.1:1/"}, {}).error().code, errc::provider_unavailable);
    EXPECT_EQ(http_get({.url = "ftp://127.0.0.1/"}, {}).error().code, errc::invalid);
}

TEST(http_get, waits_no_longer_than_told) {
    small_server silent([](const std::string&) { return std::string(); });
    EXPECT_EQ(http_get({.url = silent.url(), .timeout = std::chrono::seconds(1)}, {}).error().code, errc::timed_out);
    std::stop_source stop;
    std::jthread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop.request_stop();
    });
    const auto from = steady_clock::now();
    EXPECT_FALSE(http_get({.url = silent.url(), .timeout = std::chrono::seconds(60)}, stop.get_token()).has_value());
    EXPECT_LT(steady_clock::now() - from, std::chrono::seconds(30));
}

struct listener {
    std::mutex mutex;
    std::condition_variable came;
    std::vector<signals_received> all;

    std::function<void(signals_received)> sink() {
        return [this](signals_received told) {
            const std::lock_guard lock(mutex);
            all.push_back(std::move(told));
            came.notify_all();
        };
    }
    bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex);
        return came.wait_for(lock, patience, [&] { return all.size() >= count; });
    }
};

TEST(feed_poller, tells_what_a_service_answers) {
    small_server server([](const std::string&) { return ok(own_answer); });
    listener heard;
    feed_poller poller(heard.sink());
    feed_config feed;
    feed.name = "signals/own.json";
    feed.url = server.url() + "/signals";
    poller.configure({feed});
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(heard.all[0].feed, "signals/own.json");
    ASSERT_EQ(heard.all[0].series.size(), 1u);
    EXPECT_EQ(heard.all[0].series[0].max_age_s, feed.max_age_s);
}

TEST(feed_poller, keeps_the_last_good_word_of_each_part) {
    std::atomic<bool> forecast_breaks = false;
    std::atomic<int> asked = 0;
    small_server server([&](const std::string& request) {
        ++asked;
        const bool direct = request.find("emissionFactorType=direct") != std::string::npos;
        EXPECT_TRUE(direct) << request;
        if (request.find("/carbon-intensity/forecast?zone=DE") != std::string::npos)
            return forecast_breaks ? std::string("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                                   : ok(R"({"zone":"DE","forecast":[
                                         {"carbonIntensity":350,"datetime":"2026-03-01T11:00:00Z"}]})");
        return ok(R"({"zone":"DE","carbonIntensity":322,"datetime":"2026-03-01T10:00:00Z",
                      "emissionFactorType":"direct","isEstimated":false})");
    });
    listener heard;
    feed_poller poller(heard.sink());
    feed_config feed;
    feed.name = "signals/maps.json";
    feed.form = feed_form::electricity_maps;
    feed.source = "Electricity Maps";
    feed.url = server.url();
    feed.zones = {{"OUR-DE", "DE"}};
    poller.configure({feed});
    ASSERT_TRUE(heard.wait_for(1));
    EXPECT_EQ(heard.all[0].series.size(), 3u);
    forecast_breaks = true;
    feed.poll_s = 10;  // a changed feed is asked at once, and knows nothing of before
    poller.configure({feed});
    ASSERT_TRUE(heard.wait_for(2));
    EXPECT_EQ(heard.all[1].series.size(), 2u);
    for (const auto& one : heard.all[1].series)
        EXPECT_EQ(one.zone, "OUR-DE");
    forecast_breaks = false;
    ASSERT_TRUE(heard.wait_for(3)) << "a feed that failed is asked again";
    EXPECT_EQ(heard.all[2].series.size(), 3u);
    forecast_breaks = true;
    ASSERT_TRUE(heard.wait_for(4));
    EXPECT_EQ(heard.all[3].series.size(), 3u) << "its last good forecast is kept";
}

TEST(feed_poller, ends_while_it_waits) {
    small_server silent([](const std::string&) { return std::string(); });
    listener heard;
    const auto from = steady_clock::now();
    {
        feed_poller poller(heard.sink());
        feed_config feed;
        feed.name = "signals/silent.json";
        feed.url = silent.url();
        feed.timeout_s = 120;
        poller.configure({feed});
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    EXPECT_LT(steady_clock::now() - from, std::chrono::seconds(60));
    EXPECT_TRUE(heard.all.empty());
}

struct folder {
    fs::path path;
    folder() {
        char name[] = "/tmp/westerly-feeds-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~folder() { fs::remove_all(path); }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
};

TEST(signals_folder, reads_files_and_feeds_and_names_every_fault) {
    const folder here;
    here.write("own.json", own_answer);
    here.write("table.csv",
               "# source: t\nzone,start_at,end_at,value\n"
               "A,2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,400\n");
    here.write("maps.json", R"({"feed": {"form": "electricity_maps", "url": "https://example.org/v3/",
                                "zones": {"CN-NX": "CN"}, "token_file": "token"}})");
    here.write("README.md", "notes");
    here.write("old.txt", "notes");
    std::vector<fault> faults;
    std::vector<std::string> ignored;
    const auto read = read_signals(here.path, faults, ignored);
    EXPECT_TRUE(faults.empty()) << faults.front().message;
    ASSERT_EQ(read.files.size(), 2u);
    EXPECT_EQ(read.files[0].name, "signals/own.json");
    ASSERT_EQ(read.feeds.size(), 1u);
    EXPECT_EQ(read.feeds[0].url, "https://example.org/v3");
    EXPECT_EQ(read.feeds[0].token_file, here.path / "token");
    EXPECT_EQ(ignored, std::vector{(here.path / "old.txt").string()});

    here.write("broken.json", "{");
    here.write("wrong.json", R"({"feed": {"form": "carbon_aware", "url": "somewhere", "zones": {"A": "a"}}})");
    here.write("wrong.csv", "zone,start_at\n");
    read_signals(here.path, faults, ignored);
    for (const char* name : {"broken.json", "wrong.json", "wrong.csv"})
        EXPECT_TRUE(std::ranges::any_of(faults, [&](const fault& f) {
            return f.pointer.find(name) != std::string::npos;
        })) << name;
    EXPECT_TRUE(read_signals(here.path / "nowhere", faults, ignored).files.empty());
}

TEST(feed_file, refuses_what_cannot_be_meant) {
    const auto refused = [](const std::string& feed) {
        const auto got = decode_feed("signals/x.json", "{\"feed\": " + feed + "}", "/tmp");
        return got ? std::string("accepted") : got.error().faults.at(0).pointer;
    };
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://u@h/"})"), "/feed/url");
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://h/", "zones": {"a": "b"}})"), "/feed/zones");
    EXPECT_EQ(refused(R"({"form": "electricity_maps", "url": "https://h"})"), "/feed/zones");
    EXPECT_EQ(refused(R"({"form": "carbon_aware", "url": "https://h", "zones": {"a": "b"}})"), "/feed/method");
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://h/", "token_file": "t"})"), "/feed/url");
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://h/", "poll_s": 1})"), "/feed/poll_s");
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://h/", "pol_s": 60})"), "/feed/pol_s");
    EXPECT_EQ(refused(R"({"form": "westerly", "url": "http://h/"})"), "accepted");
    const auto misspelt = decode_feed(
        "signals/x.json", R"({"feed": {"form": "electricity_map", "url": "https://h", "zones": {"a": "b"}}})", "/tmp");
    EXPECT_EQ(misspelt.error().faults.size(), 1u);
}

}  // namespace
}  // namespace westerly
