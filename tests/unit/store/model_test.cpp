// Laws: after any changes, the store gives what a plain model in memory gives, from the same process and after it was
// opened anew; paging gives every match once, in order, whatever the page's size.
#include "broker/store/store.hpp"
#include "tests/unit/store/world.hpp"

#include <gmock/gmock.h>

namespace westerly::test {
namespace {

template <class T, class List>
std::vector<T> all_pages(world& chance, const List& list) {
    std::vector<T> all;
    std::string cursor;
    do {
        const auto limit = static_cast<std::uint32_t>(1 + chance.pick(20));
        auto got = list(cursor, limit);
        EXPECT_TRUE(got.has_value()) << got.error().detail;
        if (!got)
            return all;
        EXPECT_LE(got->items.size(), limit);
        EXPECT_TRUE(!got->items.empty() || cursor.empty())
            << "so few rows are looked at in one call: no empty last page";
        std::ranges::move(got->items, std::back_inserter(all));
        cursor = got->next_cursor;
    } while (!cursor.empty());
    return all;
}

/// Events have a cursor always: an empty page is the end.
std::vector<event> all_events(world& chance, queries& readers, const event_filter& filter) {
    std::vector<event> all;
    std::string cursor;
    for (bool more = true; more;) {
        auto got = readers.list_events(filter, cursor, static_cast<std::uint32_t>(1 + chance.pick(20)));
        EXPECT_TRUE(got.has_value()) << got.error().detail;
        more = got && !got->items.empty();
        if (more) {
            std::ranges::move(got->items, std::back_inserter(all));
            cursor = got->next_cursor;
        }
    }
    return all;
}

void expect_same_state(const stored_state& got, const stored_state& want) {
    EXPECT_EQ(got.outbox_seq, want.outbox_seq);
    EXPECT_EQ(got.event_seq, want.event_seq);
    EXPECT_EQ(got.tenants, want.tenants);
    EXPECT_EQ(got.keys, want.keys);
    EXPECT_EQ(got.cordons, want.cordons);
    EXPECT_EQ(got.tenant_uses, want.tenant_uses);
    EXPECT_TRUE(same(got.workloads, want.workloads));
    EXPECT_EQ(got.attempts, want.attempts);
    EXPECT_EQ(got.outbox, want.outbox);
    EXPECT_EQ(got.idempotency, want.idempotency);
    EXPECT_EQ(got.certificates_given, want.certificates_given);
    EXPECT_EQ(got.speeds, want.speeds);
    EXPECT_EQ(got.kept_places, want.kept_places);
}

void expect_same_lists(queries& readers, world& model) {
    const workload_filter wanted = model.random_workload_filter();
    const auto workloads = all_pages<workload>(model, [&](const std::string& cursor, std::uint32_t limit) {
        return readers.list_workloads(wanted, cursor, limit);
    });
    EXPECT_TRUE(same(workloads, model.list(wanted)));

    const usage_filter used = model.random_usage_filter();
    EXPECT_EQ(all_pages<usage>(model, [&](const std::string& cursor,
                                          std::uint32_t limit) { return readers.list_usage(used, cursor, limit); }),
              model.list_usage(used));
    EXPECT_EQ(all_pages<charge>(model, [&](const std::string& cursor,
                                           std::uint32_t limit) { return readers.list_charges(used, cursor, limit); }),
              model.list_charges(used));

    event_filter seen;
    if (model.chance(0.7))
        seen.tenant = model.tenants()[model.pick(model.tenants().size())].id;
    if (model.chance(0.5))
        seen.workload = model.workloads()[model.pick(model.workloads().size())].id;
    EXPECT_EQ(all_events(model, readers, seen), model.list(seen));
}

void expect_same_totals(queries& readers, world& model) {
    const usage_filter filter = model.random_usage_filter();
    usage_total want;
    for (const usage& u : model.list_usage(filter)) {
        want.energy_microkwh += u.energy_microkwh.value_or(0);
        want.non_green_microkwh += u.non_green_microkwh.value_or(0);
        want.carbon_mg += u.carbon_mg.value_or(0);
        want.carbon_market_mg += u.carbon_market_mg.value_or(0);
        want.rows += 1;
        want.rows_without_energy += u.energy_microkwh ? 0 : 1;
        want.corrections += u.correction ? 1 : 0;
    }
    const auto got = readers.total_usage(filter);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->energy_microkwh, want.energy_microkwh);
    EXPECT_EQ(got->non_green_microkwh, want.non_green_microkwh);
    EXPECT_EQ(got->carbon_mg, want.carbon_mg);
    EXPECT_EQ(got->carbon_market_mg, want.carbon_market_mg);
    EXPECT_EQ(got->rows, want.rows);
    EXPECT_EQ(got->rows_without_energy, want.rows_without_energy);
    EXPECT_EQ(got->corrections, want.corrections);

