#include "broker/feeds/feed_poller.hpp"

#include "broker/feeds/http_get.hpp"
#include "broker/feeds/signal_forms.hpp"
#include "broker/support/files.hpp"
#include "broker/support/log.hpp"

#include <algorithm>

namespace westerly {
namespace {

constexpr std::size_t token_bytes_max = 4096;
constexpr std::chrono::seconds retry_first{10};

/// One address of a feed, and how its answer is read.
struct question {
    std::string url;
    std::string zone;  // ours
};

std::string escaped(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.';
        if (plain)
            out += c;
        else
            out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

std::vector<question> questions_of(const feed_config& feed) {
    if (feed.form == feed_form::westerly)
        return {{feed.url, {}}};
    std::vector<question> all;
    for (const auto& [ours, theirs] : feed.zones) {
        if (feed.form == feed_form::electricity_maps) {
            for (const char* part : {"latest", "history", "forecast"})
                all.push_back(
                    {feed.url + "/carbon-intensity/" + part + "?zone=" + escaped(theirs) +
                         "&emissionFactorType=" + (feed.scope == emission_scope::direct ? "direct" : "lifecycle"),
                     ours});
        } else {
            all.push_back({feed.url + "/emissions/bylocation?location=" + escaped(theirs), ours});
            all.push_back({feed.url + "/emissions/forecasts/current?location=" + escaped(theirs), ours});
        }
    }
    return all;
}

result<std::vector<signal_series>> read_answer(const feed_config& feed, const question& asked, const std::string& body,
                                               instant received_at) {
    const foreign_facts facts{asked.zone, feed.source, feed.method, feed.scope, feed.quality, feed.max_age_s};
    if (feed.form == feed_form::electricity_maps)
        return decode_electricity_maps(body, facts, received_at);
    if (feed.form == feed_form::carbon_aware)
        return decode_carbon_aware(body, facts, received_at);
    auto own = decode_signals(body, received_at);
    if (own)
        for (signal_series& one : *own)
            if (one.max_age_s == 0 || one.max_age_s > feed.max_age_s)
                one.max_age_s = feed.max_age_s;
    return own;
}

std::string in_words(const error& why) {
    std::string text = why.detail;
    if (!why.faults.empty() && text.find(why.faults.front().message) == std::string::npos)
        text += ": " + why.faults.front().pointer + " " + why.faults.front().message;
    return text;
}

}  // namespace

feed_poller::feed_poller(std::function<void(signals_received)> sink)
    : sink_(std::move(sink)), thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

feed_poller::~feed_poller() {
    stop();
}

void feed_poller::stop() {
    thread_.request_stop();
    if (thread_.joinable())
        thread_.join();
}

void feed_poller::configure(std::vector<feed_config> feeds) {
    {
        const std::lock_guard lock(mutex_);
        fresh_ = std::move(feeds);
    }
    changed_.notify_all();
}

void feed_poller::run(std::stop_token stop) {
    while (!stop.stop_requested()) {
        std::optional<std::vector<feed_config>> fresh;
        {
            std::unique_lock lock(mutex_);
            auto until = steady::now() + std::chrono::hours(1);
            for (const state& one : feeds_)
                until = std::min(until, one.due);
            changed_.wait_until(lock, stop, until, [this] { return fresh_.has_value(); });
            fresh = std::exchange(fresh_, std::nullopt);
        }
        if (fresh) {
            std::vector<state> next;
            for (feed_config& config : *fresh) {
                const auto known = std::ranges::find(feeds_, config, &state::config);
                if (known != feeds_.end())
                    next.push_back(std::move(*known));
                else
                    next.push_back({std::move(config), steady::now(), 0, {}});
            }
            feeds_ = std::move(next);
        }
        for (state& one : feeds_)
            if (!stop.stop_requested() && one.due <= steady::now())
                ask(one, stop);
    }
}

void feed_poller::ask(state& of, const std::stop_token& stop) {
    const feed_config& feed = of.config;
    http_question http{.url = {},
                       .headers = {},
                       .ca_file = feed.ca_file,
                       .timeout = std::chrono::seconds(feed.timeout_s),
                       .body_max = signal_text_max};
    std::string failure;
    if (!feed.token_file.empty()) {
        auto token = read_file(feed.token_file, token_bytes_max);
        if (token) {
            while (!token->empty() && (token->back() == '\n' || token->back() == '\r'))
                token->pop_back();
            if (feed.form == feed_form::electricity_maps)
                http.headers.emplace_back("auth-token", std::move(*token));
            else
                http.headers.emplace_back("Authorization", "Bearer " + *token);
        } else {
            failure = in_words(token.error());
        }
    }
    bool any = false;
    for (const question& asked : failure.empty() ? questions_of(feed) : std::vector<question>()) {
        http.url = asked.url;
        const auto body = http_get(http, stop);
        if (stop.stop_requested())
            return;
        auto series = body ? read_answer(feed, asked, *body, system_wall_clock().now())
                           : result<std::vector<signal_series>>(body.error());
        if (series) {
            of.last_good[asked.url] = std::move(*series);
            any = true;
        } else if (failure.empty()) {
            failure = asked.url + ": " + in_words(series.error());
        }
    }
    if (!failure.empty() && of.failures == 0)
        log_event(
            log_level::warning, "feed.failed",
            {{"feed", feed.name}, {"reason", failure}, {"remedy", "what it told last counts until it is too old"}});
    if (failure.empty() && of.failures > 0)
        log_event(log_level::info, "feed.back", {{"feed", feed.name}});
    of.failures = failure.empty() ? 0 : of.failures + 1;
    const auto period = std::chrono::seconds(feed.poll_s);
    const auto soon = retry_first * (1 << std::min(of.failures, 10u));
    of.due = steady::now() + (of.failures > 0 ? std::min<std::chrono::seconds>(soon, period) : period);
    if (!any)
        return;
    signals_received told{feed.name, {}};
    for (const auto& [url, series] : of.last_good)
        told.series.insert(told.series.end(), series.begin(), series.end());
    sink_(std::move(told));
}

}  // namespace westerly
