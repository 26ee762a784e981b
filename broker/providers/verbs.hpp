#pragma once

#include "broker/domain/effects.hpp"
#include "broker/providers/adapter_client.hpp"

namespace westerly {

/// The calls that take more than one message. Each ends in exactly one `done`. One thread: the client's. `random`, and
/// whatever the functions given refer to, outlive the client.

inline constexpr std::size_t put_piece_bytes = 512 << 10;  // base64 of it stays under the 1 MiB of a line
inline constexpr std::uint64_t put_bytes_max = 1ull << 30;
using bundle_reader =
    std::function<result<std::string>(const std::string& files, std::uint64_t from, std::size_t bytes_max)>;

/// Puts the bundle, if there is one, then launches. Nothing is launched after a failed put; but this may be the repeat
/// of a launch that an earlier broker made, so such a failure is not_done only if `find` proves absence.
void launch(adapter_client& client, std::shared_ptr<const launch_request> request, const bundle_reader& read,
            std::function<void(mutation_reply)> done);

/// not_found is unknown: only `find` proves absence.
void cancel(adapter_client& client, const std::string& token, std::uint32_t grace_s,
            std::function<void(mutation_reply)> done);

/// nullopt: the call failed, or told of another thing; nothing is known.
void find(adapter_client& client, const std::string& token, std::function<void(std::optional<observation>)> done);

inline constexpr std::size_t tokens_per_get = 256;
/// `seen` for each of the tokens that was answered; none of those that were not.
void get(adapter_client& client, std::vector<std::string> tokens, const std::function<void(observation)>& seen);

inline constexpr std::size_t list_pages_max = 4'096;
inline constexpr std::size_t list_items_max = 1'000'000;
/// All pages joined; as_of is the earliest of them. Complete only if every page came and the last says so.
void list_all(adapter_client& client, const std::string& owner, std::function<void(listing)> done);

inline constexpr std::size_t offer_pages_max = 1'024;
inline constexpr std::size_t offers_max = 200'000;
/// All pages joined; as_of is the earliest of them. Nothing of a set that is not whole.
void all_offers(adapter_client& client, std::function<void(const decoded_answer<offers_reply>&)> done);

using log_keeper = std::function<result<void>(const attempt_id&, std::uint32_t rank, bool error_stream,
                                              std::uint64_t from, const std::string& bytes)>;
inline constexpr std::uint32_t archive_tries_max = 24;         // in a row without progress, over some nine minutes
inline constexpr std::uint32_t archive_pieces_max = 64 << 10;  // of one stream
/// Reads the logs of all ranks, both streams, into `keep`. A failure is retried with back-off up to the limit.
void archive(adapter_client& client, const archive_logs& what, const log_keeper& keep, random_source& random,
             std::function<void(logs_archived)> done);

}  // namespace westerly
