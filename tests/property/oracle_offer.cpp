#include "tests/property/oracle_offer.hpp"

#include <algorithm>

namespace westerly::laws {

double judge_of_one::stated_s() const {
    double s = static_cast<double>(s_.work.runtime_s.value_or(w_.rules.default_runtime_s));
    return s_.when.max_runtime_s ? std::min(s, static_cast<double>(*s_.when.max_runtime_s)) : s;
}

const run_time& judge_of_one::run() const {
    if (!run_)
        run_ = service() ? run_time{3600, 3600, {}}
                         : run_time_on(w_, o_, static_cast<double>(fit_.cards()), fit_.units_taken(), stated_s());
    return *run_;
}

double judge_of_one::billed_s() const {
    if (service())
        return 3600;
    const double paid_s = run().powered_s + (paid_while_brought() ? brought_ms() / 1000 : 0);
    const double whole = std::ceil(paid_s * (1 - 1e-12));
    return std::max(std::ceil(whole / o_.increment_s) * o_.increment_s, static_cast<double>(o_.minimum_s));
}

double judge_of_one::egress() const {
    const auto per_gib = [this](const std::optional<money>& price) {
        return price ? static_cast<double>(price->micros) / 1e6 * to_base_rate(price->unit) : 0;
    };
    double sum = 0;
    for (const auto& in : s_.inputs)
        if (in.region != o_.site.region)
            sum += in.size_gib * (per_gib(in.egress_per_gib) + per_gib(o_.site.staging_per_gib));
    const double stay_h = static_cast<double>(s_.work.runtime_s.value_or(30 * 86'400)) / 3600;
    return service() ? sum / stay_h : sum;
}

std::optional<unit_price> judge_of_one::compared() const {
    if (!owned())
        return o_.price;
    return o_.supply.shadow_price.value_or(unit_price{});
}

std::optional<unit_price> judge_of_one::billed() const {
    if (!owned() || !o_.supply.fee)
        return o_.price;
    const long double hours = o_.supply.fee->term == reservation_term::month ? 720 : 8760;
    const long double nanos = static_cast<long double>(o_.supply.fee->per_unit.micros) * 1000 / hours;
    return unit_price{static_cast<std::int64_t>(std::nearbyintl(nanos)), o_.supply.fee->per_unit.unit};
}

const plain_hours& judge_of_one::hours() const {
    if (!hours_)
        hours_.emplace(o_);
    return *hours_;
}

std::int64_t judge_of_one::charge() const {
    if (!hourly())
        return cumulative_micros(billed().value_or(unit_price{}), static_cast<std::uint64_t>(fit_.units()),
                                 milliseconds(billed_ms()));
    return static_cast<std::int64_t>(divide_half_even(nano_ms() * static_cast<wide>(fit_.units()), 3'600'000'000));
}

bool judge_of_one::stale(double times) const {
    return o_.stale_after_s > 0 && o_.as_of != instant{} &&
           w_.around.now - o_.as_of >= times * std::chrono::duration<double>(o_.stale_after_s);
}

double judge_of_one::finish_ms() const {
    const double before = o_.queue_wait_s * 1000.0 + brought_ms();
    return asked_ms() + before + run_ms() + delay_ms_;
}

const fates& judge_of_one::ends() const {
    if (fates_)
        return *fates_;
    fates& all = fates_.emplace();
    all.asked = asked_ms();
    all.wait = o_.queue_wait_s * 1000.0;
    all.wait_p90 = o_.queue_wait_p90_s * 1000.0;
    all.moving = brought_ms();
    all.run = run_ms();
    const run_time slow = run_time_on(w_, o_, static_cast<double>(fit_.cards()), fit_.units_taken(), stated_s(), true);
    all.run_p90 = std::max(all.run, slow.why_not ? 1e13 : std::ceil(slow.wall_s * (1 - 1e-12)) * 1000);
    if (s_.work.runtime_p90_s && s_.work.runtime_s.value_or(0) > 0)
        all.run_p90 *=
            std::max(1.0, static_cast<double>(*s_.work.runtime_p90_s) / static_cast<double>(*s_.work.runtime_s));
    if (s_.when.max_runtime_s && !s_.work.reference)
        all.run_most = std::max(all.run, static_cast<double>(*s_.when.max_runtime_s) * 1e3);
    return all;
}

std::optional<double> judge_of_one::green_share() const {
    const auto& told = o_.site.green_power_share;
    return told && told->quality != quality_class::default_value ? std::optional(told->value) : std::nullopt;
}

const signal_series* judge_of_one::signal() const {
    for (const auto& s : w_.hourly)
        if (s.zone == o_.site.grid_zone && !(own_carbon() && own_carbon()->quality < s.quality))
            return &s;
    return nullptr;
}

double judge_of_one::looked_at_ms() const {
    if (!service())
        return run_ms();
    return std::max(1.0, static_cast<double>(s_.work.runtime_s.value_or(30 * 24 * 3600))) * 1000;
}

std::pair<double, double> judge_of_one::over_run() const {
    const double from = finish_ms() - run_ms(), to = from + looked_at_ms();
    std::pair<double, double> sum{0, 0};
    for (const auto& piece : signal()->intervals) {
        const double a = std::max(from, static_cast<double>(piece.start_at.time_since_epoch().count()));
        const double b = std::min(to, static_cast<double>(piece.end_at.time_since_epoch().count()));
        if (b > a)
            sum = {sum.first + piece.value * (b - a), sum.second + (b - a)};
    }
    return sum;
}

judge_of_one::amount judge_of_one::intensity() const {
    const amount own = own_carbon() ? amount(own_carbon()->value) : amount();
    if (!signal())
        return own;
    const auto [sum, covered] = over_run();
    if (own && looked_at_ms() > 0)
        return (sum + *own * (looked_at_ms() - covered)) / looked_at_ms();
    if (covered > 0)
        return sum / covered;
    if (own)
        return own;
    double all = 0, length = 0;
    for (const auto& piece : signal()->intervals) {
        const auto ms = static_cast<double>((piece.end_at - piece.start_at).count());
        all += piece.value * ms;
        length += ms;
    }
    return all / length;
}

bool judge_of_one::weighs(std::string_view term) const {
    const auto named = [&](const auto& t) {
        return t.term == term;
    };
    return std::any_of(w_.rules.prices.begin(), w_.rules.prices.end(), named) ||
           std::any_of(order().begin(), order().end(), named);
}

judge_of_one::amount judge_of_one::facility_kwh() const {
    if (!o_.max_w)
        return {};
    const double idle = o_.idle_w.value_or(*o_.max_w);
    const double watts = idle + s_.work.utilisation.value_or(1) * (*o_.max_w - idle);
    return watts * fit_.units() * (run().powered_s / 3600) / 1000 * (o_.site.pue ? o_.site.pue->value : 1.5);
}

judge_of_one::amount judge_of_one::non_green() const {
    const auto kwh = facility_kwh();
    const double share = green_share().value_or(0);
    return kwh ? amount(*kwh * (1 - share)) : amount();
}

judge_of_one::amount judge_of_one::carbon() const {
    const auto kwh = facility_kwh();
    const auto factor = intensity();
    return kwh && factor ? amount(*kwh * *factor / 1000) : amount();
}

judge_of_one::amount judge_of_one::lost() const {
    if (!run().saves && o_.mode == billing_mode::spot && !o_.supply.hazard.spot_per_h)
        return {};
    if (!service())
        return run().lost;
    return -std::expm1(-hazard_per_h(o_, static_cast<double>(fit_.cards()), fit_.units_taken(), 1));
}

double judge_of_one::late() const {
    const auto& due = s_.when.deadline_at;
    return due && !service() ? ends().late(static_cast<double>(due->time_since_epoch().count()) - delay_ms_) : 0;
}

judge_of_one::amount judge_of_one::quantity(const std::string& term) const {
    const double hours = std::ceil(run().wall_s * (1 - 1e-12)) / 3600;
    if (term == "latency") {
        const auto ms = place_.rtt();
        return !latency_weighed() ? amount(0) : ms ? amount(*ms * s_.tasks * hours) : amount();
    }
    if (term == "rtt")
        return latency_weighed() ? place_.rtt_p95() : amount(0);
    if (term == "green_power" || term == "non_green_energy")
        return non_green();
    if (term == "carbon")
        return carbon();
    if (term == "time" && s_.when.target_at && !service())
        return std::max(0.0, finish_ms() - static_cast<double>(s_.when.target_at->time_since_epoch().count())) / 3.6e6;
    if (term == "time")
        return service() ? 0 : (finish_ms() - earliest_ms()) / 3.6e6;
    if (term == "data_movement")
        return place_.data_movement_s();
    if (term == "finish")
        return (finish_ms() - earliest_ms()) / 3.6e6;
    if (term == "risk")
        return lost() ? amount(late() + *lost() - late() * *lost()) : amount();
    return cost();
}

std::vector<double> judge_of_one::keys() const {
    if (!w_.rules.order_batch.empty()) {
        std::vector<double> all;
        for (const auto& k : order())
            all.push_back(k.step > 0 ? std::ceil(*quantity(k.term) / k.step * (1 - 1e-9)) : *quantity(k.term));
        return all;
    }
    double j = cost();
    const auto& an_hour = s_.when.value_of_time;
    for (const auto& p : w_.rules.prices)
        if (p.term != "time" || !an_hour)
            j += p.per_unit * *quantity(p.term);
    if (an_hour)
        j += static_cast<double>(an_hour->nanos) / 1e9 * *quantity("time");
    return {j};
}

}  // namespace westerly::laws
