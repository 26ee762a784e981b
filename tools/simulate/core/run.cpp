#include "tools/simulate/core/run.hpp"

#include "broker/domain/owned.hpp"
#include "policies/table.hpp"
#include "tools/simulate/core/run_state.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {

namespace {

bool policy_reads_carbon(const policy& rules) {
    const auto reads = [](const auto& part) {
        const term* known = find_term(built_in_terms(), part.term);
        return known != nullptr && (known->reads & reads_carbon) != 0;
    };
    return std::ranges::any_of(rules.prices, reads) || std::ranges::any_of(rules.order_batch, reads) ||
           std::ranges::any_of(rules.order_interactive, reads) || std::ranges::any_of(rules.order_service, reads) ||
           (rules.within_of_least && reads(*rules.within_of_least));
}

std::vector<offer> in_book_order(const offer_book& book) {
    std::vector<offer> list;
    for (std::size_t i = 0; i < book.size(); ++i)
        list.push_back(book.at(i));
    return list;
}

std::vector<std::uint64_t> totals_of(const offer_book& book) {
    std::vector<std::uint64_t> totals;
    for (std::size_t i = 0; i < book.size(); ++i)
        totals.push_back(book.total_units(i));
    return totals;
}

std::vector<std::optional<price_curve>> curves_of(const std::vector<offer>& offers) {
    std::vector<std::optional<price_curve>> curves(offers.size());
    for (std::size_t i = 0; i < offers.size(); ++i)
        if (has_hourly_prices(offers[i]))
            curves[i].emplace(offers[i].price->nanos, offers[i].schedule);
    return curves;
}

}  // namespace

void quantiles::add(double value) {
    // Bin 0: below 0.001; then 2 % wide each, up to about 600 000.
    const double bin = value < 1e-3 ? 0 : 1 + std::log(value / 1e-3) / std::log(1.02);
    ++bins_[std::min(static_cast<std::size_t>(bin), bins_.size() - 1)];
    ++count_;
    sum_ += value;
    most_ = std::max(most_, value);
}

double quantiles::at(double share) const {
    std::uint64_t before = 0;
    for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
        before += bins_[bin];
        if (count_ > 0 && static_cast<double>(before) >= share * static_cast<double>(count_))
            return bin == 0 ? 0 : std::min(most_, 1e-3 * std::pow(1.02, static_cast<double>(bin) - 0.5));
    }
    return 0;
}

run_state::run_state(const supply& from, const carbon_series& signals, const run_setup& with)
    : carbon(signals),
      setup(with),
      book(from.book()),
      reads_carbon(policy_reads_carbon(with.rules)),
      offers(in_book_order(book)),
      curves(curves_of(offers)),
      prices_by_hour(book.prices_by_hour()),
      pools(totals_of(book)),
      unit_hours(book.size(), 0.0),
      remembers(with.hindsight) {
    made.name = with.name;
    made.policy_version = with.rules.version;
}

std::uint32_t run_state::ticks_of(const waiting_job& w, const feasible_offer& way) const noexcept {
    const double held_s =
        static_cast<double>(way.finish_ms - way.delay_ms - w.judged_at.time_since_epoch().count()) / 1000.0;
    return static_cast<std::uint32_t>(std::max(1.0, std::ceil(held_s / setup.tick_s)));
}

/// When its wait is over, which counts from its earliest start.
instant wait_ends(const waiting_job& w) {
    const timing& when = w.job.spec.when;
    return std::max(w.asked_at, when.earliest_start_at.value_or(w.asked_at)) + std::chrono::seconds(*when.max_wait_s);
}

std::uint64_t run_state::ticks_left(const waiting_job& w, const feasible_offer& way) const noexcept {
    const timing& when = w.job.spec.when;
    const auto ticks = [&](std::int64_t ms) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(ms / tick_ms(), 0));
    };
    std::uint64_t left = std::numeric_limits<std::uint32_t>::max();
    if (when.deadline_at)
        left = std::min(
            left, ticks(when.deadline_at->time_since_epoch().count() - way.late_ms - (way.finish_ms - way.delay_ms)));
    if (when.max_wait_s)
        left = std::min(left, ticks((wait_ends(w) - w.judged_at).count()));
    return left;
}

double run_state::cost_at_once(const waiting_job& w, const feasible_offer& way) const noexcept {
    return way.hours == price_is_one ? way.cost_base : w.hours[way.hours].at(0).cost_base;
}

