#pragma once

#include "broker/support/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace westerly {

/// How a task is kept away from everything that is not its own.
enum class isolation_kind : std::uint8_t {
    uid,         // a uid of the attempt's own, private mounts, processes and IPC; needs root
    bubblewrap,  // bwrap with only the attempt's folders and system folders bound; needs user namespaces
    same_user    // nothing: the operator said unsafe_same_user
};

/// All that a shim must know to run one task; the same for every rank of an attempt. Written once by the adapter,
/// before the attempt exists under its name.
struct task_plan {
    isolation_kind isolation = isolation_kind::same_user;
    std::uint32_t uid = 0;  // isolation uid: of user and group
    std::string token;
    std::string attempt_dir;
    std::string checkpoint_dir;
    std::string events;  // the FIFO to which a shim writes "TOKEN\n" when something changed
    std::string shim;    // the shim's own program, for bubblewrap
    std::string bwrap;
    std::vector<std::string> command;
    std::vector<std::string> env;  // NAME=VALUE, without what depends on the rank
    std::uint32_t tasks = 1;
    std::uint64_t memory_mib = 0;     // address space of each process
    std::uint64_t disk_mib = 0;       // size of each file; 0: no limit
    std::uint64_t processes_max = 0;  // of the attempt's user, in a sandbox; 0: no limit
    std::uint64_t log_bytes_max = 0;  // of each stream
    std::optional<std::uint64_t> max_runtime_s;
    std::uint32_t grace_s = 30;
    bool bundle = false;  // unpack attempt_dir/bundle.tar into the scratch directory first

    friend bool operator==(const task_plan&, const task_plan&) = default;
};

/// Pairs of NUL-terminated keys and values: neither arguments nor variables hold a NUL.
std::string pack_plan(const task_plan& plan);
/// Errors: internal (a damaged file).
result<task_plan> unpack_plan(std::string_view packed);

inline constexpr std::size_t plan_bytes_max = 64 << 20;

}  // namespace westerly
