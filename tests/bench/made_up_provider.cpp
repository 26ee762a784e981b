// An adapter for measuring, over a provider that is not there. Its config: {"shapes": N, "answers": "slowly" | "at
// once"}. Slowly: a launch takes about a second and what was launched never starts, so that hardly any launching runs
// beside the measurement. At once: what is launched has ended when the call is answered.
#include "adapters/sdk/serve.hpp"
#include "broker/codec/reader.hpp"

#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

namespace {

using namespace westerly;

constexpr std::uint64_t units_free = 400;
constexpr std::size_t page_max = 2'000;  // offers in a message of at most 1 MiB
constexpr milliseconds launch_takes{100};
constexpr milliseconds patience{20};

class made_up_provider final : public adapter {
public:
    verb_result<initialize_reply> initialize(const initialize_request& request, notifier& tell) override {
        const auto config = parse_json(request.config_json, protocol_line_max);
        if (!config || !config->IsObject() || !config->HasMember("shapes") || !config->HasMember("answers"))
            return failed(adapter_error::invalid,
                          "the config is {\"shapes\": N, \"answers\": \"slowly\" or \"at once\"}");
        shapes_ = (*config)["shapes"].GetUint();
        at_once_ = std::string_view((*config)["answers"].GetString()) == "at once";
        sites_ = request.sites;
        provider_ = request.provider;
        tell_ = &tell;
        initialize_reply reply;
        reply.kind = "bench";
        reply.adapter_version = "1";
        reply.idempotency = idempotency_class::native_token;
        return reply;
    }

    verb_result<offers_reply> offers(const offers_params& params, const call_state& /*call*/) override {
        offers_reply reply;
        reply.as_of = system_wall_clock().now();
        const std::size_t all = sites_.size() * shapes_, from = std::strtoull(params.cursor.c_str(), nullptr, 10);
        for (std::size_t i = from; i < std::min(all, from + page_max); ++i)
            reply.offers.push_back(offer_number(i));
        if (from + page_max < all)
            reply.next_cursor = std::to_string(from + page_max);
        return reply;
    }

    verb_result<mutation_reply> launch(const launch_request& request, const call_state& call) override {
        mutation_reply reply;
        reply.outcome = call_outcome::done;
        reply.handle = request.token;
        if (at_once_) {
            tell_->attempt_changed(ended(request.token));
            return reply;
        }
        for (milliseconds waited{0}; waited < launch_takes && !call.cancelled(); waited += patience)
            std::this_thread::sleep_for(patience);
        return reply;
    }

    verb_result<observation> find(const token_params& params, const call_state& /*call*/) override {
        return seen(params.token);
    }
    verb_result<std::vector<observation>> get(const tokens_params& params, const call_state& /*call*/) override {
        std::vector<observation> all;
        for (const auto& token : params.tokens)
            all.push_back(seen(token));
        return all;
    }
    verb_result<mutation_reply> cancel(const token_params& /*params*/, const call_state& /*call*/) override {
        mutation_reply reply;
        reply.outcome = call_outcome::done;
        return reply;
    }
    verb_result<listing> list(const list_params& /*params*/, const call_state& /*call*/) override {
        return listing{};  // never complete: nothing is proved absent
    }
    verb_result<probe_reply> probe(const call_state& /*call*/) override { return probe_reply{true, {}}; }

private:
    /// The same ones in every run: prices follow from the provider's name.
    adapter_offer offer_number(std::size_t number) const {
        std::mt19937_64 random(std::hash<std::string>()(provider_) + number);
        const auto k = number % shapes_;
        adapter_offer item;
        item.site = sites_[number / shapes_];
        item.name = "shape-" + std::to_string(k);
        offer& shape = item.shape;
        shape.vcpus = 1u << (k % 6);
        shape.memory_mib = std::uint64_t{shape.vcpus} * (1024u << (k % 3));
        shape.units_free = units_free;
        const auto nanos = shape.vcpus * (60'000'000 + random() % 60'000'000);
        shape.price = unit_price{static_cast<std::int64_t>(nanos), currency::cny};
        shape.price_source = "made up for measuring";
        shape.idle_w = shape.vcpus * 2.0;
        shape.max_w = shape.vcpus * 6.0;
        return item;
    }

    static observation told(observation::phase at, const std::string& token) {
        observation one;
        one.at = at;
        one.token = token;
        one.handle = token;
        one.seq = 1;
        return one;
    }

    /// Ended as soon as it began, and kept: asked again, it says the same.
    observation ended(const std::string& token) {
        auto one = told(observation::phase::exited, token);
        one.exit_code = 0;
        one.started_at = one.ended_at = system_wall_clock().now();
        const std::lock_guard held(lock_);
        return ended_.try_emplace(token, std::move(one)).first->second;
    }

    observation seen(const std::string& token) {
        if (!at_once_)
            return told(observation::phase::pending, token);
        const std::lock_guard held(lock_);
        const auto found = ended_.find(token);
        return found != ended_.end() ? found->second : told(observation::phase::absent, token);
    }

    std::vector<std::string> sites_;
    std::string provider_;
    std::size_t shapes_ = 0;
    bool at_once_ = false;
    notifier* tell_ = nullptr;
    std::mutex lock_;
    std::unordered_map<std::string, observation> ended_;
};

}  // namespace

int main() {
    westerly::protocol_streams streams;
    made_up_provider provider;
    westerly::serve_and_exit(provider, streams);
}