void run_state::judge(waiting_job& w) {
    w.judged_at = time_of(tick);
    const instant hour = std::chrono::floor<std::chrono::hours>(w.judged_at);
    if (reads_carbon && hour != book_hour && !carbon.empty()) {
        book_hour = hour;
        supply now;
        now.offers = offers;
        for (offer& o : now.offers)
            if (const auto value = carbon.at(o.site.grid_zone, hour))
                o.site.carbon_g_per_kwh = sourced{*value, "hourly series", quality_class::measured_hourly};
        book = now.book();
    }
    decision_world world;
    world.now = w.judged_at;
    world.asked_at = w.asked_at;
    world.rates = setup.rates;
    world.regions = setup.regions;
    w.ways = feasible_offers(book, setup.rules, built_in_terms(), w.job.spec, world, &w.hours);
    for (const feasible_offer& way : w.ways)
        if (way.hours != price_is_one)
            w.hours[way.hours].prices = &*curves[way.index];  // which the book's may not outlive
}

void run_state::start(const waiting_job& w, const feasible_offer& way) {
    const std::uint32_t ticks = ticks_of(w, way);
    pools.start(way.index, way.units, tick + ticks);
    first_tick = std::min(first_tick, tick);
    last_end_tick = std::max(last_end_tick, tick + ticks);
    const double lead_s = static_cast<double>(way.start_ms - w.judged_at.time_since_epoch().count()) / 1000.0;
    const double wait_s = std::chrono::duration<double>(time_of(tick) - setup.begin).count() - w.ready_s + lead_s;
    const double cost = cost_at_once(w, way);

    ++made.started;
    if (setup.chose)
        setup.chose(w.number, offers[way.index].id);
    made.money += cost;
    unit_hours[way.index] += static_cast<double>(way.units) * w.job.duration_s / 3600.0;
    made.wait_s.add(std::max(0.0, wait_s));
    if (!std::isnan(way.rtt_ms))
        made.rtt_ms.add(way.rtt_ms);
    if (wait_s - lead_s > setup.max_wait_s + setup.tick_s) {
        ++made.late;
        made.lateness_s += wait_s - lead_s - setup.max_wait_s;
    }
    const instant begins = time_of(tick) + std::chrono::milliseconds(std::llround(lead_s * 1000));
    const instant ends = begins + std::chrono::milliseconds(std::llround(w.job.duration_s * 1000));
    power_facts facts{.pue = way.pue, .green_power_share = way.green_share, .carbon_g_per_kwh = std::nan("")};
    if (const auto hourly = carbon.mean(offers[way.index].site.grid_zone, begins, ends)) {
        facts.carbon_g_per_kwh = *hourly;
    } else if (const auto& annual = offers[way.index].site.carbon_g_per_kwh) {
        facts.carbon_g_per_kwh = annual->value;
        ++made.annual_factor_jobs;
    }
    const facility_energy used = facility_of(way.it_kwh, facts);
    if (std::isnan(used.kwh) || std::isnan(used.carbon_kg)) {
        ++made.unknown_energy_jobs;
    } else {
        made.energy_kwh += used.kwh;
        made.non_green_kwh += used.non_green_kwh;
        made.location_kg += used.carbon_kg;
        made.market_kg += used.non_green_kwh * facts.carbon_g_per_kwh / 1000.0;
    }
    user_sum& user = user_sums[w.user];
    user.slowdown += (std::max(0.0, wait_s) + w.job.duration_s) / std::max(w.job.duration_s, bounded_slowdown_least_s);
    ++user.jobs;
    accounts[w.user].used += cost;
    remember(w, way);
}

