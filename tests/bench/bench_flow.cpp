// Work from the request to its end, through providers whose launches end at once: how many workloads a second come from
// POST to `succeeded`. And the memory of an idle adapter. Prints one JSON object a line on standard output, progress on
// standard error.
#include "tests/bench/broker_process.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/submits.hpp"

#include <cstdio>
#include <stdexcept>
#include <thread>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr auto look_every = std::chrono::milliseconds(20);
constexpr auto end_limit = std::chrono::minutes(5);
constexpr std::chrono::seconds idle_before_rss{3};
constexpr const char* succeeded = R"(westerly_workloads{state="succeeded"})";

const std::vector<figure> figures = {{"end_to_end_per_s", "1/s", 1'000, true}, {"adapter_rss_mib", "MiB", 12, false}};

/// Every one that was accepted must have ended well, by its own record.
void insist_on_success(const broker_process& broker, const submitter& submits) {
    std::size_t well = 0;
    const auto done = read_accepted(broker.port(), submits, [&](std::size_t, const http_answer& answer) {
        well += answer.status == 200 && answer.body.find(R"("state":"succeeded")") != std::string_view::npos;
    });
    insist(done, submits.all().size() - well, "at the end");
}

void end_to_end(figure_table& to, const std::filesystem::path& bin, std::size_t workloads) {
    broker_process broker(bin, {.at_once = true});
    broker.start_ms();
    broker.wait_for_offers();
    const auto keys = broker.make_keys(bench_tenants);
    submitter submits(keys, workloads);
    const auto begun = steady::now();
    const auto done = submits.run(broker.port(), end_limit);
    while (broker.counter(succeeded) < static_cast<double>(submits.all().size())) {
        if (steady::now() - begun > end_limit)
            throw std::runtime_error("what was submitted did not all succeed");
        std::this_thread::sleep_for(look_every);
    }
    const double seconds = std::chrono::duration<double>(steady::now() - begun).count();
    to.add("end_to_end_per_s", per_second(submits.all().size(), seconds));
    std::fprintf(stderr, "    %zu workloads: submitted within %.1f s, all succeeded within %.1f s\n",
                 submits.all().size(), done.seconds, seconds);
    insist_on_success(broker, submits);
    broker.end();
}

void adapter_memory(figure_table& to, const std::filesystem::path& bin) {
    broker_process broker(bin, {.local = true});
    broker.start_ms();
    broker.wait_for_offers();
    for (const auto limit = steady::now() + end_limit;
         broker.counter(R"(westerly_provider_ready{provider="local"})") < 1; std::this_thread::sleep_for(look_every))
        if (steady::now() > limit)
            throw std::runtime_error("the local adapter is not ready");
    std::this_thread::sleep_for(idle_before_rss);
    to.add("adapter_rss_mib", broker.rss_mib_of("westerly-adapter-local"));
    broker.end();
}

}  // namespace

/// Usage: bench_flow [--quick] [NAME...]: one run with a tenth of the workloads; only the figures named are measured.
int main(int argc, char** argv) {
    auto said = read_words(argc, argv);
    const int runs = said.quick ? 1 : 5;
    figure_table table(figures, std::move(said.names));
    try {
        const auto bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        for (int run = 0; run < runs; ++run) {
            std::fprintf(stderr, "run %d of %d\n", run + 1, runs);
            if (table.wants({"end_to_end_per_s"}))
                end_to_end(table, bin, said.quick ? 1'000 : 10'000);
            if (table.wants({"adapter_rss_mib"}))
                adapter_memory(table, bin);
        }
        table.print();
        return 0;
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_flow: %s\n", failed.what());
        return 1;
    }
}
