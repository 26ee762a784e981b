#include "tools/westerly/commands.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

namespace westerly {

namespace {

constexpr std::chrono::milliseconds look_every{400};
constexpr std::uint64_t ranks_followed_max = 16;
constexpr int tries_max = 60;  // of a broker that restarts, one a second

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) {
    interrupted = 1;
}

/// Prints pieces of several streams so that lines of different ranks never mix; a gang's lines carry "[rank] ".
class line_printer {
public:
    line_printer(std::FILE* to, std::string prefix) : to_(to), prefix_(std::move(prefix)) {}
    ~line_printer() {
        if (!rest_.empty())
            put(rest_ + "\n");
    }
    line_printer(const line_printer&) = delete;
    line_printer& operator=(const line_printer&) = delete;

    void add(std::string_view piece) {
        if (prefix_.empty()) {
            put(std::string(piece));
            return;
        }
        rest_ += piece;
        for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
            put(prefix_ + rest_.substr(0, end + 1));
            rest_.erase(0, end + 1);
        }
    }

private:
    void put(const std::string& text) {
        static std::mutex one_at_a_time;
        const std::lock_guard lock(one_at_a_time);
        std::fwrite(text.data(), 1, text.size(), to_);
        std::fflush(to_);
    }
    std::FILE* to_;
    std::string prefix_;
    std::string rest_;
};

