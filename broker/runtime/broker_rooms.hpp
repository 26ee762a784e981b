#pragma once

#include "broker/api/api_server.hpp"
#include "broker/feeds/feed_poller.hpp"
#include "broker/providers/provider_hub.hpp"
#include "broker/runtime/archivist.hpp"
#include "broker/runtime/bundle_shelf.hpp"
#include "broker/runtime/configuration.hpp"
#include "broker/runtime/event_relay.hpp"
#include "broker/runtime/home.hpp"
#include "broker/runtime/key_index.hpp"
#include "broker/runtime/loop.hpp"
#include "broker/runtime/pending_answers.hpp"
#include "broker/runtime/replayer.hpp"
#include "broker/runtime/term_hub.hpp"

namespace westerly {

/// The rooms, in the order of their construction, and the wires between them.
class broker_rooms {
public:
    broker_rooms(const broker_options& options, home_layout home, std::unique_ptr<store> keep, stored_state state,
                 configuration config, term_table terms);

    /// Errors: those of the listener.
    result<void> start();
    /// Policies, providers and certificates anew; what is faulty is logged, and what was goes on.
    void reload();
    /// What is due now and then: old logs and bundles go.
    void keep_house() const;
    /// Takes no new work, answers what is under way, leaves running workloads alone.
    void stop();

    std::uint16_t port() const { return api_.port(); }
    bool failed() const { return failed_; }

private:
    void apply(const configuration& config);
    void poisoned(const error& why);

    void carry_out(effect e);
    template <class Call>
    void carry_out_one(Call call);
    void carry_out_one(archive_logs call);
    void carry_out_one(publish_market market);
    void carry_out_one(publish_events events);
    void carry_out_one(keys_changed);
    void carry_out_one(answer_request a);
    void carry_out_one(score_offers asked);

    void ask(input in, pending_answers::done done);
    void observe(input in);
    void read_log(const attempt& of, std::uint32_t rank, bool error_stream, std::uint64_t from,
                  std::function<void(result<byte_piece>)> done);
    result<std::string> back_up();

    hub_options make_hub_options();
    api_options make_api_options() const;
    api_services make_services();

    const broker_options& options_;
    const home_layout home_;
    const term_table terms_;
    bundle_shelf bundles_;
    log_archive logs_;
    event_relay events_;
    pending_answers waiting_;
    key_index keys_;
    std::mutex market_mutex_;
    std::shared_ptr<const market_view> market_ = std::make_shared<market_view>();
    std::atomic<bool> ready_ = false;
    std::atomic<bool> failed_ = false;
    std::unique_ptr<store> store_;
    replayer replayer_;
    const owner_id owner_;
    engine core_;
    loop loop_;
    archivist archivist_;
    provider_hub hub_;
    term_hub scorers_;
    feed_poller feeds_;
    api_server api_;
    configuration config_;  // as last applied
};

}  // namespace westerly
