#include "broker/runtime/archivist.hpp"

namespace westerly {

archivist::archivist(log_archive& logs, std::function<void(logs_archived)> tell)
    : logs_(logs), tell_(std::move(tell)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

archivist::~archivist() = default;

void archivist::finish(logs_archived one) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(one));
    }
    changed_.notify_one();
}

void archivist::work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        std::vector<logs_archived> some;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
            some.swap(waiting_);
        }
        finish_all(std::move(some));
    }
}

void archivist::finish_all(std::vector<logs_archived> some) {
    const auto failed = [](logs_archived& one, const error& why) {
        one.ok = false;
        one.message = why.detail;
    };
    std::vector<attempt_id> unsynced;
    std::vector<logs_archived*> awaiting_sync;
    for (logs_archived& one : some) {
        const auto finished = logs_.finish(one.attempt);
        if (!finished) {
            failed(one, finished.error());
        } else if (*finished) {
            unsynced.push_back(one.attempt);
            awaiting_sync.push_back(&one);
        }
    }
    if (!unsynced.empty())
        if (const auto synced = logs_.sync(unsynced); !synced)
            for (logs_archived* one : awaiting_sync)
                failed(*one, synced.error());
    for (logs_archived& one : some)
        tell_(std::move(one));
}

}  // namespace westerly
