#include "broker/domain/energy.hpp"
#include "broker/placement/scan.hpp"

#include <algorithm>
#include <cmath>

namespace westerly {
namespace {

constexpr std::size_t block_max = 1024;  // candidates worked on together: nine columns of 8 KiB stay in the L2 cache

using column = std::array<double, block_max>;

/// A block of candidates with the columns that the terms read.
struct block {
    std::array<std::uint32_t, block_max> index;
    column cost, rtt, data_movement, non_green, carbon, finish, quantity, j;
    std::size_t size = 0;

    void fill_columns(const offer_book& book, const demand& want, std::uint8_t reads);
    term_context context(const offer_book& book, const demand& want, const workload_spec& spec, instant now) const;
    void keep_up_to(double limit);
};

void block::fill_columns(const offer_book& book, const demand& want, std::uint8_t reads) {
    const auto& cols = book.cols();
    for (std::size_t k = 0; k < size; ++k) {
        const site_view& site = want.sites[cols.site[index[k]]];
        const shape_view& shape = want.shapes[cols.shape[index[k]]];
        rtt[k] = site.rtt_ms;
        data_movement[k] = site.data_movement_s;
        finish[k] = static_cast<double>(finish_ms(want, site, shape) - want.request.earliest_ms) / 3'600'000.0;
        if (reads & (reads_energy | reads_carbon)) {
            const facility_energy used = facility_of(
                shape.it_kwh,
                {.pue = site.pue, .green_power_share = site.green_share, .carbon_g_per_kwh = site.carbon_g_per_kwh});
            non_green[k] = used.non_green_kwh;
            carbon[k] = used.carbon_kg;
        }
    }
}

term_context block::context(const offer_book& book, const demand& want, const workload_spec& spec, instant now) const {
    const auto view = [this](const column& c) {
        return std::span<const double>(c.data(), size);
    };
    return {.book = book,
            .spec = spec,
            .now = now,
            .candidates = {index.data(), size},
            .cost_base = view(cost),
            .rtt_ms = view(rtt),
            .data_movement_s = view(data_movement),
            .non_green_kwh = view(non_green),
            .carbon_kg = view(carbon),
            .finish_hours = view(finish),
            .runtime_s = want.request.runtime_s};
}

/// Drops the candidates whose `j` is beyond `limit`; their index, cost and j stay parallel.
void block::keep_up_to(double limit) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < size; ++k) {
        index[kept] = index[k];
        cost[kept] = cost[k];
        j[kept] = j[k];
        kept += j[k] <= limit;
    }
    size = kept;
}

class ranker {
public:
    ranker(const offer_book& book, const demand& want, const workload_spec& spec, const ranking_rule& rule, instant now,
           podium& best, podium& best_launchable)
        : book_(book), want_(want), spec_(spec), rule_(rule), now_(now), best_(best), launchable_(best_launchable) {}

    void look_at(block& some) {
        if (rule_.ordered)
            by_order(some);
        else
            by_price(some);
    }

private:
    /// Nothing beyond it can enter either podium.
    double limit() const noexcept { return std::max(best_.limit(), launchable_.limit()); }

    void by_price(block& some) {
        // Terms only add, so C alone already tells who cannot win.
        std::copy_n(some.cost.begin(), some.size, some.j.begin());
        some.keep_up_to(limit());
        some.fill_columns(book_, want_, want_.request.reads);
        const term_context context = some.context(book_, want_, spec_, now_);
        for (const auto& part : rule_.parts) {
            if (!part.applies)
                continue;
            part.what->fill(context, {some.quantity.data(), some.size});
            for (std::size_t k = 0; k < some.size; ++k)
                some.j[k] += part.factor * some.quantity[k];
        }
        const double bound = limit();
        for (std::size_t k = 0; k < some.size; ++k)
            if (some.j[k] <= bound)
                enter(some, k, {&some.j, 1});
    }

    void by_order(block& some) {
        static thread_local std::array<column, order_keys_max> keys;
        key_column(some, 0, some.j);
        some.keep_up_to(limit());
        std::copy_n(some.j.begin(), some.size, keys[0].begin());
        for (std::size_t p = 1; p < rule_.parts.size(); ++p)
            key_column(some, p, keys[p]);
        for (std::size_t k = 0; k < some.size; ++k)
            enter(some, k, {keys.data(), rule_.parts.size()});
    }

    void key_column(block& some, std::size_t part, column& out) {
        const auto& key = rule_.parts[part];
        if (!key.applies) {
            std::fill_n(out.begin(), some.size, 0.0);
            return;
        }
        some.fill_columns(book_, want_, key.what->reads);
        key.what->fill(some.context(book_, want_, spec_, now_), {out.data(), some.size});
        for (std::size_t k = 0; k < some.size; ++k)
            out[k] = in_steps(out[k], key.factor);
    }

    void enter(const block& some, std::size_t k, std::span<const column> keys) {
        standing s = standing_of(book_, want_, some.index[k]);
        for (std::size_t p = 0; p < keys.size(); ++p)
            s.keys[p] = keys[p][k];
        best_.offer_place(s);
        if (s.launchable)
            launchable_.offer_place(s);
    }

    const offer_book& book_;
    const demand& want_;
    const workload_spec& spec_;
    const ranking_rule& rule_;
    instant now_;
    podium& best_;
    podium& launchable_;
};

}  // namespace

void rank(const offer_book& book, const demand& want, const workload_spec& spec, const ranking_rule& rule, instant now,
          const survivors& among, podium& best, podium& best_launchable) {
    static thread_local block some;
    ranker by(book, want, spec, rule, now, best, best_launchable);
    for (std::size_t from = 0; from < among.size; from += block_max) {
        some.size = std::min(block_max, among.size - from);
        std::copy_n(among.index.begin() + static_cast<std::ptrdiff_t>(from), some.size, some.index.begin());
        std::copy_n(among.cost_base.begin() + static_cast<std::ptrdiff_t>(from), some.size, some.cost.begin());
        by.look_at(some);
    }
}

double quantity_of(const offer_book& book, const demand& want, const workload_spec& spec, instant now, const term& what,
                   std::uint32_t index) {
    static thread_local block one;
    one.size = 1;
    one.index[0] = index;
    one.cost[0] = cost_of(book, want, index);
    one.fill_columns(book, want, reads_energy | reads_carbon);
    double quantity = 0;
    what.fill(one.context(book, want, spec, now), {&quantity, 1});
    return quantity;
}

}  // namespace westerly
