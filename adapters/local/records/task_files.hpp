#pragma once

#include "broker/support/result.hpp"
#include "broker/support/time.hpp"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace westerly {

/// The files of one attempt, and who writes them:
///
///   ATTEMPT/            0700, renamed into place whole: from then on the attempt exists
///     spec.json plan    adapter, before the rename: what was asked for, what a shim must know
///     bundle.tar        adapter, before the rename
///     fence             adapter: the highest fence of a launch of this token
///     verdict           adapter: "go MS UP_MS BOOT" (the whole gang starts) or "no REASON" (nothing ever will)
///     cancel            adapter: "GRACE_S"; a stop is asked for
///     failed            the first shim whose task failed: its rank; the others stop then
///     outcome.json      adapter: the final observation
///     input/ output/    seen by all tasks
///     tasks/RANK/       lock: held by the live shim. pid: the shim, once ready. failure: why it never got ready.
///                       stdout, stderr. ended: the task's end. scratch/, tmp/: the task's own
namespace task_file {
inline constexpr const char* spec = "spec.json";
inline constexpr const char* plan = "plan";
inline constexpr const char* bundle = "bundle.tar";
inline constexpr const char* fence = "fence";
inline constexpr const char* verdict = "verdict";
inline constexpr const char* cancel = "cancel";
inline constexpr const char* failed = "failed";
inline constexpr const char* outcome = "outcome.json";
inline constexpr const char* lock = "lock";
inline constexpr const char* pid = "pid";
inline constexpr const char* failure = "failure";
inline constexpr const char* ended = "ended";
inline constexpr const char* output = "output";
inline constexpr const char* input = "input";
inline constexpr const char* scratch = "scratch";
inline constexpr const char* tmp = "tmp";
}  // namespace task_file

std::filesystem::path task_dir(const std::filesystem::path& attempt, std::uint32_t rank);

/// A process, told apart from a later one with the same pid by its start time and the machine's boot.
struct process_identity {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;
    std::string boot;
};
/// This machine's current boot. Empty when the kernel does not tell.
const std::string& boot_id();
std::optional<std::uint64_t> start_ticks_of(pid_t pid);
process_identity own_identity();
/// Sends the signal if the process is still the one meant. False: it is gone.
bool signal_process(const process_identity& who, int number);

std::string format_identity(const process_identity& who);
std::optional<process_identity> parse_identity(const std::string& text);

/// "go" or "no"; the only thing that lets a task start.
struct launch_verdict {
    bool go = false;
    instant at{};                            // go: when the gang started, the provider's record of the start
    std::string boot;                        // go: of the machine
    std::string reason;                      // no: for people
    std::optional<std::int64_t> up_ms = {};  // go: `at` in time since boot; records of earlier versions lack it
};
/// In milliseconds, suspended time included. Nobody can set this clock.
std::int64_t time_since_boot_ms();
/// Now, by the clock as it stood when this attempt started: what a run is metered by must not change when the wall
/// clock is set while it runs.
instant now_since(const launch_verdict& verdict);
std::string format_verdict(const launch_verdict& verdict);
std::optional<launch_verdict> parse_verdict(const std::string& text);

/// Why a shim ended its task before it ended itself.
enum class stop_reason : std::uint8_t { none, cancelled, peer_failed, time_limit, host };

/// The end of one task.
struct task_end {
    instant at{};
    std::optional<int> exit_code = {};
    std::optional<int> exit_signal = {};
    stop_reason stopped = stop_reason::none;
    std::string message = {};  // one line, for people
    bool good() const noexcept { return exit_code == 0; }
};
std::string format_end(const task_end& end);
std::optional<task_end> parse_end(const std::string& text);

/// The small text files above, or nullopt when they are not there or damaged.
std::optional<std::string> read_small(const std::filesystem::path& path);
/// Replaces a file at once for whoever reads it, but not durably: for what can be found out again. False on failure.
bool write_volatile(const std::filesystem::path& path, const std::string& text);

/// Takes the lock that says "this task's shim lives", for as long as any copy of the descriptor is open. -1 when
/// another process has it.
int take_task_lock(const std::filesystem::path& task);
/// Whether a live process holds it. Never takes it, so it disturbs nobody.
bool task_locked(const std::filesystem::path& task);

}  // namespace westerly
