#include "tests/bench/submits.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace westerly {

namespace {

constexpr std::size_t repeat_every = 10;

}  // namespace

double ms(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

load_options closed_loop(std::uint16_t port, std::size_t connections, std::chrono::duration<double> length) {
    load_options how;
    how.at.port = port;
    how.connections = connections;
    how.length = length;
    return how;
}

std::string submit_body(std::size_t connection, std::size_t number) {
    std::array<char, 640> text;
    const int size = std::snprintf(
        text.data(), text.size(),
        R"({"kind":"batch","name":"bench-%zu-%zu","interactive":true,"policy":"balanced",)"
        R"("resources":{"vcpus":2,"memory_mib":2048},"variants":[{"command":["true"]}],"work":{"runtime_s":3600},)"
        R"("constraints":{"jurisdictions":["CN"],"origin":{"latitude":31.2,"longitude":121.5},"max_rtt_ms":60,)"
        R"("max_pue":1.55,"min_green_power_share":0.2,"max_price_per_hour":{"amount":"100","currency":"CNY"}}})",
        connection, number);
    return {text.data(), static_cast<std::size_t>(size)};
}

submitter::submitter(const std::vector<std::string>& keys, std::size_t distinct_max)
    : keys_(keys), distinct_max_(distinct_max), at_(bench_connections) {}

bool submitter::make(std::size_t connection, std::string& out) {
    auto& mine = at_[connection];
    mine.repeats = mine.made > 0 && ++mine.asked % repeat_every == 0;
    if (!mine.repeats && distinct_ >= distinct_max_)
        return false;
    const std::size_t number = mine.repeats ? mine.made - 1 : mine.made++;
    distinct_ += !mine.repeats;
    const auto key = "bench-" + std::to_string(connection) + '-' + std::to_string(number);
    out = format_request("POST", "/v1/workloads", key_of(connection), submit_body(connection, number), key);
    return true;
}

void submitter::take(std::size_t connection, const http_answer& answer) {
    auto& mine = at_[connection];
    std::string id(answer.header("Location"));
    if (answer.status != (mine.repeats ? 200 : 201) || id.empty() || (mine.repeats && id != mine.last)) {
        if (wrong_++ == 0)
            std::fprintf(stderr, "wrong answer: %d %.300s\n", answer.status, std::string(answer.body).c_str());
        return;
    }
    if (mine.repeats) {
        ++repeated_;
        return;
    }
    placed_ += answer.body.find(R"("state":"launching")") != std::string_view::npos;
    mine.last = id;
    accepted_.push_back({connection, std::move(id)});
}

load_result submitter::run(std::uint16_t port, std::chrono::duration<double> length) {
    auto done = run_load(
        closed_loop(port, bench_connections, length),
        [&](std::size_t connection, std::string& out) { return make(connection, out); },
        [&](std::size_t connection, const http_answer& answer) { take(connection, answer); });
    insist(done, wrong_, "submit");
    return done;
}

load_result read_accepted(std::uint16_t port, const submitter& submits, const take_answer& take) {
    const auto& all = submits.all();
    std::size_t next = 0;
    return run_load(
        closed_loop(port, bench_connections, std::chrono::minutes(10)),
        [&](std::size_t, std::string& out) {
            if (next >= all.size())
                return false;
            out = format_request("GET", all[next].path, submits.key_of(all[next].connection));
            ++next;
            return true;
        },
        take);
}

void insist(const load_result& done, std::size_t wrong, const char* what) {
    if (!done.trouble.empty() || wrong > 0)
        throw std::runtime_error(std::string(what) + ": " + std::to_string(wrong) + " wrong answers. " + done.trouble);
}

}  // namespace westerly
