// What the first load and refreshes of 100 000 offers of one provider delay: the engine takes them over in pieces, and
// whoever asks for a decision waits behind one piece, or behind the view of the market that readers get. Times are the
// thread's own, so that other programs do not count. Prints one JSON object a line on standard output.
#include "broker/engine/engine.hpp"
#include "policies/table.hpp"
#include "tests/bench/figures.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace {

using namespace westerly;

constexpr int sites = 400, shapes = 250;
constexpr int refreshes = 5;

double thread_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Each time new objects; every price is another by `round`.
offer_list offers_of(int site_count, int round, instant as_of) {
    std::vector<offer> all;
    for (int s = 0; s < site_count; ++s)
        for (int k = 0; k < shapes; ++k) {
            offer o;
            char id[64];
            std::snprintf(id, sizeof id, "p/site-%03d/shape-%03d/on_demand", s, k);
            o.id = id;
            o.provider = "p";
            o.site.site = "site-" + std::to_string(s);
            o.site.region = "region-" + std::to_string(s);
            o.site.jurisdiction = "CN";
            o.site.green_power_share = sourced{0.3, "bench", quality_class::declared};
            o.site.carbon_g_per_kwh = sourced{500, "bench", quality_class::annual_provincial};
            o.vcpus = 1u << (k % 8);
            o.memory_mib = std::uint64_t{o.vcpus} * 4096;
            o.price = unit_price{
                o.vcpus * (100'000'000ll + (k * 7919 + s * 104'729 + round * 15'485'863) % 100'000'000), currency::cny};
            o.units_free = 1 + static_cast<std::uint64_t>((k + s + round) % 64);
            o.max_w = o.vcpus * 8.0;
            o.as_of = as_of;
            all.push_back(std::move(o));
        }
    return offer_list(std::move(all));
}

class bench {
public:
    explicit bench(int site_count) : site_count_(site_count) {
        policy cheapest;
        cheapest.name = "cheapest";
        give(policies_configured{{cheapest}, {}});
        provider_config config;
        config.id = "p";
        config.kind = "bench";
        give(providers_configured{{config}});
        provider_health health;
        health.id = "p";
        health.state = provider_state::ready;
        give(provider_reported{health});
    }

    /// The longest input until the whole list is taken over and shown.
    double refresh(int round) {
        longest_ = 0;
        auto list = offers_of(site_count_, round, now_);
        give(offers_received{"p", std::move(list)});
        const instant until = now_ + std::chrono::seconds(30);
        while (now_ < until) {
            now_ = std::max(now_ + milliseconds(1), core_.next_wake().value_or(until));
            give(tick{});
        }
        return longest_;
    }

private:
    void give(const input& in) {
        const double begun = thread_ms();
        const reaction made = core_.handle(in, now_, random_);
        longest_ = std::max(longest_, thread_ms() - begun);
    }

    int site_count_;
    instant now_{std::chrono::hours(24 * 365 * 50)};
    random_source random_{1};
    engine core_{{}, built_in_terms(), stored_state{}, now_};
    double longest_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const bench_words words = read_words(argc, argv);
    figure_table figures({{"refresh_100k_delay_ms", "ms", 5, false}}, words.names);
    bench b(words.quick ? sites / 40 : sites);
    double worst = b.refresh(0);
    std::fprintf(stderr, "  the first load %.1f ms\n", worst);
    for (int round = 1; round <= (words.quick ? 1 : refreshes); ++round)
        worst = std::max(worst, b.refresh(round));
    figures.add("refresh_100k_delay_ms", worst);
    figures.print();
}
