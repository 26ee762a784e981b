#include "broker/runtime/term_hub.hpp"

#include "broker/support/log.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace westerly {

using steady = std::chrono::steady_clock;

namespace {

/// Where the gang cannot run nothing can be known, and nothing has to be: other filters reject the offer.
std::size_t count_unknown(const foreign_column& column, const score_table& table, const score_request& request) {
    std::size_t unknown = 0;
    for (std::size_t i = 0; i < column.quantity.size(); ++i)
        unknown += std::isnan(column.quantity[i]) && !std::isnan(request.units[table.offers.shape[i]]) ? 1 : 0;
    return unknown;
}

}  // namespace

/// One term: its host, its thread, its questions.
class term_hub::worker {
public:
    worker(term_settings of, const std::filesystem::path& libexec, const std::function<void(offers_scored)>& sink)
        : of_(std::move(of)), host_(of_, libexec), sink_(sink), thread_([this] { run(); }) {}
    ~worker() { stop(); }

    const std::string& name() const noexcept { return of_.name; }

    /// False: too many wait already.
    bool push(item asked) {
        {
            const std::lock_guard lock(mutex_);
            if (items_.size() >= questions_max)
                return false;
            items_.push_back(std::move(asked));
        }
        work_.notify_one();
        return true;
    }

    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        work_.notify_one();
        if (thread_.joinable())
            thread_.join();
    }

    counters read() const {
        const std::lock_guard lock(counted_mutex_);
        return counted_;
    }
    void turned_away() {
        count([](counters& c) { ++c.turned_away; });
    }

private:
    template <class Change>
    void count(Change change) {
        const std::lock_guard lock(counted_mutex_);
        change(counted_);
    }

    std::optional<item> take() {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return stopping_ || !items_.empty(); });
        if (stopping_)
            return std::nullopt;
        item first = std::move(items_.front());
        items_.pop_front();
        return first;
    }

    void run() {
        ensure_host();  // so that the first question does not wait for it
        while (auto asked = take()) {
            foreign_column column{
                .term = of_.name, .tasks = asked->request->tasks, .quantity = {}, .gaps = false, .failure = {}};
            answer(*asked, column);
            sink_({asked->ticket, std::move(column)});
        }
        host_.end();  // on the thread that started it
        count([](counters& c) { c.up = false; });
    }

    /// Nothing while it is to be left alone.
    bool ensure_host() {
        if (host_.runs())
            return true;
        if (steady::now() < start_at_)
            return false;
        count([](counters& c) { ++c.starts; });
        if (const auto started = host_.start(); !started) {
            fell(started.error(), "term.not_started");
            return false;
        }
        log_event(log_level::info, "term.started", {{"term", of_.name}, {"library", of_.library.string()}});
        count([](counters& c) { c.up = true; });
        return true;
    }

    void answer(const item& asked, foreign_column& into) {
        if (!ensure_host()) {
            const auto rest = std::chrono::ceil<seconds>(start_at_ - steady::now());
            into.failure =
                why_ + "; it is started again within " + std::to_string(std::max<long>(rest.count(), 1)) + " s";
            return;
        }
        const auto begun = steady::now();
        auto said = host_.evaluate(asked.table, *asked.request);
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - begun).count();
        if (!said) {
            into.failure = said.error().detail;
            return failed(said.error());
        }
        into.quantity = std::move(*said);
        const std::size_t unknown = tidy(into) > 0 ? count_unknown(into, *asked.table, *asked.request) : 0;
        into.gaps = unknown > 0;
        falls_ = ++good_ >= good_again ? 0 : falls_;
        count([&](counters& c) {
            ++c.answers;
            c.unknown += unknown;
            c.microseconds += static_cast<std::uint64_t>(took);
        });
    }

    void failed(const error& why) {
        count([&](counters& c) {
            ++(why.code == errc::timed_out ? c.late : why.code == errc::provider_unavailable ? c.crashed : c.refused);
        });
        if (host_.runs())  // it only refused this question
            return log_event(log_level::warning, "term.refused", {{"term", of_.name}, {"reason", why.detail}});
        fell(why, "term.failed");
    }

    void fell(const error& why, const char* event) {
        const auto wait = std::min(restart_first * (1 << std::min(falls_, 8u)), restart_last);
        ++falls_;
        good_ = 0;
        why_ = why.detail;
        start_at_ = steady::now() + wait;
        count([](counters& c) { c.up = false; });
        log_event(log_level::error, event,
                  {{"term", of_.name},
                   {"reason", why.detail},
                   {"remedy", why.remedy},
                   {"again_in_ms", std::int64_t{wait.count()}}});
    }

    static constexpr std::uint32_t good_again = 8;  // answers in a row, after which a fall is forgotten

    const term_settings of_;
    term_host host_;
    const std::function<void(offers_scored)>& sink_;
    std::uint32_t falls_ = 0, good_ = 0;
    std::string why_;
    steady::time_point start_at_{};

    std::mutex mutex_;  // guards items_ and stopping_
    std::condition_variable work_;
    std::deque<item> items_;
    bool stopping_ = false;

    mutable std::mutex counted_mutex_;
    counters counted_;
    std::thread thread_;  // last: it begins with everything else made
};

term_hub::term_hub(std::span<const term_settings> terms, const std::filesystem::path& libexec,
                   std::function<void(offers_scored)> sink)
    : sink_(std::move(sink)) {
    for (const term_settings& each : terms)
        workers_.push_back(std::make_unique<worker>(each, libexec, sink_));
}

term_hub::~term_hub() {
    stop();
}

void term_hub::ask(score_offers asked) {
    for (auto& question : asked.questions) {
        const auto at = std::ranges::find(workers_, question.term, &worker::name);
        if (at != workers_.end() && (*at)->push({asked.ticket, asked.table, question.request}))
            continue;
        foreign_column failed{.term = question.term,
                              .tasks = question.request->tasks,
                              .quantity = {},
                              .gaps = false,
                              .failure = at == workers_.end() ? "this broker does not have its library"
                                                              : "too many questions wait for its library"};
        if (at != workers_.end())
            (*at)->turned_away();
        sink_({asked.ticket, std::move(failed)});
    }
}

void term_hub::stop() {
    for (auto& each : workers_)
        each->stop();
}

std::vector<std::pair<std::string, term_hub::counters>> term_hub::read_counters() const {
    std::vector<std::pair<std::string, counters>> all;
    for (const auto& each : workers_)
        all.emplace_back(each->name(), each->read());
    return all;
}

}  // namespace westerly
