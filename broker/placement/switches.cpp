#include "broker/placement/switches.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace westerly {
namespace {

using line = switch_search::line;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double alike = 1e-9;  // what differs by a smaller share is the same: all of it is sums
constexpr double hair = 1e-6;   // of a price: a lead that ends within it is not told
constexpr double hair_at_zero = 1e-9;

double or_infinity(double value) noexcept {
    return std::isnan(value) ? infinity : value;
}

bool known_at(const comparison& by, const term& what, std::uint32_t index) {
    const site_view& site = by.want.sites[by.book.cols().site[index]];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[index]];
    if (what.foreign) {
        const auto said = by.want.said_of(what);
        return !said.empty() && !std::isnan(said[index]);
    }
    return !((what.reads & (reads_rtt | reads_rtt_p95)) && std::isnan(site.rtt_ms)) &&
           !((what.reads & (reads_energy | reads_carbon)) && std::isnan(shape.it_kwh)) &&
           !((what.reads & reads_carbon) && std::isnan(site.carbon_g_per_kwh)) &&
           !((what.reads & reads_risk) && std::isnan(by.want.runs[by.book.cols().shape[index]].risk.lost));
}

/// Drops the starts that an earlier one beats or equals in all that may have a price: they win at no price.
void keep_undominated(const site_view& site, const shape_view& shape, priced_starts& all) {
    struct amounts {
        double cost, carbon, non_green;
        bool within(const amounts& other) const noexcept {
            return cost <= other.cost && carbon <= other.carbon && non_green <= other.non_green;
        }
    };
    if (all.at.size() == 1)
        return;
    std::vector<amounts> kept;
    amounts least{infinity, infinity, infinity};
    for (std::size_t i = 0; i < all.at.size(); ++i) {
        const facility_energy used = facility_at(site, shape, all.at[i]);
        const amounts one{all.cost_base[i], or_infinity(used.carbon_kg), or_infinity(used.non_green_kwh)};
        const auto beats = [&](const amounts& other) {
            return other.within(one);
        };
        if (least.within(one) && std::any_of(kept.rbegin(), kept.rend(), beats))
            continue;
        least = {std::min(least.cost, one.cost), std::min(least.carbon, one.carbon),
                 std::min(least.non_green, one.non_green)};
        all.at[kept.size()] = all.at[i];
        all.cost_base[kept.size()] = all.cost_base[i];
        kept.push_back(one);
    }
    all.at.resize(kept.size());
    all.cost_base.resize(kept.size());
}

/// One offer's starts in one size of the gang, with what each part of the rule adds there.
class offer_starts {
public:
    offer_starts(const comparison& by, std::uint32_t index, std::optional<start_rule::quantity> besides)
        : by_(by), index_(index) {
        find_priced_starts(by.book, by.want, besides, index, starts_);
        if (starts_.at.empty())
            return;
        keep_undominated(by.want.sites[by.book.cols().site[index]], by.want.shapes[by.book.cols().shape[index]],
                         starts_);
        parts_.resize(by.rule.parts.size() * size());
        for (std::size_t p = 0; p < by.rule.parts.size(); ++p)
            if (by.rule.parts[p].applies)
                fill(*by.rule.parts[p].what, std::span(parts_).subspan(p * size(), size()));
    }

    void append_lines(const term& of, std::vector<line>& into) {
        find_amount(of);
        for (std::size_t i = 0; i < size(); ++i) {
            double rest = starts_.cost_base[i];
            for (std::size_t p = 0; p < by_.rule.parts.size(); ++p)
                if (const auto& part = by_.rule.parts[p]; part.applies && part.what != &of)
                    rest += part.factor * parts_[p * size() + i];
            into.push_back({rest, amount_[i]});
        }
    }

private:
    std::size_t size() const noexcept { return starts_.at.size(); }
    void find_amount(const term& of) {
        amount_.resize(size());
        for (std::size_t p = 0; p < by_.rule.parts.size(); ++p)
            if (by_.rule.parts[p].applies && by_.rule.parts[p].what == &of) {
                std::copy_n(parts_.begin() + static_cast<std::ptrdiff_t>(p * size()), size(), amount_.begin());
                return;
            }
        fill(of, amount_);
    }
    void fill(const term& what, std::span<double> out) const {
        quantities_at(by_.book, by_.want, by_.spec, by_.world.now, what, index_, starts_, out);
    }

    const comparison& by_;
    const std::uint32_t index_;
    priced_starts starts_;
    std::vector<double> parts_;   // by part and start
    std::vector<double> amount_;  // by start
};

/// The least of some lines, piece by piece.
class lower_envelope {
public:
    explicit lower_envelope(std::vector<line> lines) {
        std::ranges::sort(lines, [](const line& a, const line& b) {
            return a.slope != b.slope ? a.slope > b.slope : a.at_zero < b.at_zero;
        });
        for (const line& one : lines)
            if (pieces_.empty() || pieces_.back().of.slope != one.slope)
                append(one);
    }

    const line& at(double price) const noexcept {
        const auto past = std::ranges::upper_bound(pieces_, price, {}, &piece::from);
        return past == pieces_.begin() ? past->of : std::prev(past)->of;
    }
    void append_edges(double from, double until, std::vector<double>& into) const {
        for (const piece& each : pieces_)
            if (each.from > from && each.from < until)
                into.push_back(each.from);
    }

private:
    struct piece {
        double from;
        line of;
    };
    void append(const line& one) {
        const auto meets = [&](const line& other) {
            return (one.at_zero - other.at_zero) / (other.slope - one.slope);
        };
        while (!pieces_.empty() && meets(pieces_.back().of) <= pieces_.back().from)
            pieces_.pop_back();
        pieces_.push_back({pieces_.empty() ? -infinity : meets(pieces_.back().of), one});
    }

