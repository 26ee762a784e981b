#include "broker/support/files.hpp"
#include "tools/simulate/core/chart.hpp"
#include "tools/simulate/core/story.hpp"
#include "tools/simulate/options.hpp"

#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>

namespace {

using namespace westerly;

int refuse(const error& why) {
    std::fprintf(stderr, "westerly-simulate: %s%s%s\n", why.detail.c_str(), why.remedy.empty() ? "" : "; ",
                 why.remedy.c_str());
    return 126;
}

/// Lines into a gzip file, or nowhere.
class certificate_file {
public:
    explicit certificate_file(const std::string& path) : file_(path.empty() ? nullptr : gzopen(path.c_str(), "wb6")) {}
    ~certificate_file() {
        if (file_ != nullptr)
            gzclose(file_);
    }
    certificate_file(const certificate_file&) = delete;
    certificate_file& operator=(const certificate_file&) = delete;
    bool open() const noexcept { return file_ != nullptr; }
    void add(const std::string& line) {
        if (gzputs(file_, (line + "\n").c_str()) < 0)
            failed = true;
    }
    bool failed = false;

private:
    gzFile file_;
};

/// A line a while for who waits at a terminal.
void tell_progress(run_setup& setup) {
    static constexpr std::chrono::seconds every{10};
    if (isatty(STDERR_FILENO) == 0)
        return;
    setup.chose = [name = setup.name, started = std::size_t{0}, told_at = std::chrono::steady_clock::now()](
                      std::size_t, const offer_id&) mutable {
        ++started;
        if (const auto now = std::chrono::steady_clock::now(); now - told_at >= every) {
            told_at = now;
            std::fprintf(stderr, "%s: %s workloads have started\n", name.c_str(),
                         in_words(static_cast<double>(started)).c_str());
        }
    };
}

result<std::vector<sweep_point>> run_sweep(const simulate_options& use, const supply& from, const carbon_series& carbon,
                                           std::vector<outcome>& runs) {
    std::vector<sweep_point> points;
    for (const double price : use.sweep) {
        run_setup setup = setup_of(use, sweep_policy(use, price), tick_rule::by_cost);
        setup.name = "carbon at " + in_words(price);
        setup.hindsight = false;
        tell_progress(setup);
        auto trace = trace_reader::open(use.trace, use.traced);
        if (!trace)
            return trace.error();
        auto run = run_trace(*trace, from, carbon, setup);
        if (!run)
            return run.error();
        std::fprintf(stderr, "%s\n", setup.name.c_str());
        points.push_back({price, run->money, run->location_kg});
        runs.push_back(std::move(*run));
    }
    return points;
}

result<int> simulate(simulate_options& use) {
    if (auto settled = settle_begin(use); !settled)
        return settled.error();
    supply from;
    if (auto read = read_supply(use, from); !read)
        return read.error();
    carbon_series carbon;
    if (!use.carbon.empty()) {
        auto read = carbon_series::read(use.carbon);
        if (!read)
            return read.error();
        carbon = std::move(*read);
    }
    const auto planned = runs_of(use);
    if (!planned)
        return planned.error();
    certificate_file certificates(use.certificates);
    if (!use.certificates.empty() && !certificates.open())
        return fail(errc::storage_failed, use.certificates + ": cannot be written");
    std::vector<outcome> runs;
    std::map<std::string, std::size_t> left_out;
    for (run_setup setup : *planned) {
        if (certificates.open())
            setup.certify = [&](const std::string& line) {
                certificates.add(line);
            };
        tell_progress(setup);
        auto trace = trace_reader::open(use.trace, use.traced);
        if (!trace)
            return trace.error();
        auto run = (setup.through_engine ? run_engine : run_trace)(*trace, from, carbon, setup);
        if (!run)
            return run.error();
        std::fprintf(stderr, "%s\n", setup.name.c_str());
        runs.push_back(std::move(*run));
        left_out = trace->left_out();
    }
    std::vector<outcome> of_sweep;
    auto sweep = run_sweep(use, from, carbon, of_sweep);
    if (!sweep)
        return sweep.error();
    if (certificates.failed)
        return fail(errc::storage_failed, use.certificates + ": could not be written to its end");

    report_head head = head_of(use, from, left_out);
    std::string text = as_table(runs);
    if (!of_sweep.empty())
        text += "\nAs the price of carbon rises (CNY per kg, location-based):\n" + as_table(of_sweep);
    std::fputs(text.c_str(), stdout);
    for (const auto& fact : head.facts)
        std::printf("%s\n", fact.c_str());
    std::vector<outcome> all = runs;
    all.insert(all.end(), of_sweep.begin(), of_sweep.end());
    if (!use.csv.empty())
        if (auto written = write_file_atomically(use.csv, as_csv(all)); !written)
            return written.error();
    if (!use.html.empty())
        if (auto written = write_file_atomically(use.html, as_page(head, runs, *sweep)); !written)
            return written.error();
    return 0;
}

result<int> tell_story(const simulate_options& use) {
    const east_west_world world = make_east_west();
    const auto told = tell_all(world);
    std::fputs(story_table(told).c_str(), stdout);
    if (!use.html.empty())
        if (auto written = write_file_atomically(use.html, story_page(world, told)); !written)
            return written.error();
    return 0;
}

}  // namespace

/// Replays a trace against offers, prices and carbon under policies, in virtual time. See README.md.
int main(int argc, char** argv) {
    simulate_options use;
    int code = 0;
    if (!read_options(argc, argv, use, code))
        return code;
    const auto done = use.story.empty() ? simulate(use) : tell_story(use);
    return done ? *done : refuse(done.error());
}
