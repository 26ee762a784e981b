// One host and what is said to it; real processes, real libraries (build tree, terms/).
#include "broker/runtime/term_hub.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <future>

namespace westerly {
namespace {

const std::filesystem::path bin = WESTERLY_BIN_DIR;

term_settings settings_of(const std::string& library, std::vector<std::pair<std::string, std::string>> options = {}) {
    return {.name = library,
            .library = bin.parent_path() / "terms" / (library + ".so"),
            .deadline_ms = 10'000,
            .options = std::move(options)};
}

/// `offers` offers by turns at two sites, of one shape.
std::shared_ptr<score_table> table_of(std::size_t offers) {
    auto table = std::make_shared<score_table>();
    table->names = {"", "p", "wet", "dry", "cn-east", "CN", "zone", "x86_64"};
    table->sites.provider = {1, 1};
    table->sites.site = {2, 3};
    table->sites.region = {4, 4};
    table->sites.jurisdiction = {5, 5};
    table->sites.grid_zone = {6, 6};
    for (auto* column : {&table->sites.latitude, &table->sites.longitude, &table->sites.pue, &table->sites.green_share})
        *column = {1, 1};
    table->shapes.architecture = {7};
    table->shapes.accelerator = {0};
    for (auto* column : {&table->shapes.vcpus, &table->shapes.memory_gib, &table->shapes.cards, &table->shapes.idle_w,
                         &table->shapes.max_w})
        *column = {1};
    for (std::size_t i = 0; i < offers; ++i) {
        table->offers.site.push_back(static_cast<std::uint32_t>(i % 2));
        table->offers.shape.push_back(0);
        table->offers.price_per_h.push_back(1);
        table->offers.units_total.push_back(1);
    }
    return table;
}

score_request request_of(double energy_kwh) {
    score_request request;
    request.rtt_ms = request.data_movement_s = request.carbon_g_per_kwh = {1, 1};
    request.units = request.run_hours = {1};
    request.energy_kwh = {energy_kwh};
    return request;
}

TEST(term_host, asks_the_library_over_shared_columns) {
    term_host host(settings_of("water", {{"default", "0.5"}, {"p/wet", "4"}}), bin);
    const auto told = host.start();
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_EQ(told->unit, "L");
    const auto table = table_of(3);
    const auto said = host.evaluate(table, request_of(10));
    ASSERT_TRUE(said) << said.error().detail;
    EXPECT_EQ(*said, (std::vector<double>{40, 5, 40}));
    EXPECT_EQ(*host.evaluate(table, request_of(1)), (std::vector<double>{4, 0.5, 4})) << "the same table again";
    const auto more = host.evaluate(table_of(100'000), request_of(2));
    ASSERT_TRUE(more) << "a table that needs larger memory: " << more.error().detail;
    EXPECT_EQ(more->size(), 100'000u);
    EXPECT_EQ(more->back(), 1.0);
    EXPECT_EQ(*host.evaluate(table_of(1), request_of(1)), std::vector<double>{4}) << "and a smaller one";
    EXPECT_TRUE(host.evaluate(table_of(0), request_of(1))->empty());
}

TEST(term_host, a_late_one_is_ended) {
    term_settings late = settings_of("slow");
    late.deadline_ms = 50;
    term_host host(late, bin);
    ASSERT_TRUE(host.start());
    const auto said = host.evaluate(table_of(2), request_of(1));
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, errc::timed_out);
    EXPECT_FALSE(host.runs());
    EXPECT_TRUE(host.start()) << "and can be started again";
}

TEST(term_host, one_that_crashes_says_how_it_ended) {
    term_host host(settings_of("crash"), bin);
    ASSERT_TRUE(host.start());
    const auto said = host.evaluate(table_of(2), request_of(1));
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code, errc::provider_unavailable);
    EXPECT_NE(said.error().detail.find("signal"), std::string::npos) << said.error().detail;
    EXPECT_NE(said.error().detail.find("about to crash"), std::string::npos) << said.error().detail;
    EXPECT_FALSE(host.runs());
}

struct bad_library {
    const char* library;
    std::vector<std::pair<std::string, std::string>> options;
    const char* fault;
};

TEST(term_host, what_is_no_usable_library_is_told) {
    for (const auto& [library, options, fault] :
         std::vector<bad_library>{{"crash_on_load", {}, "its host ended"},
                                  {"old", {}, "version 42"},
                                  {"no_such", {}, "cannot be loaded"},
                                  {"water", {}, "give 1 to 256 places"},
                                  {"water", {{"default", "-1"}}, "is no number of litres"},
                                  {"slow", {{"a", "b"}}, "takes no options"}}) {
        const auto told = term_host(settings_of(library, options), bin).start();
        ASSERT_FALSE(told) << library;
        EXPECT_NE(told.error().detail.find(fault), std::string::npos) << told.error().detail;
    }
}

TEST(term_host, a_library_is_kept_to_its_figures) {
    term_host host(settings_of("greedy"), bin);
    ASSERT_TRUE(host.start());
    const auto passed = host.evaluate(table_of(1), request_of(1));
    ASSERT_TRUE(passed) << passed.error().detail;
    EXPECT_EQ(passed->front(), 0) << "attempts at files, network, processes, signals or the shared columns";
}

TEST(term_hub, every_question_is_answered) {
    std::promise<void> all;
    std::mutex mutex;
    std::vector<offers_scored> heard;
    const std::vector<term_settings> terms{settings_of("water", {{"p/wet", "1"}}), settings_of("crash")};
    term_hub hub(terms, bin, [&](offers_scored told) {
        const std::lock_guard lock(mutex);
        heard.push_back(std::move(told));
        if (heard.size() == 4)
            all.set_value();
    });
    const auto request = std::make_shared<score_request>(request_of(1));
    const auto table = table_of(2);
    table->shapes.architecture.push_back(7);  // one more shape, on which the gang cannot run
    table->shapes.accelerator.push_back(0);
    for (auto* column : {&table->shapes.vcpus, &table->shapes.memory_gib, &table->shapes.cards, &table->shapes.idle_w,
                         &table->shapes.max_w})
        column->push_back(1);
    table->offers.site.push_back(0);
    table->offers.shape.push_back(1);
    table->offers.price_per_h.push_back(1);
    table->offers.units_total.push_back(1);
    for (auto* column : {&request->units, &request->run_hours, &request->energy_kwh})
        column->push_back(std::nan(""));
    hub.ask({.ticket = 9,
             .table = table,
             .questions = {{"water", request}, {"crash", request}, {"crash", request}, {"nobody", request}}});
    ASSERT_EQ(all.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    hub.stop();
    std::size_t failures = 0;
    for (const offers_scored& told : heard) {
        EXPECT_EQ(told.ticket, 9u);
        failures += !told.column.failure.empty();
        if (told.column.term == "water") {
            ASSERT_EQ(told.column.quantity.size(), 3u) << told.column.failure;
            EXPECT_EQ(told.column.quantity[0], 1);
            EXPECT_TRUE(std::isnan(told.column.quantity[1])) << "of \"dry\" nothing is known";
            EXPECT_TRUE(told.column.gaps);
        }
    }
    EXPECT_EQ(failures, 3u);
    const auto counted = hub.read_counters();
    EXPECT_EQ(counted[0].second.answers, 1u);
    EXPECT_EQ(counted[0].second.unknown, 1u) << "what cannot run is not counted";
    EXPECT_GE(counted[1].second.crashed, 1u);
}

}  // namespace
}  // namespace westerly
