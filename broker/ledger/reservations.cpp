#include "broker/ledger/reservations.hpp"

#include "broker/domain/owned.hpp"

#include <algorithm>
#include <map>

namespace westerly {
namespace {

constexpr std::uint64_t units_max = 1000;  // looked at; nobody buys more by such advice
constexpr double micros_per_one = 1e6;
constexpr double nanos_per_one = 1e9;
constexpr double ms_per_hour = 3'600'000;
constexpr milliseconds week{7LL * 24 * 3'600'000};

double hours_between(instant from, instant until) {
    return static_cast<double>((until - from).count()) / ms_per_hour;
}

double cards_of(const offer& o) {
    return o.accelerators ? o.accelerators->count : o.vcpus;
}

bool comparable(const offer& reserved, const offer& used) {
    if (used.mode == billing_mode::reserved || used.architecture != reserved.architecture ||
        used.accelerators.has_value() != reserved.accelerators.has_value())
        return false;
    return !used.accelerators || used.accelerators->model == reserved.accelerators->model;
}

/// So many cards were in use from `from` on, until the next one's.
struct level {
    instant from;
    double cards = 0;
};

/// What was used by the hour of one kind of card.
struct use_of_cards {
    std::vector<level> levels;  // by time; the last has no cards
    double card_h = 0;
    double paid = 0;
};

struct use_row {
    instant from, until;
    double cards;
};

std::vector<level> levels_of(const std::vector<use_row>& rows) {
    std::map<instant, double> steps;
    for (const use_row& row : rows) {
        steps[row.from] += row.cards;
        steps[row.until] -= row.cards;
    }
    std::vector<level> levels;
    double cards = 0;
    for (const auto& [at, step] : steps)
        levels.push_back({at, cards += step});
    return levels;
}

/// Hours, in [from, until), that the n-th unit of `cards` would have been busy, a part of its cards in proportion.
double busy_hours(const std::vector<level>& levels, double cards, std::uint64_t n, instant from, instant until) {
    const double below = cards * static_cast<double>(n - 1);
    double busy = 0;
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
        const instant begin = std::max(levels[i].from, from), end = std::min(levels[i + 1].from, until);
        if (begin < end)
            busy += hours_between(begin, end) * std::clamp((levels[i].cards - below) / cards, 0.0, 1.0);
    }
    return busy;
}

class adviser {
public:
    adviser(std::span<const charge> history, std::span<const offer> offers, instant from, instant until)
        : history_(history), offers_(offers), window_{from, until} {
        for (const offer& o : offers)
            by_id_[o.id] = &o;
    }

    reservation_advices all() {
        reservation_advices made;
        made.from = window_.until;
        made.until = window_.until;
        for (const charge& row : history_) {
            made.from = std::min(made.from, std::max(row.start_at, window_.from));
            made.rows_unknown += by_id_.contains(row.offer) ? 0 : 1;
        }
        window_.from = made.from;
        for (const offer& each : offers_)
            if (each.mode == billing_mode::reserved && !left_out(each, made.left_out) && cards_of(each) > 0)
                made.advices.push_back(advise(each));
        std::ranges::sort(made.advices, [](const auto& a, const auto& b) {
            const double left = a.saving_per_month.value_or(0), right = b.saving_per_month.value_or(0);
            return left != right ? left > right : a.offer < b.offer;
        });
        return made;
    }

private:
    struct window {
        instant from, until;
    };

    /// What begins later, or whose quote has ended, cannot be had when the advice is given: when the window ends.
    bool begins_later(const offer& o) const {
        return o.supply.available_from && window_.until < *o.supply.available_from;
    }
    bool quote_ended(const offer& o) const { return o.supply.price_until && *o.supply.price_until <= window_.until; }
    bool on_sale(const offer& o) const { return !begins_later(o) && !quote_ended(o); }

    /// Whether it is, and then counted.
    bool left_out(const offer& o, reservations_left_out& counts) const {
        if (o.supply.owned)
            return ++counts.owned;
        if (!o.supply.fee)
            return ++counts.no_fee;
        if (begins_later(o))
            return ++counts.begin_later;
        if (quote_ended(o))
            return ++counts.quotes_ended;
        return o.units_free == 0u && ++counts.full;
    }

