#pragma once

#include "broker/support/result.hpp"
#include "broker/support/time.hpp"

#include <filesystem>
#include <string>

namespace westerly {

/// The adapter's private directory:
///
///   lock          held while an adapter serves, so that a restarted one waits for its predecessor's end
///   state         "BOOTS BOOT BORN_MS UID_BASE": boots counted, the last one's id, when the directory began
///   events        FIFO: shims write "TOKEN\n" when something changed
///   attempts/     one folder an attempt (records/task_files.hpp)
///   making/       attempts that do not exist yet; emptied at start, because nothing of them ever ran
///   staged/       bundles that were put before their launch
///   checkpoints/  one folder a workload, shared by its attempts
class state_folder {
public:
    state_folder() = default;
    ~state_folder();
    state_folder(const state_folder&) = delete;
    state_folder& operator=(const state_folder&) = delete;

    /// Takes the lock and makes what is missing. Errors: conflict when another adapter holds it; storage_failed.
    result<void> open(const std::filesystem::path& path);

    std::filesystem::path attempts() const { return path_ / "attempts"; }
    std::filesystem::path attempt(const std::string& token) const { return attempts() / token; }
    std::filesystem::path making(const std::string& token) const { return path_ / "making" / token; }
    std::filesystem::path staged(const std::string& token) const { return path_ / "staged" / (token + ".tar"); }
    std::filesystem::path checkpoints(const std::string& workload) const { return path_ / "checkpoints" / workload; }
    std::filesystem::path staged() const { return path_ / "staged"; }
    std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
    std::filesystem::path making() const { return path_ / "making"; }
    std::filesystem::path events() const { return path_ / "events"; }
    std::uint64_t boots() const noexcept { return boots_; }
    instant born_at() const noexcept { return born_at_; }
    /// First uid of this directory's own range, unless the operator names another.
    std::uint32_t uid_base() const noexcept { return uid_base_; }

private:
    result<void> count_boot();

    std::filesystem::path path_;
    int lock_ = -1;
    std::uint64_t boots_ = 0;
    instant born_at_{};
    std::uint32_t uid_base_ = 0;
};

/// How many uids a state directory has for itself.
inline constexpr std::uint32_t uid_count = 16'384;

}  // namespace westerly
