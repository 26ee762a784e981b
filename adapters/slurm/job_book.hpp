#pragma once

#include "broker/domain/protocol.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

namespace westerly {

/// What the adapter knows of one token; a small file in its state directory, written before each step that counts.
struct job_record {
    std::string token;
    std::string workload;
    std::string site;
    std::string offer;
    std::uint32_t tasks = 1;
    std::uint64_t units = 0;
    std::uint64_t fence = 0;
    instant intended_at{};     // before the submit; later, before a repeated one
    std::string cluster;       // empty: not known yet
    std::uint64_t job_id = 0;  // 0: submitted, perhaps; which job is not known
    bool running = false;      // seen to run
    std::optional<instant> started_at;
    std::optional<std::uint32_t> cancel_grace_s;
    std::optional<instant> cancel_at;
    std::optional<observation> last;  // the end, once it is known
};

std::string encode(const job_record& v);
result<job_record> decode_job_record(std::string_view text);

struct job_entry {
    std::mutex work;  // whoever talks to Slurm about this token
    job_record record;
    bool saved = false;                                 // there is a file of it
    std::chrono::steady_clock::time_point looked_at{};  // when the files of the run were last held against Slurm's word
};
using job_ptr = std::shared_ptr<job_entry>;

/// All tokens in memory, each mirrored in DIR/attempts/TOKEN. Thread-safe; an entry's record belongs to who holds its
/// `work`.
class job_book {
public:
    /// Reads what earlier lives left, and counts this life. Errors: storage_failed.
    result<void> open(const std::filesystem::path& state_dir);
    /// How often this state directory was opened: later lives have a higher number.
    std::uint64_t generation() const noexcept { return generation_; }

    job_ptr find(const std::string& token) const;
    /// Known or new.
    job_ptr at(const std::string& token);
    std::vector<job_ptr> all() const;  // by token
    std::size_t size() const;

    /// Durable when it returns. `work` is held.
    result<void> save(job_entry& entry);
    void forget(const job_ptr& entry);

private:
    std::filesystem::path file_of(const std::string& token) const { return folder_ / token; }

    std::filesystem::path folder_;
    std::uint64_t generation_ = 0;
    mutable std::mutex lock_;
    std::map<std::string, job_ptr> entries_;
};

}  // namespace westerly
