#pragma once

#include "broker/domain/offer_list.hpp"

namespace westerly {

/// A price that the provider file lays over (or gives to) what the adapter offers.
struct price_override {
    std::string site;   // empty: all
    std::string offer;  // adapter_offer::name; empty: all
    unit_price price;
    std::string source;
    // In place of the adapter's, where they are stated.
    std::optional<std::uint32_t> increment_s = std::nullopt;
    std::optional<std::uint32_t> minimum_s = std::nullopt;
    std::optional<billing_start> billing_starts = std::nullopt;
    std::optional<double> idle_w;
    std::optional<double> max_w;
    supply_terms supply;
    software_facts software = {};  // in place of the adapter's, where not empty
    price_schedule schedule = {};  // goes with `price`, as that does in place of the adapter's
    accelerator_facts cards = {};  // of the unit's cards: rates and links in place of the adapter's, where not 0
    friend bool operator==(const price_override&, const price_override&) = default;
};

/// One provider file, checked and complete.
struct provider_config {
    provider_id id;
    std::string kind;  // adapter kind: "local", …; "catalogue": plan-only offers, no adapter
    std::string display_name;
    std::vector<site_facts> sites;             // 1..1024
    std::string config_json;                   // adapter config, as is; "{}" when absent
    std::vector<std::string> adapter_command;  // optional: how to start the adapter; default westerly-adapter-KIND
    std::vector<price_override> prices;
    offer_list offers;             // kind "catalogue": its offers by id, complete with site facts
    bool cordoned = false;         // no new work
    std::uint32_t calls_max = 32;  // calls in flight
    std::uint32_t offers_refresh_s = 30;
    std::optional<std::uint32_t> stale_after_s = std::nullopt;  // of its offers; nullopt: by its kind
    std::uint32_t poll_s = 5;                                   // how often live attempts are looked at
    std::uint32_t lost_after_s = 120;                           // a running attempt unseen for so long becomes `lost`
    std::uint32_t call_timeout_s = 30;
    friend bool operator==(const provider_config&, const provider_config&) = default;
};

/// Launches there failed for reasons of the provider's own, or it broke a promise: no new work until it proves itself.
struct quarantine {
    provider_id provider;
    bool unauthorised = false;  // it refuses the broker's credentials: only the operator can mend that
    instant since{};
    instant until{};             // then one launch is tried; past: that launch is awaited
    std::uint32_t failures = 0;  // launches since the last good one
    std::string why;             // with the remedy
    friend bool operator==(const quarantine&, const quarantine&) = default;
};

/// After what time offers are stale that nobody confirms: of an adapter after ten listings that did not come, at least
/// 5 minutes; of a catalogue, which holds the prices of a day, after 30 days.
std::uint32_t stale_after_s(const provider_config& of) noexcept;

enum class provider_state : std::uint8_t { starting, ready, degraded, down };
std::string_view to_string(provider_state state);

/// What the broker knows of a provider's health; kept by the engine from what `providers` reports.
struct provider_health {
    provider_id id;
    provider_state state = provider_state::starting;
    std::string message;  // why, and the remedy
    instant since{};
    std::string adapter_version;
    std::uint32_t max_visibility_delay_s = 0;  // from initialize
    friend bool operator==(const provider_health&, const provider_health&) = default;
};

}  // namespace westerly
