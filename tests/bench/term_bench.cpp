// What a term of a library costs a decision over 100 000 offers: with its column at hand, beside the same decision
// without it, and the question itself, there and back through a real westerly-termhost with the example of
// policies/sdk. One thread, warm. Prints one JSON object a line.
#include "broker/placement/score.hpp"
#include "broker/runtime/term_host.hpp"
#include "policies/table.hpp"
#include "tests/bench/figures.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr int sites = 400, shapes = 250;
constexpr std::size_t runs = 5;

offer_list make_offers() {
    std::vector<offer> all;
    for (int s = 0; s < sites; ++s)
        for (int k = 0; k < shapes; ++k) {
            offer o;
            char id[64];
            std::snprintf(id, sizeof id, "p/site-%03d/shape-%03d/on_demand", s, k);
            o.id = id;
            o.provider = "p";
            o.site.site = "site-" + std::to_string(s);
            o.site.region = "region-" + std::to_string(s % 40);
            o.site.jurisdiction = "CN";
            o.vcpus = 1u << (k % 8);
            o.memory_mib = std::uint64_t{o.vcpus} * (2048u << (k % 3));
            o.price = unit_price{o.vcpus * (100'000'000ll + (k * 7919 + s * 104'729) % 100'000'000), currency::cny};
            o.units_free = 1 + static_cast<std::uint64_t>((k + s) % 64);
            o.idle_w = o.vcpus * 2.0;
            o.max_w = o.vcpus * (5.0 + k % 5);
            all.push_back(std::move(o));
        }
    return offer_list(std::move(all));
}

/// p50 of what `once` takes in microseconds, over `s` seconds.
template <class Once>
double p50_us(double s, Once once) {
    std::vector<double> took;
    const auto end = steady::now() + std::chrono::duration<double>(s);
    do {
        const auto from = steady::now();
        once();
        took.push_back(std::chrono::duration<double, std::micro>(steady::now() - from).count());
    } while (steady::now() < end);
    std::ranges::nth_element(took, took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2));
    return took[took.size() / 2];
}

void measure(double s, const std::filesystem::path& bin, figure_table& into) {
    std::vector<term> terms{built_in_terms().begin(), built_in_terms().end()};
    terms.push_back(foreign_term("water", "L", "Litres."));
    offer_book book;
    book.replace_provider("p", make_offers());
    workload_spec spec;
    spec.tasks = 4;
    spec.resources.vcpus = 1;
    spec.resources.memory_mib = 2048;
    spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    spec.work.runtime_s = 5400;
    policy plain, watery;
    plain.prices = {{.term = "time", .per_unit = 5}};
    watery.prices = {{.term = "time", .per_unit = 5}, {.term = "water", .per_unit = 0.02}};
    decision_world world;

    term_settings of{
        .name = "water", .library = bin.parent_path() / "terms" / "water.so", .deadline_ms = 10'000, .options = {}};
    for (int region = 0; region < 40; ++region)
        of.options.emplace_back("region-" + std::to_string(region), std::to_string(0.2 + region % 7 * 0.3));
    term_host host(of, bin);
    if (const auto started = host.start(); !started)
        throw std::runtime_error(started.error().detail);
    const auto table = make_score_table(book, {});
    std::vector<foreign_column> said(1);
    said[0].term = "water";
    said[0].tasks = spec.tasks;
    const auto ask = [&] {
        auto answer = host.evaluate(table, *make_score_request(book, watery, terms, spec, world));
        if (!answer)
            throw std::runtime_error(answer.error().detail);
        said[0].quantity = std::move(*answer);
        if (tidy(said[0]) > 0)
            throw std::runtime_error("a site's water is not known");
    };
    const auto choose = [&](const policy& by) {
        if (decide(book, by, terms, spec, world).ranked.size() != ranked_max)
            throw std::runtime_error("a decision ranked too few");
    };
    ask();
    world.foreign = said;
    for (std::size_t r = 0; r < runs; ++r) {
        const double without = p50_us(s / 2, [&] { choose(plain); });
        const double with = p50_us(s / 2, [&] { choose(watery); });
        into.add("foreign_term_100k_us", with);
        into.add("foreign_term_100k_over_plain", with / without);
        into.add("foreign_term_answer_100k_us", p50_us(s / 2, ask));
    }
}

}  // namespace

/// Usage: bench_term [--quick] [NAME...]: five runs of 10 s each, of 0.1 s when quick.
int main(int argc, char** argv) {
    const bench_words said = read_words(argc, argv);
    figure_table figures({{"foreign_term_100k_us", "us", 0, false},
                          {"foreign_term_100k_over_plain", "ratio", 0, false},
                          {"foreign_term_answer_100k_us", "us", 0, false}},
                         said.names);
    try {
        measure(said.quick ? 0.1 : 10.0, std::filesystem::read_symlink("/proc/self/exe").parent_path(), figures);
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_term: %s\n", failed.what());
        return 1;
    }
    figures.print();
    return 0;
}
