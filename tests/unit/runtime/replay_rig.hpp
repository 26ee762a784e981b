#pragma once

#include "broker/codec/config_json.hpp"
#include "broker/codec/views_json.hpp"
#include "broker/codec/workload_json.hpp"
#include "broker/engine/engine.hpp"
#include "broker/runtime/replayer.hpp"
#include "broker/store/store.hpp"
#include "policies/table.hpp"
#include "tests/unit/runtime/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace westerly {

inline constexpr std::string_view cheap_text = R"({"description": "least money"})";
inline constexpr std::string_view dear_text = R"({"prices": {"time": {"amount": "5", "currency": "CNY", "per": "h"}}})";

inline offer offer_of(const provider_id& provider, const std::string& site, std::int64_t nanos, std::uint64_t units) {
    offer out;
    out.id = provider + '/' + site + "/small/on_demand";
    out.provider = provider;
    out.site.site = site;
    out.site.region = "r-" + site;
    out.site.jurisdiction = "CN";
    out.site.latitude_longitude = std::pair(30.0, 100.0 + static_cast<double>(site.size()));
    out.vcpus = 4;
    out.memory_mib = 8192;
    out.units_free = units;
    out.idle_w = 10;
    out.max_w = 100;
    out.site.pue = sourced{1.2, "declared", quality_class::declared};
    out.price = unit_price{nanos, currency::cny};
    return out;
}

/// An engine over a real store: what it decides is on disk, and so is what it decided from.
struct replay_rig : testing::Test {
    void start() {
        core.reset();
        keep.reset();
        auto opened = open_sqlite_store({.file = folder.path() / "w.db", .machine_id = "m"});
        ASSERT_TRUE(opened) << opened.error().detail;
        keep = std::move(*opened);
        auto state = keep->load(now);
        ASSERT_TRUE(state);
        core = std::make_unique<engine>(engine_options{.regions = {{"home", 31.0, 121.0}}, .accelerators = {}}, terms,
                                        std::move(*state), now);
        use_policy(policy_at_start);
        std::vector<provider_config> configs;
        for (const auto* id : {"p", "q"}) {
            provider_config& config = configs.emplace_back();
            config.id = id;
            config.kind = "local";
        }
        give(providers_configured{configs});
        for (const auto* id : {"p", "q"}) {
            provider_health health;
            health.id = id;
            health.state = provider_state::ready;
            give(provider_reported{health});
        }
    }
    void use_policy(std::string_view text) { give(policies_configured{{*decode_policy("mine", text)}, {}}); }
    void offer_from(const provider_id& id, const offer_list& offers) { give(offers_received{id, offers}); }

    void give(const input& in) {
        now += milliseconds(7);
        auto made = core->handle(in, now, random);
        for (const auto& each : made.changes.decisions)
            decisions.push_back(each.id);
        std::ranges::copy(made.changes.signal_history, std::back_inserter(signals_written));
        std::ranges::copy(made.changes.terms_history, std::back_inserter(terms_written));
        if (!made.changes.empty()) {
            const auto done = keep->commit({&made.changes, 1});
            ASSERT_TRUE(done) << done.error().detail;
        }
        for (const auto& each : made.effects)
            if (const auto* asked = std::get_if<score_offers>(&each))
                say(*asked);
    }
    /// Answers as libraries would.
    void say(const score_offers& asked) {
        for (const auto& question : asked.questions) {
            foreign_column column{
                .term = question.term, .tasks = question.request->tasks, .quantity = {}, .gaps = false, .failure = {}};
            library(column, asked.table->offers.site.size());
            tidy(column);
            give(offers_scored{asked.ticket, std::move(column)});
        }
    }
    void pass(milliseconds time) {
        now += time;
        give(tick{});
    }
    void submit() { submit(workload_spec()); }
    void submit(workload_spec spec) {
        spec.name = "w";
        spec.policy = "mine";
        spec.variants.emplace_back().command = {"true"};
        give(submit_workload{1,
                             who(),
                             std::make_shared<workload_spec>(spec),
                             {},
                             {},
                             std::make_shared<const std::string>(encode_workload_spec(spec))});
    }
    principal who() {
        if (tenant_.none())
            tenant_ = tenant_id::make(now, random);
        principal out;
        out.tenant = tenant_;
        out.tenant_name = "t";
        return out;
    }
    std::vector<std::string> replays() {
        replayer tested(keep->readers(), terms);
        std::vector<std::string> out;
        for (const auto& id : decisions) {
            const auto report = tested.replay(id);
            out.push_back(!report             ? report.error().detail
                          : report->identical ? "identical"
                                              : report->pointer + ": " + report->recorded + " / " + report->replayed);
        }
        return out;
    }

    std::vector<term> table = std::vector<term>(built_in_terms().begin(), built_in_terms().end());
    term_table terms = built_in_terms();
    /// What the libraries write for so many offers.
    std::function<void(foreign_column&, std::size_t)> library = [](foreign_column& column, std::size_t offers) {
        column.quantity.assign(offers, 0);
    };
    std::string_view policy_at_start = cheap_text;
    std::vector<signal_entry> signals_written;
    std::vector<terms_entry> terms_written;
    temporary_folder folder;
    random_source random{11};
    instant now = instant(std::chrono::hours(24 * 365 * 50));
    std::unique_ptr<store> keep;
    std::unique_ptr<engine> core;
    std::vector<decision_id> decisions;

private:
    tenant_id tenant_{};
};

}  // namespace westerly
