#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace westerly {

struct program_end {
    int exit_code = -1;  // -1: not started or ended by a signal
    std::string output;  // the first KiB of standard output
};

/// Runs a program with empty standard input and no standard error, and waits for it. Nothing else of this process is
/// inherited.
program_end run_program(const std::vector<std::string>& words);

/// Starts a program in the same way without waiting; its pid, or -1 with errno set.
pid_t start_program(const std::vector<std::string>& words);
/// Waits for it; the exit code, or -1.
int wait_for(pid_t pid);

/// Whether any process of this machine has the uid among its ids.
bool uid_in_use(std::uint32_t uid);

/// The shim's program: beside this one.
std::filesystem::path shim_path();

}  // namespace westerly