    use_of_cards use_like(const offer& reserved) const {
        use_of_cards found;
        std::vector<use_row> rows;
        for (const charge& row : history_) {
            const auto used = by_id_.find(row.offer);
            const instant from = std::max(row.start_at, window_.from), until = std::min(row.end_at, window_.until);
            if (used == by_id_.end() || from >= until || row.price.unit != reserved.supply.fee->per_unit.unit ||
                !comparable(reserved, *used->second))
                continue;
            const double cards = cards_of(*used->second) * static_cast<double>(row.units);
            const double share = hours_between(from, until) / hours_between(row.start_at, row.end_at);
            rows.push_back({from, until, cards});
            found.card_h += cards * hours_between(from, until);
            found.paid += static_cast<double>(row.billed_micros) / micros_per_one * share;
        }
        found.levels = levels_of(rows);
        return found;
    }

    /// The cheapest hour of such a card that is for sale on demand.
    std::optional<double> offered_price(const offer& reserved) const {
        std::optional<double> cheapest;
        for (const offer& o : offers_) {
            if (o.mode != billing_mode::on_demand || !o.price || o.price->unit != reserved.supply.fee->per_unit.unit ||
                cards_of(o) == 0 || !comparable(reserved, o) || !on_sale(o))
                continue;
            const double price = static_cast<double>(o.price->nanos) / nanos_per_one / cards_of(o);
            cheapest = std::min(cheapest.value_or(price), price);
        }
        return cheapest;
    }

    reservation_advice advise(const offer& reserved) const {
        const use_of_cards use = use_like(reserved);
        reservation_advice made;
        made.offer = reserved.id;
        made.region = reserved.site.region;
        made.fee = *reserved.supply.fee;
        made.cards = cards_of(reserved);
        made.counts_cards = reserved.accelerators.has_value();
        made.used_card_h = use.card_h;
        const double fee = static_cast<double>(made.fee.per_unit.micros) / micros_per_one;
        const double term_h = hours_of(made.fee.term);
        made.reserved_price = fee / (term_h * made.cards);
        made.price_paid = use.card_h > 0 && use.paid > 0;
        made.hourly_price = made.price_paid ? use.paid / use.card_h : offered_price(reserved);
        if (!made.hourly_price || *made.hourly_price <= 0) {
            made.hourly_price.reset();
            return made;
        }
        made.break_even_h = fee / (*made.hourly_price * made.cards);

        const auto per_term = [&](double busy, instant from, instant until) {
            return from < until ? busy * term_h / hours_between(from, until) : 0;
        };
        const auto busy = [&](std::uint64_t n, instant from, instant until) {
            return per_term(busy_hours(use.levels, made.cards, n, from, until), from, until);
        };
        const auto saving = [&](double busy_h) {
            return (busy_h - *made.break_even_h) * *made.hourly_price * made.cards * month_h / term_h;
        };
        made.busy_h = busy(1, window_.from, window_.until);
        if (window_.until - window_.from < week) {
            if (*made.break_even_h >= term_h)
                made.units = 0;
            return made;
        }
        const std::uint64_t most = std::min(units_max, reserved.units_free.value_or(units_max));
        double saved = 0;
        std::uint64_t units = 0;
        for (std::uint64_t n = 1; n <= most; ++n) {
            const double more = saving(busy(n, window_.from, window_.until));
            if (more <= 0)
                break;
            saved += more;
            units = n;
        }
        made.units = units;
        made.saving_per_month = units > 0 ? saved : saving(made.busy_h);

        const auto pays = [&](instant from, instant until) {
            return busy(std::max<std::uint64_t>(1, units), from, until) > *made.break_even_h;
        };
        for (instant end = window_.until; end - week >= window_.from; end -= week) {
            ++made.weeks;
            made.weeks_agreeing += pays(end - week, end) == (units > 0) ? 1 : 0;
        }
        const double agreeing = made.weeks > 0 ? static_cast<double>(made.weeks_agreeing) / made.weeks : 0;
        if (made.weeks >= 12 && agreeing >= 0.9)
            made.how_sure = advice_certainty::high;
        else if (made.weeks >= 4 && agreeing >= 0.75)
            made.how_sure = advice_certainty::fair;
        return made;
    }

    std::span<const charge> history_;
    std::span<const offer> offers_;
    window window_;
    std::map<offer_id, const offer*> by_id_;
};

}  // namespace

double hours_of(reservation_term term) noexcept {
    return static_cast<double>(hours_paid_by(term));
}

std::string_view to_string(advice_certainty how_sure) {
    constexpr std::string_view names[] = {"low", "fair", "high"};
    return names[static_cast<std::size_t>(how_sure)];
}

reservation_advices advise_reservations(std::span<const charge> history, std::span<const offer> offers, instant from,
                                        instant until) {
    return adviser(history, offers, from, until).all();
}

}  // namespace westerly
