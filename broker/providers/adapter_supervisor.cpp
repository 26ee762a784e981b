#include "broker/providers/adapter_supervisor.hpp"

#include "broker/providers/adapter_command.hpp"
#include "broker/support/log.hpp"

#include <algorithm>
#include <csignal>

namespace westerly {
namespace {

constexpr seconds initialize_timeout{30};
constexpr milliseconds restart_first{250};
constexpr milliseconds restart_most{60'000};
constexpr seconds served_well{30};              // ready for so long: its next fall counts as its first
constexpr milliseconds terminate_after{2'000};  // of closing its input
constexpr milliseconds kill_after{4'000};       // so that all are gone within 5 s
constexpr milliseconds end_after_close{1'000};  // of its output: time to end by itself and tell how
constexpr std::uint32_t said_per_second_max = 200;
constexpr std::size_t last_words_max = 512;

steady_time steady_now() {
    return std::chrono::steady_clock::now();
}

/// A private folder: other users must not read what an adapter keeps.
result<void> make_state_dir(const std::filesystem::path& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (!code)
        std::filesystem::permissions(path, std::filesystem::perms::owner_all, code);
    if (code)
        return fail(errc::storage_failed, "cannot make the adapter's folder " + path.string() + ": " + code.message(),
                    "make it writable for the broker's user");
    return {};
}

std::string joined(const error& e) {
    return e.remedy.empty() ? e.detail : e.detail + "; " + e.remedy;
}

}  // namespace

bool adapter_differs(const provider_config& a, const provider_config& b) {
    const auto names = [](const provider_config& c) {
        std::vector<std::string> out;
        for (const auto& facts : c.sites)
            out.push_back(facts.site);
        return out;
    };
    return a.kind != b.kind || a.config_json != b.config_json || a.adapter_command != b.adapter_command ||
           names(a) != names(b);
}

adapter_supervisor::adapter_supervisor(supervisor_setup setup, supervisor_events events)
    : setup_(std::move(setup)),
      events_(std::move(events)),
      channel_(channel_limits{}),
      lines_(protocol_line_max),
      said_(said_per_second_max) {}

void adapter_supervisor::want(std::optional<provider_config> config) {
    const bool differs = !wanted_ || !config || adapter_differs(*wanted_, *config);
    wanted_ = std::move(config);
    if (wanted_)
        channel_.set_in_flight_max(std::max<std::uint32_t>(1, wanted_->calls_max));
    if (!differs) {
        if (phase_ == phase::waiting)
            start();  // the operator has had the files read: whatever was mended is tried now
        return;
    }
    falls_ = 0;
    if (process_)
        stop();
    else if (wanted_)
        start();
    else {
        phase_ = phase::idle;
        start_at_.reset();
        events_.gone();
    }
}

void adapter_supervisor::start() {
    start_at_.reset();
    reason_.clear();
    lines_ = line_splitter(protocol_line_max);
    auto program = adapter_command(*wanted_, setup_.adapter_dirs);
    if (!program)
        return fall(joined(program.error()));
    if (auto made = make_state_dir(setup_.state_dir); !made)
        return fall(joined(made.error()));
    auto started =
        adapter_process::start(setup_.io, {setup_.helper, std::move(*program), setup_.adapter_dirs},
                               {[this](std::string_view bytes) { take_output(bytes); },
                                [this] {
                                    mute_until_ = steady_now() + end_after_close;
                                    events_.moved();
                                },
                                [this](const std::string& line) { take_error_line(line); }, [this] { events_.moved(); },
                                [this](const std::string& how) {
                                    ended(how);
                                }});
    if (!started)
        return fall(joined(started.error()));
    process_ = std::move(*started);
    phase_ = phase::starting;
    shake_hands();
}

void adapter_supervisor::shake_hands() {
    initialize_request hello;
    hello.provider = wanted_->id;
    hello.owner = to_string(setup_.owner);
    hello.state_dir = setup_.state_dir.string();
    hello.config_json = wanted_->config_json;
    for (const auto& facts : wanted_->sites)
        hello.sites.push_back(facts.site);
    channel_.call(
        "initialize", encode(hello), steady_now() + initialize_timeout,
        [this](const call_answer& answer) { take_initialize(answer); }, true);
    events_.moved();
}

void adapter_supervisor::take_initialize(const call_answer& answer) {
    if (phase_ != phase::starting || !process_)
        return;  // it died or is being stopped, which is told elsewhere
    std::string wrong;
    result<initialize_reply> reply = fail(errc::internal);
    if (!answer.value)
        wrong = answer.replied ? "the adapter refuses its configuration: " + answer.failure.message
                               : "the adapter does not answer \"initialize\"";
    else if (reply = decode_initialize_reply(*answer.value); !reply)
        wrong = "the adapter's answer to \"initialize\" breaks the protocol: " + reply.error().detail;
    else if (reply->version != protocol_version)
        wrong = "the adapter speaks protocol version " + std::to_string(reply->version) + ", this broker speaks " +
                std::to_string(protocol_version) + "; install an adapter that fits this broker";
    else if (reply->kind != wanted_->kind)
        wrong = "the adapter is of kind " + reply->kind + ", the provider file says " + wanted_->kind +
                "; correct kind or adapter_command";
    if (!wrong.empty())
        return restart(wrong);
    phase_ = phase::ready;
    ready_since_ = steady_now();
    events_.ready(*reply);
}

void adapter_supervisor::pump() {
    if (!process_ || process_->sending() || !reason_.empty() || phase_ == phase::stopping)
        return;
    if (auto lines = channel_.take_output(); !lines.empty())
        process_->send(std::move(lines));
}

void adapter_supervisor::take_output(std::string_view bytes) {
    if (!reason_.empty())
        return;  // it broke the protocol: nothing it says counts any more
    auto lines = lines_.take(bytes);
    if (!lines)
        return restart("the adapter broke the protocol: " + lines.error().detail);
    for (const auto& line : *lines) {
        auto message = channel_.take_line(line);
        if (!message)
            return restart("the adapter broke the protocol: " + message.error().detail);
        if (*message && phase_ == phase::ready)
            events_.notified(**message);
        if (!reason_.empty())
            return;
    }
    events_.moved();
}

void adapter_supervisor::take_error_line(const std::string& line) {
    if (!said_.allow(steady_now()))
        return;
    if (const auto dropped = said_.take_dropped(); dropped > 0)
        log_event(log_level::warning, "adapter.lines_dropped",
                  {{"provider", setup_.state_dir.filename().string()}, {"lines", static_cast<std::int64_t>(dropped)}});
    log_event(log_level::info, "adapter.said", {{"provider", setup_.state_dir.filename().string()}, {"line", line}});
}

void adapter_supervisor::restart(const std::string& why) {
    if (!process_ || !reason_.empty() || phase_ == phase::stopping)
        return;
    reason_ = why;
    process_->kill(SIGKILL);
}

std::string adapter_supervisor::with_last_words(std::string why) const {
    auto words = process_->error_tail();
    if (words.empty())
        return why;
    if (words.size() > last_words_max) {
        words.erase(0, words.size() - last_words_max);
        words.erase(0, std::min(words.find('\n') + 1, words.size()));  // whole lines; a cut character is gone too
    }
    return words.empty() ? why : why + "; it said: " + words;
}

void adapter_supervisor::ended(const std::string& how) {
    const auto why = with_last_words(reason_.empty() ? "the adapter ended with " + how : reason_);
    process_.reset();
    terminate_at_.reset();
    kill_at_.reset();
    mute_until_.reset();
    const bool stopped = phase_ == phase::stopping;
    phase_ = phase::idle;
    channel_.fail_sent(why);
    if (!stopped)
        return fall(why);
    if (wanted_)
        start();
    else
        events_.gone();
    events_.moved();
}

void adapter_supervisor::fall(const std::string& why) {
    const auto now = steady_now();
    const bool was_ready = ready_since_.has_value();
    if (was_ready && now - *ready_since_ >= served_well)
        falls_ = 0;
    ready_since_.reset();
    const auto delay = back_off_delay(restart_first, restart_most, falls_, setup_.random);
    const bool soon = was_ready && falls_ == 0;
    ++falls_;
    phase_ = phase::waiting;
    start_at_ = now + delay;
    log_event(log_level::warning, "adapter.fell",
              {{"provider", setup_.state_dir.filename().string()}, {"why", why}, {"wait_ms", delay.count()}});
    events_.fell(why, soon);
    events_.moved();
}

void adapter_supervisor::stop() {
    if (phase_ == phase::stopping)
        return;
    phase_ = phase::stopping;
    ready_since_.reset();
    const auto now = steady_now();
    terminate_at_ = now + terminate_after;
    kill_at_ = now + kill_after;
    process_->close_input();
    events_.moved();
}

std::optional<steady_time> adapter_supervisor::next_wake() const {
    std::optional<steady_time> next = channel_.next_deadline();
    for (const auto& at : {start_at_, terminate_at_, kill_at_, mute_until_})
        if (at && (!next || *at < *next))
            next = at;
    return next;
}

void adapter_supervisor::wake(steady_time now) {
    channel_.expire(now);
    if (start_at_ && *start_at_ <= now)
        start();
    if (mute_until_ && *mute_until_ <= now) {
        mute_until_.reset();
        restart("the adapter closed its standard output");  // it can never answer again
    }
    if (process_ && terminate_at_ && *terminate_at_ <= now) {
        terminate_at_.reset();
        process_->kill(SIGTERM);
    }
    if (process_ && kill_at_ && *kill_at_ <= now) {
        kill_at_.reset();
        process_->kill(SIGKILL);
    }
}

}  // namespace westerly