    std::vector<piece> pieces_;
};

/// The least price of [from, until) at which `other` comes to lie below `won`.
std::optional<double> lead_of(const line& other, const line& won, double from, double until) {
    const double ahead = won.at(from) - other.at(from), gains = won.slope - other.slope;
    std::optional<double> at;
    if (ahead > alike * (std::abs(won.at(from)) + std::abs(other.at(from))))
        at = from;
    else if (gains > alike * std::max(std::abs(won.slope), std::abs(other.slope)))
        at = ahead >= 0 ? from : from - ahead / gains;
    return at && *at < until ? at : std::nullopt;
}

std::optional<double> first_lead(const std::vector<line>& other, const std::vector<line>& won, double from,
                                 double until) {
    const auto past = [](double at) {
        return at + hair * std::abs(at) + hair_at_zero;
    };
    if (other.size() == 1 && won.size() == 1) {
        const auto at = lead_of(other.front(), won.front(), from, until);
        return at && past(*at) < until ? at : std::nullopt;
    }
    const lower_envelope least_other(other), least_won(won);
    std::vector<double> edges{from};
    least_other.append_edges(from, until, edges);
    least_won.append_edges(from, until, edges);
    std::ranges::sort(edges);
    edges.push_back(until);
    for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
        const auto at = lead_of(least_other.at(edges[k]), least_won.at(edges[k]), edges[k], edges[k + 1]);
        if (!at)
            continue;
        const double then = past(*at);
        if (then < until && least_other.at(then).at(then) < least_won.at(then).at(then))
            return at;
    }
    return std::nullopt;
}

bool within(const comparison& by, const switch_limits& limits, std::uint32_t index) {
    if (limits.dearest && cost_of(by.book, by.want, index) > *limits.dearest)
        return false;
    return !limits.most || !by.rule.bounded ||
           quantity_of(by.book, by.want, by.spec, by.world.now, *by.rule.bounded, index) <= *limits.most;
}

/// As seen with prices turned round, so that those below the present one lie above it.
std::vector<line> mirrored(std::vector<line> lines) {
    for (line& each : lines)
        each.slope = -each.slope;
    return lines;
}

}  // namespace

switch_search::switch_search(const policy& rules, term_table terms, std::vector<std::uint32_t> offers)
    : rules_(rules), terms_(terms), offers_(std::move(offers)), lines_(offers_.size() * terms_.size()) {}

void switch_search::add(const comparison& by, const switch_limits& limits) {
    const bool may_wait =
        by.want.starts.waits() || (by.want.request.slack_until_ms &&
                                   std::ranges::any_of(by.want.shapes, [](const shape_view& s) { return s.alone; }));
    if (by.rule.ordered || (rules_.within_of_cheapest && by.book.prices_by_hour()) || (by.rule.bounded && may_wait))
        return;
    for (std::size_t number = 0; number < offers_.size(); ++number)
        if (verdict(by.book, by.want, offers_[number]) == passes && within(by, limits, offers_[number]))
            add_offer(by, number);
}

void switch_search::add_offer(const comparison& by, std::size_t number) {
    const std::uint32_t index = offers_[number];
    const shape_view& shape = by.want.shapes[by.book.cols().shape[index]];
    const bool waits = shape.alone ? by.want.request.slack_until_ms.has_value() : by.want.starts.waits();
    const auto past_target = [&](std::optional<start_rule::quantity> of) {
        return of == start_rule::quantity::finish && by.spec.when.target_at;
    };
    // As the rule has it, and with a price of carbon, of green power or of hours past a target that it does not have.
    std::array<std::optional<offer_starts>, 4> known;
    for (std::size_t t = 0; t < terms_.size(); ++t) {
        const term& what = terms_[t];
        if (!what.priceable || !what.applies(by.spec) || !known_at(by, what, index))
            continue;
        const auto besides = waits ? start_quantity_of(what.name) : std::nullopt;
        auto& starts = known[besides == start_rule::quantity::carbon      ? 1
                             : besides == start_rule::quantity::non_green ? 2
                             : past_target(besides)                       ? 3
                                                                          : 0];
        if (!starts)
            starts.emplace(by, index, besides);
        starts->append_lines(what, lines(number, t));
    }
}

std::vector<switch_price> switch_search::found(const offer_book& book) const {
    std::vector<switch_price> all;
    for (std::size_t number = 1; number < offers_.size(); ++number)
        for (std::size_t t = 0; t < terms_.size(); ++t) {
            const auto& other = lines_[number * terms_.size() + t];
            const auto& won = lines_[t];
            if (other.empty() || won.empty())
                continue;
            double price = 0;
            for (const auto& each : rules_.prices)
                price += each.term == terms_[t].name ? each.per_unit : 0;
            const auto tell = [&](double at, bool below) {
                if (std::isfinite(at))
                    all.push_back({book.at(offers_[number]).id, std::string(terms_[t].name), at, below});
            };
            if (const auto at = first_lead(other, won, price, infinity))
                tell(*at, false);
            if (price == 0)
                continue;
            if (const auto at = first_lead(mirrored(other), mirrored(won), -price, 0))
                tell(-*at, true);
        }
    return all;
}

}  // namespace westerly
