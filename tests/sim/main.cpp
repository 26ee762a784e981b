#include "tests/sim/minimise.hpp"
#include "tests/sim/week.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using namespace westerly::sim;
using stopwatch = std::chrono::steady_clock;

constexpr const char* usage =
    "usage: sim [--seeds N] [--first N] [--for SECONDS] [--table]   many histories, from seed --first on\n"
    "       sim --seed N [--workloads N,N,...] [--faults N,N,...] [--trace]\n"
    "                                                               one, or what is left of it, and its journal hash\n"
    "       sim --boundaries [--first N]                            a crash at every boundary of small histories\n"
    "       sim --week [--providers N] [--count N] [--hours N]\n"
    "                                                               a long operation: by default 100, 1000000 and 168\n"
    "\n"
    "  --seeds N        how many (default 5000)\n"
    "  --for SECONDS    go on for so long instead, for nights\n"
    "  --table          fail when a pair of transition and kind of fault has no hit or a pair that cannot be has one\n"
    "  --no-minimise    only print the failing seed\n";

struct arguments {
    std::uint64_t first = 1;
    std::uint64_t seeds = 5000;
    std::optional<std::uint64_t> seed;
    std::optional<std::uint64_t> for_s;
    std::optional<std::vector<std::size_t>> workloads, faults;
    week_size week;
    bool table = false, boundaries = false, weeks = false, minimises = true, traces = false;
};

std::uint64_t number(const char* text) {
    std::uint64_t value = 0;
    const auto* end = text + std::strlen(text);
    const auto [at, error] = std::from_chars(text, end, value);
    if (error != std::errc{} || at != end) {
        std::fprintf(stderr, "\"%s\" is no number\n%s", text, usage);
        std::exit(2);
    }
    return value;
}

std::vector<std::size_t> numbers(std::string text) {
    std::vector<std::size_t> values;
    for (std::size_t at = 0; !text.empty() && at != std::string::npos;) {
        const auto comma = text.find(',', at);
        values.push_back(number(text.substr(at, comma - at).c_str()));
        at = comma == std::string::npos ? comma : comma + 1;
    }
    return values;
}

arguments read(int count, char** values) {
    arguments out;
    for (int i = 1; i < count; ++i) {
        const std::string_view flag = values[i];
        const auto value = [&]() -> const char* {
            if (++i < count)
                return values[i];
            std::fprintf(stderr, "%s needs a value\n%s", values[i - 1], usage);
            std::exit(2);
        };
        if (flag == "--first")
            out.first = number(value());
        else if (flag == "--seeds")
            out.seeds = number(value());
        else if (flag == "--seed")
            out.seed = number(value());
        else if (flag == "--for")
            out.for_s = number(value());
        else if (flag == "--workloads")
            out.workloads = numbers(value());
        else if (flag == "--faults")
            out.faults = numbers(value());
        else if (flag == "--table")
            out.table = true;
        else if (flag == "--boundaries")
            out.boundaries = true;
        else if (flag == "--week")
            out.weeks = true;
        else if (flag == "--providers")
            out.week.providers = number(value());
        else if (flag == "--count")
            out.week.workloads = number(value());
        else if (flag == "--hours")
            out.week.hours = number(value());
        else if (flag == "--trace")
            out.traces = true;
        else if (flag == "--no-minimise")
            out.minimises = false;
        else {
            std::fputs(usage, flag == "--help" ? stdout : stderr);
            std::exit(flag == "--help" ? 0 : 2);
        }
    }
    return out;
}

template <class Item>
std::string numbers_of(const std::vector<Item>& items) {
    std::string text;
    for (const auto& each : items)
        text += (text.empty() ? "" : ",") + std::to_string(each.number);
    return text;
}

void report(const plan& failed, const world& history, bool minimises) {
    std::printf("seed %llu breaks a law:\n", static_cast<unsigned long long>(failed.seed));
    for (const auto& each : history.faults)
        std::printf("  %s\n", each.c_str());
    std::printf("replay it: sim --seed %llu\n", static_cast<unsigned long long>(failed.seed));
    if (!minimises)
        return;
    std::fflush(stdout);
    const plan small = minimise(failed, law_of(history.faults.front()));
    std::printf(
        "what is left when all that does not matter is left out:\n%sreplay it: sim --seed %llu --workloads "
        "\"%s\" --faults \"%s\"\n",
        describe(small).c_str(), static_cast<unsigned long long>(small.seed), numbers_of(small.workloads).c_str(),
        numbers_of(small.faults).c_str());
}

int run_one(const arguments& asked) {
    plan one = plan_of(*asked.seed);
    const auto keep = [](auto& list, const auto& only) {
        if (only)
            std::erase_if(list, [&](const auto& each) { return std::ranges::find(*only, each.number) == only->end(); });
    };
    keep(one.workloads, asked.workloads);
    keep(one.faults, asked.faults);
    world history(one);
    history.traces = asked.traces;
    history.run();
    std::printf("%s", describe(one).c_str());
    std::printf("seed %llu: %llu steps, %llu crashes, journal %016llx\n", static_cast<unsigned long long>(one.seed),
                static_cast<unsigned long long>(history.steps), static_cast<unsigned long long>(history.crashes),
                static_cast<unsigned long long>(history.journal));
    for (const auto& each : history.faults)
        std::printf("  %s\n", each.c_str());
    return history.faults.empty() ? 0 : 1;
}

