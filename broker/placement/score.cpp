#include "broker/placement/score.hpp"

#include "broker/placement/demand.hpp"

#include <cmath>
#include <numbers>

namespace westerly {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double degrees = 180.0 / std::numbers::pi;
constexpr double ms_per_hour = 3'600'000.0;

/// The names that the table's rows bear, numbered anew: the book's table keeps names of offers that are gone.
class named {
public:
    named(const name_table& from, std::vector<std::string>& into) : from_(from), into_(into) {}
    std::uint32_t of_book(std::uint32_t number) { return of(from_.name(number)); }
    std::uint32_t of(std::string_view name) {
        const std::uint32_t number = numbers_.intern(name);
        if (number == into_.size())
            into_.emplace_back(name);
        return number;
    }

private:
    const name_table& from_;
    name_table numbers_;
    std::vector<std::string>& into_;
};

void add_site(const offer_book::site_row& row, named& names, score_table::site_columns& into) {
    into.provider.push_back(names.of_book(row.provider));
    into.site.push_back(names.of_book(row.site));
    into.region.push_back(names.of_book(row.region));
    into.jurisdiction.push_back(names.of_book(row.jurisdiction));
    into.grid_zone.push_back(names.of_book(row.grid_zone));
    into.latitude.push_back(row.place ? std::asin(row.place->z) * degrees : unknown);
    into.longitude.push_back(row.place ? std::atan2(row.place->y, row.place->x) * degrees : unknown);
    into.pue.push_back(row.pue);
    into.green_share.push_back(row.green_share);
}

void add_shape(const offer_book::shape_row& row, named& names, score_table::shape_columns& into) {
    into.architecture.push_back(names.of_book(row.architecture));
    into.accelerator.push_back(names.of(row.accelerators ? row.accelerators->model : std::string_view()));
    into.vcpus.push_back(row.vcpus);
    into.memory_gib.push_back(static_cast<double>(row.memory_mib) / 1024.0);
    into.cards.push_back(row.accelerators ? row.accelerators->count : 0);
    into.idle_w.push_back(row.idle_w);
    into.max_w.push_back(row.max_w);
}

double price_in_base(const offer_book& book, std::size_t i, const exchange_rates& rates) {
    const std::int64_t nanos = book.cols().price_nanos[i];
    const currency unit = book.shapes()[book.cols().shape[i]].unit;
    return nanos < 0 ? unknown
                     : static_cast<double>(nanos) / 1e9 * (static_cast<double>(rate_nanos(rates, unit)) / 1e9);
}

}  // namespace

std::vector<std::string> foreign_terms_of(const policy& policy, term_table terms, const workload_spec& spec) {
    std::vector<std::string> names;
    const auto look_at = [&](const std::string& name) {
        const term* known = find_term(terms, name);
        if (known && known->foreign)
            names.push_back(name);
    };
    for (const auto& price : policy.prices)
        look_at(price.term);
    for (const auto& key : order_of(policy, spec))
        look_at(key.term);
    return names;
}

std::shared_ptr<const score_table> make_score_table(const offer_book& book, const exchange_rates& rates) {
    auto table = std::make_shared<score_table>();
    table->book_version = book.version();
    named names(book.names(), table->names);
    for (const auto& row : book.sites())
        add_site(row, names, table->sites);
    for (const auto& row : book.shapes())
        add_shape(row, names, table->shapes);
    auto& offers = table->offers;
    offers.site = book.cols().site;
    offers.shape = book.cols().shape;
    offers.price_per_h.resize(book.size());
    offers.units_total.resize(book.size());
    for (std::size_t i = 0; i < book.size(); ++i) {
        offers.price_per_h[i] = price_in_base(book, i, rates);
        const std::uint64_t total = book.total_units(i);
        offers.units_total[i] = total == offer_book::unlimited ? infinity : static_cast<double>(total);
    }
    return table;
}

std::shared_ptr<const score_request> make_score_request(const offer_book& book, const policy& policy, term_table terms,
                                                        const workload_spec& spec, const decision_world& world) {
    // Of every offer that any decision on such a workload may come to look at.
    decision_world all = world;
    all.blocked = {};
    all.plan_only_too = true;
    all.foreign = {};
    static thread_local demand want;
    resolve(book, policy, terms, spec, all, want);
    auto request = std::make_shared<score_request>();
    request->service = spec.kind == workload_kind::service;
    request->interactive = spec.interactive;
    request->tasks = spec.tasks;
    for (const site_view& site : want.sites) {
        request->rtt_ms.push_back(site.rtt_ms);
        request->data_movement_s.push_back(site.data_movement_s);
        request->carbon_g_per_kwh.push_back(site.carbon_g_per_kwh);
    }
    for (const shape_view& shape : want.shapes) {
        const bool runs = shape.code == passes;
        request->units.push_back(runs ? static_cast<double>(shape.units) : unknown);
        request->run_hours.push_back(runs ? static_cast<double>(shape.run_ms) / ms_per_hour : unknown);
        request->energy_kwh.push_back(runs ? shape.it_kwh : unknown);
    }
    return request;
}

}  // namespace westerly
