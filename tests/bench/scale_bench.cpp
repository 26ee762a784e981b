// A westerlyd on a database as a year of use leaves it: 1 000 000 workloads, of which 100 000 scattered ones still
// live. How long until it is ready with a cold page cache, what memory the live ones cost, and whether each is looked
// at within its interval. Prints one JSON object a line on standard output, progress on standard error.
#include "tests/bench/broker_process.hpp"
#include "tests/bench/filled_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr auto look_every = std::chrono::milliseconds(250);

struct size {
    std::size_t stored = 1'000'000, live = 100'000;
    unsigned poll_s = 60;
};

using names_asked = std::vector<std::string>;

void print(const names_asked& asked, const char* name, double value, const char* unit, double target) {
    std::fprintf(stderr, "  %s %.2f %s\n", name, value, unit);
    if (!asked.empty() && std::ranges::find(asked, name) == asked.end())
        return;
    std::printf(R"({"name":"%s","value":%.2f,"unit":"%s","target":%.0f,"met":%s})", name, value, unit, target,
                value <= target ? "true" : "false");
    std::puts("");
}

/// Writes out what the cache still holds of a file, and lets go of it.
void forget_cached(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ::fsync(file);
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
}

void measure(const size& how, const std::filesystem::path& bin, const names_asked& asked) {
    broker_process broker(bin, {.poll_s = how.poll_s});
    const auto file = broker.home() / "westerly.db";
    const auto begun = steady::now();
    fill_store(file, how.stored, how.live);
    std::fprintf(stderr, "  %zu workloads, %zu of them live, written in %.0f s: %.0f MiB\n", how.stored, how.live,
                 std::chrono::duration<double>(steady::now() - begun).count(),
                 static_cast<double>(std::filesystem::file_size(file)) / (1 << 20));
    forget_cached(file);
    print(asked, "restart_1m_s", broker.start_ms() / 1000, "s", 3);

    broker.wait_for_offers();
    const double before = broker.counter("westerly_engine_inputs_total");
    const auto ready = steady::now();
    const auto limit = ready + std::chrono::seconds(10 * how.poll_s);
    while (broker.counter("westerly_engine_inputs_total") - before < static_cast<double>(how.live)) {
        if (steady::now() > limit)
            throw std::runtime_error("the live attempts were not all looked at");
        std::this_thread::sleep_for(look_every);
    }
    print(asked, "live_100k_refresh_s", std::chrono::duration<double>(steady::now() - ready).count(), "s", how.poll_s);
    print(asked, "live_100k_rss_mib", broker.rss_mib(), "MiB", 512);
    broker.end();
}

}  // namespace

/// Usage: bench_scale [--quick] [NAME...]: a fiftieth of everything; only the figures named are printed.
int main(int argc, char** argv) {
    size how;
    names_asked names;
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--quick")
            how = {.stored = 20'000, .live = 2'000, .poll_s = 5};
        else
            names.emplace_back(argv[i]);
    try {
        measure(how, std::filesystem::read_symlink("/proc/self/exe").parent_path(), names);
        return 0;
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_scale: %s\n", failed.what());
        return 1;
    }
}
