#include "broker/store/store.hpp"
#include "tests/unit/store/world.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

namespace westerly::test {
namespace {

offer one_offer(const std::string& name, std::int64_t nanos) {
    offer o;
    o.id = "p/s/" + name + "/on_demand";
    o.provider = "p";
    o.site.site = "s";
    o.vcpus = 1;
    o.memory_mib = 1;
    o.price = unit_price{nanos, currency::cny};
    return o;
}

struct history_test : testing::Test {
    history_test() {
        keep = *open_sqlite_store({.file = file, .machine_id = "m"});
        EXPECT_TRUE(keep->load(day_one));
    }
    void add(std::uint64_t seq, const provider_id& provider, bool whole, const offer_list& offers,
             std::vector<offer_id> gone = {}) {
        change_set changes;
        changes.epoch = 1;
        history_entry& entry = changes.history.emplace_back();
        entry.seq = seq;
        entry.at = day_one + std::chrono::days(seq);
        entry.provider = provider;
        if (provider.empty())
            entry.facts.regions = {{"r" + std::to_string(seq), 1, 2}};
        entry.whole = whole;
        entry.offers = offers;
        entry.gone = std::move(gone);
        ASSERT_TRUE(keep->commit({&changes, 1}));
    }
    /// A feed tells so much of one zone.
    void tell(std::uint64_t seq, const std::string& feed, bool whole, double value) {
        signal_series made;
        made.zone = "Z";
        made.source = feed;
        for (int hour = 0; hour < 48; ++hour)
            made.intervals.push_back(
                {day_one + std::chrono::hours(hour), day_one + std::chrono::hours(hour + 1), hour == 40 ? value : 300});
        change_set changes;
        changes.epoch = 1;
        signal_entry& entry = changes.signal_history.emplace_back();
        entry.seq = seq;
        entry.at = day_one + std::chrono::days(seq);
        entry.feed = feed;
        entry.whole = whole;
        if (!whole)
            entry.before = told_[feed];
        entry.now = told_[feed] = {std::make_shared<signal_series>(made)};
        ASSERT_TRUE(keep->commit({&changes, 1}));
    }
    std::vector<std::string> signals_at(std::uint64_t seq) {
        const auto past = keep->readers().market_at(seq);
        if (!past)
            return {past.error().detail};
        std::vector<std::string> lines;
        for (const auto& [feed, told] : past->signals)
            for (const auto& one : told)
                lines.push_back(feed + " " + std::to_string(static_cast<int>(one->intervals.at(40).value)));
        return lines;
    }
    void said(std::uint64_t seq, double quantity) {
        change_set changes;
        changes.epoch = 1;
        changes.terms_history.push_back({seq, day_one + std::chrono::days(seq), {{"water", 1, {}, {{3, quantity}}}}});
        ASSERT_TRUE(keep->commit({&changes, 1}));
    }
    std::vector<std::string> names_at(std::uint64_t seq) {
        const auto past = keep->readers().market_at(seq);
        if (!past)
            return {past.error().detail};
        std::vector<std::string> names;
        for (const auto& [provider, offers] : past->offers)
            for (const offer& o : offers)
                names.push_back(o.id + " " + std::to_string(o.price->nanos));
        return names;
    }
    void meddle(const char* sql) {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
        sqlite3_close(database);
    }

