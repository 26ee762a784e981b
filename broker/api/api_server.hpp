#pragma once

#include "broker/domain/effects.hpp"
#include "broker/domain/queries.hpp"
#include "broker/domain/replay.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace westerly {

/// What the API needs of the house, bound by runtime. Every function is thread-safe.
struct api_services {
    /// Puts a client's request to the engine; `done` comes once its changes are durable. Errors: overloaded,
    /// shutting_down at once through `done`.
    std::function<void(input, std::function<void(result<answer>)> done)> ask;
    queries* read = nullptr;
    std::function<std::shared_ptr<const market_view>()> market;
    std::function<std::optional<principal>(const sha256_digest& key_hash)> authenticate;
    /// Live events, durable ones only, from any thread; returns an id for unsubscribe.
    std::function<std::uint64_t(std::function<void(const event&)>)> subscribe;
    std::function<void(std::uint64_t)> unsubscribe;
    /// A piece of an attempt's log: from the provider while it lives, from the archive afterwards.
    std::function<void(const attempt&, std::uint32_t rank, bool error_stream, std::uint64_t from,
                       std::function<void(result<byte_piece>)>)>
        logs;
    std::function<void(const attempt&, std::string path, std::uint64_t from, std::function<void(result<fetch_reply>)>)>
        fetch;
    std::function<void(const provider_id&, std::function<void(result<probe_reply>)>)> probe;
    /// Stores an uploaded bundle by content; gives "sha256:<hex>". Errors: too_large, storage_failed.
    std::function<result<std::string>(const tenant_id&, std::string bytes)> keep_bundle;
    std::function<bool(const tenant_id&, const std::string& files)> has_bundle;
    /// Makes a stored decision again. Errors: not_found, conflict (what it was made from is not kept), storage_failed.
    std::function<result<replay_report>(const decision_id&)> replay;
    std::function<result<policy_comparison>(const policy_comparison_request&)> compare_policies;
    std::function<result<std::string>()> backup;  // gives the path of the copy, made under the home directory
    std::function<bool()> ready;                  // for /readyz
    std::function<std::string()> why_not_ready;
    std::function<std::string()> extra_metrics;  // Prometheus text of other rooms
};

struct api_options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8443;          // 0: any free one
    std::filesystem::path certificate;  // PEM chain
    std::filesystem::path private_key;  // PEM
    unsigned threads = 2;
    std::uint32_t connections_max = 10'000;
    std::uint32_t connections_per_address_max = 1'000;
    std::uint32_t streams_per_tenant_max = 256;
    std::uint32_t requests_per_s_per_key = 0;  // 0: no limit
    seconds idle_timeout{60};
    seconds request_timeout{30};
    std::size_t body_bytes_max = 1 << 20;
    std::size_t bundle_bytes_max = 16 << 20;
};

/// The HTTPS listener and everything behind it up to `api_services`.
class api_server {
public:
    api_server(api_options options, api_services services);
    ~api_server();
    /// Binds and serves. Errors: conflict when the port is taken (says by which address, and the remedy), invalid for
    /// certificates.
    result<void> start();
    std::uint16_t port() const;
    /// New connections use the files' new content. Errors leave the old ones in use.
    result<void> reload_certificates();
    /// Stops accepting, ends idle connections and streams, waits for requests under way.
    void drain(seconds at_most);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// Makes a self-signed certificate (P-256, 825 days, names and addresses as subjectAltName) when neither file exists.
/// Gives the SHA-256 fingerprint of the certificate in use, "AA:BB:…". Errors: storage_failed, invalid.
result<std::string> ensure_certificate(const std::filesystem::path& certificate, const std::filesystem::path& key,
                                       const std::vector<std::string>& names);

}  // namespace westerly
