// decide() over 100 000 and 1 000 000 offers, one thread, warm: 5 filters (jurisdiction, task shape, RTT, green floor,
// max price) and 4 priced terms besides cost. Prints one JSON object a line, as every program here does.
//
// The world is the size and form of a merged public catalogue: 8 providers (80 for a million), 50 sites each, 250
// shapes a provider, every shape at every site with its own price and free capacity. About a quarter passes the
// filters.
#include "broker/placement/compare.hpp"
#include "policies/table.hpp"
#include "tests/bench/figures.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>

namespace {

using namespace westerly;
using steady = std::chrono::steady_clock;

constexpr int sites = 50, shapes = 250;
constexpr std::size_t runs = 5;
constexpr int week_h = 168;

site_facts make_site(std::mt19937_64& random, int number) {
    const auto between = [&](double low, double high) {
        return low + (high - low) * static_cast<double>(random() % 10'000) / 10'000.0;
    };
    site_facts site;
    site.site = "site-" + std::to_string(number);
    site.region = "region-" + std::to_string(number);
    site.grid_zone = "zone-" + std::to_string(number);
    site.jurisdiction = number % 5 == 0 ? "US" : "CN";
    site.latitude_longitude = {between(20, 50), between(80, 120)};
    site.pue = sourced{between(1.1, 1.6), "bench", quality_class::declared};
    site.green_power_share = sourced{between(0, 1), "bench", quality_class::declared};
    site.carbon_g_per_kwh = sourced{between(100, 800), "bench", quality_class::annual_provincial};
    site.ingress_gbps = 10;
    return site;
}

std::vector<offer> make_offers(std::mt19937_64& random, int provider) {
    std::vector<offer> offers;
    for (int s = 0; s < sites; ++s) {
        const site_facts site = make_site(random, provider * sites + s);
        for (int k = 0; k < shapes; ++k) {
            offer o;
            o.provider = "provider-" + std::to_string(provider);
            o.site = site;
            o.id = o.provider + "/" + site.site + "/shape-" + std::to_string(k) + "/on_demand";
            o.vcpus = 1u << (k % 8);
            o.memory_mib = std::uint64_t{o.vcpus} * (2048u << (k % 3));
            o.price = unit_price{static_cast<std::int64_t>(o.vcpus * (100'000'000 + random() % 100'000'000)),
                                 provider % 2 ? currency::usd : currency::cny};
            o.increment_s = k % 2 ? 1 : 60;
            o.units_free = 1 + random() % 64;
            o.idle_w = o.vcpus * 2.0;
            o.max_w = o.vcpus * (5.0 + k % 5);
            o.queue_wait_s = static_cast<std::uint32_t>(k % 4) * 30;
            offers.push_back(std::move(o));
        }
    }
    return offers;
}

workload_spec make_workload() {
    workload_spec spec;
    spec.interactive = true;
    spec.tasks = 4;
    spec.resources.vcpus = 2;
    spec.resources.memory_mib = 4096;
    spec.variants = {{.stack = "none", .command = {"true"}, .env = {}, .files = {}}};
    spec.work.runtime_s = 5400;
    spec.limits.jurisdictions = {"CN"};
    spec.limits.from = origin{.region = {}, .latitude_longitude = {{31.2, 121.5}}};
    spec.limits.max_rtt_ms = 45;
    spec.limits.min_green_power_share = 0.3;
    spec.limits.max_price_per_hour = money{100'000'000, currency::cny};
    return spec;
}

policy make_policy() {
    policy p;
    p.name = "bench";
    p.prices = {{"latency", 0.10, 0, 0}, {"green_power", 0.61, 0, 0}, {"carbon", 0.08, 0, 0}, {"time", 5, 0, 0}};
    p.counted_twice_meant = true;
    return p;
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

using length = std::chrono::duration<double>;

/// A week of hourly forecasts for every zone, and one more for the runs: a day's wave with noise.
signal_book make_signals(int zones) {
    std::mt19937_64 random(2);
    std::vector<signal_series> all;
    for (int zone = 0; zone < zones; ++zone) {
        signal_series one;
        one.zone = "zone-" + std::to_string(zone);
        one.source = "bench";
        one.quality = quality_class::modelled_hourly;
        const double mean = 300 + static_cast<double>(random() % 400);
        for (int h = 0; h < 2 * week_h; ++h) {
            const instant start{std::chrono::hours(h)};
            const double value = mean * (1 + 0.3 * std::sin(h * 0.2618)) + static_cast<double>(random() % 50);
            one.intervals.push_back({start, start + std::chrono::hours(1), value, true});
        }
        all.push_back(std::move(one));
    }
    signal_book book;
    book.receive("bench", std::move(all), {});
    return book;
}

/// p50 of what `once` takes in microseconds, over `time`.
template <class Once>
double p50_us(length time, Once once) {
    std::vector<double> took;
    for (const auto end = steady::now() + time; steady::now() < end;) {
        const auto from = steady::now();
        once();
        took.push_back(std::chrono::duration<double, std::micro>(steady::now() - from).count());
    }
    return median(std::move(took));
}

struct market {
    offer_book book;
    workload_spec spec = make_workload();
    policy rules = make_policy();
    decision_world world;

    explicit market(int providers) {
        std::mt19937_64 random(1);
        for (int p = 0; p < providers; ++p)
            book.replace_provider("provider-" + std::to_string(p), make_offers(random, p));
    }
    double decide_us(length time) const {
        return p50_us(time, [&] {
            if (decide(book, rules, built_in_terms(), spec, world).ranked.size() != ranked_max)
                throw std::runtime_error("a decision ranked too few");
        });
    }

    /// The Pareto set alone, over everything that passes.
    double pareto_us(length time) const {
        demand want;
        resolve(book, rules, built_in_terms(), spec, world, want);
        return p50_us(time, [&] {
            if (pareto_front(book, want).empty())
                throw std::runtime_error("nothing is feasible");
        });
    }
};

/// One pass over the columns that a decision reads of every offer: each value is added up, and nothing is decided.
double scan_us(const offer_book& book, length time) {
    const auto& cols = book.cols();
    std::uint64_t seen = 0;
    const double us = p50_us(time, [&] {
        std::uint64_t price = 0, free = 0, total = 0, shape = 0;
        for (std::size_t i = 0; i < cols.price_nanos.size(); ++i) {
            price += static_cast<std::uint64_t>(cols.price_nanos[i]);
            free += cols.free_narrow[i];
            total += cols.total_narrow[i];
            shape += cols.shape[i];
        }
        seen += price ^ free ^ total ^ shape;
        asm volatile("" : "+r"(seen));  // the sums are wanted
    });
    return us;
}

void measure_100k(length each, figure_table& into) {
    const market m(8);
    m.decide_us(length(0.2));
    for (std::size_t r = 0; r < runs; ++r) {
        const double decided = m.decide_us(each);
        into.add("decide_100k_p50_us", decided);
        into.add("decide_100k_over_scan", decided / scan_us(m.book, each / 4));
        into.add("pareto_100k_us", m.pareto_us(each / 4));
    }
}

/// The same decision with and without a choice among a week of starts, by turns.
void measure_168h(length each, figure_table& into) {
    const market plain(8);
    const signal_book signals = make_signals(8 * sites);
    market flexible(8);
    flexible.world.signals = &signals;
    flexible.spec.when.max_delay_s = flexible.rules.max_delay_s = week_h * 3600;
    flexible.decide_us(length(0.2));
    for (std::size_t r = 0; r < runs; ++r) {
        const double at_once = plain.decide_us(each / 2);
        into.add("decide_100k_168h_over_plain", flexible.decide_us(each / 2) / at_once);
    }
}

void measure_1m(length each, figure_table& into) {
    const market m(80);
    m.decide_us(length(0.2));
    for (std::size_t r = 0; r < runs; ++r)
        into.add("decide_1m_p50_us", m.decide_us(each));
}

}  // namespace

/// Usage: bench_decide [--quick] [NAME...]: five runs of 10 s each, of 0.1 s when quick; only what is named is
/// measured.
int main(int argc, char** argv) {
    const bench_words said = read_words(argc, argv);
    const length each(said.quick ? 0.1 : 10.0);
    figure_table figures({{"decide_100k_p50_us", "us", 150, false},
                          {"decide_100k_over_scan", "ratio", 5, false},
                          {"pareto_100k_us", "us", 2000, false},
                          {"decide_100k_168h_over_plain", "ratio", 10, false},
                          {"decide_1m_p50_us", "us", 3000, false}},
                         said.names);
    try {
        if (figures.wants({"decide_100k_p50_us", "decide_100k_over_scan", "pareto_100k_us"}))
            measure_100k(each, figures);
        if (figures.wants({"decide_100k_168h_over_plain"}))
            measure_168h(each, figures);
        if (figures.wants({"decide_1m_p50_us"}))
            measure_1m(each, figures);
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_decide: %s\n", failed.what());
        return 1;
    }
    figures.print();
    return 0;
}
