#include "adapters/local/attempt_record.hpp"

#include "adapters/local/records/task_files.hpp"
#include "broker/codec/protocol_json.hpp"
#include "broker/support/bytes.hpp"
#include "broker/support/files.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace westerly {
namespace {

namespace fs = std::filesystem;

std::optional<launch_verdict> verdict_of(const fs::path& attempt) {
    const auto text = read_small(attempt / task_file::verdict);
    return text ? parse_verdict(*text) : std::nullopt;
}

std::optional<task_end> end_of(const fs::path& task) {
    const auto text = read_small(task / task_file::ended);
    return text ? parse_end(*text) : std::nullopt;
}

std::optional<std::uint32_t> failed_rank_of(const fs::path& attempt) {
    const auto text = read_small(attempt / task_file::failed);
    std::uint32_t rank = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), rank).ec != std::errc())
        return std::nullopt;
    return rank;
}

std::string end_message(const task_end& end, std::uint32_t rank, std::uint32_t tasks) {
    const std::string who = tasks > 1 ? "task " + std::to_string(rank) + ' ' : "";
    if (end.stopped == stop_reason::time_limit)
        return who + "ended at its time limit";
    if (end.stopped == stop_reason::host)
        return who + "ended because the machine was shut down";
    if (!end.message.empty())
        return who + end.message;
    if (end.exit_signal)
        return who + "ended by signal " + std::to_string(*end.exit_signal) +
               (end.stopped == stop_reason::cancelled ? " after a cancel" : "");
    return end.exit_code == 0 ? "" : who + "exited with " + std::to_string(end.exit_code.value_or(0));
}

/// Short, and UTF-8 whatever the task's command is called.
std::string shown(std::string text) {
    constexpr std::size_t bytes_max = 1000;
    text.resize(std::min(text.size(), bytes_max));
    if (!is_utf8(text))
        std::ranges::replace_if(
            text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return text;
}

/// The last sign of life of a task that left no record: its newest output, but not before its start nor after now.
instant last_sign(const fs::path& task, instant started_at, instant now) {
    instant last = started_at;
    for (const char* name : {"stdout", "stderr"}) {
        struct stat seen {};
        if (::stat((task / name).c_str(), &seen) == 0)
            last = std::max(last, instant(milliseconds(seen.st_mtim.tv_sec * 1000 + seen.st_mtim.tv_nsec / 1'000'000)));
    }
    return std::min(last, now);
}

/// Ends a task whose shim is gone. The lock is looked at before the record: a shim writes the record first.
std::optional<task_end> end_of_settled(const fs::path& attempt, std::uint32_t rank, const launch_verdict& verdict,
                                       instant now) {
    const auto task = task_dir(attempt, rank);
    const bool same_boot = verdict.boot == boot_id();
    const bool alive = same_boot && task_locked(task);
    auto end = end_of(task);
    if (end || alive)
        return end;
    task_end made;
    made.exit_signal = SIGKILL;
    made.at = same_boot ? now_since(verdict) : last_sign(task, verdict.at, now);
    made.message = same_boot ? "was ended because the process that watched over it was killed"
                             : "ended because the machine restarted";
    if (!write_file_atomically(task / task_file::ended, format_end(made), 0600))
        return std::nullopt;
    const int fd = ::open((attempt / task_file::failed).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        const auto text = std::to_string(rank);
        [[maybe_unused]] const auto wrote = ::write(fd, text.data(), text.size());
        ::close(fd);
    }
    return made;
}

observation final_observation(const fs::path& attempt, const launch_verdict& verdict,
                              const std::vector<task_end>& ends) {
    const auto tasks = static_cast<std::uint32_t>(ends.size());
    observation seen;
    seen.at = observation::phase::exited;
    seen.started_at = verdict.at;
    seen.exit_code = 0;
    seen.ended_at = verdict.at;
    auto first = failed_rank_of(attempt);
    for (std::uint32_t rank = 0; rank < tasks; ++rank) {
        seen.ended_at = std::max(*seen.ended_at, ends[rank].at);
        seen.timed_out = seen.timed_out || ends[rank].stopped == stop_reason::time_limit;
        if (!first && !ends[rank].good())
            first = rank;
    }
    if (first && *first < tasks) {
        const auto& end = ends[*first];
        seen.exit_code = end.exit_code;
        seen.exit_signal = end.exit_signal;
        seen.failed_rank = *first;
        seen.message = shown(end_message(end, *first, tasks));
    }
    return seen;
}

}  // namespace

observation read_attempt(const fs::path& attempt, const std::string& token, std::uint32_t tasks) {
    observation seen;
    if (const auto text = read_small(attempt / task_file::outcome)) {
        const auto document = parse_json(*text, protocol_line_max);
        if (auto read = document ? decode_observation(*document) : result<observation>(document.error()))
            return *read;
    }
    seen.token = token;
    seen.handle = token;
    std::error_code code;
    const auto verdict = verdict_of(attempt);
    if (!fs::exists(attempt, code)) {
        seen.at = observation::phase::absent;
    } else if (verdict && !verdict->go) {
        seen.at = observation::phase::absent;
        seen.message = verdict->reason;
    } else if (verdict) {
        std::vector<task_end> ends;
        for (std::uint32_t rank = 0; rank < tasks; ++rank)
            if (const auto end = end_of(task_dir(attempt, rank)))
                ends.push_back(*end);
        if (ends.size() == tasks)
            seen = final_observation(attempt, *verdict, ends);
        else
            seen.at = observation::phase::running;
        seen.token = token;
        seen.handle = token;
        seen.started_at = verdict->at;
    }
    return seen;
}

bool settle_attempt(const fs::path& attempt, const std::string& token, std::uint32_t tasks, instant now) {
    if (::access((attempt / task_file::outcome).c_str(), F_OK) == 0)
        return true;
    const auto verdict = verdict_of(attempt);
    if (!verdict)
        return false;
    if (!verdict->go)
        return true;
    bool all = true;
    bool failed = ::access((attempt / task_file::failed).c_str(), F_OK) == 0;
    const bool failed_before = failed;
    for (std::uint32_t rank = 0; rank < tasks; ++rank) {
        const auto end = end_of_settled(attempt, rank, *verdict, now);
        all = all && end.has_value();
        failed = failed || (end && !end->good());
    }
    if (!all && failed && !failed_before)
        wake_shims(attempt, tasks);
    if (!all)
        return false;
    const auto seen = read_attempt(attempt, token, tasks);
    return seen.at == observation::phase::exited && write_volatile(attempt / task_file::outcome, encode(seen));
}

void wake_shims(const fs::path& attempt, std::uint32_t tasks) {
    for (std::uint32_t rank = 0; rank < tasks; ++rank)
        if (const auto text = read_small(task_dir(attempt, rank) / task_file::pid))
            if (const auto who = parse_identity(*text))
                signal_process(*who, SIGUSR1);
}

}  // namespace westerly
