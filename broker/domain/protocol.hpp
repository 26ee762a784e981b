#pragma once

#include "broker/domain/attempt.hpp"

namespace westerly {

/// The adapter protocol's values: JSON-RPC 2.0, one message a line, at most 1 MiB. schema/adapter-protocol.schema.json
/// is the source; codec/protocol.hpp turns these into lines and back.

inline constexpr int protocol_version = 1;
inline constexpr std::size_t protocol_line_max = 1 << 20;

enum class idempotency_class : std::uint8_t { native_token, unique_name, tag_and_find, none };

/// Answers to a mutation. not_done is proved; unknown may only be resolved by `find`.
enum class call_outcome : std::uint8_t { done, not_done, unknown };

/// The closed set of adapter error kinds. An error to a mutation proves not_done for invalid, unauthorised,
/// quota_exceeded, no_capacity, rate_limited; unavailable, internal and time-outs mean unknown.
enum class adapter_error : std::uint8_t {
    none,
    unavailable,
    rate_limited,
    no_capacity,
    quota_exceeded,
    invalid,
    unauthorised,
    not_found,
    internal
};
std::string_view to_string(adapter_error kind);
/// nullopt for "none" too: it is not an error's name on the wire.
std::optional<adapter_error> parse_adapter_error(std::string_view text) noexcept;
constexpr bool proves_not_done(adapter_error kind) noexcept {
    return kind == adapter_error::rate_limited || kind == adapter_error::no_capacity ||
           kind == adapter_error::quota_exceeded || kind == adapter_error::invalid ||
           kind == adapter_error::unauthorised;
}

struct initialize_request {
    int version = protocol_version;
    std::string provider;
    std::string owner;        // our owner mark
    std::string state_dir;    // a private directory that outlives restarts
    std::string config_json;  // the provider file's "config" object, as is
    std::vector<std::string> sites;
};
struct initialize_reply {
    int version = protocol_version;
    std::string kind;  // "local", "slurm", …
    std::string adapter_version;
    idempotency_class idempotency = idempotency_class::none;
    std::uint32_t max_visibility_delay_s = 0;  // tag_and_find: how long a created thing may stay unlisted
    std::vector<std::string> capabilities;     // "put", "fetch", "logs", "gang", "walltime", …
};

/// An offer as the adapter knows it; the broker adds the site's facts and price book of the provider file.
struct adapter_offer {
    std::string site;
    std::string name;  // unique within the site
    offer shape;       // provider, site facts and id are left empty here
};
/// RTT that an adapter measured from one of its sites.
struct site_rtt {
    std::string site;
    measured_rtt rtt;
    friend bool operator==(const site_rtt&, const site_rtt&) = default;
};
struct offers_reply {
    std::vector<adapter_offer> offers;  // all of them, or a page
    instant as_of{};                    // of every offer in it
    std::string next_cursor;            // not empty: ask again with it, so that one message stays within its limit
    std::vector<site_rtt> rtt_measured = {};  // at most one of a site and region, over all pages
    std::vector<std::string> warnings = {};   // for the operator: what is wrong and keeps nothing from running
};

/// Everything the provider must know to run one attempt.
struct launch_request {
    std::string token;  // the provider must see one thing per token, however often we call
    std::uint64_t fence = 0;
    std::string owner;
    std::string workload;
    std::string attempt;
    std::string name;    // for people, from the workload
    std::string tenant;  // tenant id: the local adapter keeps tenants' users apart by it
    std::string site;
    std::string offer;  // adapter_offer::name
    std::uint32_t tasks = 1;
    std::uint64_t units = 1;
    std::uint32_t vcpus = 1;         // per task
    std::uint64_t memory_mib = 512;  // per task
    std::uint64_t disk_mib = 0;
    variant run;
    bool has_files = false;  // a bundle was put as "bundle.tar" before this call: unpack it into each task's cwd
    std::optional<std::uint64_t> max_runtime_s;
    std::uint32_t grace_s = 30;
};
struct mutation_reply {
    call_outcome outcome = call_outcome::unknown;
    std::string handle;  // of launch
    adapter_error why = adapter_error::none;
    std::string message;
    std::optional<std::uint32_t> retry_after_s;
};

/// Absence is proved only by a complete list or a `find` that says absent.
struct listing {
    std::vector<observation> items;
    bool complete = false;
    instant as_of{};
    std::string next_cursor;
};

struct log_request {
    std::string token;
    std::uint32_t rank = 0;
    bool error_stream = false;
    std::uint64_t from = 0;  // byte offset
};
/// A piece of a log or file. `next` is the offset to ask for next.
struct byte_piece {
    std::uint64_t from = 0;
    std::uint64_t next = 0;
    std::string bytes;      // raw; base64 on the wire, at most 512 KiB
    bool complete = false;  // nothing will follow: the run has ended and all was given
};
struct file_entry {
    std::string path;  // relative to the output directory, no "..", UTF-8
    std::uint64_t size_bytes = 0;
    friend bool operator==(const file_entry&, const file_entry&) = default;
};
struct fetch_reply {
    std::optional<byte_piece> piece;  // for a file
    std::vector<file_entry> entries;  // for a directory: all files under it, at most 10 000
    bool directory = false;
    bool truncated = false;  // of a directory: there are more files than one message holds
};
/// Params of `preemption.notice`: the provider will take this attempt away.
struct preemption_notice {
    std::string token;
    instant at{};
};
struct probe_reply {
    bool ok = false;
    std::string message;  // what is wrong and the remedy
};

}  // namespace westerly
