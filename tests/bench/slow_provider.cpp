// An adapter for measuring: offers much, and takes about a second over every launch. What is placed on it is decided,
// recorded and queued for launching like anything else, while hardly any launching runs beside the measurement.
#include "adapters/sdk/serve.hpp"

#include <random>
#include <thread>

namespace {

using namespace westerly;

constexpr int shapes = 25;  // a site
constexpr std::uint64_t units_free = 400;
constexpr milliseconds launch_takes{1'000};
constexpr milliseconds patience{20};

class slow_provider final : public adapter {
public:
    verb_result<initialize_reply> initialize(const initialize_request& request, notifier& /*tell*/) override {
        sites_ = request.sites;
        provider_ = request.provider;
        initialize_reply reply;
        reply.kind = "bench";
        reply.adapter_version = "1";
        reply.idempotency = idempotency_class::native_token;
        return reply;
    }

    /// The same ones in every run: prices follow from the provider's name.
    verb_result<offers_reply> offers(const offers_params& /*params*/, const call_state& /*call*/) override {
        std::mt19937_64 random(std::hash<std::string>()(provider_));
        offers_reply reply;
        reply.as_of = system_wall_clock().now();
        for (const auto& site : sites_)
            for (int k = 0; k < shapes; ++k) {
                adapter_offer item;
                item.site = site;
                item.name = "shape-" + std::to_string(k);
                offer& shape = item.shape;
                shape.vcpus = 1u << (k % 6);
                shape.memory_mib = std::uint64_t{shape.vcpus} * (1024u << (k % 3));
                shape.units_free = units_free;
                shape.price = unit_price{static_cast<std::int64_t>(shape.vcpus * (60'000'000 + random() % 60'000'000)),
                                         currency::cny};
                shape.price_source = "made up for measuring";
                shape.idle_w = shape.vcpus * 2.0;
                shape.max_w = shape.vcpus * 6.0;
                reply.offers.push_back(std::move(item));
            }
        return reply;
    }

    verb_result<mutation_reply> launch(const launch_request& request, const call_state& call) override {
        for (milliseconds waited{0}; waited < launch_takes && !call.cancelled(); waited += patience)
            std::this_thread::sleep_for(patience);
        mutation_reply reply;
        reply.outcome = call_outcome::done;
        reply.handle = request.token;
        return reply;
    }

    verb_result<observation> find(const token_params& params, const call_state& /*call*/) override {
        return pending(params.token);
    }
    verb_result<std::vector<observation>> get(const tokens_params& params, const call_state& /*call*/) override {
        std::vector<observation> all;
        for (const auto& token : params.tokens)
            all.push_back(pending(token));
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
    static observation pending(const std::string& token) {
        observation seen;
        seen.at = observation::phase::pending;
        seen.token = token;
        seen.handle = token;
        seen.seq = 1;
        return seen;
    }

    std::vector<std::string> sites_;
    std::string provider_;
};

}  // namespace

int main() {
    westerly::protocol_streams streams;
    slow_provider provider;
    westerly::serve_and_exit(provider, streams);
}
