#pragma once

#include "broker/domain/protocol.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <span>

namespace westerly {

/// The logs of ended attempts, as files DIR/ATTEMPT/RANK.out and .err. Of each stream the head and the tail are kept,
/// with a line between that says how much is left out; an attempt takes at most `bytes_per_attempt`. Thread-safe.
class log_archive {
public:
    log_archive(std::filesystem::path dir, std::size_t bytes_per_attempt);

    /// Archiving begins (or begins anew after a restart); the attempt's space is shared out over its tasks' streams.
    void begin(const attempt_id& attempt, std::uint32_t tasks);
    /// One piece, in order. Errors: storage_failed.
    result<void> keep(const attempt_id& attempt, std::uint32_t rank, bool error_stream, std::uint64_t from,
                      std::string_view bytes);
    /// All pieces were given: writes the tails and marks the attempt complete, not yet beyond a power cut. False: it
    /// was silent, so that nothing would be lost. Errors: storage_failed.
    result<bool> finish(const attempt_id& attempt);
    /// What was finished of these is on the disk from now on. Takes as long as the disk does. Errors: storage_failed.
    result<void> sync(std::span<const attempt_id> finished) const;
    bool has(const attempt_id& attempt) const;
    /// Errors: not_found.
    result<byte_piece> read(const attempt_id& attempt, std::uint32_t rank, bool error_stream, std::uint64_t from) const;
    /// Deletes what was kept before `oldest`.
    void purge(instant oldest) const;

private:
    struct stream {
        std::uint64_t seen = 0;        // bytes given so far
        std::uint64_t head_bytes = 0;  // of them in the file
        std::string tail;
    };
    struct archiving {
        std::size_t half = 0;  // bytes of head, and of tail, that a stream may have
        std::map<std::pair<std::uint32_t, bool>, stream> streams;
    };
    std::filesystem::path folder(const attempt_id& attempt) const;
    std::filesystem::path file(const attempt_id& attempt, std::uint32_t rank, bool error_stream) const;

    std::filesystem::path dir_;
    std::size_t bytes_per_attempt_;
    mutable std::mutex mutex_;
    std::map<attempt_id, archiving> open_;
};

}  // namespace westerly