    std::map<currency, std::pair<std::int64_t, std::uint64_t>> sums;
    for (const charge& c : model.list_charges(filter)) {
        sums[c.price.unit].first += c.billed_micros;
        sums[c.price.unit].second += 1;
    }
    const auto charged = readers.total_charges(filter);
    ASSERT_TRUE(charged.has_value());
    ASSERT_EQ(charged->size(), sums.size());
    for (const charge_total& total : *charged) {
        EXPECT_EQ(total.billed_micros, sums[total.unit].first);
        EXPECT_EQ(total.rows, sums[total.unit].second);
    }
}

void expect_same_records(queries& readers, world& model) {
    const workload& w = model.workloads()[model.pick(model.workloads().size())];
    const auto found = readers.find_workload(w.tenant, w.id);
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(same(*found, w));
    EXPECT_EQ(*readers.attempts_of(w.id), model.attempts_of(w.id));
    EXPECT_EQ(*readers.list_tenants(), model.tenants());
    EXPECT_EQ(*readers.list_keys(std::nullopt), model.keys());
    if (model.attempts().empty())
        return;
    const attempt& a = model.attempts()[model.pick(model.attempts().size())];
    EXPECT_EQ(*readers.find_attempt(a.id), a);
    EXPECT_EQ(*readers.find_decision(a.decision), model.decisions().at(a.decision));
    const attempt_id unknown{w.id.bytes};
    EXPECT_THAT(*readers.known_attempts({a.id, unknown}), testing::ElementsAre(a.id));
}

class store_model : public testing::TestWithParam<std::uint64_t> {};

TEST_P(store_model, gives_what_the_model_gives) {
    const temporary_folder folder;
    const sqlite_options options{folder / "westerly.db", "machine", 16, 128};  // small, so that checkpoints happen
    world model(GetParam());
    auto opened = open_sqlite_store(options);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    ASSERT_EQ((*opened)->load(day_one)->epoch, 1u);

    constexpr int groups = 60;
    for (int i = 0; i < groups; ++i) {
        std::vector<change_set> group;
        for (std::uint64_t k = model.pick(5); k > 0; --k)
            group.push_back(model.next());
        const auto done = (*opened)->commit(group);
        ASSERT_TRUE(done.has_value()) << done.error().detail;
        if (model.workloads().empty())
            continue;
        expect_same_lists((*opened)->readers(), model);
        expect_same_totals((*opened)->readers(), model);
        expect_same_records((*opened)->readers(), model);
    }

    opened->reset();
    opened = open_sqlite_store(options);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    const auto state = (*opened)->load(day_one + std::chrono::hours(24));
    ASSERT_TRUE(state.has_value()) << state.error().detail;
    EXPECT_EQ(state->epoch, 2u);
    expect_same_state(*state, model.live(day_one + std::chrono::hours(24)));
    expect_same_lists((*opened)->readers(), model);
}

INSTANTIATE_TEST_SUITE_P(seeds, store_model, testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace westerly::test
