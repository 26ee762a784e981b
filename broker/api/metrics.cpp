#include "broker/api/metrics.hpp"

#include "broker/api/router.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace westerly {
namespace {

constexpr std::string_view refusal_names[] = {"connections", "per_address", "handshake",
                                              "plain_http",  "slow",        "malformed"};
constexpr std::size_t status_classes = 5;  // 1xx … 5xx
constexpr workload_state workload_states[] = {
    workload_state::queued,    workload_state::launching, workload_state::active,    workload_state::stopping,
    workload_state::succeeded, workload_state::failed,    workload_state::cancelled, workload_state::expired};
constexpr attempt_state attempt_states[] = {attempt_state::intended, attempt_state::submitting, attempt_state::pending,
                                            attempt_state::running,  attempt_state::stopping,   attempt_state::unknown,
                                            attempt_state::lost,     attempt_state::ended};

std::string metric_head(std::string_view name, std::string_view help, std::string_view type) {
    std::string out = "# HELP ";
    out.append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
    return out;
}

template <class States, class Counts>
void append_states(std::string& out, std::string_view name, std::string_view help, const States& states,
                   const Counts& counts) {
    out += metric_head(name, help, "gauge");
    for (const auto state : states)
        out.append(name)
            .append("{state=\"")
            .append(to_string(state))
            .append("\"} ")
            .append(std::to_string(counts[static_cast<std::size_t>(state)]) + "\n");
}

void append_one(std::string& out, std::string_view name, std::string_view help, std::string_view type,
                std::uint64_t value) {
    out += metric_head(name, help, type);
    out.append(name).append(" ").append(std::to_string(value) + "\n");
}

void append_market(std::string& out, const market_view& market) {
    append_states(out, "westerly_workloads", "Workloads by state: unfinished ones now, finished ones since start.",
                  workload_states, market.counts.workloads);
    append_states(out, "westerly_attempts", "Attempts by state: live ones now, ended ones since start.", attempt_states,
                  market.counts.attempts);
    append_one(out, "westerly_decisions_total", "Decisions made since start.", "counter", market.counts.decisions);
    append_one(out, "westerly_illegal_transitions_total", "Observations that no transition allows, since start.",
               "counter", market.counts.illegal_transitions);
    append_one(out, "westerly_orphans_swept_total", "Unknown things of ours ended since start.", "counter",
               market.counts.orphans_swept);
    append_one(out, "westerly_orphans", "Unknown things of ours listed now.", "gauge", market.orphans.size());
    append_one(out, "westerly_offers", "Offers in the book.", "gauge", market.offers.size());
    out += metric_head("westerly_provider_quarantined", "1 while no launch is entrusted to the provider.", "gauge");
    for (const auto& provider : market.providers)
        out.append("westerly_provider_quarantined{provider=\"")
            .append(provider.id)
            .append(std::ranges::find(market.quarantines, provider.id, &quarantine::provider) !=
                            market.quarantines.end()
                        ? "\"} 1\n"
                        : "\"} 0\n");
    out += metric_head("westerly_provider_ready", "1 when the provider's adapter is ready.", "gauge");
    for (const auto& provider : market.providers)
        out.append("westerly_provider_ready{provider=\"")
            .append(provider.id)
            .append(provider.state == provider_state::ready ? "\"} 1\n" : "\"} 0\n");
}

}  // namespace

struct api_metrics::registry {
    prometheus::Registry all;
    std::vector<std::array<prometheus::Counter*, status_classes>> requests;  // by route, the last for unserved paths
    prometheus::Histogram* duration = nullptr;
    prometheus::Gauge* connections = nullptr;
    std::array<prometheus::Counter*, static_cast<std::size_t>(refusal::count_)> refusals{};
    std::atomic<std::uint64_t> connections_open{0};
};

api_metrics::api_metrics() : registry_(std::make_unique<registry>()) {
    auto& requests = prometheus::BuildCounter()
                         .Name("westerly_http_requests_total")
                         .Help("Requests answered, by route and class of status.")
                         .Register(registry_->all);
    const auto add_route = [&](const std::string& method, const std::string& pattern) {
        auto& row = registry_->requests.emplace_back();
        for (std::size_t i = 0; i < status_classes; ++i)
            row[i] = &requests.Add({{"method", method}, {"route", pattern}, {"status", std::to_string(i + 1) + "xx"}});
    };
    for (const auto& one : routes())
        add_route(std::string(to_string(one.method)), std::string(one.pattern));
    add_route("other", "other");
    registry_->duration = &prometheus::BuildHistogram()
                               .Name("westerly_http_request_duration_seconds")
                               .Help("From the whole request read to the answer made.")
                               .Register(registry_->all)
                               .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                                                0.025, 0.05, 0.1, 0.25, 1, 5, 30});
    registry_->connections = &prometheus::BuildGauge()
                                  .Name("westerly_http_connections")
                                  .Help("Connections open.")
                                  .Register(registry_->all)
                                  .Add({});
    auto& refusals = prometheus::BuildCounter()
                         .Name("westerly_http_refusals_total")
                         .Help("Connections ended by a limit or a defect of the client, by reason.")
                         .Register(registry_->all);
    for (std::size_t i = 0; i < std::size(refusal_names); ++i)
        registry_->refusals[i] = &refusals.Add({{"reason", std::string(refusal_names[i])}});
}

api_metrics::~api_metrics() = default;

void api_metrics::answered(std::size_t route, int status, std::chrono::nanoseconds took) {
    const auto& row = registry_->requests[std::min(route, registry_->requests.size() - 1)];
    row[static_cast<std::size_t>(status / 100 - 1)]->Increment();
    registry_->duration->Observe(std::chrono::duration<double>(took).count());
}

void api_metrics::connection_opened() {
    registry_->connections->Set(static_cast<double>(++registry_->connections_open));
}

void api_metrics::connection_closed() {
    registry_->connections->Set(static_cast<double>(--registry_->connections_open));
}

void api_metrics::refused(refusal why) {
    registry_->refusals[static_cast<std::size_t>(why)]->Increment();
}

std::uint64_t api_metrics::connections_open() const {
    return registry_->connections_open.load();
}

std::string api_metrics::text(const market_view* market, std::uint64_t streams_open) const {
    std::string out = prometheus::TextSerializer().Serialize(registry_->all.Collect());
    append_one(out, "westerly_http_streams", "Event and log streams open.", "gauge", streams_open);
    if (market != nullptr)
        append_market(out, *market);
    return out;
}

}  // namespace westerly
