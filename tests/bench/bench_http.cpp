// A real westerlyd over HTTPS, measured from the same machine: durable submits, reads, start and idle memory; beside
// them a bare TLS echo server under the same client and bare fdatasyncs on the same disk, in the same minute. Each run
// has a broker and a home of its own. Prints one JSON object a line on standard output, progress on standard error.
//
// What one counted submit is: a request of a member over one of 64 keep-alive TLS 1.3 connections, authenticated,
// checked against the schema, admitted, placed by policy `balanced` over 1 000 launchable offers under five limits, and
// committed with synchronous=FULL together with its decision, attempt, launch token and outbox row, answered by 201.
// One in ten requests repeats an earlier one with its Idempotency-Key: it must give the same id again, and does not
// count. What follows a submit is kept out of it: the provider takes a second over each launch.
#include "tests/bench/broker_process.hpp"
#include "tests/bench/echo_server.hpp"
#include "tools/load/engine/http_load.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr std::size_t connections = 64;
constexpr std::size_t tenants = 4;             // so that no limit of one tenant is met
constexpr std::size_t distinct_max = 190'000;  // the engine takes 200 000 live workloads
constexpr std::size_t sample_max = 200;        // looked for after kill -9
constexpr std::size_t repeat_every = 10;
constexpr std::chrono::milliseconds idle_before_rss{3'000};

struct figure {
    const char* name;
    const char* unit;
    double target;  // 0: none, it is there to compare with
    bool least;     // the target is the least, not the most
    std::vector<double> values{};
};

struct plan {
    int runs = 5;
    std::chrono::duration<double> length{10};
};

double median(std::vector<double> values) {
    if (values.empty())
        return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

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

double per_second(std::size_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
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

/// Submits on all connections: distinct ones, with repeats between them, and what came back.
class submitter {
public:
    explicit submitter(const std::vector<std::string>& keys) : keys_(keys), at_(connections) {}

    bool make(std::size_t connection, std::string& out) {
        auto& mine = at_[connection];
        mine.repeats = mine.made > 0 && ++mine.asked % repeat_every == 0;
        if (!mine.repeats && accepted_.size() >= distinct_max)
            return false;
        const std::size_t number = mine.repeats ? mine.made - 1 : mine.made++;
        const auto key = "bench-" + std::to_string(connection) + '-' + std::to_string(number);
        out = format_request("POST", "/v1/workloads", key_of(connection), submit_body(connection, number), key);
        return true;
    }

    void take(std::size_t connection, const http_answer& answer) {
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

    struct accepted {
        std::size_t connection;
        std::string path;
    };
    const std::vector<accepted>& all() const { return accepted_; }
    const std::string& key_of(std::size_t connection) const { return keys_[connection % keys_.size()]; }
    std::size_t wrong() const { return wrong_; }
    std::size_t repeated() const { return repeated_; }
    std::size_t placed() const { return placed_; }

private:
    struct at {
        std::size_t made = 0, asked = 0;
        bool repeats = false;
        std::string last{};
    };
    const std::vector<std::string>& keys_;
    std::vector<at> at_;
    std::vector<accepted> accepted_;
    std::size_t wrong_ = 0, repeated_ = 0, placed_ = 0;
};

void insist(const load_result& done, std::size_t wrong, const char* what) {
    if (!done.trouble.empty() || wrong > 0)
        throw std::runtime_error(std::string(what) + ": " + std::to_string(wrong) + " wrong answers. " + done.trouble);
}

/// 4 KiB and a sync, again and again: what the disk can do with one caller.
double fdatasyncs_per_s(const std::filesystem::path& folder, std::chrono::duration<double> length) {
    const auto path = folder / "sync";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        throw std::runtime_error("cannot make " + path.string());
    const std::array<char, 4096> page{};
    std::size_t count = 0;
    const auto begun = steady::now();
    for (; steady::now() - begun < length; ++count) {
        const auto at = static_cast<off_t>(count % 1024 * page.size());
        if (::pwrite(file, page.data(), page.size(), at) < 0 || ::fdatasync(file) != 0)
            throw std::runtime_error("cannot write " + path.string());
    }
    const double seconds = std::chrono::duration<double>(steady::now() - begun).count();
    ::close(file);
    std::filesystem::remove(path);
    return per_second(count, seconds);
}

class bench {
public:
    bench(plan how, std::filesystem::path bin) : how_(how), bin_(std::move(bin)) {}

    void run_once(int number) {
        broker_process broker(bin_);
        broker.start_ms();  // the first start of all makes keys and a certificate
        broker.end();
        add("start_ms", broker.start_ms());
        broker.wait_for_offers();
        std::this_thread::sleep_for(idle_before_rss);
        add("idle_rss_mib", broker.rss_mib());
        add("fdatasync_per_s", fdatasyncs_per_s(broker.home(), how_.length / 5));
        echo(broker);
        const auto keys = broker.make_keys(tenants);
        submitter submits(keys);
        submit(broker, submits);
        read(broker, submits);
        if (number == 0)
            look_after_kill(broker, submits);
        broker.end();
    }

    /// Prints the figures asked for; all when none is named.
    void print(const std::vector<std::string>& names) const {
        for (const figure& f : figures_) {
            if (!names.empty() && std::ranges::find(names, f.name) == names.end())
                continue;
            const double value = median(f.values);
            if (f.target == 0) {
                std::printf(R"({"name":"%s","value":%.1f,"unit":"%s","target":null,"met":null})", f.name, value,
                            f.unit);
            } else {
                const bool met = f.least ? value >= f.target : value <= f.target;
                std::printf(R"({"name":"%s","value":%.1f,"unit":"%s","target":%.0f,"met":%s})", f.name, value, f.unit,
                            f.target, met ? "true" : "false");
            }
            std::puts("");
        }
    }

private:
    void add(const std::string& name, double value) {
        const auto found = std::ranges::find(figures_, name, &figure::name);
        found->values.push_back(value);
        std::fprintf(stderr, "  %s %.1f %s\n", found->name, value, found->unit);
    }

    void echo(const broker_process& broker) {
        const echo_server echo(broker.home() / "tls" / "cert.pem", broker.home() / "tls" / "key.pem");
        const auto request = format_request("POST", "/echo", "wk_" + std::string(64, '0'), submit_body(0, 0), "bench");
        std::size_t wrong = 0;
        const auto done = run_load(
            closed_loop(echo.port(), connections, how_.length),
            [&](std::size_t, std::string& out) {
                out = request;
                return true;
            },
            [&](std::size_t, const http_answer& answer) { wrong += answer.status != 200; });
        insist(done, wrong, "echo");
        add("tls_echo_per_s", per_second(done.answers, done.seconds));
    }

    void submit(const broker_process& broker, submitter& submits) {
        const auto before = counters(broker);
        const double cpu_before = broker.cpu_s();
        const auto done = run_load(
            closed_loop(broker.port(), connections, how_.length),
            [&](std::size_t connection, std::string& out) { return submits.make(connection, out); },
            [&](std::size_t connection, const http_answer& answer) { submits.take(connection, answer); });
        insist(done, submits.wrong(), "submit");
        const auto after = counters(broker);
        add("submit_durable_per_s", per_second(submits.all().size(), done.seconds));
        add("submit_p99_ms", ms(done.latency.at(0.99)));
        add("submit_cpu_us", (broker.cpu_s() - cpu_before) * 1e6 / std::max(1.0, static_cast<double>(done.answers)));
        const double commits = std::max(1.0, after[0] - before[0]);
        std::fprintf(
            stderr,
            "    %zu distinct of which %zu placed at once, %zu repeats, p50 %.1f ms, p99.9 %.1f ms; %.0f commits"
            " of %.1f changes and %.2f ms each\n",
            submits.all().size(), submits.placed(), submits.repeated(), ms(done.latency.at(0.5)),
            ms(done.latency.at(0.999)), commits, (after[1] - before[1]) / commits,
            (after[2] - before[2]) / commits / 1000);
    }

    static std::array<double, 3> counters(const broker_process& broker) {
        return {broker.counter("westerly_store_commits_total"), broker.counter("westerly_store_change_sets_total"),
                broker.counter("westerly_store_commit_microseconds_total")};
    }

    void read(const broker_process& broker, const submitter& submits) {
        const auto& all = submits.all();
        if (all.empty())
            throw std::runtime_error("nothing was submitted");
        std::size_t number = 0, wrong = 0;
        const double cpu_before = broker.cpu_s();
        const auto done = run_load(
            closed_loop(broker.port(), connections, how_.length),
            [&](std::size_t, std::string& out) {
                const auto& one = all[(number += 7'919) % all.size()];  // a prime: all of them, in no order of theirs
                out = format_request("GET", one.path, submits.key_of(one.connection));
                return true;
            },
            [&](std::size_t, const http_answer& answer) { wrong += answer.status != 200; });
        insist(done, wrong, "read");
        add("read_per_s", per_second(done.answers, done.seconds));
        add("read_cpu_us", (broker.cpu_s() - cpu_before) * 1e6 / std::max(1.0, static_cast<double>(done.answers)));
        std::fprintf(stderr, "    p99 %.1f ms\n", ms(done.latency.at(0.99)));
    }

    /// kill -9, start, and a sample of what was acknowledged must be there.
    static void look_after_kill(broker_process& broker, const submitter& submits) {
        broker.end_hard();
        const double restarted_ms = broker.start_ms();
        const auto& all = submits.all();
        const std::size_t step = std::max<std::size_t>(1, all.size() / sample_max);
        std::size_t next = 0, found = 0, asked = 0;
        const auto done = run_load(
            closed_loop(broker.port(), 1, std::chrono::seconds(60)),
            [&](std::size_t, std::string& out) {
                if (next >= all.size())
                    return false;
                out = format_request("GET", all[next].path, submits.key_of(all[next].connection));
                next += step;
                ++asked;
                return true;
            },
            [&](std::size_t, const http_answer& answer) { found += answer.status == 200; });
        std::fprintf(stderr, "    after kill -9: ready again in %.0f ms with %zu live workloads; %zu of %zu found\n",
                     restarted_ms, all.size(), found, asked);
        insist(done, asked - found, "after kill -9");
    }

    const plan how_;
    const std::filesystem::path bin_;
    std::vector<figure> figures_ = {{"submit_durable_per_s", "1/s", 10'000, true},
                                    {"submit_p99_ms", "ms", 25, false},
                                    {"read_per_s", "1/s", 25'000, true},
                                    {"submit_cpu_us", "us", 0, false},
                                    {"read_cpu_us", "us", 0, false},
                                    {"idle_rss_mib", "MiB", 40, false},
                                    {"start_ms", "ms", 500, false},
                                    {"tls_echo_per_s", "1/s", 0, true},
                                    {"fdatasync_per_s", "1/s", 0, true}};
};

/// The build's bin directory.
std::filesystem::path own_directory() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace

/// Usage: bench_http [--quick] [NAME...]: one run of 2 s instead of five of 10 s; only the figures named are printed.
int main(int argc, char** argv) {
    plan how;
    std::vector<std::string> names;
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--quick")
            how = {.runs = 1, .length = std::chrono::seconds(2)};
        else
            names.emplace_back(argv[i]);
    try {
        bench all(how, own_directory());
        for (int run = 0; run < how.runs; ++run) {
            std::fprintf(stderr, "run %d of %d\n", run + 1, how.runs);
            all.run_once(run);
        }
        all.print(names);
        return 0;
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_http: %s\n", failed.what());
        return 1;
    }
}
