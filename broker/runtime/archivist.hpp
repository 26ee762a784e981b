#pragma once

#include "broker/domain/inputs.hpp"
#include "broker/runtime/log_archive.hpp"

#include <condition_variable>
#include <functional>
#include <thread>
#include <vector>

namespace westerly {

/// Finishes archives on a thread of its own, all that wait with one sync, and then tells of each: the thread that
/// speaks with the providers must not wait for the disk. Thread-safe. At its end what waits is dropped; the outbox
/// still has it.
class archivist {
public:
    /// `tell` is called on the archivist's thread; where the disk failed, with ok = false and why.
    archivist(log_archive& logs, std::function<void(logs_archived)> tell);
    ~archivist();
    archivist(const archivist&) = delete;
    archivist& operator=(const archivist&) = delete;

    void finish(logs_archived one);

private:
    void work(const std::stop_token& stop);
    void finish_all(std::vector<logs_archived> some);

    log_archive& logs_;
    const std::function<void(logs_archived)> tell_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<logs_archived> waiting_;
    std::jthread thread_;
};

}  // namespace westerly
