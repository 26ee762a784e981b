#include "tools/simulate/options.hpp"

#include "broker/codec/config_json.hpp"
#include "broker/codec/facts_json.hpp"
#include "broker/support/embedded.hpp"
#include "broker/support/files.hpp"
#include "policies/table.hpp"
#include "tools/simulate/core/chart.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

namespace westerly {

namespace {

constexpr double default_time_price = 5;  // CNY per hour, of the shipped policy `balanced`

constexpr std::pair<std::string_view, tick_rule> rule_names[] = {{"one-by-one", tick_rule::one_by_one},
                                                                 {"first-fit", tick_rule::first_fit},
                                                                 {"round-robin", tick_rule::round_robin},
                                                                 {"cheapest-by-hour", tick_rule::cheapest_hour},
                                                                 {"nearest-first", tick_rule::nearest_first}};

std::string_view base_name(const std::string& path) {
    return std::string_view(path).substr(path.rfind('/') + 1);
}

result<policy> read_policy(const std::string& word) {
    std::string text;
    if (const auto shipped = embedded_file("policies/" + word + ".json")) {
        text = *shipped;
    } else {
        auto read = read_file(word, config_json_max);
        if (!read)
            return fail(read.error().code, word + ": neither a shipped policy nor a file that can be read");
        text = std::move(*read);
    }
    auto made = decode_policy(std::filesystem::path(word).stem().string(), text);
    if (!made) {
        const auto& faults = made.error().faults;
        return fail(errc::invalid,
                    word + ": " + (faults.empty() ? made.error().detail : faults[0].pointer + " " + faults[0].message));
    }
    if (const auto checked = check_policy(*made, built_in_terms()); !checked)
        return fail(errc::invalid, word + ": " + checked.error().detail);
    return made;
}

double time_price(const policy& rules) {
    for (const priced_term& term : rules.prices)
        if (term.term == "time")
            return term.per_unit;
    return 0;
}

/// "3 (other shape), 1 (no price)"
std::string left_out_in_words(const supply& from) {
    std::string text;
    for (const auto& [why, count] : from.left_out)
        text += (text.empty() ? "" : ", ") + in_words(static_cast<double>(count)) + " (" + why + ")";
    return text;
}

/// No RTT is known to a region that nothing knows, and every policy that weighs it would pass all offers over.
result<void> check_origin(const std::string& region, const supply& from) {
    const auto facts = decode_regions(embedded_file("schema/facts/regions.json").value()).value();
    if (region.empty() || knows_region(facts, region))
        return {};
    nearest_region meant(region);
    for (const region_place& fact : facts)
        meant.look_at(fact.region);
    for (const offer& o : from.offers) {
        meant.look_at(o.site.region);
        bool known = o.site.region == region;
        for (const auto& [to, ms] : o.site.rtt_ms) {
            known = known || to == region;
            meant.look_at(to);
        }
        if (known)
            return {};
    }
    return fail(errc::invalid, "--origin: neither facts nor sites nor --rtt know the region \"" + region + '"',
                meant.found().empty() ? "" : "did you mean \"" + meant.found() + "\"?");
}

}  // namespace

bool read_options(int argc, char** argv, simulate_options& use, int& code) {
    CLI::App app{"Replays a trace of workloads against offers, prices and carbon under policies, in virtual time.",
                 "westerly-simulate"};
    app.add_option("--trace", use.trace, "CSV (plain or .gz), SWF, or our own list of workloads as JSON");
    app.add_option("--offers", use.offers,
                   "a price catalogue (CSV), a provider file of kind catalogue, or a folder of those");
    app.add_option("--story", use.story, "instead of a trace: east-west, 200 workloads over the eight hubs")
        ->check(CLI::IsMember({"east-west"}));
    app.add_option("--carbon", use.carbon, "hourly carbon intensity by grid zone (CSV: zone, utc, ci_direct_g_kwh)");
    app.add_option("--rtt", use.rtt, "measured RTT between regions (CSV: provider, src, dst, rtt_ms or rtt_ms_p50)");
    app.add_option("--policy", use.policies, "a shipped policy's name or a policy file; several to compare");
    app.add_option("--baseline", use.baselines, "one-by-one, first-fit, round-robin, cheapest-by-hour, nearest-first")
        ->check(CLI::IsMember({"one-by-one", "first-fit", "round-robin", "cheapest-by-hour", "nearest-first"}));
    app.add_option("--through", use.through,
                   "engine: policies through the broker's engine; placement: tick by tick by placement alone, which "
                   "the yardstick needs; both (default)")
        ->check(CLI::IsMember({"engine", "placement", "both"}));
    app.add_flag("--turns", use.turns, "policies in price form also by turns (fair share)");
    app.add_option("--sweep-carbon", use.sweep, "prices of carbon, CNY per kg: one run each")->delimiter(',');
    app.add_option("--begin", use.begin,
                   "when the trace begins (RFC 3339); else when the first workload of our own list was created, or "
                   "2021-01-01T00:00:00Z");
    app.add_option("--accelerator", use.catalogue.accelerator, "only offers of this model; 'none': without cards");
    app.add_option("--instances", use.catalogue.instance_prefixes,
                   "only instance types (of provider files: offers' names) that begin so")
        ->delimiter(',');
    app.add_option("--providers", use.catalogue.providers, "only these providers (of provider files: their names)")
        ->delimiter(',');
    app.add_option("--units-per-offer", use.catalogue.units_per_offer,
                   "capacity of each offer of a CSV catalogue (assumed)")
        ->check(CLI::Range(1u, 1'000'000u));
    app.add_flag("--spot", use.catalogue.spot, "spot prices of a CSV catalogue as offers of their own");
    app.add_option("--origin", use.origin_region, "where users are: a region that facts, sites or --rtt know");
    app.add_option("--interactive-below-s", use.traced.interactive_below_s,
                   "work shorter than this is waited for: latency counts");
    app.add_option("--input-gib", use.traced.input_gib, "data that each workload reads");
    app.add_option("--input-region", use.traced.input_region, "where that lies");
    double days = 40;
    app.add_option("--duration-max-days", days, "longer work is left out");
    app.add_option("--tick-s", use.tick_s, "work starts at ticks only")->check(CLI::Range(10u, 86'400u));
    app.add_option("--horizon", use.horizon, "ticks that an assignment looks ahead")->check(CLI::Range(1u, 1'000u));
    app.add_option("--max-wait-h", use.max_wait_h, "the longest wait that is not late");
    app.add_option("--usd-cny", use.usd_cny, "CNY for one USD")->check(CLI::PositiveNumber);
    app.add_option("--certificates", use.certificates, "where the bounds' proofs go (JSON lines, gzipped)");
    app.add_option("--csv", use.csv, "the table as CSV");
    app.add_option("--html", use.html, "the page with charts");
    app.add_option("--title", use.title, "of the page");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        code = app.exit(e) == 0 ? 0 : 2;
        return false;
    }
    if (use.story.empty() && (use.trace.empty() || use.offers.empty())) {
        std::fputs("westerly-simulate: --trace and --offers are needed, or --story; --help tells more\n", stderr);
        code = 2;
        return false;
    }
    if (use.policies.empty() && use.baselines.empty() && use.sweep.empty())
        use.policies = {"balanced"};
    use.traced.duration_max_s = days * 86'400;
    use.traced.accelerator = use.catalogue.accelerator == "none" ? "" : use.catalogue.accelerator;
    if (!use.origin_region.empty())
        use.traced.from = origin{use.origin_region, {}};
    return true;
}

result<void> settle_begin(simulate_options& use) {
    if (!use.begin.empty())
        return {};
    const auto trace = trace_reader::open(use.trace, use.traced);
    if (!trace)
        return trace.error();
    use.begin = trace->begin() ? format_rfc3339(*trace->begin()) : "2021-01-01T00:00:00Z";
    return {};
}

result<void> read_supply(const simulate_options& use, supply& into) {
    for (const std::string& path : use.offers) {
        const bool table = path.ends_with(".csv") || path.ends_with(".csv.gz");
        if (auto read = table ? read_catalogue(path, use.catalogue, into) : read_providers(path, use.catalogue, into);
            !read)
            return read;
    }
    if (into.offers.empty())
        return fail(errc::invalid,
                    "no offers are left; left out: " + (into.left_out.empty() ? "none" : left_out_in_words(into)));
    if (!use.rtt.empty())
        if (auto read = read_rtts(use.rtt, into); !read)
            return read;
    return check_origin(use.origin_region, into);
}

run_setup setup_of(const simulate_options& use, const policy& rules, tick_rule how) {
    run_setup setup;
    setup.name = rules.name;
    setup.rules = rules;
    setup.how = how;
    setup.begin = parse_rfc3339(use.begin).value();
    setup.tick_s = use.tick_s;
    setup.horizon = use.horizon;
    setup.max_wait_s = use.max_wait_h * 3600;
    setup.later_price_per_h = time_price(rules);
    setup.rates.usd_nanos = static_cast<std::int64_t>(use.usd_cny * 1e9);
    setup.rates.source = "--usd-cny";
    setup.regions = decode_regions(embedded_file("schema/facts/regions.json").value()).value();
    return setup;
}

result<std::vector<run_setup>> runs_of(const simulate_options& use) {
    if (const auto begin = parse_rfc3339(use.begin); !begin)
        return fail(errc::invalid, "--begin: " + begin.error().detail);
    std::vector<run_setup> runs;
    for (const std::string& word : use.policies) {
        const auto rules = read_policy(word);
        if (!rules)
            return rules.error();
        if (use.through != "placement") {
            runs.push_back(setup_of(use, *rules, tick_rule::by_cost));
            runs.back().through_engine = true;
            if (use.through == "engine")
                continue;
        }
        // An order has no sum to minimise: each takes its turn there.
        runs.push_back(setup_of(use, *rules, rules->ordered() ? tick_rule::by_turns : tick_rule::by_cost));
        runs.back().name += ", by ticks";
        if (use.turns && !rules->ordered()) {
            runs.push_back(setup_of(use, *rules, tick_rule::by_turns));
            runs.back().name += ", by turns";
        }
    }
    const auto cheapest = read_policy("cheapest");
    if (!cheapest)
        return cheapest.error();
    for (const std::string& word : use.baselines)
        for (const auto& [name, how] : rule_names)
            if (name == word) {
                runs.push_back(setup_of(use, *cheapest, how));
                runs.back().name = word;
                runs.back().hindsight = false;
            }
    return runs;
}

policy sweep_policy(const simulate_options&, double price) {
    policy rules;
    rules.name = "sweep";
    rules.prices = {{"time", default_time_price}, {"carbon", price}};
    return rules;
}

report_head head_of(const simulate_options& use, const supply& from,
                    const std::map<std::string, std::size_t>& left_out) {
    report_head head;
    head.title = use.title.empty() ? "Simulation of " + std::string(base_name(use.trace)) : use.title;
    std::string offers = in_words(static_cast<double>(from.offers.size())) + " offers";
    if (!from.left_out.empty())
        offers += ", left out " + left_out_in_words(from);
    head.facts.push_back(offers);
    head.facts.push_back("capacity of each offer of a catalogue: " + std::to_string(use.catalogue.units_per_offer) +
                         " units, assumed; runtimes are known as the trace has them");
    head.facts.push_back("work starts every " + std::to_string(use.tick_s) + " s from " + use.begin +
                         " on; late is later than " + in_words(use.max_wait_h) + " h; 1 USD is " +
                         in_words(use.usd_cny) + " CNY");
    for (const auto& [why, count] : left_out)
        head.facts.push_back("workloads left out: " + in_words(static_cast<double>(count)) + " (" + why + ")");
    head.sources.push_back("trace: " + std::string(base_name(use.trace)));
    for (const auto& path : use.offers)
        head.sources.push_back("prices: " + std::string(base_name(path)));
    head.sources.push_back(use.carbon.empty() ? "carbon: the sites' own factors"
                                              : "carbon by hour: " + std::string(base_name(use.carbon)));
    head.sources.push_back(
        "power: data sheets of the cards and 10 W a processor where offers state none; PUE: "
        "schema/facts/cloud_grids.json, 1.5 where unknown");
    head.sources.push_back(use.rtt.empty()
                               ? "RTT: estimated from coordinates (median error 3 ms up to 3000 km)"
                               : "RTT: " + std::string(base_name(use.rtt)) + ", else estimated from coordinates");
    return head;
}

}  // namespace westerly
