#pragma once

#include "broker/engine/fair_order.hpp"
#include "broker/placement/term.hpp"
#include "broker/support/result.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace westerly {

/// A term of a library, as the settings name it: docs/guides/terms.md.
struct term_settings {
    std::string name;  // as policies write it
    std::filesystem::path library;
    std::uint32_t deadline_ms = 100;
    std::vector<std::pair<std::string, std::string>> options;  // sorted by key
};

/// westerlyd's settings, complete; see docs/guides/operator.md.
struct broker_options {
    std::filesystem::path settings;     // the file that was read for these; empty: none
    std::filesystem::path home;         // state: database, keys, certificates, bundles, logs, adapters' state
    std::filesystem::path config_dir;   // policies/*.json and providers/*.json
    bool config_dir_stated = false;     // by a flag or the settings; else beside the settings or at its usual place
    std::filesystem::path libexec_dir;  // westerly-spawn and adapters
    std::string listen_address = "127.0.0.1";
    std::uint16_t port = 8443;
    std::filesystem::path certificate;  // empty: home/tls/cert.pem, self-signed when missing
    std::filesystem::path private_key;
    std::vector<std::string> certificate_names;
    std::string usd_rate;  // CNY per USD, decimal; empty: the built-in example
    std::string usd_rate_source;
    unsigned io_threads = 2;
    std::uint32_t requests_per_s_per_key = 0;
    std::uint32_t log_archive_mib = 16;  // per attempt
    fair_share_rules fair_share;
    std::vector<term_settings> terms;
};

/// Prints an error with its faults and remedies to standard error, for people; gives the exit code 1.
int refuse(const error& why);

/// Reads policies and providers as `run` would and says every fault with file, line and column; starts nothing.
result<void> check_configuration(const broker_options& options, term_table built_in, std::string& report);

/// Makes a further operator key in a store that no westerlyd has open; gives the secret, once.
result<std::string> new_operator_key(const broker_options& options);

/// Puts a backup in the place of the home directory's database, which no westerlyd may have open.
result<void> restore_backup(const broker_options& options, const std::filesystem::path& backup);

/// The whole broker: constructs the rooms in order, runs until SIGTERM or SIGINT, reloads at SIGHUP. Prints address,
/// certificate fingerprint and (on the first start) the operator key. Gives the process's exit code.
int run_broker(const broker_options& options, term_table built_in);

}  // namespace westerly