/// Copies one stream until the attempt has ended or `stop`; goes on after the last byte when the broker restarts.
void copy_stream(const profile& who, const std::string& id, std::uint64_t rank, bool errors, bool gang,
                 const std::atomic<bool>& stop) {
    line_printer out(errors ? stderr : stdout, gang ? "[" + std::to_string(rank) + "] " : "");
    std::uint64_t from = 0;
    for (int tries = 0; tries < tries_max && !stop;) {
        auto broker = connect(who);
        if (!broker)
            return;
        http_request request;
        request.endless = true;
        request.target = "/v1/workloads/" + id + "/logs?follow=true&rank=" + std::to_string(rank) +
                         "&stream=" + (errors ? "stderr" : "stdout") + "&from=" + std::to_string(from);
        const auto answer = broker->send(request, [&](std::string_view piece) {
            out.add(piece);
            from += piece.size();
            tries = 0;
            return !stop;
        });
        if (answer && answer->status < 400)
            return;
        ++tries;
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

bool is_terminal(const std::string& state) {
    return state == "succeeded" || state == "failed" || state == "cancelled" || state == "expired";
}

/// One line whenever state or waiting reason change; the end has its own line after the output.
void tell_state(const json_value& w, std::string& told) {
    std::string line = text_at(w, "state");
    if (is_terminal(line))
        return;
    if (line == "queued")
        for (std::size_t i = 0; value_at(w, "waiting." + std::to_string(i)) != nullptr; ++i)
            line += (i == 0 ? ": " : "; ") + text_at(w, "waiting." + std::to_string(i) + ".detail");
    if (line == told)
        return;
    std::fprintf(stderr, "%s\n", line.c_str());
    told = line;
}

int code_of(const json_value& w) {
    const auto state = text_at(w, "state");
    const auto code = static_cast<int>(number_at(w, "exit_code", -1));
    const auto signal = static_cast<int>(number_at(w, "exit_signal", 0));
    if (state == "succeeded")
        return 0;
    if (state == "expired" || text_at(w, "message").find("time limit") != std::string::npos)
        return timed_out_code;
    if (state == "failed" && signal > 0)
        return 128 + signal;
    return state == "failed" && code > 0 ? code : static_cast<int>(ours);
}

void tell_end(cli& with, const json_value& w) {
    const auto id = text_at(w, "id");
    std::fprintf(stderr, "%s%s%s\n", text_at(w, "state").c_str(), text_at(w, "message").empty() ? "" : ": ",
                 text_at(w, "message").c_str());
    const auto charged = get(with, "/v1/charges?workload=" + id);
    const auto used = get(with, "/v1/usage?workload=" + id);
    if (charged && value_at(*charged, "items.0") != nullptr)
        std::fprintf(stderr, "charged %s", money_at(*charged, "totals.0.billed_cost").c_str());
    if (used && value_at(*used, "items.0") != nullptr)
        std::fprintf(stderr, " at %s/%s, %s, %s CO2e (location-based)", text_at(*used, "items.0.provider").c_str(),
                     text_at(*used, "items.0.site").c_str(), energy_at(*used, "items.0.energy_kwh").c_str(),
                     carbon_at(*used, "items.0.carbon_kg").c_str());
    if (charged && value_at(*charged, "items.0") != nullptr)
        std::fprintf(stderr, "\n");
}

int detach(const std::string& id) {
    std::fprintf(stderr,
                 "\ndetached; the workload goes on. `westerly logs -f %s` follows it again, `westerly cancel %s` "
                 "ends it\n",
                 id.c_str(), id.c_str());
    return westerly::detached;
}

}  // namespace

int follow(cli& with, const std::string& id, std::optional<std::uint64_t> timeout_s) {
    std::signal(SIGINT, on_interrupt);
    const auto began = std::chrono::steady_clock::now();
    const auto target = "/v1/workloads/" + id + language_query(with, {});
    std::atomic<bool> stop = false;
    std::vector<std::jthread> copies;
    std::string told;
    for (int silent = 0;;) {
        auto w = get(with, target);
        if (!w && ++silent > tries_max)
            return complain(w.error());
        if (w) {
            silent = 0;
            tell_state(*w, told);
            const auto state = text_at(*w, "state");
            const auto tasks = static_cast<std::uint64_t>(number_at(*w, "spec.tasks", 1));
            const bool has_output =
                state == "active" || (is_terminal(state) && !text_at(*w, "current_attempt").empty());
            if (copies.empty() && has_output)
                for (std::uint64_t rank = 0; rank < std::min(tasks, ranks_followed_max); ++rank)
                    for (const bool errors : {false, true})
                        copies.emplace_back([&with, &stop, id, rank, errors, tasks] {
                            copy_stream(with.who, id, rank, errors, tasks > 1, stop);
                        });
            if (is_terminal(state)) {
                copies.clear();  // waits for the ends of the streams
                tell_end(with, *w);
                return code_of(*w);
            }
        }
        if (interrupted != 0) {
            detach(id);
            std::_Exit(westerly::detached);  // the copying threads wait inside reads
        }
        if (timeout_s && std::chrono::steady_clock::now() - began > std::chrono::seconds(*timeout_s)) {
            std::fprintf(stderr, "still %s after %llu s; the workload goes on\n", told.c_str(),
                         static_cast<unsigned long long>(*timeout_s));
            std::_Exit(timed_out_code);
        }
        std::this_thread::sleep_for(look_every);
    }
}

int logs(cli& with, const log_options& options) {
    const auto id = find_workload_id(with, options.workload);
    if (!id)
        return complain(id.error());
    http_request request;
    request.endless = options.follow;
    std::uint64_t from = 0;
    for (bool more = true; more;) {
        request.target = "/v1/workloads/" + *id + "/logs?rank=" + std::to_string(options.rank) +
                         "&stream=" + (options.errors ? "stderr" : "stdout") + "&from=" + std::to_string(from) +
                         (options.follow ? "&follow=true" : "") +
                         (options.attempt.empty() ? "" : "&attempt=" + url_encode(options.attempt));
        std::uint64_t got = 0;
        const auto answer = with.broker.send(request, [&](std::string_view piece) {
            got += piece.size();
            std::fwrite(piece.data(), 1, piece.size(), stdout);
            std::fflush(stdout);
            return true;
        });
        if (!answer)
            return complain(answer.error());
        if (answer->status >= 400)
            return complain(problem_of(*answer));
        from += got;
        more = !options.follow && got > 0 && answer->header("x-log-complete") != "true";
    }
    return 0;
}

}  // namespace westerly
