// A real westerlyd over HTTPS, measured from the same machine: durable submits, reads, start and idle memory; beside
// them a bare TLS echo server under the same client and bare fdatasyncs on the same disk, in the same minute. Each run
// has brokers and homes of its own. Prints one JSON object a line on standard output, progress on standard error.
//
// What one counted submit is: a request of a member over one of 64 keep-alive TLS 1.3 connections, authenticated,
// checked against the schema, admitted, placed by policy `balanced` over 1 000 (or 100 000) launchable offers under
// five limits, and committed with synchronous=FULL together with its decision, attempt, launch token and outbox row
// into a database of more than a million rows, answered by 201. One in ten requests repeats an earlier one with its
// Idempotency-Key: it must give the same id again, and does not count. What follows a submit is kept small: the
// providers take a tenth of a second over each launch, and how many they make beside the load is a figure, too.
#include "tests/bench/broker_process.hpp"
#include "tests/bench/echo_server.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/filled_store.hpp"
#include "tests/bench/submits.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <thread>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr std::size_t distinct_max = 190'000;  // the engine takes 200 000 live workloads
constexpr std::chrono::milliseconds idle_before_rss{3'000};

struct plan {
    int runs = 5;
    std::chrono::duration<double> length{10};
    std::size_t stored = 200'000;  // workloads that ended before: eleven rows each
    std::size_t many_offers = 100'000;
};

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

const std::vector<figure> figures = {{"submit_durable_per_s", "1/s", 10'000, true},
                                     {"submit_p99_ms", "ms", 25, false},
                                     {"submit_100k_offers_per_s", "1/s", 4'000, true},
                                     {"read_per_s", "1/s", 25'000, true},
                                     {"launch_per_s", "1/s", 0, true},
                                     {"submit_cpu_us", "us", 0, false},
                                     {"read_cpu_us", "us", 0, false},
                                     {"idle_rss_mib", "MiB", 40, false},
                                     {"start_ms", "ms", 500, false},
                                     {"tls_echo_per_s", "1/s", 0, true},
                                     {"fdatasync_per_s", "1/s", 0, true}};

class bench {
public:
    bench(plan how, std::filesystem::path bin, std::vector<std::string> names)
        : how_(how), bin_(std::move(bin)), figures_(figures, std::move(names)) {}

    void run_once(int number) {
        if (figures_.wants({"start_ms", "idle_rss_mib", "fdatasync_per_s", "tls_echo_per_s"}))
            small_things();
        if (figures_.wants({"submit_durable_per_s", "submit_p99_ms", "submit_cpu_us", "launch_per_s", "read_per_s",
                            "read_cpu_us"}))
            load(number);
        if (figures_.wants({"submit_100k_offers_per_s"}))
            many_offers();
    }

    void print() const { figures_.print(); }

private:
    /// On an empty home, but for what a first start leaves there.
    void small_things() {
        broker_process broker(bin_);
        broker.start_ms();  // the first start of all makes keys and a certificate
        broker.end();
        figures_.add("start_ms", broker.start_ms());
        broker.wait_for_offers();
        std::this_thread::sleep_for(idle_before_rss);
        figures_.add("idle_rss_mib", broker.rss_mib());
        figures_.add("fdatasync_per_s", fdatasyncs_per_s(broker.home(), how_.length / 5));
        echo(broker);
        broker.end();
    }

    void load(int number) {
        broker_process broker(bin_);
        start_filled(broker);
        const auto keys = broker.make_keys(bench_tenants);
        submitter submits(keys, distinct_max);
        submit(broker, submits);
        read(broker, submits);
        if (number == 0)
            look_after_kill(broker, submits);
        broker.end();
    }

    void many_offers() {
        broker_process broker(bin_, {.offers = how_.many_offers});
        start_filled(broker);
        const auto keys = broker.make_keys(bench_tenants);
        submitter submits(keys, distinct_max);
        const auto done = submits.run(broker.port(), how_.length);
        figures_.add("submit_100k_offers_per_s", per_second(submits.all().size(), done.seconds));
        std::fprintf(stderr, "    over %.0f offers: p50 %.1f ms, p99 %.1f ms; %zu of %zu placed at once\n",
                     broker.counter("westerly_offers"), ms(done.latency.at(0.5)), ms(done.latency.at(0.99)),
                     submits.placed(), submits.all().size());
        broker.end();
    }

    void start_filled(broker_process& broker) {
        if (!filled_)
            filled_.emplace(how_.stored);
        filled_->copy_to(broker.home());
        broker.start_ms();
        broker.wait_for_offers();
    }

    void echo(const broker_process& broker) {
        const echo_server echo(broker.home() / "tls" / "cert.pem", broker.home() / "tls" / "key.pem");
        const auto request = format_request("POST", "/echo", "wk_" + std::string(64, '0'), submit_body(0, 0), "bench");
        std::size_t wrong = 0;
        const auto done = run_load(
            closed_loop(echo.port(), bench_connections, how_.length),
            [&](std::size_t, std::string& out) {
                out = request;
                return true;
            },
            [&](std::size_t, const http_answer& answer) { wrong += answer.status != 200; });
        insist(done, wrong, "echo");
        figures_.add("tls_echo_per_s", per_second(done.answers, done.seconds));
    }

    void submit(const broker_process& broker, submitter& submits) {
        const auto before = counters(broker);
        const double cpu_before = broker.cpu_s();
        const auto done = submits.run(broker.port(), how_.length);
        const auto after = counters(broker);
        figures_.add("submit_durable_per_s", per_second(submits.all().size(), done.seconds));
        figures_.add("submit_p99_ms", ms(done.latency.at(0.99)));
        figures_.add("submit_cpu_us",
                     (broker.cpu_s() - cpu_before) * 1e6 / std::max(1.0, static_cast<double>(done.answers)));
        figures_.add("launch_per_s", (after[3] - before[3]) / done.seconds);
        const double commits = std::max(1.0, after[0] - before[0]);
        std::fprintf(
            stderr,
            "    %zu distinct of which %zu placed at once, %zu repeats, p50 %.1f ms, p99.9 %.1f ms; %.0f commits"
            " of %.1f changes and %.2f ms each\n",
            submits.all().size(), submits.placed(), submits.repeated(), ms(done.latency.at(0.5)),
            ms(done.latency.at(0.999)), commits, (after[1] - before[1]) / commits,
            (after[2] - before[2]) / commits / 1000);
    }

    static std::array<double, 4> counters(const broker_process& broker) {
        return {broker.counter("westerly_store_commits_total"), broker.counter("westerly_store_change_sets_total"),
                broker.counter("westerly_store_commit_microseconds_total"),
                broker.counter(R"(westerly_attempts{state="pending"})")};
    }

    void read(const broker_process& broker, const submitter& submits) {
        const auto& all = submits.all();
        if (all.empty())
            throw std::runtime_error("nothing was submitted");
        std::size_t number = 0, wrong = 0;
        const double cpu_before = broker.cpu_s();
        const auto done = run_load(
            closed_loop(broker.port(), bench_connections, how_.length),
            [&](std::size_t, std::string& out) {
                const auto& one = all[(number += 7'919) % all.size()];  // a prime: all of them, in no order of theirs
                out = format_request("GET", one.path, submits.key_of(one.connection));
                return true;
            },
            [&](std::size_t, const http_answer& answer) { wrong += answer.status != 200; });
        insist(done, wrong, "read");
        figures_.add("read_per_s", per_second(done.answers, done.seconds));
        figures_.add("read_cpu_us",
                     (broker.cpu_s() - cpu_before) * 1e6 / std::max(1.0, static_cast<double>(done.answers)));
        std::fprintf(stderr, "    p99 %.1f ms\n", ms(done.latency.at(0.99)));
    }

    /// kill -9, start, and all that was acknowledged must be there.
    static void look_after_kill(broker_process& broker, const submitter& submits) {
        broker.end_hard();
        const double restarted_ms = broker.start_ms();
        std::size_t found = 0;
        const auto done = read_accepted(broker.port(), submits,
                                        [&](std::size_t, const http_answer& answer) { found += answer.status == 200; });
        std::fprintf(stderr, "    after kill -9: ready again in %.0f ms with %zu live workloads; %zu of them found\n",
                     restarted_ms, submits.all().size(), found);
        insist(done, submits.all().size() - found, "after kill -9");
    }

    const plan how_;
    const std::filesystem::path bin_;
    std::optional<filled_master> filled_;
    figure_table figures_;
};

/// The build's bin directory.
std::filesystem::path own_directory() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace

/// Usage: bench_http [--quick] [NAME...]: one run of 2 s instead of five of 10 s; only the figures named are measured.
int main(int argc, char** argv) {
    auto said = read_words(argc, argv);
    plan how;
    if (said.quick)
        how = {.runs = 1, .length = std::chrono::seconds(2), .stored = 5'000, .many_offers = 10'000};
    try {
        bench all(how, own_directory(), std::move(said.names));
        for (int run = 0; run < how.runs; ++run) {
            std::fprintf(stderr, "run %d of %d\n", run + 1, how.runs);
            all.run_once(run);
        }
        all.print();
        return 0;
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_http: %s\n", failed.what());
        return 1;
    }
}