namespace {

void close_books(run_state& run) {
    outcome& made = run.made;
    double used = 0, available = 0;
    const double span_h = run.last_end_tick > run.first_tick
                              ? static_cast<double>(run.last_end_tick - run.first_tick) * run.setup.tick_s / 3600.0
                              : 0;
    for (std::uint32_t p = 0; p < run.pools.size(); ++p)
        if (run.pools.used(p) && run.pools.total(p) != run_pools::no_limit) {
            used += run.unit_hours[p];
            available += static_cast<double>(run.pools.total(p)) * span_h;
        }
    made.utilisation = available > 0 ? used / available : 0;
    double sum = 0, squares = 0;
    for (const auto& user : run.user_sums)
        if (user.jobs > 0) {
            const double speed = static_cast<double>(user.jobs) / user.slowdown;
            sum += speed;
            squares += speed * speed;
            ++made.users;
        }
    made.jain = made.users > 0 ? sum * sum / (static_cast<double>(made.users) * squares) : 1;
    if (run.priced() && run.remembers && !run.remembered.empty())
        made.hindsight = judge_in_hindsight(run);
}

/// Why it will never start; nullptr: it may.
const char* hopeless(const run_state& run, const waiting_job& w) {
    const timing& when = w.job.spec.when;
    const instant now = run.time_of(run.tick);
    // The tick at which it comes is at once, however short its wait may be.
    if (when.max_wait_s && now > wait_ends(w) && (run.tick > w.came_tick || w.ready_s > w.job.submit_s))
        return waited_too_long;
    if (!w.ways.empty())
        return nullptr;
    if (when.deadline_at && run.tick > w.came_tick)
        return "can meet its deadline no more";
    // Another hour may let it start where this one's price does not: a week has them all.
    const bool waits_for_a_price = run.prices_by_hour && (w.job.spec.limits.max_price_per_hour || w.job.spec.budget) &&
                                   (run.tick - w.came_tick) * run.setup.tick_s <= 7 * 86'400;
    return waits_for_a_price ? nullptr : "no offer passes the filters";
}

void give_up(run_state& run) {
    std::erase_if(run.queue, [&](const waiting_job& w) {
        const char* const why = hopeless(run, w);
        if (why != nullptr) {
            ++run.made.unplaceable;
            ++run.made.why_unplaceable[why];
        }
        return why != nullptr;
    });
}

/// Whether what it was judged by is another now.
bool outdated(const run_state& run, const waiting_job& w) {
    const instant now = run.time_of(run.tick);
    if (run.prices_by_hour || w.job.spec.when.deadline_at)
        return w.judged_at != now;
    return run.reads_carbon &&
           std::chrono::floor<std::chrono::hours>(w.judged_at) != std::chrono::floor<std::chrono::hours>(now);
}

void submit(run_state& run, traced_job job) {
    waiting_job w;
    w.number = run.made.submitted++;
    w.job = std::move(job);
    w.ready_s = w.job.ready_s();
    if (!run.together())
        w.job.spec.when.max_delay_s.reset();
    begin_at(run.setup.begin, w.job.spec);
    w.asked_at = run.setup.begin + std::chrono::milliseconds(std::llround(w.job.submit_s * 1000));
    const auto [user, is_new] = run.users.try_emplace(w.job.user, static_cast<std::uint32_t>(run.accounts.size()));
    if (is_new) {
        run.accounts.push_back({});
        run.user_sums.push_back({});
    }
    w.user = user->second;
    run.not_yet.emplace(w.ready_s, std::move(w));
}

/// Those that may start from now on join the queue.
void take_in(run_state& run) {
    const double now_s = static_cast<double>(run.tick) * run.setup.tick_s;
    const auto later = run.not_yet.upper_bound(now_s);
    for (auto at = run.not_yet.begin(); at != later; ++at) {
        waiting_job& w = run.queue.emplace_back(std::move(at->second));
        w.came_tick = run.tick;
        run.judge(w);
    }
    run.not_yet.erase(run.not_yet.begin(), later);
}

}  // namespace

result<outcome> run_trace(trace_reader& trace, const supply& from, const carbon_series& carbon,
                          const run_setup& setup) {
    run_state run(from, carbon, setup);
    std::optional<traced_job> ahead;
    const auto read_ahead = [&]() -> result<void> {
        auto found = trace.next();
        if (!found)
            return found.error();
        ahead = std::move(*found);
        return {};
    };
    if (auto read = read_ahead(); !read)
        return read.error();
    double decayed_at_s = 0;
    while (ahead || !run.queue.empty() || !run.not_yet.empty()) {
        if (run.queue.empty()) {  // nothing happens until somebody comes
            const double comes_s =
                std::min(ahead ? ahead->submit_s : std::numeric_limits<double>::infinity(),
                         run.not_yet.empty() ? std::numeric_limits<double>::infinity() : run.not_yet.begin()->first);
            run.tick = std::max(run.tick, static_cast<std::uint64_t>(std::ceil(comes_s / setup.tick_s)));
        }
        run.pools.advance(run.tick);
        const double now_s = static_cast<double>(run.tick) * setup.tick_s;
        for (assign_account& account : run.accounts)
            account.used = decayed_use(account.used, now_s - decayed_at_s);
        decayed_at_s = now_s;
        while (ahead && ahead->submit_s <= now_s) {
            submit(run, std::move(*ahead));
            if (auto read = read_ahead(); !read)
                return read.error();
        }
        take_in(run);
        for (waiting_job& w : run.queue)
            if (outdated(run, w))
                run.judge(w);
        give_up(run);
        const std::vector<std::int32_t> starts = run.together() ? assign_tick(run) : one_at_a_time(run);
        ++run.made.ticks;
        std::deque<waiting_job> left;
        for (std::size_t j = 0; j < run.queue.size(); ++j)
            if (starts[j] >= 0)
                run.start(run.queue[j], run.queue[j].ways[static_cast<std::size_t>(starts[j])]);
            else
                left.push_back(std::move(run.queue[j]));
        run.queue = std::move(left);
        ++run.tick;
    }
    close_books(run);
    return std::move(run.made);
}

}  // namespace westerly
