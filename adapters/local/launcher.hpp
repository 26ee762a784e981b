#pragma once

#include "adapters/local/attempt_book.hpp"
#include "adapters/local/isolation.hpp"
#include "adapters/local/state_folder.hpp"

#include <atomic>
#include <condition_variable>

namespace westerly {

/// Makes attempts exist and drives them to their verdict. The order on disk is what makes a launch safe to repeat and
/// to be killed at any point: an attempt exists from the rename of its whole folder on; its tasks may start only once
/// the verdict "go" is durable, which happens when every shim of the gang stands ready; the verdict is given once. So
/// an attempt without a folder never ran, and one without a verdict has not run yet and is driven on by whoever comes
/// next.
class launcher {
public:
    launcher(state_folder& state, attempt_book& book) : state_(state), book_(book) {}
    void configure(isolation_found isolation, std::uint32_t uid_base);
    isolation_found isolation() const;

    /// `entry` is new and locked. On failure nothing of it exists: the caller forgets it.
    result<void> create(const launch_request& request, attempt_entry& entry);

    /// Brings an attempt that exists to its verdict; `entry.work` is held. Empty when the gang runs, else why nothing
    /// of it ever will.
    std::string drive(const attempt_entry& entry);

    /// A shim said that something changed.
    void poke();

private:
    std::pair<isolation_kind, std::uint32_t> users() const;
    task_plan plan_for(const launch_request& request, const attempt_entry& entry) const;
    std::string start_shims(const attempt_entry& entry);
    std::string wait_until_ready(const attempt_entry& entry);

    state_folder& state_;
    attempt_book& book_;
    mutable std::mutex isolation_lock_;
    isolation_found isolation_;
    std::uint32_t uid_base_ = 0;
    std::mutex ready_lock_;
    std::condition_variable ready_changed_;
    std::atomic<std::uint64_t> pokes_ = 0;
};

}  // namespace westerly