    temporary_folder folder;
    std::filesystem::path file = folder / "w.db";
    std::unique_ptr<store> keep;

private:
    std::map<std::string, signal_list> told_;
};

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(history_test, every_moment_of_the_past_can_be_had) {
    add(1, "", true, {});
    add(2, "p", true, {one_offer("a", 1), one_offer("b", 1)});
    add(3, "p", false, {one_offer("aa", 2), one_offer("b", 2)}, {"p/s/a/on_demand"});
    add(4, "p", false, {one_offer("c", 3)});
    add(5, "q", true, {});
    add(6, "", true, {});
    add(7, "p", true, {one_offer("a", 1), one_offer("b", 1)});
    EXPECT_THAT(names_at(1), ElementsAre());
    EXPECT_THAT(names_at(2), ElementsAre("p/s/a/on_demand 1", "p/s/b/on_demand 1"));
    EXPECT_THAT(names_at(3), ElementsAre("p/s/aa/on_demand 2", "p/s/b/on_demand 2"));
    EXPECT_THAT(names_at(5), ElementsAre("p/s/aa/on_demand 2", "p/s/b/on_demand 2", "p/s/c/on_demand 3"));
    EXPECT_THAT(names_at(6), ElementsAre());  // a start: nobody offers anything yet
    EXPECT_THAT(names_at(7), ElementsAre("p/s/a/on_demand 1", "p/s/b/on_demand 1"));
    EXPECT_EQ(keep->readers().market_at(5)->facts.regions[0].region, "r1");
    EXPECT_EQ(keep->readers().market_at(0).error().code, errc::not_found);
    keep.reset();
    keep = *open_sqlite_store({.file = file, .machine_id = "m"});
    EXPECT_EQ(keep->load(day_one)->history_seq, 7u);
}

TEST_F(history_test, what_is_forgotten_is_what_nothing_young_is_made_from) {
    add(1, "", true, {});
    add(2, "p", true, {one_offer("a", 1)});
    add(3, "p", false, {one_offer("a", 2)});
    add(4, "p", true, {one_offer("a", 3)});
    add(5, "p", false, {one_offer("a", 4)});
    ASSERT_TRUE(keep->forget_history(day_one + std::chrono::days(5)));
    EXPECT_THAT(names_at(5), ElementsAre("p/s/a/on_demand 4"));
    EXPECT_THAT(names_at(4), ElementsAre("p/s/a/on_demand 3"));
    EXPECT_THAT(names_at(3), ElementsAre());
    add(6, "", true, {});
    ASSERT_TRUE(keep->forget_history(day_one + std::chrono::days(100)));
    EXPECT_EQ(keep->readers().market_at(5).error().code, errc::not_found);
    EXPECT_THAT(names_at(6), ElementsAre());
}

TEST_F(history_test, changed_records_are_told) {
    add(1, "", true, {});
    add(2, "p", true, {one_offer("a", 1)});
    add(3, "p", false, {one_offer("a", 2)});
    meddle("UPDATE book_history SET change = CAST(change || x'00' AS BLOB) WHERE seq = 3");
    EXPECT_THAT(keep->readers().market_at(3).error().detail, HasSubstr("entry 3 was changed"));
    EXPECT_TRUE(keep->readers().market_at(2));
    meddle("UPDATE book_contents SET packed = CAST(packed || x'00' AS BLOB)");
    EXPECT_THAT(keep->readers().market_at(2).error().detail, HasSubstr("was changed"));
}

TEST_F(history_test, one_offer_is_followed_through_it) {
    const auto day = [](int n) {
        return day_one + std::chrono::days(n);
    };
    const auto told = [&](int from, int until) {
        std::vector<std::string> lines;
        for (const auto& each : *keep->readers().history_of("p/s/a/on_demand", day(from), day(until)))
            lines.push_back(std::to_string((each.at - day_one) / std::chrono::hours(24)) + " " +
                            (each.offered ? std::to_string(each.price->nanos) : "withdrawn"));
        return lines;
    };
    add(1, "", true, {});
    add(2, "p", true, {one_offer("a", 1), one_offer("b", 1)});
    add(3, "p", false, {one_offer("b", 2)});                    // of another
    add(4, "p", false, {one_offer("a", 2)});                    // dearer
    add(5, "q", true, {one_offer("a", 9)});                     // of another provider
    add(6, "", true, {});                                       // a start is no news of an offer
    add(7, "p", true, {one_offer("a", 2), one_offer("b", 2)});  // nor is the same again
    add(8, "p", false, {}, {"p/s/a/on_demand"});                // withdrawn
    add(9, "p", false, {one_offer("a", 3)});
    EXPECT_THAT(told(0, 100), ElementsAre("2 1", "4 2", "8 withdrawn", "9 3"));
    EXPECT_THAT(told(3, 100), ElementsAre("2 1", "4 2", "8 withdrawn", "9 3")) << "with what held at the beginning";
    EXPECT_THAT(told(4, 9), ElementsAre("4 2", "8 withdrawn"));
    EXPECT_THAT(told(8, 100), ElementsAre("9 3"));
    EXPECT_THAT(told(0, 2), ElementsAre());
    EXPECT_TRUE(keep->readers().history_of("nobody/s/a/spot", day(0), day(100))->empty());
    meddle("UPDATE book_history SET change = CAST(change || x'00' AS BLOB) WHERE seq = 4");
    EXPECT_THAT(keep->readers().history_of("p/s/a/on_demand", day(0), day(100)).error().detail,
                HasSubstr("entry 4 was changed"));
}

TEST_F(history_test, other_hours_are_another_price) {
    const auto with_hours = [](std::uint16_t from_min) {
        offer o = one_offer("a", 5);
        o.schedule.windows = {{price_window::every_day, from_min, 600, 1}};
        return o;
    };
    add(1, "p", true, {one_offer("a", 5)});
    add(2, "p", false, {with_hours(0)});
    add(3, "p", true, {with_hours(0)});
    add(4, "p", false, {with_hours(60)});
    const auto told = keep->readers().history_of("p/s/a/on_demand", day_one, day_one + std::chrono::days(9));
    ASSERT_TRUE(told);
    ASSERT_EQ(told->size(), 3u);
    EXPECT_TRUE((*told)[0].schedule.empty());
    EXPECT_EQ((*told)[1].schedule.windows.front().from_min, 0);
    EXPECT_EQ((*told)[2].schedule.windows.front().from_min, 60);
}

TEST_F(history_test, signals_of_every_moment_can_be_had) {
    add(1, "", true, {});
    tell(2, "grid", true, 1);
    tell(3, "grid", false, 2);
    tell(4, "more", true, 10);
    add(5, "p", true, {one_offer("a", 1)});
    tell(6, "grid", true, 3);
    tell(7, "grid", false, 4);
    add(8, "", true, {});
    tell(9, "grid", true, 5);
    EXPECT_THAT(signals_at(1), ElementsAre());
    EXPECT_THAT(signals_at(2), ElementsAre("grid 1"));
    EXPECT_THAT(signals_at(3), ElementsAre("grid 2"));
    EXPECT_THAT(signals_at(5), ElementsAre("grid 2", "more 10"));
    EXPECT_THAT(signals_at(7), ElementsAre("grid 4", "more 10"));
    EXPECT_THAT(signals_at(8), ElementsAre()) << "a start: no feed has told anything";
    EXPECT_THAT(signals_at(9), ElementsAre("grid 5"));
    keep.reset();
    keep = *open_sqlite_store({.file = file, .machine_id = "m"});
    EXPECT_EQ(keep->load(day_one)->history_seq, 9u);
    EXPECT_THAT(signals_at(7), ElementsAre("grid 4", "more 10"));
    meddle("UPDATE signal_history SET packed = CAST(packed || x'00' AS BLOB) WHERE seq = 3");
    EXPECT_THAT(signals_at(3).at(0), HasSubstr("entry 3 was changed"));
    EXPECT_THAT(signals_at(7), ElementsAre("grid 4", "more 10"));
}

TEST_F(history_test, signals_are_forgotten_when_nothing_young_is_made_from_them) {
    add(1, "", true, {});
    tell(2, "grid", true, 1);
    tell(3, "more", true, 9);
    tell(4, "grid", false, 2);
    tell(5, "grid", true, 3);
    tell(6, "grid", false, 4);
    ASSERT_TRUE(keep->forget_history(day_one + std::chrono::days(6)));
    EXPECT_THAT(signals_at(6), ElementsAre("grid 4", "more 9"));
    EXPECT_THAT(signals_at(5), ElementsAre("grid 3", "more 9"));
    EXPECT_THAT(signals_at(4), ElementsAre("more 9"));
    add(7, "", true, {});
    tell(8, "grid", true, 5);
    ASSERT_TRUE(keep->forget_history(day_one + std::chrono::days(8)));
    EXPECT_THAT(signals_at(8), ElementsAre("grid 5"));
}

TEST_F(history_test, words_of_libraries_are_kept_once) {
    said(2, 0.5);
    said(3, 0.5);
    said(4, 0.75);
    EXPECT_EQ(keep->readers().terms_said_at(3)->at(0).quantity, (std::vector<double>{0.5, 0.5, 0.5}));
    EXPECT_EQ(keep->readers().terms_said_at(4)->at(0).quantity[0], 0.75);
    EXPECT_EQ(keep->readers().terms_said_at(5).error().code, errc::not_found);
    ASSERT_TRUE(keep->forget_history(day_one + std::chrono::days(3)));
    EXPECT_EQ(keep->readers().terms_said_at(2).error().code, errc::not_found);
    EXPECT_EQ(keep->readers().terms_said_at(3)->at(0).quantity[0], 0.5) << "of the same words";
    meddle("UPDATE terms_contents SET packed = CAST(packed || x'00' AS BLOB)");
    EXPECT_THAT(keep->readers().terms_said_at(3).error().detail, HasSubstr("entry 3 was changed"));
    keep.reset();
    keep = *open_sqlite_store({.file = file, .machine_id = "m"});
    EXPECT_EQ(keep->load(day_one)->history_seq, 4u);
}

TEST_F(history_test, policy_texts_are_kept_once) {
    change_set changes;
    changes.epoch = 1;
    changes.policies = {{"mine", "sha256:1", "{}"}, {"mine", "sha256:2", "{ }"}, {"mine", "sha256:1", "{}"}};
    ASSERT_TRUE(keep->commit({&changes, 1}));
    EXPECT_EQ(keep->readers().find_policy_text("mine", "sha256:2")->text, "{ }");
    EXPECT_EQ(keep->readers().find_policy_text("mine", "sha256:3").error().code, errc::not_found);
}

}  // namespace
}  // namespace westerly::test