/// What all histories so far amount to.
struct totals {
    coverage hits;
    std::map<std::string, std::uint64_t> ends;
    std::uint64_t seeds = 0, steps = 0, crashes = 0, compared = 0, replayed = 0, workloads = 0;
};

/// Same seed, same journal; another seed, another.
bool replays(const plan& of, std::uint64_t journal) {
    world again(of);
    again.run();
    if (again.journal == journal)
        return true;
    std::printf("seed %llu gives another journal when it runs again\n", static_cast<unsigned long long>(of.seed));
    return false;
}

bool run_seed(std::uint64_t seed, const arguments& asked, totals& all) {
    const plan one = plan_of(seed);
    world history(one);
    history.run();
    if (!history.faults.empty()) {
        report(one, history, asked.minimises);
        return false;
    }
    constexpr std::uint64_t replay_every = 100;
    if (seed % replay_every == 0 && !replays(one, history.journal))
        return false;
    all.replayed += seed % replay_every == 0 ? 1 : 0;
    all.hits.add(history.hits);
    for (const auto& [what, times] : history.ends)
        all.ends[what] += times;
    ++all.seeds;
    all.steps += history.steps;
    all.crashes += history.crashes;
    all.compared += history.compared;
    all.workloads += one.workloads.size();
    return true;
}

/// A pair that so few histories have hit is shown, so that somebody makes it more frequent before it is lost.
constexpr std::uint64_t thin_histories = 20;

int run_many(const arguments& asked) {
    totals all;
    const auto begun = stopwatch::now();
    const auto passed_s = [&] {
        return std::chrono::duration<double>(stopwatch::now() - begun).count();
    };
    for (std::uint64_t seed = asked.first;
         asked.for_s ? passed_s() < static_cast<double>(*asked.for_s) : seed < asked.first + asked.seeds; ++seed)
        if (!run_seed(seed, asked, all))
            return 1;
    std::printf("%s\n", all.hits.table().c_str());
    for (const auto& [what, times] : all.ends)
        std::printf("%10llu %s\n", static_cast<unsigned long long>(times), what.c_str());
    std::printf(
        "%llu seeds, %llu workloads, %llu steps, %llu crashes, %llu memories compared with a fresh load, %llu "
        "seeds run twice: %.1f s\n",
        static_cast<unsigned long long>(all.seeds), static_cast<unsigned long long>(all.workloads),
        static_cast<unsigned long long>(all.steps), static_cast<unsigned long long>(all.crashes),
        static_cast<unsigned long long>(all.compared), static_cast<unsigned long long>(all.replayed), passed_s());
    for (const auto& each : all.hits.thin(thin_histories))
        std::printf("thin: %s histories\n", each.c_str());
    auto wrong = all.hits.surprises();
    if (asked.table)
        std::ranges::copy(all.hits.holes(), std::back_inserter(wrong));
    for (const auto& each : wrong)
        std::printf("table: %s\n", each.c_str());
    return wrong.empty() || !asked.table ? 0 : 1;
}

/// A small history without any other fault is run once to count its boundaries, and then once for each of them, with a
/// crash there.
int run_boundaries(const arguments& asked) {
    constexpr world_size small{.providers = 2,
                               .workloads_min = 6,
                               .workloads_max = 6,
                               .faults_min = 0,
                               .faults_max = 0,
                               .asks_last = westerly::seconds(20),
                               .faults_last = westerly::seconds(3600)};
    std::uint64_t tried = 0;
    for (std::uint64_t seed = asked.first; seed < asked.first + 10; ++seed) {
        plan one = plan_of(seed, small);
        one.calm_at = westerly::seconds(60);
        world whole(one);
        whole.run();
        for (const auto kind : {fault_kind::crash_unsynced, fault_kind::crash_committed, fault_kind::crash_between})
            for (std::uint64_t at = 0; at < whole.boundaries[static_cast<std::size_t>(kind)]; ++at) {
                plan crashed = one;
                planned_fault here;
                here.kind = kind;
                here.until = small.faults_last;
                here.param = static_cast<std::int64_t>(at);
                crashed.faults = {here};
                world history(crashed);
                history.run();
                ++tried;
                if (history.faults.empty())
                    continue;
                std::printf("seed %llu, %s at boundary %llu: %s\n", static_cast<unsigned long long>(seed),
                            std::string(to_string(kind)).c_str(), static_cast<unsigned long long>(at),
                            history.faults.front().c_str());
                return 1;
            }
    }
    std::printf("%llu boundaries, a crash at each\n", static_cast<unsigned long long>(tried));
    return tried != 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
    const auto asked = read(count, values);
    if (asked.weeks)
        return run_week(asked.week, asked.first);
    if (asked.boundaries)
        return run_boundaries(asked);
    return asked.seed ? run_one(asked) : run_many(asked);
}
