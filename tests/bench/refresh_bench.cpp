// What news delay: the first load and refreshes of 100 000 offers of one provider, which the engine takes over in
// pieces, and words about 300 grid zones. Whoever asks for a decision waits behind one piece, one word, or behind the
// view of the market that readers get. And what many certificates add to each decision. Times are the thread's own, so
// that other programs do not count. Prints one JSON object a line on standard output.
#include "broker/engine/engine.hpp"
#include "broker/ledger/certificates.hpp"
#include "policies/table.hpp"
#include "tests/bench/figures.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace {

using namespace westerly;

constexpr int sites = 400, shapes = 250;
constexpr int refreshes = 5;
constexpr int certificates_held = 10'000, grids = 8, offers_told = 9;
constexpr int zones = 300, hours_kept = 35 * 24, hours_told = 72, hours_ahead = 48, hours_heard = 26;

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

signal_series hours_of(int zone, instant from, int count, bool forecast) {
    signal_series told;
    told.zone = "ZONE-" + std::to_string(zone);
    told.source = "bench";
    told.quality = quality_class::measured_hourly;
    told.issued_at = told.received_at = from;
    for (int h = 0; h < count; ++h)
        told.intervals.push_back({from + std::chrono::hours(h), from + std::chrono::hours(h + 1),
                                  300.0 + (zone * 7 + h * 13) % 400, forecast});
    return told;
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

    /// The longest input of a day of words, one an hour about every zone, after five weeks of them: what was measured,
    /// and a forecast.
    double hear() {
        const auto word = [&](int past) {
            signals_received in{"signals/bench.json", {}};
            const instant hour = std::chrono::floor<std::chrono::hours>(now_);
            for (int z = 0; z < zones; ++z) {
                in.series.push_back(hours_of(z, hour - std::chrono::hours(past), past, false));
                in.series.push_back(hours_of(z, hour, hours_ahead, true));
            }
            give(in);
        };
        word(hours_kept);
        longest_ = 0;
        for (int hour = 0; hour < hours_heard; ++hour) {
            const instant next = std::chrono::floor<std::chrono::hours>(now_) + std::chrono::hours(1);
            while (now_ < next) {
                now_ = std::min(next, std::max(now_ + milliseconds(1), core_.next_wake().value_or(next)));
                give(tick{});
            }
            word(hours_told);
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

std::string numbered(const char* what, int number) {
    char text[32];
    std::snprintf(text, sizeof text, "%s-%05d", what, number);
    return text;
}

/// Of two years and eight grids, every second one begun by one of seven tenants.
void hold_many(certificate_ledger& into) {
    std::vector<certificate> all;
    for (int i = 0; i < certificates_held; ++i) {
        const std::chrono::year_month month = std::chrono::year(2025 + i % 24 / 12) / (i % 12 + 1);
        certificate& one = all.emplace_back();
        one.id = numbered("certificate", i);
        one.grid = numbered("grid", i % grids);
        one.mwh = 10;
        one.generated_from = std::chrono::sys_days(month / 1);
        one.generated_to = std::chrono::sys_days((month + std::chrono::months(1)) / 1);
        one.expires_at = one.generated_from + std::chrono::days(730);
        one.contract_g_per_kwh = i % 3;
        one.period = matching_period::year;
    }
    into.replace(std::move(all));
    for (int i = 0; i < certificates_held; i += 2)
        into.enter({numbered("certificate", i), numbered("tenant", i % 7), 1'500'000'000});
}

/// What a decision does with them: those of the grids of its offers, and what they cover of each. Median, in us.
double count_certificates(int times) {
    certificate_ledger ledger;
    hold_many(ledger);
    const std::vector<std::string> asked{numbered("grid", 1), numbered("grid", 3), numbered("grid", 5)};
    const instant from = std::chrono::sys_days(std::chrono::year(2026) / 6 / 1), to = from + std::chrono::hours(20);
    std::vector<double> took;
    for (int i = 0; i < times; ++i) {
        const double begun = thread_ms();
        const auto there = ledger.allocable(numbered("tenant", 3), asked, from, to);
        std::int64_t covered = 0;
        for (int k = 0; k < offers_told; ++k)
            covered +=
                cover(there, asked[static_cast<std::size_t>(k) % asked.size()], from, to, 5'000'000, to).microkwh;
        took.push_back((thread_ms() - begun) * 1e3);
        if (covered == 0)
            std::fprintf(stderr, "  nothing was covered\n");
    }
    std::ranges::nth_element(took, took.begin() + times / 2);
    return took[static_cast<std::size_t>(times / 2)];
}

}  // namespace

int main(int argc, char** argv) {
    const bench_words words = read_words(argc, argv);
    figure_table figures({{"refresh_100k_delay_ms", "ms", 5, false},
                          {"signals_300_delay_ms", "ms", 5, false},
                          {"certificates_10k_us", "us", 0, false}},
                         words.names);
    bench b(words.quick ? sites / 40 : sites);
    if (figures.wants({"refresh_100k_delay_ms"})) {
        double worst = b.refresh(0);
        std::fprintf(stderr, "  the first load %.1f ms\n", worst);
        for (int round = 1; round <= (words.quick ? 1 : refreshes); ++round)
            worst = std::max(worst, b.refresh(round));
        figures.add("refresh_100k_delay_ms", worst);
    }
    if (figures.wants({"signals_300_delay_ms"}))
        figures.add("signals_300_delay_ms", b.hear());
    if (figures.wants({"certificates_10k_us"}))
        figures.add("certificates_10k_us", count_certificates(words.quick ? 5 : 1000));
    figures.print();
}
